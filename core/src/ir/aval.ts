import { type DType, isFloat, type TypedArray } from "../base/dtype.js";
import { formatShape, type Shape, shapesEqual } from "../base/shape.js";

/** Abstract value: what tracing knows of an array. `weak` marks types that come from plain JavaScript numbers. */
export interface Aval {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly weak: boolean;
}

export const aval = (shape: Shape, dtype: DType, weak = false): Aval => ({ shape, dtype, weak });
export const strong = (a: Aval): Aval => (a.weak ? { shape: a.shape, dtype: a.dtype, weak: false } : a);
/** `float64[2,3]`, with a `*` after the dtype of weak types. */
export const formatAval = (a: Aval): string => `${a.dtype}${a.weak ? "*" : ""}${formatShape(a.shape)}`;
export const avalsEqual = (a: Aval, b: Aval): boolean => a.dtype === b.dtype && a.weak === b.weak && shapesEqual(a.shape, b.shape);
export const sameType = (a: Aval, b: Aval): boolean => a.dtype === b.dtype && shapesEqual(a.shape, b.shape);
/** Whether arrays have these types, weakness included. */
export function typesMatch(types: readonly Aval[], arrays: readonly { readonly aval: Aval }[]): boolean {
  if (types.length !== arrays.length) return false;
  for (let i = 0; i < types.length; i++) {
    const [a, b] = [types[i]!, arrays[i]!.aval];
    if (a === b) continue;
    if (a.dtype !== b.dtype || a.weak !== b.weak || a.shape.length !== b.shape.length) return false;
    for (let d = 0; d < a.shape.length; d++) if (a.shape[d] !== b.shape[d]) return false;
  }
  return true;
}
/** The tangent of a value of this type has the same shape and dtype; integers and bools have none (their tangent is always a symbolic zero). */
export const hasTangent = (a: Aval): boolean => isFloat(a.dtype);

/** A constant inside a Program. Concrete NDArrays are of this form. */
export interface ConstantValue {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly weak: boolean;
  /** Row-major elements. */
  readonly data: TypedArray;
}
