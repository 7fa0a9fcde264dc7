import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { type DType, isFloat } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import { canonicalAxis } from "../base/shape.js";
import { cumprod as cumprodPrimitive, cumsum as cumsumPrimitive } from "../primitives/cumulative.js";
import { concatenate } from "../primitives/structural.js";
import { reshapeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { asArray } from "./convert.js";
import { choose } from "./elementwise.js";
import { full } from "./creation.js";
import { isnan } from "./floats.js";
import { optionalDType, requireOptions } from "./options.js";

export interface CumulativeOptions { readonly dtype?: DType }
export interface ArrayApiCumulativeOptions extends CumulativeOptions {
  /** Put the starting value (0 or 1) in front. */
  readonly includeInitial?: boolean;
}

function running(fn: string, primitive: typeof cumsumPrimitive, identity: number, skipNaN: boolean) {
  return (x: ArrayLike, axis?: number | null, options?: CumulativeOptions): NDArray => {
    const o = requireOptions(options, fn, ["dtype"]);
    const a = asArray(x, fn);
    const typed = convertTo(a, optionalDType(o.dtype, fn) ?? (a.dtype === "bool" ? "int32" : a.dtype));
    const counted = skipNaN && isFloat(typed.dtype) ? choose(isnan(typed), identity, typed) : typed;
    if (axis === undefined || axis === null) return bind1(primitive, [reshapeTo(counted, [counted.size])], { axis: 0, reverse: false });
    return bind1(primitive, [counted], { axis: canonicalAxis(axis, counted.ndim, fn), reverse: false });
  };
}
type Running = (x: ArrayLike, axis?: number | null, options?: CumulativeOptions) => NDArray;
/** Running sums along an axis, or of the flattened array; bool counts as int32. @example np.cumsum([1, 2, 3]) // [1, 3, 6] */
export const cumsum: Running = running("cumsum", cumsumPrimitive, 0, false);
/** Running products along an axis, or of the flattened array. */
export const cumprod: Running = running("cumprod", cumprodPrimitive, 1, false);
/** Running sums that count NaN as 0. */
export const nancumsum: Running = running("nancumsum", cumsumPrimitive, 0, true);
/** Running products that count NaN as 1. */
export const nancumprod: Running = running("nancumprod", cumprodPrimitive, 1, true);

function arrayApi(fn: string, run: Running, identity: number) {
  return (x: ArrayLike, axis?: number | null, options?: ArrayApiCumulativeOptions): NDArray => {
    const o = requireOptions(options, fn, ["dtype", "includeInitial"]);
    const a = asArray(x, fn);
    if ((axis === undefined || axis === null) && a.ndim !== 1) throw new ArgumentError({ fn, arg: "axis", expected: `an axis of the ${a.ndim}-dimensional array`, got: "none", fix: "name the axis; only vectors have a default" });
    const d = canonicalAxis(axis ?? 0, a.ndim, fn);
    const y = run(a, d, o.dtype === undefined ? {} : { dtype: o.dtype });
    return o.includeInitial ? bind1(concatenate, [full(y.shape.map((n, k) => (k === d ? 1 : n)), identity, { dtype: y.dtype }), y], { axis: d }) : y;
  };
}
type ArrayApiRunning = (x: ArrayLike, axis?: number | null, options?: ArrayApiCumulativeOptions) => NDArray;
/** The array API's `cumsum`: the axis is required beyond vectors. @example np.cumulativeSum([1, 2], 0, { includeInitial: true }) // [0, 1, 3] */
export const cumulativeSum: ArrayApiRunning = arrayApi("cumulativeSum", cumsum, 0);
/** The array API's `cumprod`. */
export const cumulativeProd: ArrayApiRunning = arrayApi("cumulativeProd", cumprod, 1);
