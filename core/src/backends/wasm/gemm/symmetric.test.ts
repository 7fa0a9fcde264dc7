import { describe, expect, it } from "vitest";
import { jit, type NDArray, np } from "../../../index.js";
import type { FloatDType } from "../functions/contract.js";
import { emitGemm } from "./static.js";
import { compile, variants } from "./test-support.js";

/** C (+)= A A' with A row by row or column by column; small integers, so that sums are exact. */
function check(variant: (typeof variants)[number], dtype: FloatDType, n: number, k: number, byColumns: boolean, accumulate: boolean, gap: number): void {
  const a = byColumns ? { row: 1, k: n } : { row: k, k: 1 };
  const spec = { dtype, m: n, n, k, a, b: { k: a.k, column: a.row }, c: { row: n + gap }, accumulate, symmetric: true };
  const { memory, run, scratchBytes } = compile(variant, (context) => emitGemm(context, spec));
  const size = dtype === "float32" ? 4 : 8;
  const placeC = 64 + n * k * size + 64;
  const scratch = Math.ceil((placeC + n * (n + gap) * size + 64) / 16) * 16;
  memory.grow(Math.ceil((scratch + scratchBytes) / 65536));
  const view = (at: number, length: number) => (dtype === "float32" ? new Float32Array(memory.buffer, at, length) : new Float64Array(memory.buffer, at, length));
  const A = view(64, n * k);
  const C = view(placeC, n * (n + gap));
  for (let i = 0; i < A.length; i++) A[i] = ((i * 7919) % 17) - 8;
  for (let i = 0; i < n; i++) for (let j = 0; j < n + gap; j++) C[i * (n + gap) + j] = j >= n ? 0.5 : accumulate ? ((Math.min(i, j) * 31 + Math.max(i, j)) % 13) - 6 : NaN;
  const before = C.slice();
  run(64, 64, placeC, scratch);
  const what = `${JSON.stringify(variant)} ${dtype} ${n} ${k} ${byColumns} ${accumulate}`;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n + gap; j++) {
      const at = i * (n + gap) + j;
      let want = accumulate || j >= n ? before[at]! : 0;
      if (j < n) for (let p = 0; p < k; p++) want += A[i * a.row + p * a.k]! * A[j * a.row + p * a.k]!;
      if (C[at] !== want) throw new Error(`${what}: C[${i},${j}] is ${C[at]}, expected ${want}`);
    }
}

describe("products of a matrix with its transpose", () => {
  it.each([1, 8, 15, 16, 17, 24, 25, 31, 32, 33, 47, 48, 49, 65, 97])("%i rows", (n) => {
    for (const variant of variants)
      for (const dtype of ["float32", "float64"] as const)
        for (const k of [15, 16, 17, 50]) check(variant, dtype, n, k, k % 2 === 0, k === 17, n % 3);
  });
  it("more than a panel holds in any direction", () => {
    for (const variant of variants) {
      check(variant, "float32", 201, 391, true, false, 0);
      check(variant, "float64", 193, 20, false, true, 1);
    }
    check(variants.at(-1)!, "float32", 1031, 16, false, false, 0);
  });
  it("are symmetric to the last digit, and equal what two arrays give", () => {
    for (const n of [20, 64, 100]) {
      const x = np.array(Float64Array.from({ length: 3 * 70 * n }, (_, i) => Math.sin(i))).reshape([3, 70, n]);
      const gram = jit((v: NDArray) => np.matmul(np.swapaxes(v, 1, 2), v))(x);
      const other = jit((v: NDArray, w: NDArray) => np.matmul(np.swapaxes(v, 1, 2), w))(x, np.array(x.data).reshape([3, 70, n]));
      expect(gram.data).toEqual(other.data);
      expect(np.swapaxes(gram, 1, 2).add(0).data).toEqual(gram.data);
    }
    // Neighbouring parts of one array are not each other's transposes.
    const x = np.array(Float64Array.from({ length: 60 * 80 }, (_, i) => Math.cos(i))).reshape([60, 80]);
    const shifted = jit((v: NDArray) => np.matmul(v.get(":", ":40").T, v.get(":", "40:")))(x);
    expect(shifted.get(3, 5).item()).toBeCloseTo(np.sum(x.get(":", 3).mul(x.get(":", 45))).item() as number, 12);
    expect(shifted.get(5, 3).item()).toBeCloseTo(np.sum(x.get(":", 5).mul(x.get(":", 43))).item() as number, 12);
  });
});
