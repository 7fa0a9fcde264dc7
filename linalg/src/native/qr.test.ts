import { describe, expect, it } from "vitest";
import { qrPrimitive } from "../factorizations/qr.js";
import { qrRoutine } from "../routines/qr.js";
import { asArray, distance, epsilon, type FloatName, native, numbers, reference, residual, sizes } from "./test-support.js";

function check(values: Float64Array, batch: number, m: number, n: number, complete: boolean, dtype: FloatName, compare = true): void {
  const columns = complete ? m : Math.min(m, n);
  const a = asArray(values, [batch, m, n], dtype);
  const [q, r] = native(qrPrimitive, [a], { complete });
  const eps = epsilon[dtype];
  const largest = values.reduce((s, x) => Math.max(s, Math.abs(x)), 0) || 1;
  for (let g = 0; g < batch; g++) {
    const Q = (i: number, j: number) => q![(g * m + i) * columns + j]!;
    const R = (i: number, j: number) => r![(g * columns + i) * n + j]!;
    const bound = 6 * (m + 4) * eps;
    expect(residual(m, n, columns, (i, j) => Q(i, j) / largest, R, (i, j) => a.data[(g * m + i) * n + j]! / largest)).toBeLessThanOrEqual(bound * Math.sqrt(n + 1));
    expect(residual(columns, columns, m, (i, j) => Q(j, i), Q, (i, j) => (i === j ? 1 : 0))).toBeLessThanOrEqual(bound);
    for (let i = 0; i < columns; i++) for (let j = 0; j < Math.min(i, n); j++) if (R(i, j) !== 0) expect.fail(`R[${i},${j}] is ${R(i, j)}`);
  }
  if (!compare) return;
  const expected = reference(qrRoutine, [a], [{ shape: [batch, m, columns] }, { shape: [batch, columns, n] }], { batch, m, n, columns });
  const bound = 200 * (m + n) * eps;
  expect(distance(r!, expected[1]!) / largest).toBeLessThanOrEqual(bound * 10);
}

describe.each(["float64", "float32"] as const)("%s", (dtype) => {
  it.each([...sizes, 11, 12, 13])("qr of matrices with a side n = %i: Q R = A, Q'Q = I, the reference's R", (n) => {
    const batch = n < 20 ? 2 : 1;
    check(numbers(n, batch * n * n), batch, n, n, false, dtype);
    if (n > 70) return;
    for (const [m, k] of [[n + 4, n], [n, n + 3], [2 * n + 1, n]] as const) check(numbers(m + 7 * k, batch * m * k), batch, m, k, false, dtype);
    check(numbers(n, (n + 3) * n), 1, n + 3, n, true, dtype);
    check(numbers(n, n * (n + 3)), 1, n, n + 3, true, dtype);
  });

  it("both widths of blocks", () => {
    for (const n of [256, 257]) check(numbers(n, n * (n + 1)), 1, n + 1, n, false, dtype, false);
  });

  it.each([1, 3, 8, 33, 70])("zero, repeated and unit columns, n = %i", (n) => {
    check(new Float64Array(n * n), 1, n, n, false, dtype);
    check(Float64Array.from({ length: n * n }, (_, i) => (i / n) | 0), 1, n, n, false, dtype, false);
    check(Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)), 1, n, n, false, dtype);
  });

  it("numbers whose squares overflow or vanish", () => {
    const scales = dtype === "float64" ? [1e300, 1e-300, 1e-310] : [1e37, 1e-37];
    for (const s of scales) for (const n of [2, 9, 40]) {
      const a = numbers(n, n * n).map((x) => x * s);
      const r = native(qrPrimitive, [asArray(a, [n, n], dtype)], { complete: false })[1]!;
      const plain = native(qrPrimitive, [asArray(numbers(n, n * n), [n, n], dtype)], { complete: false })[1]!;
      const spacing = dtype === "float64" ? 2 ** -1074 : 2 ** -149;
      expect(distance(Array.from(r, (x) => x / s), Array.from(plain))).toBeLessThanOrEqual(1000 * n * (epsilon[dtype] + spacing / s));
    }
  });

  it("NaN does not hang, and spoils the result", () => {
    const a = numbers(5, 40 * 40);
    a[41] = NaN;
    expect(Array.from(native(qrPrimitive, [asArray(a, [40, 40], dtype)], { complete: false })[1]!).some(Number.isNaN)).toBe(true);
  });
});
