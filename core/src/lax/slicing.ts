import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { isInteger } from "../base/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../base/errors.js";
import { canonicalAxis, formatShape, range, type Shape } from "../base/shape.js";
import { asArray } from "../numpy/convert.js";
import * as primitives from "../primitives/indexing.js";
import { reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { add, lt } from "./elementwise.js";
import { select } from "./types.js";

/** A start index: a number, or an integer scalar that may be traced. Negative ones count from the end. */
export type Index = number | NDArray;

function startIndex(i: Index, size: number, fn: string): NDArray {
  if (typeof i === "number") {
    if (!Number.isInteger(i)) throw new ArgumentError({ fn, arg: "start", expected: "an integer", got: String(i), fix: "round it first" });
    return scalar(i < 0 ? i + size : i, "int32", false);
  }
  if (!isInteger(i.dtype) || i.ndim !== 0) throw new DTypeError({ fn, arg: "start", expected: "integer scalars", got: `${i.dtype}${formatShape(i.shape)}`, fix: 'convert with astype("int32")' });
  const index = convertTo(i, "int32");
  return i.dtype === "uint32" ? index : select(lt(index, 0), add(index, size), index);
}
function starts(x: NDArray, list: readonly Index[], fn: string): NDArray[] {
  if (list.length !== x.ndim) throw new ShapeError({ fn, arg: "starts", expected: `${x.ndim} indices, one an axis`, got: String(list.length), fix: "give one start for each axis" });
  return list.map((i, d) => startIndex(i, x.shape[d]!, fn));
}
const others = (x: NDArray, d: number, i: Index): Index[] => x.shape.map((_, k) => (k === d ? i : 0));

/**
 * The block of `sizes` that begins at `starts`, which may be traced; a block that would stick out is moved inside.
 * @throws ShapeError when the block is larger than the array.
 * @example lax.dynamicSlice(np.arange(10), [i], [3])
 */
export function dynamicSlice(x: ArrayLike, start: readonly Index[], sizes: Shape): NDArray {
  const a = asArray(x, "dynamicSlice");
  return bind1(primitives.dynamicSlice, [a, ...starts(a, start, "dynamicSlice")], { sizes });
}

/** A copy of x with the block at `starts` replaced by `update`. */
export function dynamicUpdateSlice(x: ArrayLike, update: ArrayLike, start: readonly Index[]): NDArray {
  const a = asArray(x, "dynamicUpdateSlice");
  return bind1(primitives.dynamicUpdateSlice, [a, convertTo(asArray(update, "dynamicUpdateSlice", "update"), a.dtype, a.weak), ...starts(a, start, "dynamicUpdateSlice")], {});
}

/** `size` elements of one axis from `start` on. */
export function dynamicSliceInDim(x: ArrayLike, start: Index, size: number, axis = 0): NDArray {
  const a = asArray(x, "dynamicSliceInDim");
  const d = canonicalAxis(axis, a.ndim, "dynamicSliceInDim");
  return dynamicSlice(a, others(a, d, start), a.shape.map((n, k) => (k === d ? size : n)));
}

/** The element of one axis at a traced index. */
export function dynamicIndexInDim(x: ArrayLike, index: Index, axis = 0, o: { keepdims?: boolean } = {}): NDArray {
  const a = asArray(x, "dynamicIndexInDim");
  const d = canonicalAxis(axis, a.ndim, "dynamicIndexInDim");
  const y = dynamicSliceInDim(a, index, 1, d);
  return o.keepdims === false ? reshapeTo(y, y.shape.filter((_, k) => k !== d)) : y;
}

/** Replaces a block along one axis. */
export function dynamicUpdateSliceInDim(x: ArrayLike, update: ArrayLike, start: Index, axis: number): NDArray {
  const a = asArray(x, "dynamicUpdateSliceInDim");
  return dynamicUpdateSlice(a, update, others(a, canonicalAxis(axis, a.ndim, "dynamicUpdateSliceInDim"), start));
}

/** Replaces the element of one axis at a traced index; `update` may lack that axis. */
export function dynamicUpdateIndexInDim(x: ArrayLike, update: ArrayLike, index: Index, axis: number): NDArray {
  const a = asArray(x, "dynamicUpdateIndexInDim");
  const d = canonicalAxis(axis, a.ndim, "dynamicUpdateIndexInDim");
  const u = asArray(update, "dynamicUpdateIndexInDim", "update");
  return dynamicUpdateSliceInDim(a, u.ndim === a.ndim ? u : reshapeTo(u, [...u.shape.slice(0, d), 1, ...u.shape.slice(d)]), index, d);
}

/** Rows `x[indices]` of one axis, which the axes of `indices` replace; indices out of range are moved to the edge. */
export function indexTake(x: ArrayLike, indices: ArrayLike, axis = 0): NDArray {
  const a = asArray(x, "indexTake");
  const i = convertTo(asArray(indices, "indexTake", "indices"), "int32");
  const d = canonicalAxis(axis, a.ndim, "indexTake");
  const front = d === 0 ? a : transposeTo(a, [d, ...range(a.ndim).filter((k) => k !== d)]);
  const y = bind1(primitives.gather, [front, select(lt(i, 0), add(i, a.shape[d]!), i)], { batchDims: 0, mode: "clip" });
  if (d === 0) return y;
  return transposeTo(y, [...range(d, i.ndim), ...range(i.ndim), ...range(a.ndim - 1 - d, i.ndim + d)]);
}
