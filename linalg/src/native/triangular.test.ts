import { describe, expect, it } from "vitest";
import { choleskyPrimitive } from "../factorizations/cholesky.js";
import { luPrimitive } from "../factorizations/lu.js";
import { triangularSolve } from "../factorizations/triangular-solve.js";
import { choleskyRoutine } from "../routines/cholesky.js";
import { luRoutine } from "../routines/lu.js";
import { triangularSolveRoutine } from "../routines/triangular-solve.js";
import { asArray, distance, epsilon, native, numbers, reference, residual, sizes } from "./test-support.js";

const dtypes = ["float64", "float32"] as const;

/** Batch of matrices with a definite lower triangle; what stands above it is not to be read. */
function definite(seed: number, batch: number, n: number): Float64Array {
  const out = numbers(seed, batch * n * n);
  for (let g = 0; g < batch; g++)
    for (let i = 0; i < n; i++) {
      out[g * n * n + i * n + i] = n / 2 + 1 + (i % 7);
      for (let j = i + 1; j < n; j++) out[g * n * n + i * n + j] = NaN;
    }
  return out;
}

describe.each(dtypes)("%s", (dtype) => {
  const eps = epsilon[dtype];

  it.each(sizes)("cholesky of n = %i: L L' = A, zeros above, as the reference", (n) => {
    const batch = n < 20 ? 3 : 1;
    const a = asArray(definite(n + 1, batch, n), [batch, n, n], dtype);
    const [l] = native(choleskyPrimitive, [a], {});
    const [expected] = reference(choleskyRoutine, [a], [{ shape: a.shape }], { batch, n });
    for (let g = 0; g < batch; g++) {
      const at = (i: number, j: number) => l![(g * n + i) * n + j]!;
      expect(residual(n, n, n, at, (k, j) => at(j, k), (i, j) => a.data[(g * n + Math.max(i, j)) * n + Math.min(i, j)]!)).toBeLessThanOrEqual(2 * (n + 8) * eps * (n / 2 + 8));
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) if (at(i, j) !== 0) expect.fail(`L[${i},${j}] is ${at(i, j)}`);
    }
    expect(distance(l!, expected!)).toBeLessThanOrEqual(4 * (n + 8) * eps * Math.sqrt(n / 2 + 8));
  });

  it.each([1, 2, 6, 7, 24, 25, 64, 100])("cholesky of n = %i gives NaN throughout for what is not definite, and only there", (n) => {
    for (const broken of [0, n >> 1, n - 1])
      for (const value of [-1, 0, NaN]) {
        const values = definite(3, 3, n);
        if (n > 1 && value === 0) for (let j = 0; j <= broken; j++) values[n * n + broken * n + j] = 0;
        values[n * n + broken * n + broken] = value;
        const [l] = native(choleskyPrimitive, [asArray(values, [3, n, n], dtype)], {});
        expect(Array.from(l!).every((x, i) => Number.isNaN(x) === (i >= n * n && i < 2 * n * n))).toBe(true);
      }
  });

  it.each(sizes)("lu of matrices with a side n = %i: P A = L U, the reference's pivots", (n) => {
    for (const [m, k] of [[n, n], [n, n + 3], [n + 5, n], [n, 2 * n + 1], [2 * n + 1, n]] as const) {
      const batch = n < 20 ? 2 : 1;
      const r = Math.min(m, k);
      const a = asArray(numbers(m * 31 + k, batch * m * k), [batch, m, k], dtype);
      const [lu, pivots, permutation] = native(luPrimitive, [a], {});
      const [, p, order] = reference(luRoutine, [a], [{ shape: a.shape }, { shape: [batch, r], int: true }, { shape: [batch, m], int: true }], { batch, m, n: k });
      expect(Array.from(pivots!)).toEqual(Array.from(p!));
      expect(Array.from(permutation!)).toEqual(Array.from(order!));
      for (let g = 0; g < batch; g++) {
        const at = (i: number, j: number) => lu![(g * m + i) * k + j]!;
        const lower = (i: number, j: number) => (i === j ? 1 : i > j ? at(i, j) : 0);
        expect(residual(m, k, r, lower, (i, j) => (i <= j ? at(i, j) : 0), (i, j) => a.data[(g * m + permutation![g * m + i]!) * k + j]!)).toBeLessThanOrEqual(20 * (r + 4) * eps);
      }
    }
  });

  it.each([3, 7, 20, 40, 70])("lu of singular matrices and of NaN, n = %i", (n) => {
    const zero = native(luPrimitive, [asArray(new Float64Array(n * n), [n, n], dtype)], {});
    expect(Array.from(zero[0]!).every((x) => x === 0)).toBe(true);
    expect(Array.from(zero[1]!)).toEqual(Array.from({ length: n }, (_, i) => i));
    const repeated = Float64Array.from({ length: n * n }, (_, i) => ((i / n) | 0) % 2 + (i % n) + 1);
    const [lu] = native(luPrimitive, [asArray(repeated, [n, n], dtype)], {});
    expect(Math.abs(lu![n * n - 1]!)).toBeLessThanOrEqual(100 * n * eps);
    const bad = numbers(n, n * n);
    bad[(n >> 1) * n + (n >> 1)] = NaN;
    const a = asArray(bad, [n, n], dtype);
    const result = native(luPrimitive, [a], {});
    const expected = reference(luRoutine, [a], [{ shape: [n, n] }, { shape: [n], int: true }, { shape: [n], int: true }], { batch: 1, m: n, n });
    expect(Array.from(result[1]!)).toEqual(Array.from(expected[1]!));
    expect(Array.from(result[0]!, Number.isNaN)).toEqual(Array.from(expected[0]!, Number.isNaN));
  });

  it.each(sizes)("triangular systems of n = %i, all variants", (n) => {
    for (const columns of [1, 2, 3, 4, 9, 33])
      for (const lower of [false, true])
        for (const transpose of [false, true])
          for (const unitDiagonal of [false, true]) {
            const batch = n < 10 ? 2 : 1;
            const values = numbers(n + 3, batch * n * n).map((x) => x / (n + 1));
            for (let g = 0; g < batch; g++)
              for (let i = 0; i < n; i++)
                for (let j = 0; j < n; j++) {
                  const at = (g * n + i) * n + j;
                  if (i === j) values[at] = unitDiagonal ? NaN : 1 + (i % 3);
                  else if (i > j !== lower) values[at] = NaN;
                }
            const a = asArray(values, [batch, n, n], dtype);
            const b = asArray(numbers(columns, batch * n * columns), [batch, n, columns], dtype);
            const params = { lower, transpose, unitDiagonal };
            const [x] = native(triangularSolve, [a, b], params);
            const [expected] = reference(triangularSolveRoutine, [a, b], [{ shape: b.shape }], { batch, n, columns, ...params });
            expect(distance(x!, expected!)).toBeLessThanOrEqual(8 * (n + 4) * eps);
          }
  });
});
