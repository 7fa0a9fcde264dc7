import { ConcreteArray } from "../array/concrete.js";
import { type ArrayLike, NDArray } from "../array/ndarray.js";
import { type DType, defaultFloat, isFloat, newTypedArray } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import { canonicalAxis, range, requireShape, type Shape } from "../base/shape.js";
import { concatenate } from "../primitives/structural.js";
import { broadcastTo, reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { eagerTrace } from "../trace/eager.js";
import { bind1, currentTrace } from "../trace/trace.js";
import { allAsOne } from "./as-one.js";
import { asArray, broadcastToShape, describe, floatOperandsOf } from "./convert.js";
import { arange, full } from "./creation.js";
import { choose, positions } from "./elementwise.js";
import { log10 } from "./elementary.js";
import { floor } from "./floats.js";
import { equal, less } from "./logic.js";
import { abs, add, divide, multiply, power, sign, subtract } from "./math.js";
import { optionalDType, requireChoice, requireInteger, requireOptions } from "./options.js";

export interface SpaceOptions {
  /** Include `stop` as last value; default true. */
  readonly endpoint?: boolean;
  /** dtype of the result; integers are rounded down. Default: float. */
  readonly dtype?: DType;
  /** Axis of the result along which the values run, for array ends; default 0. */
  readonly axis?: number;
}
export interface LinspaceOptions extends SpaceOptions {
  /** Return `[values, step]`. */
  readonly retstep?: boolean;
}
const spaceNames = ["endpoint", "dtype", "axis"] as const;

/** Values along axis 0 and the step between them. */
function evenly(start: NDArray, stop: NDArray, num: number, endpoint: boolean): { values: NDArray; step: NDArray } {
  const gaps = endpoint ? num - 1 : num;
  const shape = [num, ...start.shape];
  const wide = (x: NDArray) => broadcastTo(x, shape, range(start.ndim, 1));
  const delta = subtract(stop, start);
  const step = divide(delta, gaps > 0 ? gaps : NaN);
  const i = positions(shape, 0, start.dtype);
  const line = gaps > 0 ? add(multiply(i, wide(step)), wide(start)) : wide(start);
  // The end is met exactly, whatever rounding did to the multiples of the step.
  return { values: endpoint && num > 1 ? choose(equal(i, num - 1), wide(stop), line) : line, step };
}

function finish(values: NDArray, dtype: DType | undefined, axis: number, fn: string): NDArray {
  const type = optionalDType(dtype, fn);
  const d = canonicalAxis(axis, values.ndim, fn);
  const moved = transposeTo(values, [...range(d, 1), 0, ...range(values.ndim - d - 1, d + 1)]);
  return type === undefined ? moved : convertTo(isFloat(type) ? moved : floor(moved), type);
}

const strong = (x: NDArray): NDArray => (x.weak ? convertTo(x, x.dtype) : x);

/**
 * `num` evenly spaced values from `start` to `stop`, which is included unless `endpoint` is false. Ends may be arrays: differentiable in both.
 * @throws ArgumentError for a negative or fractional number of values.
 * @example np.linspace(0, 1, 5) // [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace(start: ArrayLike, stop: ArrayLike, num: number | undefined, options: LinspaceOptions & { readonly retstep: true }): [NDArray, NDArray];
export function linspace(start: ArrayLike, stop: ArrayLike, num?: number, options?: LinspaceOptions): NDArray;
export function linspace(start: ArrayLike, stop: ArrayLike, num = 50, options?: LinspaceOptions): NDArray | [NDArray, NDArray] {
  const { endpoint = true, retstep = false, dtype, axis = 0 } = requireOptions(options, "linspace", [...spaceNames, "retstep"]);
  requireInteger(num, "linspace", "num", 0);
  if (typeof start === "number" && typeof stop === "number" && currentTrace() === eagerTrace && !retstep && dtype === undefined && axis === 0) return line(start, stop, num, endpoint);
  const [a, b] = floatOperandsOf([start, stop], "linspace", ["start", "stop"]) as [NDArray, NDArray];
  const [out, step] = allAsOne("linspace", [a, b], [num, endpoint, dtype, axis], (from, to) => {
    const { values, step } = evenly(from as NDArray, to as NDArray, num, endpoint);
    return [finish(strong(values), dtype, axis, "linspace"), step];
  }) as [NDArray, NDArray];
  return retstep ? [out, step] : out;
}

function line(start: number, stop: number, num: number, endpoint: boolean): NDArray {
  const dtype = defaultFloat();
  const data = newTypedArray(dtype, num);
  const step = (stop - start) / (endpoint ? num - 1 : num);
  for (let i = 0; i < num; i++) data[i] = i === 0 ? start : i * step + start;
  if (endpoint && num > 1) data[num - 1] = stop;
  return ConcreteArray.fromHost(data, { shape: [num], dtype, weak: false });
}

export interface LogspaceOptions extends SpaceOptions {
  /** Base of the powers; default 10. */
  readonly base?: ArrayLike;
}
/** `base ** linspace(start, stop, num)`. @example np.logspace(0, 2, 3) // [1, 10, 100] */
export function logspace(start: ArrayLike, stop: ArrayLike, num = 50, options?: LogspaceOptions): NDArray {
  const { endpoint = true, dtype, axis = 0, base = 10 } = requireOptions(options, "logspace", [...spaceNames, "base"]);
  requireInteger(num, "logspace", "num", 0);
  const [a, b, c] = floatOperandsOf([start, stop, base], "logspace", ["start", "stop", "base"]) as [NDArray, NDArray, NDArray];
  return finish(strong(power(c, evenly(a, b, num, endpoint).values)), dtype, axis, "logspace");
}

/**
 * `num` values in geometric progression from `start` to `stop`; both ends are exact. Ends must have one sign and not be 0.
 * @throws ArgumentError for number ends that are 0 or of different signs.
 * @example np.geomspace(1, 8, 4) // [1, 2, 4, 8]
 */
export function geomspace(start: ArrayLike, stop: ArrayLike, num = 50, options?: SpaceOptions): NDArray {
  const { endpoint = true, dtype, axis = 0 } = requireOptions(options, "geomspace", spaceNames);
  requireInteger(num, "geomspace", "num", 0);
  if (typeof start === "number" && typeof stop === "number" && !(start * stop > 0)) throw new ArgumentError({ fn: "geomspace", arg: "stop", expected: "ends of one sign other than 0", got: `${start} and ${stop}`, fix: "use linspace, or shift the ends" });
  const [a, b] = floatOperandsOf([start, stop], "geomspace", ["start", "stop"]) as [NDArray, NDArray];
  const { values } = evenly(log10(abs(a)), log10(abs(b)), num, endpoint);
  const wide = (x: NDArray) => broadcastToShape(x, values.shape, "geomspace");
  const i = positions(values.shape, 0);
  const inside = multiply(sign(wide(a)), power(10, values));
  const first = choose(equal(i, 0), wide(a), inside);
  return finish(strong(endpoint && num > 1 ? choose(less(i, num - 1), first, wide(b)) : first), dtype, axis, "geomspace");
}

export interface MeshgridOptions {
  /** "xy" (default): the first two axes are those of y and x, as in plots; "ij": axes in the order of the arguments. */
  readonly indexing?: "xy" | "ij";
  /** Leave the arrays unbroadcast, with axes of size 1. */
  readonly sparse?: boolean;
}
/**
 * Coordinate arrays of a grid, from one vector an axis, then options.
 * @example const [x, y] = np.meshgrid([0, 1, 2], [0, 1]); x.shape // [2, 3]
 */
export function meshgrid(...args: readonly (ArrayLike | MeshgridOptions)[]): NDArray[] {
  const last = args.at(-1);
  const hasOptions = typeof last === "object" && last !== null && !(last instanceof NDArray) && !Array.isArray(last) && !ArrayBuffer.isView(last);
  const { indexing = "xy", sparse = false } = requireOptions(hasOptions ? (last as MeshgridOptions) : undefined, "meshgrid", ["indexing", "sparse"]);
  requireChoice(indexing, ["xy", "ij"], "meshgrid", "indexing");
  const vectors = (hasOptions ? args.slice(0, -1) : args).map((x, k) => {
    const a = strong(asArray(x as ArrayLike, "meshgrid", `x${k + 1}`));
    if (a.ndim > 1) throw new ArgumentError({ fn: "meshgrid", arg: `x${k + 1}`, expected: "a vector", got: describe(a), fix: "ravel it first" });
    return a;
  });
  const order = range(vectors.length);
  if (indexing === "xy" && order.length > 1) [order[0], order[1]] = [1, 0];
  const shape = order.map((k) => vectors[k]!.size);
  return vectors.map((v, k) => {
    const open = reshapeTo(v, shape.map((_, d) => (order[d] === k ? v.size : 1)));
    return sparse ? open : broadcastTo(open, shape, range(shape.length));
  });
}

export interface IndicesOptions { readonly dtype?: DType; readonly sparse?: boolean }
/** The index of every element of a grid: shape `[ndim, ...dimensions]`, int32; with `sparse` a list of open arrays. @example np.indices([2, 3]).shape // [2, 2, 3] */
export function indices(dimensions: Shape, options: IndicesOptions & { readonly sparse: true }): NDArray[];
export function indices(dimensions: Shape, options?: IndicesOptions): NDArray;
export function indices(dimensions: Shape, options?: IndicesOptions): NDArray | NDArray[] {
  const { dtype, sparse = false } = requireOptions(options, "indices", ["dtype", "sparse"]);
  const shape = requireShape(dimensions, "indices", "dimensions");
  const type = optionalDType(dtype, "indices") ?? "int32";
  if (sparse) return shape.map((n, d) => positions(shape.map((_, k) => (k === d ? n : 1)), d, type));
  return allAsOne("indices", [], [shape.join(), type], () => [stacked(shape.map((_, d) => positions(shape, d, type)), shape, type)])[0]!;
}

function stacked(arrays: readonly NDArray[], shape: Shape, dtype: DType): NDArray {
  if (arrays.length === 0) return full([0, ...shape], 0, { dtype });
  return bind1(concatenate, arrays.map((x) => reshapeTo(x, [1, ...x.shape])), { axis: 0 });
}

/** A range of grid coordinates: "start:stop:step", `{ start, stop, step }`, or `{ start, stop, num }` for num values with both ends. */
export type GridRange = string | { readonly start?: number; readonly stop: number; readonly step?: number; readonly num?: number };

function gridVector(r: GridRange, fn: string): NDArray {
  if (typeof r === "string") {
    const parts = r.split(":").map((s) => (s.trim() === "" ? undefined : Number(s)));
    if (parts.length < 2 || parts.length > 3 || parts[1] === undefined || parts.some((v) => Number.isNaN(v))) throw new ArgumentError({ fn, arg: "ranges", expected: '"start:stop" or "start:stop:step"', got: JSON.stringify(r), fix: 'write e.g. "0:5" or "0:1:0.1"' });
    return arange(parts[0] ?? 0, parts[1], parts[2] ?? 1);
  }
  if (typeof r !== "object" || r === null || typeof r.stop !== "number") throw new ArgumentError({ fn, arg: "ranges", expected: 'ranges such as "0:5" or { start: 0, stop: 1, num: 5 }', got: describe(r), fix: "give one range an axis" });
  return r.num === undefined ? arange(r.start ?? 0, r.stop, r.step ?? 1) : linspace(r.start ?? 0, r.stop, r.num);
}
/** Coordinates of an open grid, one array an axis. @example np.ogrid("0:2", "0:3").map((a) => a.shape) // [[2, 1], [1, 3]] */
export const ogrid = (...ranges: readonly GridRange[]): NDArray[] => meshgrid(...ranges.map((r) => gridVector(r, "ogrid")), { indexing: "ij", sparse: true });
/** Coordinates of a dense grid, stacked along axis 0. @example np.mgrid("0:2", "0:3").shape // [2, 2, 3] */
export function mgrid(...ranges: readonly GridRange[]): NDArray {
  const vectors = ranges.map((r) => gridVector(r, "mgrid"));
  const dtype: DType = vectors.some((v) => isFloat(v.dtype)) ? defaultFloat() : "int32";
  return stacked(meshgrid(...vectors, { indexing: "ij" }).map((v) => convertTo(v, dtype)), vectors.map((v) => v.size), dtype);
}
