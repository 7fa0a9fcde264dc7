import type { NDArray } from "@hessia/core";
import { bind1, broadcastTo, convertTo, primitiveFamilies, shape } from "@hessia/core/extend";
import { fill, type Tangent, Zero } from "./zero.js";

/** Operations on arrays of equal shapes and dtypes, straight to the primitives: rules need no promotion and no broadcasting. */
const { unary, binary, types, structural, reductions, indexing } = primitiveFamilies;
const none = {};

export const neg = (a: NDArray): NDArray => bind1(unary.neg, [a], none);
export const exp = (a: NDArray): NDArray => bind1(unary.exp, [a], none);
export const log = (a: NDArray): NDArray => bind1(unary.log, [a], none);
export const sin = (a: NDArray): NDArray => bind1(unary.sin, [a], none);
export const cos = (a: NDArray): NDArray => bind1(unary.cos, [a], none);
export const sinh = (a: NDArray): NDArray => bind1(unary.sinh, [a], none);
export const cosh = (a: NDArray): NDArray => bind1(unary.cosh, [a], none);
export const rsqrt = (a: NDArray): NDArray => bind1(unary.rsqrt, [a], none);
export const trunc = (a: NDArray): NDArray => bind1(unary.trunc, [a], none);
export const logistic = (a: NDArray): NDArray => bind1(unary.logistic, [a], none);
export const lgamma = (a: NDArray): NDArray => bind1(unary.lgamma, [a], none);
export const digamma = (a: NDArray): NDArray => bind1(unary.digamma, [a], none);
export const add = (a: NDArray, b: NDArray): NDArray => bind1(binary.add, [a, b], none);
export const sub = (a: NDArray, b: NDArray): NDArray => bind1(binary.sub, [a, b], none);
export const mul = (a: NDArray, b: NDArray): NDArray => bind1(binary.mul, [a, b], none);
export const div = (a: NDArray, b: NDArray): NDArray => bind1(binary.div, [a, b], none);
export const pow = (a: NDArray, b: NDArray): NDArray => bind1(binary.pow, [a, b], none);
export const eq = (a: NDArray, b: NDArray): NDArray => bind1(binary.eq, [a, b], none);
export const ge = (a: NDArray, b: NDArray): NDArray => bind1(binary.ge, [a, b], none);
export const gt = (a: NDArray, b: NDArray): NDArray => bind1(binary.gt, [a, b], none);
export const lt = (a: NDArray, b: NDArray): NDArray => bind1(binary.lt, [a, b], none);
export const and = (a: NDArray, b: NDArray): NDArray => bind1(binary.and, [a, b], none);
export const select = (c: NDArray, a: NDArray, b: NDArray): NDArray => bind1(types.select, [c, a, b], none);
export const square = (a: NDArray): NDArray => mul(a, a);

/** A constant of the shape and dtype of `x`. */
export const constant = (x: NDArray, value: number): NDArray => fill({ shape: x.shape, dtype: x.dtype, weak: true }, value);
export const scale = (x: NDArray, by: number): NDArray => (by === 1 ? x : mul(x, constant(x, by)));
export const shift = (x: NDArray, by: number): NDArray => add(x, constant(x, by));
/** 1 where `c` holds and 0 elsewhere, in the dtype of `like`. */
export const mask = (c: NDArray, like: NDArray): NDArray => convertTo(c, like.dtype, like.weak);

export const sum = (x: NDArray, axes: readonly number[]): NDArray => (axes.length === 0 ? x : bind1(reductions.reduceSum, [x], { axes }));
/** Undoes the removal of axes by a reduction: `y` repeated along `axes` of `to`. */
export const expandAlong = (y: NDArray, to: readonly number[], axes: readonly number[]): NDArray => broadcastTo(y, to, shape.range(to.length).filter((d) => !axes.includes(d)));
export const slice = (x: NDArray, start: readonly number[], limit: readonly number[], strides: readonly number[] = x.shape.map(() => 1)): NDArray =>
  start.every((s) => s === 0) && limit.every((l, d) => l === x.shape[d]) && strides.every((s) => s === 1) ? x : bind1(structural.slice, [x], { start, limit, strides });
export const pad = (x: NDArray, low: readonly number[], high: readonly number[], interior: readonly number[] = x.shape.map(() => 0), value = 0): NDArray =>
  bind1(structural.pad, [x, fill({ shape: [], dtype: x.dtype, weak: true }, value)], { low, high, interior });
export const iota = (dims: readonly number[], axis: number): NDArray => bind1(structural.iota, [], { shape: dims, dtype: "int32", axis });
export const gather = (x: NDArray, indices: NDArray, batchDims: number): NDArray => bind1(indexing.gather, [x, indices], { batchDims, mode: "clip" });

/** Sum of tangents, where zeros cost nothing. */
export function addTangents(a: Tangent, b: Tangent): Tangent {
  if (a instanceof Zero) return b;
  return b instanceof Zero ? a : add(a, b);
}
