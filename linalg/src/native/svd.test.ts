import { describe, expect, it } from "vitest";
import { svdPrimitive } from "../factorizations/svd.js";
import { svdRoutine } from "../routines/svd.js";
import { asArray, distance, epsilon, type FloatName, native, numbers, reference, residual } from "./test-support.js";

/** U S V' = A, U'U = I, V V' = I, S descending and as the reference has it. */
function check(values: Float64Array, batch: number, m: number, n: number, dtype: FloatName, compare = true): void {
  const a = asArray(values, [batch, m, n], dtype);
  const [u, s, vt] = native(svdPrimitive, [a], {});
  const bound = 10 * (m + n + 8) * epsilon[dtype];
  for (let g = 0; g < batch; g++) {
    const largest = s![g * n] || 1;
    const U = (i: number, k: number) => u![(g * m + i) * n + k]!;
    const V = (k: number, j: number) => vt![(g * n + k) * n + j]!;
    expect(residual(m, n, n, (i, k) => U(i, k) * (s![g * n + k]! / largest), V, (i, j) => a.data[(g * m + i) * n + j]! / largest)).toBeLessThanOrEqual(bound);
    expect(residual(n, n, m, (i, k) => U(k, i), U, (i, j) => (i === j ? 1 : 0))).toBeLessThanOrEqual(bound);
    expect(residual(n, n, n, V, (k, j) => V(j, k), (i, j) => (i === j ? 1 : 0))).toBeLessThanOrEqual(bound);
    for (let k = 1; k < n; k++) if (!(s![g * n + k]! <= s![g * n + k - 1]!)) expect.fail(`s[${k}] is ${s![g * n + k]} after ${s![g * n + k - 1]}`);
  }
  if (!compare) return;
  const expected = reference(svdRoutine, [a], [{ shape: [batch, m, n] }, { shape: [batch, n] }, { shape: [batch, n, n] }], { batch, m, n });
  const scale = expected[1]![0] || 1;
  expect(distance(Array.from(s!, (x) => x / scale), Array.from(expected[1]!, (x) => x / scale))).toBeLessThanOrEqual(bound);
}

describe.each(["float64", "float32"] as const)("%s", (dtype) => {
  it.each([0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 47])("random matrices, square and tall, n = %i", (n) => {
    check(numbers(n, 2 * n * n), 2, n, n, dtype);
    check(numbers(n, 2 * (n + 3) * n), 2, n + 3, n, dtype);
    check(numbers(n, (2 * n + 1) * n), 1, 2 * n + 1, n, dtype);
  });

  it.each([1, 2, 6, 13, 20, 30])("zero, rank one, repeated and orthogonal columns, n = %i", (n) => {
    check(new Float64Array(n * n), 1, n, n, dtype);
    check(new Float64Array(n * (n + 2)), 1, n + 2, n, dtype);
    check(new Float64Array(n * n).fill(1), 1, n, n, dtype);
    const x = numbers(n, n);
    check(Float64Array.from({ length: n * n }, (_, i) => x[Math.floor(i / n)]! * x[i % n]!), 1, n, n, dtype);
    check(Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 3 : 0)), 1, n, n, dtype);
    check(Float64Array.from({ length: n * n }, (_, i) => x[Math.floor(i / n)]! ** ((i % n) % 3)), 1, n, n, dtype);
  });

  it("small singular values of graded columns keep their relative accuracy; extreme scales", () => {
    const n = 12;
    const base = numbers(1, n * n);
    const graded = base.map((x, i) => x * 10 ** -((i % n) * (dtype === "float64" ? 2 : 1)));
    const a = asArray(graded, [1, n, n], dtype);
    const s = native(svdPrimitive, [a], {})[1]!;
    const expected = reference(svdRoutine, [a], [{ shape: [1, n, n] }, { shape: [1, n] }, { shape: [1, n, n] }], { batch: 1, m: n, n })[1]!;
    for (let k = 0; k < n; k++) expect(Math.abs(s[k]! / expected[k]! - 1)).toBeLessThanOrEqual(100 * n * epsilon[dtype]);
    for (const scale of dtype === "float64" ? [1e300, 1e-290] : [1e37, 1e-30]) check(base.map((x) => x * scale), 1, n, n, dtype, false);
  });

  it("elements that are not finite give NaN throughout, and only in their matrix", () => {
    for (const bad of [NaN, Infinity]) {
      const values = numbers(3, 3 * 5 * 4);
      values[20 + 7] = bad;
      for (const x of native(svdPrimitive, [asArray(values, [3, 5, 4], dtype)], {})) expect(Array.from(x, Number.isNaN)).toEqual(Array.from({ length: x.length }, (_, i) => Math.floor((3 * i) / x.length) === 1));
    }
  });
});
