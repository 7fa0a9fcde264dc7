import { scalar } from "../array/concrete.js";
import { type ArrayLike, type AxisArg, NDArray } from "../array/ndarray.js";
import { type DType, isFloat } from "../base/dtype.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { formatShape, shapesEqual } from "../base/shape.js";
import { reduceSum } from "../primitives/reductions.js";
import { broadcastTo, reshapeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { asOne } from "./as-one.js";
import { asArray, broadcastToShape } from "./convert.js";
import { asBool, choose, floatArray } from "./elementwise.js";
import { fused } from "./fused.js";
import { sqrt } from "./elementary.js";
import { divide, maximum, multiply, square, subtract } from "./math.js";
import { optionalDType, requireOptions } from "./options.js";
import { reduceOver, reductionAxes } from "./reducing.js";
import { sum, type WhereOption } from "./reductions.js";

export interface MeanOptions extends WhereOption {
  /** Float dtype to compute in. */
  readonly dtype?: DType;
}
export interface VarOptions extends MeanOptions {
  /** The divisor is `n - ddof`; default 0. */
  readonly ddof?: number;
  /** The array API's name of `ddof`. */
  readonly correction?: number;
}

const floatOf = (x: ArrayLike, dtype: DType | undefined, fn: string): NDArray => {
  const type = optionalDType(dtype, fn);
  return type === undefined ? floatArray(x, fn) : convertTo(asArray(x, fn), type);
};

/** How many elements each group has: a number, or an array where a mask chooses. */
function groupSize(x: NDArray, axes: readonly number[], where: NDArray | undefined): NDArray | number {
  if (!where) return axes.reduce((n, d) => n * x.shape[d]!, 1);
  return convertTo(sum(where, [...axes], { keepdims: true }), x.dtype);
}

/** Mean with kept axes, and what it was made of. */
function center(x: NDArray, axes: readonly number[], mask: ArrayLike | undefined, fn: string) {
  const where = mask === undefined ? undefined : broadcastToShape(asBool(mask, fn, "where"), x.shape, fn);
  const n = groupSize(x, axes, where);
  const total = reduceOver(reduceSum, where ? choose(where, x, 0, fn) : x, axes, true);
  return { where, n, mean: divide(total, n) };
}

const finish = (y: NDArray, shape: readonly number[], axes: readonly number[], keepdims: boolean | undefined): NDArray => (keepdims ? y : reshapeTo(y, shape.filter((_, d) => !axes.includes(d))));

/**
 * Arithmetic mean over axes (all by default), in floats; NaN of nothing.
 * @throws AxisError for an axis that is not there.
 * @example np.mean([[1, 2], [3, 4]], 0) // [2, 3]
 */
export function mean(x: ArrayLike, axis?: AxisArg, options?: MeanOptions): NDArray {
  const o = requireOptions(options, "mean", ["keepdims", "where", "dtype"]);
  if (o.where === undefined && o.dtype === undefined && x instanceof NDArray && !isFloat(x.dtype)) return asOne("mean", [x], [axis, options], (y) => mean(floatArray(y!, "mean"), axis, options));
  const a = floatOf(x, o.dtype, "mean");
  const axes = reductionAxes(axis, a.ndim, "mean");
  if (o.where === undefined) return fused(`mean ${axes.join()} ${o.keepdims ?? false}`, [a], (x0) => divide(reduceOver(reduceSum, x0!, axes, o.keepdims), groupSize(x0!, axes, undefined) as number));
  return finish(center(a, axes, o.where, "mean").mean, a.shape, axes, o.keepdims);
}

function variance(x: ArrayLike, axis: AxisArg | undefined, options: VarOptions | undefined, fn: string): NDArray {
  const o = requireOptions(options, fn, ["keepdims", "where", "dtype", "ddof", "correction"]);
  const a = floatOf(x, o.dtype, fn);
  const axes = reductionAxes(axis, a.ndim, fn);
  const ddof = o.correction ?? o.ddof ?? 0;
  if (typeof ddof !== "number") throw new ArgumentError({ fn, arg: "ddof", expected: "a number", got: String(ddof), fix: "pass { ddof: 1 }" });
  const mask = o.where === undefined ? [] : [asArray(o.where, fn, "where")];
  return fused(`${fn} ${axes.join()} ${o.keepdims ?? false} ${ddof}`, [a, ...mask], (x0, where) => spreadOf(x0!, axes, where, ddof, o.keepdims, fn));
}
function spreadOf(a: NDArray, axes: readonly number[], mask: NDArray | undefined, ddof: number, keepdims: boolean | undefined, fn: string): NDArray {
  const { where, n, mean: middle } = center(a, axes, mask, fn);
  const deviations = square(subtract(a, middle));
  const total = reduceOver(reduceSum, where ? choose(where, deviations, 0, fn) : deviations, axes, true);
  return finish(divide(total, typeof n === "number" ? Math.max(0, n - ddof) : maximum(subtract(n, ddof), 0)), a.shape, axes, keepdims);
}
/** Variance over axes: mean of the squared deviations, with divisor `n - ddof`. @example np.var([1, 2, 3, 4]) // 1.25 */
const var_ = (x: ArrayLike, axis?: AxisArg, options?: VarOptions): NDArray => variance(x, axis, options, "var");
export { var_ as var };
/** Standard deviation over axes: root of the variance. Its derivative where all elements are equal does not exist, and is NaN. */
export const std = (x: ArrayLike, axis?: AxisArg, options?: VarOptions): NDArray => sqrt(variance(x, axis, options, "std"));

export interface AverageOptions {
  /** Weights, of the array's shape, or of one axis. */
  readonly weights?: ArrayLike;
  /** Return `[average, sum of weights]`. */
  readonly returned?: boolean;
  readonly keepdims?: boolean;
}
/**
 * Weighted mean: `sum(w x) / sum(w)`.
 * @throws ShapeError when the weights fit neither the array nor the axis.
 * @example np.average([1, 2, 3], null, { weights: [3, 1, 0] }) // 1.25
 */
export function average(x: ArrayLike, axis: AxisArg | undefined, options: AverageOptions & { readonly returned: true }): [NDArray, NDArray];
export function average(x: ArrayLike, axis?: AxisArg, options?: AverageOptions): NDArray;
export function average(x: ArrayLike, axis?: AxisArg, options?: AverageOptions): NDArray | [NDArray, NDArray] {
  const o = requireOptions(options, "average", ["weights", "returned", "keepdims"]);
  const a = floatArray(x, "average");
  const axes = reductionAxes(axis, a.ndim, "average");
  const keepdims = o.keepdims ?? false;
  if (o.weights === undefined) {
    const y = mean(a, axes, { keepdims });
    return o.returned ? [y, broadcastTo(scalar(groupSize(a, axes, undefined) as number, y.dtype, false), y.shape, [])] : y;
  }
  const w = floatArray(o.weights, "average", "weights");
  const onAxes = axes.map((d) => a.shape[d]!);
  const fits = shapesEqual(w.shape, a.shape) || shapesEqual(w.shape, onAxes);
  if (!fits) throw new ShapeError({ fn: "average", arg: "weights", expected: `${formatShape(a.shape)} or ${formatShape(onAxes)}`, got: formatShape(w.shape), fix: "give one weight an element, or one along the axis" });
  const full = broadcastToShape(shapesEqual(w.shape, a.shape) ? w : reshapeTo(w, a.shape.map((n, d) => (axes.includes(d) ? n : 1))), a.shape, "average");
  const scale = sum(full, axes, { keepdims });
  const y = divide(sum(multiply(a, full), axes, { keepdims }), scale);
  return o.returned ? [y, scale] : y;
}

