import type { ArrayLike, AxisArg, NDArray } from "../array/ndarray.js";
import { ArgumentError, DTypeError, ShapeError } from "../base/errors.js";
import { range, sizeOf } from "../base/shape.js";
import { gather } from "../primitives/indexing.js";
import { sort } from "../primitives/sort.js";
import { broadcastTo, reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { convertTo, select } from "../primitives/types.js";
import { bind, bind1 } from "../trace/trace.js";
import { asOne } from "./as-one.js";
import { asArray } from "./convert.js";
import { choose, constantLike, floatArray, noParams } from "./elementwise.js";
import { fused } from "./fused.js";
import { floor, isfinite, isinf, isnan, round } from "./floats.js";
import { equal, greaterEqual, less, logicalAnd } from "./logic.js";
import { add, divide, maximum, minimum, multiply, subtract } from "./math.js";
import { requireChoice, requireOptions } from "./options.js";
import { keptShape, reductionAxes } from "./reducing.js";
import { any, type KeepdimsOption, max, min, sum } from "./reductions.js";

const methods = ["linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased", "normal_unbiased"] as const;
/** How a quantile between two elements is found: Hyndman and Fan, "Sample quantiles in statistical packages" (1996), by NumPy's names. */
export type QuantileMethod = (typeof methods)[number];
export interface QuantileOptions extends KeepdimsOption {
  /** Default "linear". */
  readonly method?: QuantileMethod;
}

/** Plotting position parameters (alpha, beta) of the continuous methods: virtual index n q + alpha + q (1 - alpha - beta) - 1. */
const continuous: Partial<Record<QuantileMethod, readonly [number, number]>> = {
  interpolated_inverted_cdf: [0, 1], hazen: [0.5, 0.5], weibull: [0, 0], linear: [1, 1], median_unbiased: [1 / 3, 1 / 3], normal_unbiased: [3 / 8, 3 / 8],
};

/** Position between the sorted elements, from 0, and how far to go from its floor to the next one. `n` and `q` have one shape. */
function virtualIndex(n: NDArray, q: NDArray, method: QuantileMethod): { at: NDArray; weight: NDArray } {
  const plot = continuous[method];
  if (plot) {
    const [alpha, beta] = plot;
    const v = method === "linear" ? multiply(subtract(n, 1), q) : subtract(add(add(multiply(n, q), alpha), multiply(q, 1 - alpha - beta)), 1);
    const at = floor(v);
    return { at, weight: subtract(v, at) };
  }
  const v = multiply(subtract(n, 1), q);
  const none = constantLike(v, 0);
  if (method === "lower") return { at: floor(v), weight: none };
  if (method === "higher") return { at: subtract(0, floor(subtract(0, v))), weight: none };
  if (method === "nearest") return { at: round(v), weight: none };
  if (method === "midpoint") {
    const at = floor(v);
    return { at, weight: choose(less(at, v), 0.5, none) };
  }
  // The discontinuous methods count elements: step up where n q is no integer.
  if (method === "closest_observation") {
    const w = subtract(multiply(n, q), 1.5);
    const at = floor(w);
    // Ties go to the even order statistic, whose index from 0 is odd.
    const even = subtract(1, subtract(at, multiply(2, floor(divide(at, 2)))));
    return { at: add(at, choose(less(at, w), 1, even)), weight: none };
  }
  const w = subtract(multiply(n, q), 1);
  const at = floor(w);
  const rest = subtract(w, at);
  if (method === "inverted_cdf") return { at: add(at, choose(less(0, rest), 1, none)), weight: none };
  return { at, weight: choose(less(0, rest), 1, constantLike(rest, 0.5)) };
}

function quantiles(x: ArrayLike, q: ArrayLike, axis: AxisArg | undefined, options: QuantileOptions | undefined, fn: string, scale: number, skipNaN: boolean): NDArray {
  const o = requireOptions(options, fn, ["method", "keepdims"]);
  const method = requireChoice(o.method ?? "linear", methods, fn, "method");
  const input = asArray(x, fn);
  if (input.dtype === "bool") throw new DTypeError({ fn, arg: "x", expected: "numbers", got: "bool", fix: 'convert with astype("float64")' });
  const a = floatArray(input, fn);
  const levels = convertTo(asArray(q, fn, "q"), a.dtype);
  if (typeof q === "number" && !(q >= 0 && q <= scale)) throw new ArgumentError({ fn, arg: "q", expected: `numbers from 0 to ${scale}`, got: String(q), fix: scale === 1 ? "use percentile for percents" : "pass percents" });
  const axes = reductionAxes(axis, a.ndim, fn);
  const rest = range(a.ndim).filter((d) => !axes.includes(d));
  const n = sizeOf(axes.map((d) => a.shape[d]!));
  if (n === 0) throw new ShapeError({ fn, arg: "x", expected: "at least one element along the reduced axes", got: `shape [${a.shape.join(",")}]`, fix: "check the size first" });
  const lead = rest.map((d) => a.shape[d]!);
  const key = `${fn} ${method} ${axes.join()} ${o.keepdims ?? false}`;
  return fused(key, [a, levels], (values, at) => quantilesOf(values!, at!, { axes, rest, lead, n, scale, skipNaN, method, keepdims: o.keepdims ?? false }));
}

interface Layout { readonly axes: readonly number[]; readonly rest: readonly number[]; readonly lead: readonly number[]; readonly n: number; readonly scale: number; readonly skipNaN: boolean; readonly method: QuantileMethod; readonly keepdims: boolean }
function quantilesOf(a: NDArray, levels: NDArray, { axes, rest, lead, n, scale, skipNaN, method, keepdims }: Layout): NDArray {
  const flat = reshapeTo(transposeTo(a, [...axes, ...rest]), [n, ...lead]);
  const sorted = bind(sort, [flat], { axis: 0, keys: 1 })[0]!;
  // Levels in front, then the axes that stay.
  const shape = [...levels.shape, ...lead];
  const wide = broadcastTo(levels, shape, range(levels.ndim));
  const fraction = scale === 1 ? wide : divide(wide, scale);
  const trailing = (v: NDArray) => broadcastTo(v, shape, range(lead.length, levels.ndim));
  const missing = isnan(flat);
  const size = skipNaN ? trailing(subtract(n, sum(convertTo(missing, a.dtype), 0))) : constantLike(fraction, n);
  const { at, weight } = virtualIndex(size, fraction, method);
  const last = maximum(subtract(size, 1), 0);
  const below = minimum(maximum(at, 0), last);
  const above = minimum(maximum(add(at, 1), 0), last);
  const lo = pick(sorted, below, levels.ndim);
  const hi = pick(sorted, above, levels.ndim);
  const t = choose(greaterEqual(at, 0), weight, 0);
  // NumPy's order of operations: monotone, and exact at both ends. Between equal infinities there is no way to go, and from a finite end to
  // an infinite one all of the way is infinite, as in NumPy's median.
  const step = choose(logicalAnd(equal(lo, hi), isinf(lo)), 0, subtract(hi, lo));
  const fromBelow = choose(isinf(step), isfinite(lo), less(t, 0.5));
  const near = choose(fromBelow, add(lo, multiply(step, t)), subtract(hi, multiply(step, subtract(1, t))));
  const y = choose(less(0, t), near, lo);
  const dead = skipNaN ? less(size, 1) : trailing(any(missing, 0));
  const result = bind1(select, [dead, constantLike(y, NaN), y], noParams);
  return keepdims ? reshapeTo(result, [...levels.shape, ...keptShape(a.shape, axes)]) : result;
}

/** `sorted[at[level..., rest...], rest...]` for float positions. */
function pick(sorted: NDArray, at: NDArray, levels: number): NDArray {
  const [n, ...lead] = sorted.shape as [number, ...number[]];
  const inner = sizeOf(lead);
  const columns = transposeTo(reshapeTo(sorted, [n, inner]), [1, 0]);
  const count = sizeOf(at.shape.slice(0, levels));
  const rows = transposeTo(reshapeTo(convertTo(at, "int32"), [count, inner]), [1, 0]);
  const y = bind1(gather, [columns, rows], { batchDims: 1, mode: "clip" });
  return reshapeTo(transposeTo(y, [1, 0]), at.shape);
}

/**
 * The q-quantiles (q from 0 to 1) over axes (all by default); the shape of q comes first in the result. NaN if there is one.
 * @throws ArgumentError for q outside [0, 1]; ShapeError for no elements.
 * @example np.quantile([1, 2, 3, 4], 0.5) // 2.5
 */
export const quantile = (x: ArrayLike, q: ArrayLike, axis?: AxisArg, options?: QuantileOptions): NDArray => quantiles(x, q, axis, options, "quantile", 1, false);
/** As `quantile`, with q in percent. @example np.percentile([1, 2, 3, 4], 50) // 2.5 */
export const percentile = (x: ArrayLike, q: ArrayLike, axis?: AxisArg, options?: QuantileOptions): NDArray => quantiles(x, q, axis, options, "percentile", 100, false);
/** As `quantile`, of the elements other than NaN. */
export const nanquantile = (x: ArrayLike, q: ArrayLike, axis?: AxisArg, options?: QuantileOptions): NDArray => quantiles(x, q, axis, options, "nanquantile", 1, true);
/** As `percentile`, of the elements other than NaN. */
export const nanpercentile = (x: ArrayLike, q: ArrayLike, axis?: AxisArg, options?: QuantileOptions): NDArray => quantiles(x, q, axis, options, "nanpercentile", 100, true);

const middle = (x: ArrayLike): ArrayLike => {
  const a = asArray(x, "median");
  return a.dtype === "bool" ? convertTo(a, "int32") : a;
};
/** The middle element, or the mean of the two middle ones. The derivative goes to them. @example np.median([3, 1, 2]) // 2 */
export const median = (x: ArrayLike, axis?: AxisArg, options?: KeepdimsOption): NDArray => quantiles(middle(x), 0.5, axis, requireOptions(options, "median", ["keepdims"]), "median", 1, false);
/** The median of the elements other than NaN. */
export const nanmedian = (x: ArrayLike, axis?: AxisArg, options?: KeepdimsOption): NDArray => quantiles(middle(x), 0.5, axis, requireOptions(options, "nanmedian", ["keepdims"]), "nanmedian", 1, true);

/** Largest minus smallest element over axes. */
export const ptp = (x: ArrayLike, axis?: AxisArg, options?: KeepdimsOption): NDArray => asOne("ptp", [x], [axis, options], (a) => subtract(max(a!, axis, requireOptions(options, "ptp", ["keepdims"])), min(a!, axis, options)));
/** How many elements are not 0, as int32. @example np.countNonzero([0, 3, 1]) // 2 */
export const countNonzero = (x: ArrayLike, axis?: AxisArg, options?: KeepdimsOption): NDArray =>
  asOne("countNonzero", [x], [axis, options], (a) => sum(convertTo(convertTo(asArray(a!, "countNonzero"), "bool"), "int32"), axis, requireOptions(options, "countNonzero", ["keepdims"])));
