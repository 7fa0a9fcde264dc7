import type { AxisArg, NDArray } from "../array/ndarray.js";
import { ArgumentError } from "../base/errors.js";
import { canonicalAxes, type Shape } from "../base/shape.js";
import type { Primitive } from "../ir/primitive.js";
import { reduceAnd, reduceOr, type ReduceParams } from "../primitives/reductions.js";
import { reshapeTo } from "../primitives/structural-ops.js";
import { bind1 } from "../trace/trace.js";
import { describe } from "./convert.js";

/** The axes of a reduction argument, after checking its kind. */
export function reductionAxes(axis: AxisArg | undefined, ndim: number, fn: string): number[] {
  if (axis !== undefined && axis !== null && typeof axis !== "number" && !Array.isArray(axis))
    throw new ArgumentError({ fn, arg: "axis", expected: "an integer, an array of integers, or null for all axes", got: describe(axis), fix: "options such as keepdims come after the axis: pass null for all axes" });
  return canonicalAxes(axis, ndim, fn);
}

export const keptShape = (shape: Shape, axes: readonly number[]): number[] => shape.map((n, d) => (axes.includes(d) ? 1 : n));

/** Applies a reducing primitive over axes, with keepdims. */
export function reduceOver(primitive: Primitive<ReduceParams>, x: NDArray, axes: readonly number[], keepdims: boolean | undefined): NDArray {
  const y = axes.length === 0 && primitive !== reduceAnd && primitive !== reduceOr ? x : bind1(primitive, [x], { axes });
  return keepdims ? reshapeTo(y, keptShape(x.shape, axes)) : y;
}
