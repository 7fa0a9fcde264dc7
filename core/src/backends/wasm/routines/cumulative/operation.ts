import type { CumulativeOp } from "../../../../kernel/routines/cumulative.js";
import type { Code, Lanes, NumberType, Real } from "../../native/index.js";

/** What runs along an axis: how two values become one, and the value that changes no other. */
export interface Running {
  readonly op: CumulativeOp;
  readonly lanes: (a: Lanes, b: Lanes) => Lanes;
  readonly one: (a: Real, b: Real) => Real;
  readonly identity: (dtype: NumberType) => number;
  readonly reverse: boolean;
}

const largest: Readonly<Record<NumberType, number>> = { float64: Infinity, float32: Infinity, int32: 2147483647, uint32: -1, bool: 1 };
const smallest: Readonly<Record<NumberType, number>> = { float64: -Infinity, float32: -Infinity, int32: -2147483648, uint32: 0, bool: 0 };

const operations: Readonly<Record<CumulativeOp, Omit<Running, "op" | "reverse">>> = {
  // -0 + x is x for every x, 0 + -0 is not.
  add: { lanes: (a, b) => a.plus(b), one: (a, b) => a.plus(b), identity: (dtype) => (isFloat(dtype) ? -0 : 0) },
  mul: { lanes: (a, b) => a.times(b), one: (a, b) => a.times(b), identity: () => 1 },
  max: { lanes: (a, b) => a.max(b), one: (a, b) => a.max(b), identity: (dtype) => smallest[dtype] },
  min: { lanes: (a, b) => a.min(b), one: (a, b) => a.min(b), identity: (dtype) => largest[dtype] },
};

export const isFloat = (dtype: NumberType): boolean => dtype === "float64" || dtype === "float32";
export const running = (op: CumulativeOp, reverse: boolean): Running => ({ op, reverse, ...operations[op] });
export const nameOf = (r: Running): string => `${r.op}${r.reverse ? ".reverse" : ""}`;

/** Terms that are summed from nothing before they are added to the sum of all before them: each adds half an eps at most. */
export const blockLength = 64;

/** Running sums of floats go in blocks, so that the error does not grow with the length; all else is exact or has one order only. */
export const inBlocks = (c: Code, r: Running): boolean => r.op === "add" && isFloat(c.dtype);

/**
 * The sum before a block and that within it, as one number and what rounding took away (TwoSum: Knuth, The Art of Computer
 * Programming 2, 4.2.2), with which the next block begins. Nothing is carried on from infinities and NaN.
 */
export function carryOn(c: Code, before: Lanes, within: Lanes, nothing: Lanes): { readonly sum: Lanes; readonly error: Lanes } {
  const sum = c.let(before.plus(within));
  const part = c.let(sum.minus(before));
  const error = c.let(before.minus(sum.minus(part)).plus(within.minus(part)));
  return { sum, error: error.where(error.abs().greater(c.zeros()), nothing) };
}
