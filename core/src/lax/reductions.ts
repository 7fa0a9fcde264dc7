import type { ArrayLike, NDArray } from "../array/ndarray.js";
import type { DType } from "../base/dtype.js";
import { canonicalAxes, canonicalAxis } from "../base/shape.js";
import type { AnyPrimitive } from "../ir/primitive.js";
import { asArray, promoteToFloat } from "../numpy/convert.js";
import * as cumulative from "../primitives/cumulative.js";
import * as primitives from "../primitives/reductions.js";
import { reshapeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { associativeScan } from "../transforms/associative-scan.js";
import { add, eq, exp, isFinite, log, max, sub } from "./elementwise.js";
import { fullLike, select, stopGradient } from "./types.js";

export type Reduce = (x: ArrayLike, axes?: readonly number[] | null) => NDArray;
const reduction = (primitive: AnyPrimitive): Reduce => (x, axes) => {
  const a = asArray(x, primitive.name);
  const list = canonicalAxes(axes, a.ndim, primitive.name, "axes");
  return list.length === 0 ? a : bind1(primitive, [a], { axes: list });
};
/** Sum over axes (all when not given). */
export const reduceSum: Reduce = reduction(primitives.reduceSum);
export const reduceProd: Reduce = reduction(primitives.reduceProd);
/** Largest element; NaN wins. @throws ShapeError for an empty axis. */
export const reduceMax: Reduce = reduction(primitives.reduceMax);
export const reduceMin: Reduce = reduction(primitives.reduceMin);
/** Logical for bool, of the bits for integers. */
export const reduceAnd: Reduce = reduction(primitives.reduceAnd);
export const reduceOr: Reduce = reduction(primitives.reduceOr);
export const reduceXor: Reduce = reduction(primitives.reduceXor);

const arg = (primitive: AnyPrimitive) => (x: ArrayLike, axis: number, dtype: DType = "int32"): NDArray => {
  const a = asArray(x, primitive.name);
  return convertTo(bind1(primitive, [a], { axes: [canonicalAxis(axis, a.ndim, primitive.name)] }), dtype);
};
/** Index of the first largest element along an axis; a NaN counts as largest. */
export const argmax: (x: ArrayLike, axis: number, dtype?: DType) => NDArray = arg(primitives.argmax);
export const argmin: (x: ArrayLike, axis: number, dtype?: DType) => NDArray = arg(primitives.argmin);

export interface CumulativeOptions { readonly reverse?: boolean }
export type Cumulative = (x: ArrayLike, axis?: number, o?: CumulativeOptions) => NDArray;
const running = (primitive: AnyPrimitive): Cumulative => (x, axis = 0, o = {}) => {
  const a = asArray(x, primitive.name);
  return bind1(primitive, [a], { axis: canonicalAxis(axis, a.ndim, primitive.name), reverse: o.reverse ?? false });
};
/** Running sum along an axis, from the end with `reverse`. */
export const cumsum: Cumulative = running(cumulative.cumsum);
export const cumprod: Cumulative = running(cumulative.cumprod);
export const cummax: Cumulative = running(cumulative.cummax);
export const cummin: Cumulative = running(cumulative.cummin);

/**
 * Running `log(sum(exp(x)))` along an axis, each step about its own maximum, so that nothing under- or overflows.
 * @example lax.cumlogsumexp([0, 0, 0]) // [0, log 2, log 3]
 */
export const cumlogsumexp: Cumulative = (x, axis = 0, o = {}) => {
  const [a] = promoteToFloat([x], "cumlogsumexp");
  return associativeScan(logAddExp, a!, { axis: canonicalAxis(axis, a!.ndim, "cumlogsumexp"), reverse: o.reverse ?? false });
};

/** `log(exp(a) + exp(b))`, -inf with -inf giving -inf, with finite derivatives. */
function logAddExp(a: NDArray, b: NDArray): NDArray {
  const top = stopGradient(max(a, b));
  const shift = select(isFinite(top), top, fullLike(top, 0));
  const sum = add(exp(sub(a, shift)), exp(sub(b, shift)));
  const empty = eq(sum, 0);
  return select(empty, fullLike(sum, -Infinity), add(log(select(empty, fullLike(sum, 1), sum)), shift));
}

/** Keeps reduced axes with size 1. */
export const keepDims = (y: NDArray, shape: readonly number[], axes: readonly number[]): NDArray => reshapeTo(y, shape.map((n, d) => (axes.includes(d) ? 1 : n)));
