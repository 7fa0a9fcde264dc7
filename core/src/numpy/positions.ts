import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { canonicalAxis } from "../base/shape.js";
import { argmax as argmaxPrimitive, argmin as argminPrimitive } from "../primitives/reductions.js";
import { reshapeTo } from "../primitives/structural-ops.js";
import { bind1 } from "../trace/trace.js";
import { asArray } from "./convert.js";
import { requireOptions } from "./options.js";
import { keptShape } from "./reducing.js";
import type { KeepdimsOption } from "./reductions.js";

function position(fn: string, primitive: typeof argmaxPrimitive) {
  return (x: ArrayLike, axis?: number | null, options?: KeepdimsOption): NDArray => {
    const o = requireOptions(options, fn, ["keepdims"]);
    const a = asArray(x, fn);
    const all = axis === undefined || axis === null;
    const axes = all ? a.shape.map((_, d) => d) : [canonicalAxis(axis, a.ndim, fn)];
    const y = bind1(primitive, [a], { axes });
    return o.keepdims ? reshapeTo(y, keptShape(a.shape, axes)) : y;
  };
}
/**
 * Position (int32) of the largest element along an axis, or in the flattened array; the first of equals, and a NaN before all.
 * @throws ShapeError for an empty array.
 * @example np.argmax([1, 5, 3]) // 1
 */
export const argmax: (x: ArrayLike, axis?: number | null, options?: KeepdimsOption) => NDArray = position("argmax", argmaxPrimitive);
/** Position (int32) of the smallest element along an axis, or in the flattened array. */
export const argmin: (x: ArrayLike, axis?: number | null, options?: KeepdimsOption) => NDArray = position("argmin", argminPrimitive);
