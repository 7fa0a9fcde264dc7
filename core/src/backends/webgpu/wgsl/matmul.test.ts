import { afterAll, describe, expect, it } from "vitest";
import type { DType } from "../../../base/dtype.js";
import { accumulator, binary, type Expr, load } from "../../../kernel/expr.js";
import type { Step } from "../../../kernel/schedule.js";
import { execute, kernel, schedule, suiteOn, webgpuForTests } from "../testing.js";

const gpu = await webgpuForTests("WGSL matrix products");
afterAll(() => gpu?.idle());
const onGpu = suiteOn(gpu, describe, it);

interface Product { readonly batch: number; readonly m: number; readonly n: number; readonly k: number; readonly transposeA: boolean; readonly transposeB: boolean }

const program = ({ batch, m, n, k, transposeA, transposeB }: Product, dtype: DType) => {
  const a = load(dtype, 0, { offset: 0, strides: transposeA ? [m * k, 1, 0, m] : [m * k, k, 0, 1] });
  const b = load(dtype, 1, { offset: 0, strides: transposeB ? [k * n, 0, k, 1] : [k * n, 0, 1, n] });
  return schedule({
    buffers: [batch * m * k, batch * k * n, batch * m * n].map((size) => ({ dtype, size })), inputs: [0, 1], outputs: [2],
    steps: [kernel({ dims: [batch, m, n], reduceDims: [k], accumulators: [{ op: "add", dtype, value: binary("mul", a, b) }], outputs: [{ buffer: 2, index: { offset: 0, strides: [m * n, n, 1] }, value: accumulator(dtype, 0) }] })],
  });
};

/** Sums of small integers are exact in float32, so products are compared to the last bit. */
const entries = (n: number, seed: number) => Float32Array.from({ length: n }, (_, i) => (Math.imul(i + seed, 0x9e3779b1) >>> 28) - 8);

function expected({ batch, m, n, k, transposeA, transposeB }: Product, a: Float32Array, b: Float32Array): Float32Array {
  const c = new Float32Array(batch * m * n);
  for (let g = 0; g < batch; g++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += a[g * m * k + (transposeA ? p * m + i : i * k + p)]! * b[g * k * n + (transposeB ? j * k + p : p * n + j)]!;
        c[(g * m + i) * n + j] = sum;
      }
  return c;
}

const sizes = [1, 3, 17, 64, 65];
onGpu("matrix product", () => {
  it.each(sizes.flatMap((m) => sizes.map((n) => [m, n] as const)))("m = %d, n = %d, every k and transposition", async (m, n) => {
    for (const k of sizes)
      for (const [transposeA, transposeB] of [[false, false], [true, false], [false, true], [true, true]] as const) {
        const p = { batch: 1, m, n, k, transposeA, transposeB };
        const [a, b] = [entries(m * k, 1), entries(k * n, 99)];
        expect((await execute(gpu!, program(p, "float32"), [a, b]))[0], JSON.stringify(p)).toEqual(expected(p, a, b));
      }
  });

  it.each([{ batch: 3, m: 65, n: 33, k: 17 }, { batch: 7, m: 2, n: 3, k: 5 }, { batch: 1500, m: 1, n: 2, k: 1 }])("batches: $batch of $m by $n by $k", async (size) => {
    const p = { ...size, transposeA: false, transposeB: true };
    const [a, b] = [entries(p.batch * p.m * p.k, 5), entries(p.batch * p.n * p.k, 7)];
    expect((await execute(gpu!, program(p, "float32"), [a, b]))[0]).toEqual(expected(p, a, b));
  });

  it("of nothing is zero", async () => {
    const p = { batch: 1, m: 2, n: 3, k: 0, transposeA: false, transposeB: false };
    expect((await execute(gpu!, program(p, "float32"), [new Float32Array(0), new Float32Array(0)]))[0]).toEqual(new Float32Array(6));
  });

  it("rounds as float32 sums do", async () => {
    const p = { batch: 1, m: 70, n: 70, k: 301, transposeA: false, transposeB: false };
    const noise = (n: number, seed: number) => Float32Array.from({ length: n }, (_, i) => (Math.imul(i + seed, 0x9e3779b1) >>> 0) / 2 ** 31 - 1);
    const [a, b] = [noise(70 * 301, 1), noise(70 * 301, 2)];
    const want = expected(p, a, b);
    (await execute(gpu!, program(p, "float32"), [a, b]))[0]!.forEach((v, i) => expect(Math.abs(v - want[i]!)).toBeLessThan(301 * 2 ** -24 * 2));
  });

  it.each(["int32", "uint32"] as const)("of %s", async (dtype) => {
    const p = { batch: 2, m: 33, n: 40, k: 9, transposeA: true, transposeB: false };
    const [a, b] = [entries(p.batch * p.m * p.k, 5), entries(p.batch * p.n * p.k, 7)];
    const of = (x: Float32Array) => (dtype === "int32" ? Int32Array.from(x) : Uint32Array.from(x, (v) => v + 8));
    const [x, y] = [of(a), of(b)];
    expect(Array.from((await execute(gpu!, program(p, dtype), [x, y]))[0]!)).toEqual(Array.from(expected(p, Float32Array.from(x), Float32Array.from(y))));
  });

  const run = (buffers: readonly number[], step: Step, inputs: Float32Array[]) => execute(gpu!, schedule({ buffers: buffers.map((size) => ({ dtype: "float32", size })), inputs: inputs.map((_, i) => i), outputs: [inputs.length], steps: [step] }), inputs);
  const sums = (value: Expr) => [{ op: "add" as const, dtype: "float32" as const, value }];

  it("of matrices that do not lie evenly: one dimension of rows counts as batch, a factor is copied", async () => {
    // x[t, b, d] w[d, e] with the result stored [b, t, e]; then x read backwards along d, which the device's places cannot.
    const [T, B, D, E] = [19, 5, 33, 20];
    const [x, w] = [entries(T * B * D, 1), entries(D * E, 2)];
    const steps = [1, -1].map((direction) => kernel({
      dims: [B, T, E], reduceDims: [D],
      accumulators: sums(binary("mul", load("float32", 0, { offset: direction < 0 ? D - 1 : 0, strides: [D, B * D, 0, direction] }), load("float32", 1, { offset: 0, strides: [0, 0, 1, E] }))),
      outputs: [{ buffer: 2, index: { offset: 0, strides: [T * E, E, 1] }, value: accumulator("float32", 0) }],
    }));
    for (const [i, step] of steps.entries()) {
      const want = new Float32Array(B * T * E);
      for (let b = 0; b < B; b++) for (let t = 0; t < T; t++) for (let e = 0; e < E; e++) for (let d = 0; d < D; d++) want[(b * T + t) * E + e]! += x[(t * B + b) * D + (i === 0 ? d : D - 1 - d)]! * w[d * E + e]!;
      expect((await run([x.length, w.length, want.length], step, [x, w]))[0]).toEqual(want);
    }
  });

  it("a convolution stays a loop nest", async () => {
    const [C, P, W, O] = [3, 40, 5, 4];
    const [x, w] = [entries(C * (P + W - 1), 1), entries(O * C * W, 2)];
    const step = kernel({
      dims: [O, P], reduceDims: [C, W],
      accumulators: sums(binary("mul", load("float32", 0, { offset: 0, strides: [0, 1, P + W - 1, 1] }), load("float32", 1, { offset: 0, strides: [C * W, 0, W, 1] }))),
      outputs: [{ buffer: 2, index: { offset: 0, strides: [P, 1] }, value: accumulator("float32", 0) }],
    });
    const want = new Float32Array(O * P);
    for (let o = 0; o < O; o++) for (let p = 0; p < P; p++) for (let c = 0; c < C; c++) for (let d = 0; d < W; d++) want[o * P + p]! += x[c * (P + W - 1) + p + d]! * w[(o * C + c) * W + d]!;
    expect((await run([x.length, w.length, want.length], step, [x, w]))[0]).toEqual(want);
  });
});
