import type { ArrayLike, AxisArg, NDArray } from "../array/ndarray.js";
import { AxisError, ShapeError } from "../base/errors.js";
import { axisList, broadcastShapes as broadcast, canonicalAxes, canonicalAxis, formatShape, range, requireShape, type Shape, sizeOf } from "../base/shape.js";
import { reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { asArray, asTyped, broadcastArrays as broadcastAll, broadcastToShape } from "./convert.js";
import { requireChoice, requireOptions } from "./options.js";

export interface OrderOption {
  /** `"C"`: the last axis changes fastest; `"F"`: the first. */
  readonly order?: "C" | "F";
}
const orderOf = (options: OrderOption | undefined, fn: string): "C" | "F" => {
  const { order = "C" } = requireOptions(options, fn, ["order"]);
  return requireChoice(order, ["C", "F"], fn, "order");
};
const reversed = (n: number): number[] => range(n).reverse();

/** A shape that may hold one -1, resolved for `size` elements. */
function resolveShape(shape: number | readonly number[], x: NDArray, fn: string): number[] {
  const list = typeof shape === "number" ? [shape] : [...shape];
  const bad = () => new ShapeError({ fn, arg: "shape", expected: `${x.size} elements, as in ${formatShape(x.shape)}`, got: formatShape(list), fix: "choose sizes with the same product, or -1 for one of them" });
  const open = list.indexOf(-1);
  if (open >= 0) {
    const known = sizeOf(list.filter((_, i) => i !== open));
    if (list.lastIndexOf(-1) !== open) throw new ShapeError({ fn, arg: "shape", expected: "at most one -1", got: formatShape(list), fix: "give all sizes but one" });
    if (known === 0 || x.size % known !== 0) throw bad();
    list[open] = x.size / known;
  }
  requireShape(list, fn);
  if (sizeOf(list) !== x.size) throw bad();
  return list;
}

/**
 * The same elements in another shape; one size may be -1 and is computed.
 * @throws ShapeError when the number of elements differs.
 * @example np.reshape([1, 2, 3, 4, 5, 6], [2, -1]) // [[1, 2, 3], [4, 5, 6]]
 */
export function reshape(x: ArrayLike, shape: number | readonly number[], options?: OrderOption): NDArray {
  const array = asArray(x, "reshape");
  const target = resolveShape(shape, array, "reshape");
  if (orderOf(options, "reshape") === "C") return reshapeTo(array, target);
  return transposeTo(reshapeTo(transposeTo(array, reversed(array.ndim)), target.slice().reverse()), reversed(target.length));
}

/** All elements along one axis. @example np.ravel([[1, 2], [3, 4]]) // [1, 2, 3, 4] */
export const ravel = (x: ArrayLike, options?: OrderOption): NDArray => reshape(x, -1 as number, options && { order: orderOf(options, "ravel") });

/**
 * Axes in another order: result axis i is axis `axes[i]`; reversed without `axes`.
 * @throws AxisError unless `axes` names every axis once.
 * @example np.transpose(np.ones([2, 3])).shape // [3, 2]
 */
export function transpose(x: ArrayLike, axes?: readonly number[] | null): NDArray {
  const array = asArray(x, "transpose");
  if (axes === undefined || axes === null) return transposeTo(array, reversed(array.ndim));
  const order = axisList(axes, "transpose", "axes").map((a) => canonicalAxis(a, array.ndim, "transpose", "axes"));
  if (order.length !== array.ndim || new Set(order).size !== order.length)
    throw new AxisError({ fn: "transpose", arg: "axes", expected: `each of the ${array.ndim} axes once`, got: formatShape(axes), fix: "name every axis once" });
  return transposeTo(array, order);
}
/** Alias of `transpose`, with `axes` required. */
export const permuteDims = (x: ArrayLike, axes: readonly number[]): NDArray => transpose(x, axes);

/** The last two axes swapped. @throws ShapeError below two dimensions. @example np.matrixTranspose(np.ones([5, 2, 3])).shape // [5, 3, 2] */
export function matrixTranspose(x: ArrayLike): NDArray {
  const array = asArray(x, "matrixTranspose");
  if (array.ndim < 2) throw new ShapeError({ fn: "matrixTranspose", arg: "x", expected: "at least 2 dimensions", got: formatShape(array.shape), fix: "reshape to a matrix" });
  return swapaxes(array, -1, -2);
}

/**
 * Moves axes to new positions; the others keep their order.
 * @throws AxisError for axes out of range, named twice, or lists of different length.
 * @example np.moveaxis(np.ones([2, 3, 4]), 0, -1).shape // [3, 4, 2]
 */
export function moveaxis(x: ArrayLike, source: number | readonly number[], destination: number | readonly number[]): NDArray {
  const array = asArray(x, "moveaxis");
  const list = (a: number | readonly number[], arg: string) => {
    const axes = axisList(a, "moveaxis", arg).map((d) => canonicalAxis(d, array.ndim, "moveaxis", arg));
    if (new Set(axes).size !== axes.length) throw new AxisError({ fn: "moveaxis", arg, expected: "each axis once", got: String(a), fix: "remove the repeated axis" });
    return axes;
  };
  const from = list(source, "source");
  const to = list(destination, "destination");
  if (from.length !== to.length) throw new AxisError({ fn: "moveaxis", arg: "destination", expected: `${from.length} axes, one for each source`, got: String(to.length), fix: "give both lists the same length" });
  const order = range(array.ndim).filter((d) => !from.includes(d));
  to.map((d, i) => [d, from[i]!] as const).sort((a, b) => a[0] - b[0]).forEach(([d, s]) => order.splice(d, 0, s));
  return transposeTo(array, order);
}

/** Rolls one axis back until it stands before `start`. Prefer `moveaxis`. @example np.rollaxis(np.ones([3, 4, 5]), 2).shape // [5, 3, 4] */
export function rollaxis(x: ArrayLike, axis: number, start = 0): NDArray {
  const array = asArray(x, "rollaxis");
  const from = canonicalAxis(axis, array.ndim, "rollaxis");
  const before = start === array.ndim ? start : canonicalAxis(start, array.ndim, "rollaxis", "start");
  return moveaxis(array, from, before > from ? before - 1 : before);
}

/** Two axes exchanged. @example np.swapaxes(np.ones([2, 3, 4]), 0, 2).shape // [4, 3, 2] */
export function swapaxes(x: ArrayLike, axis1: number, axis2: number): NDArray {
  const array = asArray(x, "swapaxes");
  const [a, b] = [canonicalAxis(axis1, array.ndim, "swapaxes", "axis1"), canonicalAxis(axis2, array.ndim, "swapaxes", "axis2")];
  return transposeTo(array, range(array.ndim).map((d) => (d === a ? b : d === b ? a : d)));
}

/** New axes of size 1 at the given positions of the result. @example np.expandDims(np.ones([2]), 0).shape // [1, 2] */
export function expandDims(x: ArrayLike, axis: number | readonly number[]): NDArray {
  const array = asArray(x, "expandDims");
  const ndim = array.ndim + axisList(axis, "expandDims").length;
  const places = canonicalAxes(axis, ndim, "expandDims");
  const old = [...array.shape];
  return reshapeTo(array, range(ndim).map((d) => (places.includes(d) ? 1 : old.shift()!)));
}

/**
 * Removes axes of size 1: all of them, or those named.
 * @throws ShapeError when a named axis is longer.
 * @example np.squeeze(np.ones([1, 3, 1]), 0).shape // [3, 1]
 */
export function squeeze(x: ArrayLike, axis?: AxisArg): NDArray {
  const array = asArray(x, "squeeze");
  const axes = axis === null || axis === undefined ? range(array.ndim).filter((d) => array.shape[d] === 1) : canonicalAxes(axis, array.ndim, "squeeze");
  const long = axes.find((d) => array.shape[d] !== 1);
  if (long !== undefined) throw new ShapeError({ fn: "squeeze", arg: "axis", expected: "axes of size 1", got: `axis ${long} of size ${array.shape[long]}`, fix: "index the axis, or leave it" });
  return reshapeTo(array, array.shape.filter((_, d) => !axes.includes(d)));
}

/** Repeats an array, without copying, to a shape that it broadcasts to. @throws ShapeError when it does not. @example np.broadcastTo([1, 2], [3, 2]).shape // [3, 2] */
export const broadcastTo = (x: ArrayLike, shape: number | readonly number[]): NDArray => {
  const array = asArray(x, "broadcastTo");
  const target = requireShape(shape, "broadcastTo");
  if (array.ndim > target.length || array.shape.some((n, d) => n !== 1 && n !== target[d + target.length - array.ndim]))
    throw new ShapeError({ fn: "broadcastTo", arg: "shape", expected: `a shape that ${formatShape(array.shape)} broadcasts to`, got: formatShape(target), fix: "sizes, aligned at the last axis, must be equal or 1 in the array" });
  return broadcastToShape(array, target, "broadcastTo");
};

/** Arrays repeated to their common shape; dtypes stay. @throws ShapeError when there is none. @example np.broadcastArrays([1, 2], [[3], [4]])[0].shape // [2, 2] */
export const broadcastArrays = (...arrays: readonly ArrayLike[]): NDArray[] => broadcastAll(arrays.map((a, i) => asArray(a, "broadcastArrays", `arrays[${i}]`)), "broadcastArrays");

/** The common shape of several. @throws ShapeError when there is none. @example np.broadcastShapes([2, 1], [1, 3]) // [2, 3] */
export const broadcastShapes = (...shapes: readonly (number | Shape)[]): number[] => broadcast(shapes.map((s) => requireShape(s, "broadcastShapes", "shapes")), "broadcastShapes");

type AtLeast = { (x: ArrayLike): NDArray; (...xs: readonly ArrayLike[]): NDArray | NDArray[] };
const atLeast = (fn: string, grow: (shape: Shape) => readonly number[]): AtLeast =>
  ((...xs: readonly ArrayLike[]) => {
    const out = xs.map((x) => {
      const array = asArray(x, fn);
      return reshapeTo(array, grow(array.shape));
    });
    return out.length === 1 ? out[0]! : out;
  }) as AtLeast;

/** A scalar becomes a vector of one element. Several arguments give a list. @example np.atleast1d(3).shape // [1] */
export const atleast1d: AtLeast = atLeast("atleast1d", (s) => (s.length === 0 ? [1] : s));
/** Scalars and vectors become matrices of one row. @example np.atleast2d([1, 2]).shape // [1, 2] */
export const atleast2d: AtLeast = atLeast("atleast2d", (s) => (s.length === 0 ? [1, 1] : s.length === 1 ? [1, ...s] : s));
/** Axes of size 1 up to three dimensions: [n] becomes [1, n, 1], [m, n] becomes [m, n, 1]. @example np.atleast3d([1, 2]).shape // [1, 2, 1] */
export const atleast3d: AtLeast = atLeast("atleast3d", (s) => (s.length === 0 ? [1, 1, 1] : s.length === 1 ? [1, ...s, 1] : s.length === 2 ? [...s, 1] : s));

/** Sizes of the axes. @example np.shape([[1, 2]]) // [1, 2] */
export const shape = (x: ArrayLike): Shape => asTyped(x, "shape").shape;
/** Number of axes. @example np.ndim([[1, 2]]) // 2 */
export const ndim = (x: ArrayLike): number => asTyped(x, "ndim").ndim;
/** Number of elements, or the length of one axis. @example np.size([[1, 2]]) // 2 */
export const size = (x: ArrayLike, axis?: number | null): number => {
  const array = asTyped(x, "size");
  return axis === undefined || axis === null ? array.size : array.shape[canonicalAxis(axis, array.ndim, "size")]!;
};
