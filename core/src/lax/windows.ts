import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { type DType, isFloat } from "../base/dtype.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { canonicalAxes, formatShape, range, type Shape, sizeOf } from "../base/shape.js";
import { highest, identity, lowest } from "../kernel/identity.js";
import { asArray, promoteToFloat } from "../numpy/convert.js";
import * as reductions from "../primitives/reductions.js";
import * as structural from "../primitives/structural.js";
import { broadcastTo, reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { bind1 } from "../trace/trace.js";
import { add, div, max, min, mul } from "./elementwise.js";
import { dilatedSize, type Padding, perAxis, resolvePadding } from "./padding.js";
import { concatenate, pad, sliceInDim, squeeze } from "./structure.js";

export type WindowOp = "add" | "mul" | "max" | "min";
export type Combine = (a: NDArray, b: NDArray) => NDArray;
export interface ReduceWindowOptions {
  readonly windowStrides?: number | readonly number[];
  readonly padding?: Padding;
  /** Spacing of the array's elements, with nothing between them. */
  readonly baseDilation?: number | readonly number[];
  /** Spacing of the window's elements. */
  readonly windowDilation?: number | readonly number[];
}

const known = new Map<unknown, WindowOp>([["add", "add"], ["mul", "mul"], ["max", "max"], ["min", "min"], [add, "add"], [mul, "mul"], [max, "max"], [min, "min"]]);
const functions: Record<WindowOp, Combine> = { add, mul, max, min };
const saturate = (v: number, dtype: DType) => (isFloat(dtype) ? v : Math.max(lowest(dtype), Math.min(highest(dtype), v)));

/**
 * Reduces every window of an array: `y[p] = combine of init and, over w, x[p * strides + w * windowDilation - low]`, without what lies in
 * the padding. All lists have one entry an axis. Semantics of XLA's `ReduceWindow`; the derivative of "max" and "min" goes to the first of equal elements.
 * `computation` is "add", "mul", "max", "min", the lax function of that name, or any associative function of two arrays (then
 * `init` must be its identity).
 * @throws ArgumentError for lists of other lengths.
 * @example lax.reduceWindow(x, -Infinity, "max", [1, 2, 2, 1], { windowStrides: [1, 2, 2, 1] })
 */
export function reduceWindow(x: ArrayLike, init: number, computation: WindowOp | Combine, windowDimensions: readonly number[], o: ReduceWindowOptions = {}): NDArray {
  const fn = "reduceWindow";
  const a = asArray(x, fn);
  const window = perAxis(windowDimensions, a.ndim, fn, "windowDimensions");
  const strides = perAxis(o.windowStrides, a.ndim, fn, "windowStrides");
  const base = perAxis(o.baseDilation, a.ndim, fn, "baseDilation");
  const dilation = perAxis(o.windowDilation, a.ndim, fn, "windowDilation");
  const start = saturate(init, a.dtype);
  const pairs = resolvePadding(o.padding ?? "VALID", a.shape.map((n, d) => dilatedSize(n, base[d]!)), window.map((w, d) => dilatedSize(w, dilation[d]!)), strides, fn);
  const op = known.get(computation);
  if (op === undefined && typeof computation !== "function") throw new ArgumentError({ fn, arg: "computation", expected: '"add", "mul", "max", "min" or a function', got: String(computation), fix: "pass one of these" });
  const neutral = op === undefined ? start : identity(op, a.dtype);
  const isPadded = pairs.some(([lo, hi]) => lo !== 0 || hi !== 0) || base.some((b) => b > 1);
  const padded = isPadded ? pad(a, neutral, pairs.map(([lo, hi], d) => [lo, hi, base[d]! - 1])) : a;
  const view = { window, strides, dilation };
  if (op === undefined) return foldWindows(padded, view, start, computation as Combine);
  const y = bind1(reducers[op], [bind1(structural.windows, [padded], view)], { axes: range(a.ndim, a.ndim) });
  return start === neutral ? y : functions[op](y, broadcastTo(scalar(start, a.dtype, a.weak), y.shape, []));
}

interface View { readonly window: readonly number[]; readonly strides: readonly number[]; readonly dilation: readonly number[] }
const reducers = { add: reductions.reduceSum, mul: reductions.reduceProd, max: reductions.firstMax, min: reductions.firstMin };

function foldWindows(x: NDArray, view: View, init: number, combine: Combine): NDArray {
  const all = bind1(structural.windows, [x], view);
  const positions = all.shape.slice(0, x.ndim);
  const rows = reshapeTo(all, [...positions, sizeOf(view.window)]);
  return range(sizeOf(view.window)).reduce<NDArray>((acc, i) => combine(acc, squeeze(sliceInDim(rows, i, i + 1, 1, x.ndim), [x.ndim])), broadcastTo(scalar(init, x.dtype, x.weak), positions, []));
}

export interface PoolOptions {
  /** Distance of the windows; the window itself when not given. */
  readonly strides?: number | readonly number[];
  readonly padding?: Padding;
  readonly windowDilation?: number | readonly number[];
  /** `"channelsLast"` [batch, ...spatial, channels] (default) or `"channelsFirst"` [batch, channels, ...spatial]. */
  readonly layout?: "channelsLast" | "channelsFirst";
}
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts in the mean (default true). */
  readonly countIncludePad?: boolean;
}

function pool(x: NDArray, init: number, op: WindowOp, window: readonly number[], o: PoolOptions, fn: string): NDArray {
  if (x.ndim !== window.length + 2) throw new ShapeError({ fn, arg: "x", expected: `${window.length + 2} axes: batch, channels and ${window.length} spatial ones`, got: formatShape(x.shape), fix: "give one window size for each spatial axis, and add a batch axis with expandDims" });
  const first = o.layout === "channelsFirst";
  const place = <T>(list: readonly T[], unit: T): T[] => (first ? [unit, unit, ...list] : [unit, ...list, unit]);
  const strides = o.strides === undefined ? window : perAxis(o.strides, window.length, fn, "strides");
  const padding = o.padding ?? "VALID";
  return reduceWindow(x, init, op, place(window, 1), {
    windowStrides: place(strides, 1),
    padding: typeof padding === "string" ? padding : place(padding, [0, 0] as const),
    windowDilation: place(perAxis(o.windowDilation, window.length, fn, "windowDilation"), 1),
  });
}

/**
 * Largest element of each window; the first of equal ones gets the derivative.
 * @example lax.maxPool(images, [2, 2]) // [N,H,W,C] -> [N,H/2,W/2,C]
 */
export const maxPool = (x: ArrayLike, window: readonly number[], o: PoolOptions = {}): NDArray => pool(asArray(x, "maxPool"), -Infinity, "max", window, o, "maxPool");
/** Smallest element of each window. */
export const minPool = (x: ArrayLike, window: readonly number[], o: PoolOptions = {}): NDArray => pool(asArray(x, "minPool"), Infinity, "min", window, o, "minPool");

/** Mean of each window. */
export function avgPool(x: ArrayLike, window: readonly number[], o: AvgPoolOptions = {}): NDArray {
  const [a] = promoteToFloat([x], "avgPool");
  const sums = pool(a!, 0, "add", window, o, "avgPool");
  if (o.countIncludePad ?? true) return div(sums, sizeOf(window));
  const one = (shape: Shape) => broadcastTo(scalar(1, a!.dtype, a!.weak), shape, []);
  return div(sums, pool(one(a!.shape), 0, "add", window, o, "avgPool"));
}

/**
 * Combines all elements along axes, beginning with `init`: `computation` as in `reduceWindow`. A function joins neighbours again and
 * again, so it must be associative, with identity `init`.
 * @example lax.reduce(x, 1, "mul", [0])
 */
export function reduce(x: ArrayLike, init: number, computation: WindowOp | Combine, dimensions: readonly number[]): NDArray {
  const fn = "reduce";
  const a = asArray(x, fn);
  const axes = canonicalAxes(dimensions, a.ndim, fn, "dimensions");
  const rest = range(a.ndim).filter((d) => !axes.includes(d));
  const op = known.get(computation);
  const start = saturate(init, a.dtype);
  const initial = (shape: Shape) => broadcastTo(scalar(start, a.dtype, a.weak), shape, []);
  if (op !== undefined) {
    const empty = axes.some((d) => a.shape[d] === 0);
    const y = axes.length === 0 ? a : empty ? initial(rest.map((d) => a.shape[d]!)) : bind1(reducers[op], [a], { axes });
    return start === identity(op, a.dtype) || empty ? y : functions[op](y, initial(y.shape));
  }
  if (typeof computation !== "function") throw new ArgumentError({ fn, arg: "computation", expected: '"add", "mul", "max", "min" or a function', got: String(computation), fix: "pass one of these" });
  const tail = rest.map((d) => a.shape[d]!);
  let rows = reshapeTo(transposeTo(a, [...axes, ...rest]), [sizeOf(axes.map((d) => a.shape[d]!)), ...tail]);
  if (rows.shape[0] === 0) return initial(tail);
  while (rows.shape[0]! > 1) {
    const n = rows.shape[0]!;
    const half = Math.floor(n / 2);
    const joined = computation(sliceInDim(rows, 0, 2 * half, 2), sliceInDim(rows, 1, 2 * half, 2));
    rows = n % 2 ? concatenate([joined, sliceInDim(rows, n - 1, n)], 0) : joined;
  }
  return computation(initial(tail), squeeze(rows, [0]));
}
