import type { NDArray } from "../array/ndarray.js";
import { isFloat } from "../base/dtype.js";
import { shapesEqual } from "../base/shape.js";
import { formatAval } from "../ir/aval.js";

/** A law that does not hold. The message says where; nothing about it needs a test runner. */
export class LawViolation extends Error {
  override readonly name = "LawViolation";
}

/**
 * A statement about a primitive, a backend or a Program, for any test runner: `check` throws (or rejects) when it is broken and gives the
 * number of cases it tried.
 * @example for (const law of primitiveLaws(softsign)) test(law.name, async () => { await law.check(); });
 */
export interface Law {
  readonly name: string;
  readonly check: () => number | Promise<number>;
}

export function violated(message: string): never {
  throw new LawViolation(message);
}

/** How near two arrays must be, element by element: within `relative` of the element, `ofScale` of the largest element of the expected array, or `absolute`. */
export interface Nearness {
  readonly relative?: number;
  readonly ofScale?: number;
  readonly absolute?: number;
}

/** Equal types; equal integers, bools, NaN and infinities; floats as near as asked (equal by default). */
export function requireNear(got: NDArray, expected: NDArray, near: Nearness, what: string, values: (x: NDArray) => ArrayLike<number> = (x) => x.data): void {
  if (got.dtype !== expected.dtype || !shapesEqual(got.shape, expected.shape)) violated(`${what}: ${formatAval(got.aval)}, expected ${formatAval(expected.aval)}`);
  requireNearNumbers(values(got), values(expected), isFloat(expected.dtype) ? near : {}, what);
}

export function requireNearNumbers(got: ArrayLike<number>, expected: ArrayLike<number>, { relative = 0, ofScale = 0, absolute = 0 }: Nearness, what: string): void {
  if (got.length !== expected.length) violated(`${what}: ${got.length} elements, expected ${expected.length}`);
  let scale = 0;
  for (let i = 0; i < expected.length; i++) if (Number.isFinite(expected[i]!)) scale = Math.max(scale, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [got[i]!, expected[i]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (!(Math.abs(a - b) <= Math.max(relative * Math.max(Math.abs(a), Math.abs(b)), ofScale * scale, absolute)) || !Number.isFinite(b))
      violated(`${what}: element ${i} is ${a}, expected ${b} (off by ${Math.abs(a - b)}, allowed ${relative} of the element or ${ofScale} of the largest, ${scale})`);
  }
}

/** Largest magnitude among the elements. */
export function magnitude(x: ArrayLike<number>): number {
  let m = 0;
  for (let i = 0; i < x.length; i++) m = Math.max(m, Math.abs(x[i]!));
  return m;
}

export function innerProduct(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let s = 0;
  for (let i = 0; i < a.length; i++) s += a[i]! * b[i]!;
  return s;
}
