import type { ArrayLike, AxisArg, NDArray } from "../array/ndarray.js";
import { isFloat } from "../base/dtype.js";
import { asOne } from "./as-one.js";
import { asArray } from "./convert.js";
import { asBool, choose, floatArray } from "./elementwise.js";
import { sqrt } from "./elementary.js";
import { isnan } from "./floats.js";
import { logicalAnd, logicalNot } from "./logic.js";
import { mean, type MeanOptions, var as variance, type VarOptions } from "./moments.js";
import { requireOptions } from "./options.js";
import { argmax, argmin } from "./positions.js";
import { all, type KeepdimsOption, max, min, prod, type ReductionOptions, sum, type SumOptions } from "./reductions.js";

const present = (x: NDArray): NDArray => logicalNot(isnan(x));
/** The mask of a reduction: elements that are numbers, and chosen by `where`. */
const counted = (x: NDArray, where: ArrayLike | undefined, fn: string): NDArray => (where === undefined ? present(x) : logicalAnd(present(x), asBool(where, fn, "where")));

/** Sum that counts NaN as 0. @example np.nansum([1, NaN, 2]) // 3 */
export const nansum = (x: ArrayLike, axis?: AxisArg, options?: SumOptions): NDArray => asOne("nansum", [x], [axis, options], (y) => {
  const a = asArray(y!, "nansum");
  return sum(isFloat(a.dtype) ? choose(isnan(a), 0, a) : a, axis, options);
});
/** Product that counts NaN as 1. */
export const nanprod = (x: ArrayLike, axis?: AxisArg, options?: SumOptions): NDArray => asOne("nanprod", [x], [axis, options], (y) => {
  const a = asArray(y!, "nanprod");
  return prod(isFloat(a.dtype) ? choose(isnan(a), 1, a) : a, axis, options);
});

function nanExtremum(fn: string, reduce: typeof max, least: number) {
  return (x: ArrayLike, axis?: AxisArg, options?: ReductionOptions): NDArray => asOne(fn, [x], [axis, options], (given) => {
    const a = asArray(given!, fn);
    if (!isFloat(a.dtype)) return reduce(a, axis, options);
    const o = requireOptions(options, fn, ["keepdims", "where", "initial"]);
    const y = reduce(choose(isnan(a), least, a), axis, o);
    if (o.initial !== undefined) return y;
    return choose(all(isnan(a), axis, { keepdims: o.keepdims ?? false }), NaN, y);
  });
}
/** Largest element other than NaN; NaN where all are. */
export const nanmax: typeof max = nanExtremum("nanmax", max, -Infinity);
/** Smallest element other than NaN; NaN where all are. */
export const nanmin: typeof min = nanExtremum("nanmin", min, Infinity);

function nanPosition(fn: string, position: typeof argmax, least: number) {
  return (x: ArrayLike, axis?: number | null, options?: KeepdimsOption): NDArray => asOne(fn, [x], [axis, options], (given) => {
    const a = asArray(given!, fn);
    if (!isFloat(a.dtype)) return position(a, axis, options);
    const missing = isnan(a);
    const at = position(choose(missing, least, a), axis, options);
    return choose(all(missing, axis, options), -1, at);
  });
}
/** Position of the largest element other than NaN; -1 where all are NaN (NumPy raises there, which traced code cannot). */
export const nanargmax: typeof argmax = nanPosition("nanargmax", argmax, -Infinity);
/** Position of the smallest element other than NaN; -1 where all are NaN. */
export const nanargmin: typeof argmin = nanPosition("nanargmin", argmin, Infinity);

/** Mean of the elements other than NaN; NaN where all are. */
export const nanmean = (x: ArrayLike, axis?: AxisArg, options?: MeanOptions): NDArray => asOne("nanmean", [x], [axis, options], (given) => {
  const a = floatArray(given!, "nanmean");
  return mean(a, axis, { ...requireOptions(options, "nanmean", ["keepdims", "where", "dtype"]), where: counted(a, options?.where, "nanmean") });
});
function nanVariance(x: ArrayLike, axis: AxisArg | undefined, options: VarOptions | undefined, fn: string): NDArray {
  return asOne(fn, [x], [axis, options], (given) => {
    const a = floatArray(given!, fn);
    const y = variance(a, axis, { ...requireOptions(options, fn, ["keepdims", "where", "dtype", "ddof", "correction"]), where: counted(a, options?.where, fn) });
    return fn === "nanstd" ? sqrt(y) : y;
  });
}
/** Variance of the elements other than NaN. */
export const nanvar = (x: ArrayLike, axis?: AxisArg, options?: VarOptions): NDArray => nanVariance(x, axis, options, "nanvar");
/** Standard deviation of the elements other than NaN. */
export const nanstd = (x: ArrayLike, axis?: AxisArg, options?: VarOptions): NDArray => nanVariance(x, axis, options, "nanstd");
