import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { isFloat } from "../base/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../base/errors.js";
import { formatShape, range, sizeOf } from "../base/shape.js";
import { gather, scatter } from "../primitives/indexing.js";
import { concatenate } from "../primitives/structural.js";
import { reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { asArray, broadcastToShape, describe } from "./convert.js";
import { along } from "./along.js";
import { diff } from "./calculus.js";
import { zeros } from "./creation.js";
import { choose, floatArray } from "./elementwise.js";
import { sqrt } from "./elementary.js";
import { equal, greaterEqual, lessEqual, logicalAnd } from "./logic.js";
import { diagonal } from "./matrices.js";
import { add, clip, divide, maximum, multiply, square, subtract } from "./math.js";
import { average, mean, std } from "./moments.js";
import { requireInteger, requireOptions } from "./options.js";
import { matmul } from "./products.js";
import { percentile, ptp } from "./quantiles.js";
import { linspace } from "./ranges.js";
import { max, min, sum } from "./reductions.js";
import { searchsorted } from "./sorting.js";

export interface CovOptions {
  /** Rows are variables (default); otherwise columns. */
  readonly rowvar?: boolean;
  /** Divide by n instead of n - 1. */
  readonly bias?: boolean;
  /** The divisor is n - ddof; overrides `bias`. */
  readonly ddof?: number;
  /** How often each observation counts (integers). */
  readonly fweights?: ArrayLike;
  /** How much each observation weighs. */
  readonly aweights?: ArrayLike;
}

function variables(m: ArrayLike, rowvar: boolean, fn: string, arg: string): NDArray {
  const x = floatArray(m, fn, arg);
  if (x.ndim > 2) throw new ShapeError({ fn, arg, expected: "at most two axes", got: describe(x), fix: "reshape to [variables, observations]" });
  if (x.ndim < 2) return reshapeTo(x, [1, x.size]);
  return rowvar || x.shape[0] === 1 ? x : transposeTo(x, [1, 0]);
}

/**
 * Covariance matrix of variables (rows) over observations (columns): `sum_k w_k (x_ik - mean_i)(x_jk - mean_j) / (n - ddof)`.
 * @throws ShapeError for more than two axes, or weights that do not fit.
 * @example np.cov([[1, 2, 3], [3, 2, 1]]) // [[1, -1], [-1, 1]]
 */
export function cov(m: ArrayLike, y?: ArrayLike | null, options?: CovOptions): NDArray {
  const o = requireOptions(options, "cov", ["rowvar", "bias", "ddof", "fweights", "aweights"]);
  const rowvar = o.rowvar ?? true;
  let x = variables(m, rowvar, "cov", "m");
  if (y !== undefined && y !== null) {
    const second = variables(y, rowvar, "cov", "y");
    x = bind1(concatenate, [x, convertTo(second, x.dtype)], { axis: 0 });
  }
  const n = x.shape[1]!;
  const ddof = o.ddof ?? (o.bias ? 0 : 1);
  const weights = (v: ArrayLike | undefined, name: string): NDArray | undefined => {
    if (v === undefined) return undefined;
    const w = convertTo(asArray(v, "cov", name), x.dtype);
    if (w.ndim !== 1 || w.size !== n) throw new ShapeError({ fn: "cov", arg: name, expected: `a vector of ${n} weights, one an observation`, got: formatShape(w.shape), fix: "give one weight a column" });
    return w;
  };
  const [f, a] = [weights(o.fweights, "fweights"), weights(o.aweights, "aweights")];
  const w = f && a ? multiply(f, a) : f ?? a;
  const centered = subtract(x, w ? reshapeTo(average(x, 1, { weights: w }), [x.shape[0]!, 1]) : mean(x, 1, { keepdims: true }));
  const total = w ? sum(w) : n;
  const divisor = !w ? Math.max(0, n - ddof) : maximum(ddof === 0 ? total : a ? subtract(total, divide(multiply(ddof, sum(multiply(w, a))), total)) : subtract(total, ddof), 0);
  const c = divide(matmul(w ? multiply(centered, w) : centered, transposeTo(centered, [1, 0])), divisor);
  return c.size === 1 ? reshapeTo(c, []) : c;
}

/** Matrix of correlation coefficients: `C_ij / sqrt(C_ii C_jj)`, within [-1, 1]. */
export function corrcoef(m: ArrayLike, y?: ArrayLike | null, options?: { readonly rowvar?: boolean }): NDArray {
  const c = cov(m, y, requireOptions(options, "corrcoef", ["rowvar"]));
  if (c.ndim === 0) return divide(c, c);
  const d = sqrt(diagonal(c));
  const n = d.size;
  return clip(divide(divide(c, reshapeTo(d, [n, 1])), reshapeTo(d, [1, n])), -1, 1);
}

/** Adds updates into `length` bins; indices out of range count nowhere. */
function countInto(index: NDArray, weights: NDArray, length: number): NDArray {
  return bind1(scatter, [zeros([length], { dtype: weights.dtype }), index, weights], { batchDims: 0, mode: "fill", op: "add", uniqueIndices: false });
}

export interface BincountOptions {
  readonly weights?: ArrayLike;
  /** At least so many bins. */
  readonly minlength?: number;
  /** Exactly so many bins: needed inside jit, where the largest value is unknown; larger values are dropped. */
  readonly length?: number;
}
/**
 * How often each non-negative integer occurs, or the sum of its weights.
 * @throws DTypeError for floats; ArgumentError for negative values; ConcretizationError under jit without `length`.
 * @example np.bincount(np.array([0, 1, 1, 3], { dtype: "int32" })) // [1, 2, 0, 1]
 */
export function bincount(x: ArrayLike, options?: BincountOptions): NDArray {
  const { weights, minlength = 0, length } = requireOptions(options, "bincount", ["weights", "minlength", "length"]);
  requireInteger(minlength, "bincount", "minlength", 0);
  const a = asArray(x, "bincount");
  if (a.ndim !== 1) throw new ShapeError({ fn: "bincount", arg: "x", expected: "a vector", got: describe(a), fix: "ravel it first" });
  if (isFloat(a.dtype)) throw new DTypeError({ fn: "bincount", arg: "x", expected: "integers", got: describe(a), fix: 'convert with astype("int32")' });
  const index = convertTo(a, "int32");
  let size = length === undefined ? minlength : requireInteger(length, "bincount", "length", 0);
  if (length === undefined && a.size > 0) {
    if (Number(min(index).item()) < 0) throw new ArgumentError({ fn: "bincount", arg: "x", expected: "values of at least 0", got: "a negative one", fix: "shift the values first" });
    size = Math.max(minlength, Number(max(index).item()) + 1);
  }
  const w = weights === undefined ? convertTo(broadcastToShape(asArray(1, "bincount"), index.shape, "bincount"), "int32") : floatArray(weights, "bincount", "weights");
  if (w.size !== index.size) throw new ShapeError({ fn: "bincount", arg: "weights", expected: formatShape(index.shape), got: formatShape(w.shape), fix: "give one weight a value" });
  return countInto(index, convertTo(w, w.dtype), size);
}

const binRules = ["auto", "fd", "doane", "scott", "rice", "sturges", "sqrt"] as const;
/** A number of bins, their edges, or a rule that chooses by the (concrete) data, by NumPy's names. */
export type Bins = number | ArrayLike | (typeof binRules)[number];

/** Number of bins by a rule: Sturges 1926, Doane 1976, Scott 1979, Freedman and Diaconis 1981, as numpy.histogram_bin_edges. */
function ruledBins(rule: string, x: NDArray, fn: string): number {
  if (!(binRules as readonly string[]).includes(rule)) throw new ArgumentError({ fn, arg: "bins", expected: `a number, edges, or one of ${binRules.join(", ")}`, got: JSON.stringify(rule), fix: "use one of these" });
  const n = x.size;
  if (n === 0) return 1;
  const number = (v: NDArray) => Number(v.item());
  const spread = number(ptp(x));
  const sturges = spread / (Math.log2(n) + 1);
  const fd = () => (2 * (number(percentile(x, 75)) - number(percentile(x, 25)))) / Math.cbrt(n);
  const doane = () => {
    const sg1 = Math.sqrt((6 * (n - 2)) / ((n + 1) * (n + 3)));
    const sigma = number(std(x));
    if (n <= 2 || sigma === 0) return 0;
    const z = divide(subtract(x, mean(x)), sigma);
    return spread / (1 + Math.log2(n) + Math.log2(1 + Math.abs(number(mean(multiply(z, square(z))))) / sg1));
  };
  const width = { sturges: () => sturges, sqrt: () => spread / Math.sqrt(n), rice: () => spread / (2 * Math.cbrt(n)), scott: () => Math.cbrt((24 * Math.sqrt(Math.PI)) / n) * number(std(x)), fd, doane, auto: () => Math.min(fd() || sturges, sturges) }[rule as (typeof binRules)[number]]();
  return width > 0 ? Math.ceil(spread / width) : 1;
}

export interface BinEdgesOptions {
  /** Lowest and highest edge; default: the data's extremes. */
  readonly range?: readonly [number, number] | null;
}

/** The edges of `histogram`'s bins. */
export function histogramBinEdges(x: ArrayLike, bins: Bins = 10, options?: BinEdgesOptions): NDArray {
  return edgesOf(floatArray(x, "histogramBinEdges"), bins, requireOptions(options, "histogramBinEdges", ["range"]).range ?? null, "histogramBinEdges");
}

function edgesOf(input: NDArray, bins: Bins, limits: readonly [number, number] | null, fn: string): NDArray {
  const x = reshapeTo(input, [input.size]);
  if (typeof bins !== "number" && typeof bins !== "string") {
    const edges = floatArray(bins, fn, "bins");
    if (edges.ndim !== 1 || edges.size < 2) throw new ShapeError({ fn, arg: "bins", expected: "a vector of at least two edges", got: describe(edges), fix: "pass increasing edges" });
    return convertTo(edges, edges.dtype);
  }
  const count = typeof bins === "string" ? ruledBins(bins, x, fn) : requireInteger(bins, fn, "bins", 1);
  if (limits !== null) {
    const [lo, hi] = limits;
    if (!(Number.isFinite(lo) && Number.isFinite(hi) && lo <= hi)) throw new ArgumentError({ fn, arg: "range", expected: "two finite numbers in order", got: JSON.stringify(limits), fix: "pass [lowest, highest]" });
    return convertTo(linspace(lo === hi ? lo - 0.5 : lo, lo === hi ? hi + 0.5 : hi, count + 1), x.dtype);
  }
  if (x.size === 0) return convertTo(linspace(0, 1, count + 1), x.dtype);
  const [lo, hi] = [min(x), max(x)];
  const same = equal(lo, hi);
  return linspace(choose(same, subtract(lo, 0.5), lo), choose(same, add(hi, 0.5), hi), count + 1);
}

/** Bin of each value, -1 outside; the last bin has its right edge. */
function binOf(x: NDArray, edges: NDArray): NDArray {
  const n = edges.size - 1;
  const index = subtract(searchsorted(edges, x, { side: "right" }), 1);
  const last = bind1(gather, [edges, convertTo(asArray(n, "histogram"), "int32")], { batchDims: 0, mode: "clip" });
  const inside = logicalAnd(greaterEqual(index, 0), lessEqual(x, last));
  return choose(inside, clip(index, 0, n - 1), -1);
}

export interface HistogramOptions extends BinEdgesOptions {
  readonly weights?: ArrayLike;
  /** Return the density, whose integral is 1. */
  readonly density?: boolean;
}
/**
 * `[counts, edges]`: how many values lie in each half-open bin (the last one is closed); int32, or floats with weights or density.
 * @throws ArgumentError for bins or a range that are none.
 * @example np.histogram([1, 2, 1], 3)[0] // [2, 0, 1]
 */
export function histogram(x: ArrayLike, bins: Bins = 10, options?: HistogramOptions): [NDArray, NDArray] {
  const { range: limits = null, weights, density = false } = requireOptions(options, "histogram", ["range", "weights", "density"]);
  const input = floatArray(x, "histogram");
  const a = convertTo(reshapeTo(input, [input.size]), input.dtype);
  const edges = edgesOf(a, bins, limits, "histogram");
  const counts = histogramCounts([a], [edges], weights, "histogram");
  if (!density) return [counts, edges];
  return [divide(divide(counts, diff(edges)), sum(counts)), edges];
}

function histogramCounts(columns: readonly NDArray[], edges: readonly NDArray[], weights: ArrayLike | undefined, fn: string): NDArray {
  const shape = edges.map((e) => e.size - 1);
  const places = columns.map((c, d) => binOf(convertTo(c, c.dtype), edges[d]!));
  const inside = places.map((p) => greaterEqual(p, 0)).reduce((s, t) => logicalAnd(s, t));
  const flat = places.reduce((sofar, p, d) => add(multiply(sofar, shape[d]!), p));
  const n = columns[0]!.size;
  const w = weights === undefined ? convertTo(broadcastToShape(asArray(1, fn), [n], fn), "int32") : asArray(weights, fn, "weights");
  if (w.size !== n) throw new ShapeError({ fn, arg: "weights", expected: `${n} weights, one a value`, got: formatShape(w.shape), fix: "give the weights the shape of x" });
  return reshapeTo(countInto(convertTo(choose(inside, flat, -1), "int32"), convertTo(reshapeTo(w, [n]), w.dtype), sizeOf(shape)), shape);
}

/** `[counts, edges of each dimension]` of points given as rows [n, d]; counts are floats. `bins` and `range` are one for all dimensions, or a list. */
export function histogramdd(sample: ArrayLike, bins: number | readonly Bins[] = 10, options?: { readonly range?: readonly (readonly [number, number] | null)[] | null; readonly density?: boolean; readonly weights?: ArrayLike }): [NDArray, NDArray[]] {
  const { range: limits = null, density = false, weights } = requireOptions(options, "histogramdd", ["range", "density", "weights"]);
  const s = floatArray(sample, "histogramdd", "sample");
  const points = s.ndim === 1 ? reshapeTo(s, [s.size, 1]) : s;
  if (points.ndim !== 2) throw new ShapeError({ fn: "histogramdd", arg: "sample", expected: "[points, dimensions]", got: describe(points), fix: "reshape it" });
  const [n, dims] = points.shape as [number, number];
  const columns = range(dims).map((d) => reshapeTo(along(points, 1, d, d + 1), [n]));
  return manyDimensions(columns, bins, limits, weights, density, "histogramdd");
}

function manyDimensions(columns: readonly NDArray[], bins: number | readonly Bins[], limits: readonly (readonly [number, number] | null)[] | null, weights: ArrayLike | undefined, density: boolean, fn: string): [NDArray, NDArray[]] {
  const list = typeof bins === "number" ? columns.map(() => bins) : bins;
  if (!Array.isArray(list) || list.length !== columns.length) throw new ArgumentError({ fn, arg: "bins", expected: `a number, or ${columns.length} bin settings`, got: describe(bins), fix: "give one for each dimension" });
  const edges = columns.map((c, d) => edgesOf(c, list[d]!, limits?.[d] ?? null, fn));
  const counts = floatArray(histogramCounts(columns, edges, weights, fn), fn);
  if (!density) return [counts, edges];
  const volume = edges.reduce<NDArray>((v, e, d) => multiply(v, reshapeTo(diff(e), edges.map((_, k) => (k === d ? e.size - 1 : 1)))), asArray(1, fn));
  return [divide(divide(counts, volume), sum(counts)), edges];
}

/** `[counts, x edges, y edges]` of points (x, y). `bins` is a number, edges for both, or `[bins of x, bins of y]`. */
export function histogram2d(x: ArrayLike, y: ArrayLike, bins: number | readonly [Bins, Bins] = 10, options?: { readonly range?: readonly [readonly [number, number], readonly [number, number]] | null; readonly density?: boolean; readonly weights?: ArrayLike }): [NDArray, NDArray, NDArray] {
  const { range: limits = null, density = false, weights } = requireOptions(options, "histogram2d", ["range", "density", "weights"]);
  const columns = [floatArray(x, "histogram2d", "x"), floatArray(y, "histogram2d", "y")];
  if (columns.some((c) => c.ndim !== 1) || columns[0]!.size !== columns[1]!.size) throw new ShapeError({ fn: "histogram2d", arg: "y", expected: "two vectors of one size", got: columns.map(describe).join(" and "), fix: "ravel them first" });
  const [counts, edges] = manyDimensions(columns, bins, limits, weights, density, "histogram2d");
  return [counts, edges[0]!, edges[1]!];
}
