import { AxisError, ShapeError } from "./errors.js";
import { describeValue } from "./options.js";

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let n = 1;
  for (let d = 0; d < shape.length; d++) n *= shape[d]!;
  return n;
}
export const shapesEqual = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);
export const formatShape = (shape: Shape): string => `[${shape.join(",")}]`;
export const range = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => i + from);

/** Row-major strides in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** NumPy's broadcasting: align at the right, each pair equal or one of them 1. */
export function broadcastShapes(shapes: readonly Shape[], fn: string): number[] {
  const ndim = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(ndim).fill(1);
  for (const shape of shapes) {
    const offset = ndim - shape.length;
    for (let i = 0; i < shape.length; i++) {
      const d = shape[i]!;
      if (d === 1) continue;
      if (out[offset + i] === 1) out[offset + i] = d;
      else if (out[offset + i] !== d)
        throw new ShapeError({
          fn,
          expected: "shapes that broadcast (equal sizes, or 1, aligned at the last axis)",
          got: shapes.map(formatShape).join(" and "),
          fix: "reshape, transpose or add axes with expandDims so that the sizes agree",
        });
    }
  }
  return out;
}

/** Turns a possibly negative axis into 0..ndim-1. */
export function canonicalAxis(axis: number, ndim: number, fn: string, arg = "axis"): number {
  if (!Number.isInteger(axis) || axis < -ndim || axis >= ndim)
    throw new AxisError({ fn, arg, expected: ndim === 0 ? "no axis (the array is a scalar)" : `an integer from ${-ndim} to ${ndim - 1}`, got: String(axis), fix: `choose an axis of the ${ndim}-dimensional array` });
  return axis < 0 ? axis + ndim : axis;
}

/** One axis or several, as a list. */
export function axisList(axis: number | readonly number[], fn: string, arg = "axis"): readonly number[] {
  if (typeof axis === "number") return [axis];
  if (Array.isArray(axis)) return axis as readonly number[];
  throw new AxisError({ fn, arg, expected: "an integer, or a list of integers", got: describeValue(axis), fix: "write 0 or [0, 1]" });
}

/** Axes of a reduction: all for null, else the given ones, canonical, sorted, without repeats. */
export function canonicalAxes(axis: number | readonly number[] | null | undefined, ndim: number, fn: string, arg = "axis"): number[] {
  if (axis === null || axis === undefined) return range(ndim);
  const axes = axisList(axis, fn, arg).map((a) => canonicalAxis(a, ndim, fn, arg));
  if (new Set(axes).size !== axes.length)
    throw new AxisError({ fn, arg, expected: "each axis once", got: `[${(axis as number[]).join(",")}]`, fix: "remove the repeated axis" });
  return axes.sort((a, b) => a - b);
}

export function requireShape(shape: unknown, fn: string, arg = "shape"): number[] {
  const list = typeof shape === "number" ? [shape] : shape;
  if (!Array.isArray(list) || !list.every((d) => Number.isInteger(d) && d >= 0))
    throw new ShapeError({ fn, arg, expected: "an array of non-negative integers", got: typeof shape === "bigint" ? describeValue(shape) : (JSON.stringify(shape) ?? String(shape)), fix: "pass sizes such as [2, 3]" });
  return list as number[];
}
