import { afterAll, describe, expect, it } from "vitest";
import type { DType } from "../../../base/dtype.js";
import { execute, schedule, suiteOn, webgpuForTests } from "../testing.js";
import type { MatmulParams } from "../../../kernel/matmul.js";

const gpu = await webgpuForTests("WGSL matrix products");
afterAll(() => gpu?.idle());
const onGpu = suiteOn(gpu, describe, it);

const program = (p: MatmulParams, dtype: DType) => {
  const { batch, m, n, k } = p;
  const operand = (buffer: number, size: number) => ({ buffer, shape: [size], dtype });
  return schedule({
    buffers: [batch * m * k, batch * k * n, batch * m * n].map((size) => ({ dtype, size })), inputs: [0, 1], outputs: [2],
    steps: [{ kind: "routine", name: "matmul", params: p, inputs: [operand(0, batch * m * k), operand(1, batch * k * n)], outputs: [operand(2, batch * m * n)] }],
  });
};

/** Sums of small integers are exact in float32, so products are compared to the last bit. */
const entries = (n: number, seed: number) => Float32Array.from({ length: n }, (_, i) => (Math.imul(i + seed, 0x9e3779b1) >>> 28) - 8);

function expected({ batch, m, n, k, transposeA, transposeB }: MatmulParams, a: Float32Array, b: Float32Array): Float32Array {
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
});
