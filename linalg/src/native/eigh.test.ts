import { describe, expect, it } from "vitest";
import { eighPrimitive, eigvalshPrimitive } from "../factorizations/eigh.js";
import { eighRoutine } from "../routines/eigh.js";
import { asArray, distance, epsilon, type FloatName, native, numbers, reference, residual, sizes } from "./test-support.js";

/** Lower triangles of symmetric matrices; NaN stands where nothing may be read. */
function symmetric(n: number, element: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return j > i ? NaN : element(i, j);
  });
}
const random = (seed: number, n: number): Float64Array => {
  const x = numbers(seed, n * n);
  return symmetric(n, (i, j) => x[i * n + j]!);
};
const tridiagonal = (n: number, d: (i: number) => number, e: (i: number) => number): Float64Array => symmetric(n, (i, j) => (i === j ? d(i) : i === j + 1 ? e(j) : 0));

/** A V = V W, V'V = I, W ascending, and W as the reference has it; all in units of n eps |A|. */
function check(values: Float64Array, batch: number, n: number, dtype: FloatName, compare = n <= 65): void {
  const a = asArray(values, [batch, n, n], dtype);
  const [w, v] = native(eighPrimitive, [a], {});
  const [alone] = native(eigvalshPrimitive, [a], {});
  const eps = epsilon[dtype];
  const bound = 4 * (n + 8) * eps;
  for (let g = 0; g < batch; g++) {
    const A = (i: number, j: number) => a.data[(g * n + Math.max(i, j)) * n + Math.min(i, j)] as number;
    let size = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) size = Math.max(size, Math.abs(A(i, j)));
    size ||= 1;
    const V = (i: number, j: number) => v![(g * n + i) * n + j]!;
    const W = (i: number) => w![g * n + i]!;
    expect(residual(n, n, n, (i, k) => A(i, k) / size, V, (i, j) => V(i, j) * (W(j) / size))).toBeLessThanOrEqual(bound * 2);
    expect(residual(n, n, n, (i, k) => V(k, i), V, (i, j) => (i === j ? 1 : 0))).toBeLessThanOrEqual(bound);
    for (let i = 0; i < n; i++) expect(Math.abs(alone![g * n + i]! - W(i)) / size).toBeLessThanOrEqual(bound * 4);
    for (let i = 1; i < n; i++) if (!(W(i) >= W(i - 1))) expect.fail(`w[${i}] is ${W(i)} after ${W(i - 1)}`);
    if (!compare) continue;
    const one = { shape: [1, n, n] };
    const [expected] = reference(eighRoutine, [asArray(values.slice(g * n * n, (g + 1) * n * n), one.shape, dtype)], [{ shape: [1, n] }, one], { batch: 1, n });
    expect(distance(Array.from({ length: n }, (_, i) => W(i) / size), Array.from(expected!, (x) => x / size))).toBeLessThanOrEqual(bound * 4);
  }
}

describe.each(["float64", "float32"] as const)("%s", (dtype) => {
  it.each(sizes)("random matrices of n = %i", (n) => {
    if (n >= 20) return check(random(n, n), 1, n, dtype);
    const values = new Float64Array(3 * n * n);
    for (let g = 0; g < 3; g++) values.set(random(n + g, n), g * n * n);
    check(values, 3, n, dtype);
  });

  it.each([2, 9, 33, 66, 130])("clustered and repeated eigenvalues, n = %i", (n) => {
    check(symmetric(n, (i, j) => (i === j ? 1 : 0)), 1, n, dtype);
    check(new Float64Array(n * n), 1, n, dtype);
    check(symmetric(n, () => 1), 1, n, dtype);
    const x = numbers(n, n);
    check(symmetric(n, (i, j) => x[i]! * x[j]!), 1, n, dtype);
    check(symmetric(n, (i, j) => (i === j ? 2 : 0) + 1e-9 * x[i]! * x[j]!), 1, n, dtype);
    check(symmetric(n, (i, j) => (i === j ? i % 3 : 0)), 1, n, dtype);
    check(symmetric(n, (i, j) => (i === j ? n - i : 0)), 1, n, dtype);
    // Two copies of one matrix: every eigenvalue twice.
    const half = random(5, n);
    check(symmetric(n, (i, j) => (i % 2 === j % 2 ? half[(i >> 1) * n + (j >> 1)]! : 0)), 1, n, dtype);
  });

  it("Wilkinson's W21+, glued copies of it, and second differences", () => {
    check(tridiagonal(21, (i) => Math.abs(i - 10), () => 1), 1, 21, dtype);
    for (const glue of [0, 1e-14, 1e-7, 1e-3]) check(tridiagonal(105, (i) => Math.abs((i % 21) - 10), (i) => (i % 21 === 20 ? glue : 1)), 1, 105, dtype);
    check(tridiagonal(100, () => 2, () => -1), 1, 100, dtype, true);
    check(tridiagonal(100, () => 2, (i) => (i % 7 === 0 ? 0 : -1)), 1, 100, dtype);
    check(tridiagonal(90, () => 0, () => 1), 1, 90, dtype);
  });

  it.each([8, 40, 100])("graded matrices and extreme scales, n = %i", (n) => {
    const x = random(n, n);
    for (const base of [0.5, 2]) check(symmetric(n, (i, j) => x[i * n + j]! * base ** (((i + j) * 30) / n)), 1, n, dtype);
    for (const scale of dtype === "float64" ? [1e300, 1e-300, 1e-306] : [1e37, 1e-35]) check(x.map((v) => v * scale), 1, n, dtype, false);
  });

  it("elements that are not finite give NaN throughout, and only in their matrix", () => {
    for (const n of [1, 4, 40])
      for (const bad of [NaN, Infinity, -Infinity]) {
        const values = new Float64Array(3 * n * n);
        for (let g = 0; g < 3; g++) values.set(random(n + g, n), g * n * n);
        values[n * n + (n - 1) * n] = bad;
        const [w, v] = native(eighPrimitive, [asArray(values, [3, n, n], dtype)], {});
        expect(Array.from(native(eigvalshPrimitive, [asArray(values, [3, n, n], dtype)], {})[0]!, Number.isNaN)).toEqual(Array.from(w!, Number.isNaN));
        expect(Array.from(w!, Number.isNaN)).toEqual(Array.from({ length: 3 * n }, (_, i) => Math.floor(i / n) === 1));
        expect(Array.from(v!, Number.isNaN)).toEqual(Array.from({ length: 3 * n * n }, (_, i) => Math.floor(i / (n * n)) === 1));
      }
  });
});
