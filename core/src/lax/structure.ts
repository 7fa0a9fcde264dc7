import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { scalar } from "../array/concrete.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { canonicalAxes, canonicalAxis, formatShape, range, requireShape, type Shape } from "../base/shape.js";
import { asArray, promoteArrays } from "../numpy/convert.js";
import * as primitives from "../primitives/structural.js";
import { broadcastTo, reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";

/** The elements in row-major order under another shape; `dimensions` permutes the axes first. */
export function reshape(x: ArrayLike, shape: Shape, dimensions?: readonly number[]): NDArray {
  const a = asArray(x, "reshape");
  return reshapeTo(dimensions ? transposeTo(a, dimensions) : a, requireShape(shape, "reshape"));
}

/** New leading axes of these sizes. */
export function broadcast(x: ArrayLike, sizes: Shape): NDArray {
  const a = asArray(x, "broadcast");
  return broadcastTo(a, [...requireShape(sizes, "broadcast"), ...a.shape], range(a.ndim, sizes.length));
}

/** Axis d of x becomes axis `dims[d]` of the result, which has `shape`; axes of size 1 and axes not named repeat. */
export const broadcastInDim = (x: ArrayLike, shape: Shape, dims: readonly number[]): NDArray => bind1(primitives.broadcast, [asArray(x, "broadcastInDim")], { shape: requireShape(shape, "broadcastInDim"), dims });

/** Axis i of the result is axis `permutation[i]` of x. */
export const transpose = (x: ArrayLike, permutation: readonly number[]): NDArray => transposeTo(asArray(x, "transpose"), permutation);

/** Reverses axes. */
export function rev(x: ArrayLike, dimensions: readonly number[]): NDArray {
  const a = asArray(x, "rev");
  return dimensions.length === 0 ? a : bind1(primitives.reverse, [a], { axes: canonicalAxes(dimensions, a.ndim, "rev", "dimensions") });
}

/** New axes of size 1 at these places of the result. */
export function expandDims(x: ArrayLike, dimensions: readonly number[]): NDArray {
  const a = asArray(x, "expandDims");
  const places = canonicalAxes(dimensions, a.ndim + dimensions.length, "expandDims", "dimensions");
  const rest = [...a.shape];
  return reshapeTo(a, range(a.ndim + places.length).map((d) => (places.includes(d) ? 1 : rest.shift()!)));
}

/** Drops axes of size 1. */
export function squeeze(x: ArrayLike, dimensions: readonly number[]): NDArray {
  const a = asArray(x, "squeeze");
  const axes = canonicalAxes(dimensions, a.ndim, "squeeze", "dimensions");
  if (axes.some((d) => a.shape[d] !== 1)) throw new ShapeError({ fn: "squeeze", arg: "dimensions", expected: "axes of size 1", got: `axes ${formatShape(axes)} of ${formatShape(a.shape)}`, fix: "name only axes of size 1" });
  return reshapeTo(a, a.shape.filter((_, d) => !axes.includes(d)));
}

/** Axes `start..stop-1` become one. */
export function collapse(x: ArrayLike, start: number, stop?: number): NDArray {
  const a = asArray(x, "collapse");
  const from = start < 0 ? start + a.ndim : start;
  const to = stop === undefined ? a.ndim : stop < 0 ? stop + a.ndim : stop;
  if (!(from >= 0 && from < to && to <= a.ndim)) throw new ArgumentError({ fn: "collapse", arg: "start", expected: `0 <= start < stop <= ${a.ndim}`, got: `${start}, ${stop ?? a.ndim}`, fix: "name a range of axes" });
  return reshapeTo(a, [...a.shape.slice(0, from), a.shape.slice(from, to).reduce((p, n) => p * n, 1), ...a.shape.slice(to)]);
}

/** `x[start : limit : strides]` on each axis. */
export function slice(x: ArrayLike, start: readonly number[], limit: readonly number[], strides?: readonly number[]): NDArray {
  const a = asArray(x, "slice");
  return bind1(primitives.slice, [a], { start, limit, strides: strides ?? a.shape.map(() => 1) });
}

/** As `slice`, along one axis; negative bounds count from the end. */
export function sliceInDim(x: ArrayLike, start: number | null, limit: number | null, stride = 1, axis = 0): NDArray {
  const a = asArray(x, "sliceInDim");
  const d = canonicalAxis(axis, a.ndim, "sliceInDim");
  const n = a.shape[d]!;
  const bound = (v: number | null, other: number) => (v === null ? other : v < 0 ? v + n : v);
  const at = (v: number, others: readonly number[]) => others.map((o, k) => (k === d ? v : o));
  return slice(a, at(bound(start, 0), a.shape.map(() => 0)), at(bound(limit, n), a.shape), at(stride, a.shape.map(() => 1)));
}

/** One index of an axis; the axis stays with size 1 unless `keepdims` is false. */
export function indexInDim(x: ArrayLike, index: number, axis = 0, o: { keepdims?: boolean } = {}): NDArray {
  const a = asArray(x, "indexInDim");
  const d = canonicalAxis(axis, a.ndim, "indexInDim");
  const i = canonicalAxis(index, a.shape[d]!, "indexInDim", "index");
  const y = sliceInDim(a, i, i + 1, 1, d);
  return o.keepdims === false ? squeeze(y, [d]) : y;
}

/** `[low, high, interior]` for each axis: negative ones remove elements, interior ones lie between elements. */
export function pad(x: ArrayLike, value: ArrayLike, config: readonly (readonly [number, number, number])[]): NDArray {
  const a = asArray(x, "pad");
  if (config.length !== a.ndim) throw new ArgumentError({ fn: "pad", arg: "config", expected: `[low, high, interior] for each of ${a.ndim} axes`, got: `${config.length} entries`, fix: "give one an axis" });
  const fill = typeof value === "number" || typeof value === "boolean" ? scalar(value, a.dtype, a.weak) : convertTo(asArray(value, "pad", "value"), a.dtype);
  return bind1(primitives.pad, [a, fill], { low: config.map((c) => c[0]), high: config.map((c) => c[1]), interior: config.map((c) => c[2]) });
}

/** Joins arrays along an axis. */
export function concatenate(xs: readonly ArrayLike[], dimension: number): NDArray {
  if (xs.length === 0) throw new ArgumentError({ fn: "concatenate", arg: "xs", expected: "at least one array", got: "none", fix: "pass the arrays to join" });
  const arrays = promoteArrays(xs.map((x) => asArray(x, "concatenate")), "concatenate");
  return arrays.length === 1 ? arrays[0]! : bind1(primitives.concatenate, arrays, { axis: canonicalAxis(dimension, arrays[0]!.ndim, "concatenate") });
}

/** Pieces of these sizes along an axis. */
export function split(x: ArrayLike, sizes: readonly number[], axis = 0): NDArray[] {
  const a = asArray(x, "split");
  const d = canonicalAxis(axis, a.ndim, "split");
  const total = sizes.reduce((s, n) => s + n, 0);
  if (total !== a.shape[d]) throw new ShapeError({ fn: "split", arg: "sizes", expected: `sizes that sum to ${a.shape[d]}`, got: `${formatShape(sizes)} (sum ${total})`, fix: "cover the axis exactly" });
  let start = 0;
  return sizes.map((n) => sliceInDim(a, start, (start += n), 1, d));
}

/** Repeats x `reps[d]` times along each axis. */
export function tile(x: ArrayLike, reps: readonly number[]): NDArray {
  const a = asArray(x, "tile");
  if (reps.length !== a.ndim) throw new ArgumentError({ fn: "tile", arg: "reps", expected: `one number for each of ${a.ndim} axes`, got: formatShape(reps), fix: "use np.tile for other lengths" });
  const wide = broadcastTo(a, reps.flatMap((r, d) => [r, a.shape[d]!]), a.shape.map((_, d) => 2 * d + 1));
  return reshapeTo(wide, a.shape.map((n, d) => n * reps[d]!));
}

/** The slices along an axis, without it. */
export function unstack(x: ArrayLike, axis = 0): NDArray[] {
  const a = asArray(x, "unstack");
  const d = canonicalAxis(axis, a.ndim, "unstack");
  return range(a.shape[d]!).map((i) => indexInDim(a, i, d, { keepdims: false }));
}

/** Arrays of one shape along a new axis. */
export function stack(xs: readonly ArrayLike[], axis = 0): NDArray {
  const arrays = xs.map((x) => asArray(x, "stack"));
  const d = canonicalAxis(axis, (arrays[0]?.ndim ?? 0) + 1, "stack");
  return concatenate(arrays.map((x) => expandDims(x, [d])), d);
}
