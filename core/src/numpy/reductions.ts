import type { ArrayLike, AxisArg, NDArray } from "../array/ndarray.js";
import type { DType } from "../base/dtype.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { formatShape } from "../base/shape.js";
import { identity } from "../kernel/identity.js";
import { reduceAnd, reduceMax, reduceMin, reduceOr, type ReduceParams, reduceProd, reduceSum } from "../primitives/reductions.js";
import type { Primitive } from "../ir/primitive.js";
import { convertTo } from "../primitives/types.js";
import { asArray } from "./convert.js";
import { asBool, type BinaryFunction, choose } from "./elementwise.js";
import { add, maximum, minimum, multiply } from "./math.js";
import { optionalDType, requireOptions } from "./options.js";
import { reduceOver, reductionAxes } from "./reducing.js";

export interface KeepdimsOption {
  /** Leave reduced axes in place with size 1. */
  readonly keepdims?: boolean;
}
export interface WhereOption extends KeepdimsOption {
  /** Elements to count; broadcast against the array. */
  readonly where?: ArrayLike;
}
export interface ReductionOptions extends WhereOption {
  /** Starting value of the reduction. */
  readonly initial?: ArrayLike;
}
export interface SumOptions extends ReductionOptions {
  /** dtype of the result and of the sum; default: the array's own, int32 for bool. */
  readonly dtype?: DType;
}

const reductionNames = ["keepdims", "where", "initial"] as const;

function sumLike(fn: string, primitive: Primitive<ReduceParams>, identity: number, combine: BinaryFunction) {
  return (x: ArrayLike, axis?: AxisArg, options?: SumOptions): NDArray => {
    const o = requireOptions(options, fn, [...reductionNames, "dtype"]);
    const a = asArray(x, fn);
    const dtype = optionalDType(o.dtype, fn) ?? (a.dtype === "bool" ? "int32" : a.dtype);
    const typed = a.dtype === dtype ? a : convertTo(a, dtype);
    const counted = o.where === undefined ? typed : choose(asBool(o.where, fn, "where"), typed, identity, fn);
    const y = reduceOver(primitive, counted, reductionAxes(axis, counted.ndim, fn), o.keepdims);
    return o.initial === undefined ? y : combine(y, o.initial);
  };
}

/**
 * Sum over axes (all by default). bool counts as int32; integers wrap around.
 * @throws AxisError for an axis that is not there.
 * @example np.sum([[1, 2], [3, 4]], 0) // [4, 6]
 */
export const sum: (x: ArrayLike, axis?: AxisArg, options?: SumOptions) => NDArray = sumLike("sum", reduceSum, 0, add);
/** Product over axes (all by default). Its derivatives are finite where elements are 0. @example np.prod([2, 3, 4]) // 24 */
export const prod: (x: ArrayLike, axis?: AxisArg, options?: SumOptions) => NDArray = sumLike("prod", reduceProd, 1, multiply);

function extremum(fn: string, primitive: Primitive<ReduceParams>, largest: boolean, combine: BinaryFunction) {
  return (x: ArrayLike, axis?: AxisArg, options?: ReductionOptions): NDArray => {
    const o = requireOptions(options, fn, reductionNames);
    const a = asArray(x, fn);
    if (o.where !== undefined && o.initial === undefined)
      throw new ArgumentError({ fn, arg: "initial", expected: "an initial value beside where, for groups in which nothing counts", got: "none", fix: `pass { where, initial: ${largest ? "-Infinity" : "Infinity"} }` });
    const none = (): NDArray => convertTo(asArray(identity(largest ? "max" : "min", a.dtype), fn), a.dtype);
    const counted = o.where === undefined ? a : choose(asBool(o.where, fn, "where"), a, none(), fn);
    const axes = reductionAxes(axis, counted.ndim, fn);
    const empty = axes.some((d) => counted.shape[d] === 0);
    if (o.initial === undefined) {
      if (empty) throw new ShapeError({ fn, arg: "x", expected: "at least one element along the reduced axes", got: `shape ${formatShape(a.shape)}`, fix: "check the size first, or give the option initial" });
      return reduceOver(primitive, counted, axes, o.keepdims);
    }
    if (empty) {
      const start = asArray(o.initial, fn, "initial");
      return add(sum(convertTo(counted, start.dtype), axes, { keepdims: o.keepdims ?? false }), start);
    }
    return combine(reduceOver(primitive, counted, axes, o.keepdims), o.initial);
  };
}
/**
 * Largest element over axes (all by default); NaN if there is one. Ties share the derivative equally.
 * @throws ShapeError when nothing is there to compare and no `initial` is given.
 * @example np.max([[1, 5], [3, 2]], 1) // [5, 3]
 */
export const max: (x: ArrayLike, axis?: AxisArg, options?: ReductionOptions) => NDArray = extremum("max", reduceMax, true, maximum);
/** Smallest element over axes (all by default); NaN if there is one. */
export const min: (x: ArrayLike, axis?: AxisArg, options?: ReductionOptions) => NDArray = extremum("min", reduceMin, false, minimum);
/** Alias of `max`. */
export const amax: typeof max = max;
/** Alias of `min`. */
export const amin: typeof min = min;

function quantifier(fn: string, primitive: Primitive<ReduceParams>, identity: boolean) {
  return (x: ArrayLike, axis?: AxisArg, options?: WhereOption): NDArray => {
    const o = requireOptions(options, fn, ["keepdims", "where"]);
    const a = asBool(x, fn);
    const counted = o.where === undefined ? a : choose(asBool(o.where, fn, "where"), a, identity, fn);
    return reduceOver(primitive, counted, reductionAxes(axis, counted.ndim, fn), o.keepdims);
  };
}
/** True where any element along the axes is not 0. @example np.any([0, 2]) // true */
export const any: (x: ArrayLike, axis?: AxisArg, options?: WhereOption) => NDArray = quantifier("any", reduceOr, false);
/** True where all elements along the axes are not 0. @example np.all([1, 0]) // false */
export const all: (x: ArrayLike, axis?: AxisArg, options?: WhereOption) => NDArray = quantifier("all", reduceAnd, true);
