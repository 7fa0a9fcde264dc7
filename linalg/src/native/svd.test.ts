import { describe, expect, it } from "vitest";
import { svdPrimitive, svdvalsPrimitive } from "../factorizations/svd.js";
import { svdRoutine } from "../routines/svd.js";
import { asArray, distance, epsilon, type FloatName, native, numbers, reference, residual } from "./test-support.js";

/** U S V' = A, U'U = I, V V' = I, S descending and as the reference has it. */
function check(values: Float64Array, batch: number, m: number, n: number, dtype: FloatName, compare = true): void {
  const a = asArray(values, [batch, m, n], dtype);
  const [u, s, vt] = native(svdPrimitive, [a], {});
  const [alone] = native(svdvalsPrimitive, [a], {});
  const bound = 10 * (m + n + 8) * epsilon[dtype];
  for (let g = 0; g < batch; g++) {
    const largest = s![g * n] || 1;
    const U = (i: number, k: number) => u![(g * m + i) * n + k]!;
    const V = (k: number, j: number) => vt![(g * n + k) * n + j]!;
    expect(residual(m, n, n, (i, k) => U(i, k) * (s![g * n + k]! / largest), V, (i, j) => a.data[(g * m + i) * n + j]! / largest)).toBeLessThanOrEqual(bound);
    expect(residual(n, n, m, (i, k) => U(k, i), U, (i, j) => (i === j ? 1 : 0))).toBeLessThanOrEqual(bound);
    expect(residual(n, n, n, V, (k, j) => V(j, k), (i, j) => (i === j ? 1 : 0))).toBeLessThanOrEqual(bound);
    for (let k = 0; k < n; k++) expect(Math.abs(alone![g * n + k]! - s![g * n + k]!) / largest).toBeLessThanOrEqual(bound);
    for (let k = 1; k < n; k++) if (!(alone![g * n + k]! <= alone![g * n + k - 1]!)) expect.fail(`alone, s[${k}] is ${alone![g * n + k]} after ${alone![g * n + k - 1]}`);
    for (let k = 1; k < n; k++) if (!(s![g * n + k]! <= s![g * n + k - 1]!)) expect.fail(`s[${k}] is ${s![g * n + k]} after ${s![g * n + k - 1]}`);
  }
  if (!compare) return;
  const expected = reference(svdRoutine, [a], [{ shape: [batch, m, n] }, { shape: [batch, n] }, { shape: [batch, n, n] }], { batch, m, n });
  const scale = expected[1]![0] || 1;
  expect(distance(Array.from(s!, (x) => x / scale), Array.from(expected[1]!, (x) => x / scale))).toBeLessThanOrEqual(bound);
}

describe.each(["float64", "float32"] as const)("%s", (dtype) => {
  it.each([0, 1, 2, 3, 5, 8, 11, 12, 13, 16, 17, 31, 32, 33, 34, 47, 65])("random matrices, square and tall, n = %i", (n) => {
    check(numbers(n, 2 * n * n), 2, n, n, dtype);
    for (const m of [n + 1, 2 * n + 1, 3 * n + 1]) check(numbers(n, m * n), 1, m, n, dtype, n < 20);
  });

  it.each([63, 64, 66, 97, 129, 130])("larger ones, n = %i", (n) => {
    check(numbers(n, n * n), 1, n, n, dtype, false);
    check(numbers(n, (n + 7) * n), 1, n + 7, n, dtype, false);
  });

  it.each([1, 2, 6, 13, 20, 33, 70])("of low rank, with equal, zero and clustered singular values, n = %i", (n) => {
    const matrix = (m: number, element: (i: number, j: number) => number): void => check(Float64Array.from({ length: m * n }, (_, at) => element(Math.floor(at / n), at % n)), 1, m, n, dtype, n < 20);
    const x = numbers(n, n + 9);
    matrix(n, () => 0);
    matrix(n + 2, () => 0);
    matrix(n, () => 1);
    matrix(n, (i, j) => x[i]! * x[j]!);
    matrix(n, (i, j) => (i === j ? 3 : 0));
    matrix(n, (i, j) => (i === j ? i % 3 : 0));
    matrix(n, (i, j) => (i === j ? 2 : 0) + 1e-9 * x[i]! * x[j]!);
    matrix(n + 5, (i, j) => x[j]! ** (i % 3));
    matrix(n, (i, j) => (j === i + 1 ? 1 : 0));
    matrix(n, (i, j) => (i === j || j === i + 1 ? 1 : 0));
    matrix(n, (i, j) => (i === j ? 1 : i === j + 1 ? 10 : 0));
    matrix(n, (i, j) => (i === j ? 0.9 ** i : j > i ? -0.4 * 0.9 ** i : 0));
    matrix(n, (i, j) => 1 / (i + j + 1));
    matrix(n, (i, j) => (i === 3 || j === 5 ? 0 : x[i]! + Math.sin(i * j)));
    for (const base of [0.5, 2]) matrix(n, (i, j) => Math.sin(i * 7 + j * j) * base ** (((i + j) * 30) / n));
    // Every singular value twice.
    matrix(n, (i, j) => (i % 2 === j % 2 ? Math.sin((i >> 1) * 7 + (j >> 1) * (j >> 1)) : 0));
  });

  it.each([13, 20, 32])("small singular values of bidiagonal matrices keep their relative accuracy, the large end first and last, n = %i", (n) => {
    const ratio = dtype === "float64" ? 0.1 : 0.5;
    for (const flip of [false, true]) {
      const values = Float64Array.from({ length: n * n }, (_, at) => {
        const [i, j] = [Math.floor(at / n), at % n];
        return (i === j ? 1 : i === j + 1 ? 0.6 : 0) * ratio ** (flip ? n - 1 - j : j);
      });
      const a = asArray(values, [1, n, n], dtype);
      const expected = reference(svdRoutine, [a], [{ shape: [1, n, n] }, { shape: [1, n] }, { shape: [1, n, n] }], { batch: 1, m: n, n })[1]!;
      for (const s of [native(svdPrimitive, [a], {})[1]!, native(svdvalsPrimitive, [a], {})[0]!]) for (let k = 0; k < n; k++) expect(Math.abs(s[k]! / expected[k]! - 1)).toBeLessThanOrEqual(100 * n * epsilon[dtype]);
    }
  });

  it("small singular values of graded columns keep their relative accuracy; extreme scales", () => {
    const n = 12;
    const base = numbers(1, n * n);
    const graded = base.map((x, i) => x * 10 ** -((i % n) * (dtype === "float64" ? 2 : 1)));
    const a = asArray(graded, [1, n, n], dtype);
    const s = native(svdPrimitive, [a], {})[1]!;
    const expected = reference(svdRoutine, [a], [{ shape: [1, n, n] }, { shape: [1, n] }, { shape: [1, n, n] }], { batch: 1, m: n, n })[1]!;
    for (let k = 0; k < n; k++) expect(Math.abs(s[k]! / expected[k]! - 1)).toBeLessThanOrEqual(100 * n * epsilon[dtype]);
    for (const scale of dtype === "float64" ? [1e300, 1e-290] : [1e37, 1e-30])
      for (const k of [12, 40]) check(numbers(k, k * k).map((x) => x * scale), 1, k, k, dtype, false);
  });

  it("elements that are not finite give NaN throughout, and only in their matrix", () => {
    for (const bad of [NaN, Infinity]) {
      for (const [m, n] of [[5, 4], [40, 33], [33, 33]] as const) {
      const values = numbers(3, 3 * m * n);
      values[m * n + 7] = bad;
      const a = asArray(values, [3, m, n], dtype);
      for (const x of [...native(svdPrimitive, [a], {}), ...native(svdvalsPrimitive, [a], {})]) expect(Array.from(x, Number.isNaN)).toEqual(Array.from({ length: x.length }, (_, i) => Math.floor((3 * i) / x.length) === 1));
      }
    }
  });
});
