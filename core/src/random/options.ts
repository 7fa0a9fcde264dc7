import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { defaultFloat, type DType, isFloat, isInteger, requireDType } from "../base/dtype.js";
import { DTypeError, ShapeError } from "../base/errors.js";
import { broadcastShapes, formatShape, requireShape, type Shape, shapesEqual } from "../base/shape.js";
import { asArray, broadcastToShape } from "../numpy/convert.js";
import { convertTo } from "../primitives/types.js";
import { jit, type Jitted } from "../transforms/jit.js";

export interface FloatOptions {
  /** float32 or float64; the default float when not given. */
  readonly dtype?: DType;
}
export interface IntegerOptions {
  /** int32 (default) or uint32. */
  readonly dtype?: DType;
}

export function floatDType(dtype: DType | undefined, fn: string): DType {
  const d = requireDType(dtype ?? defaultFloat(), fn);
  if (!isFloat(d)) throw new DTypeError({ fn, arg: "dtype", expected: "a float dtype", got: d, fix: 'use "float32" or "float64"' });
  return d;
}
export function integerDType(dtype: DType | undefined, fn: string): DType {
  const d = requireDType(dtype ?? "int32", fn);
  if (!isInteger(d)) throw new DTypeError({ fn, arg: "dtype", expected: "an integer dtype", got: d, fix: 'use "int32" or "uint32"' });
  return d;
}

/** A parameter of a distribution in the dtype of the draw. */
export const parameter = (x: ArrayLike, dtype: DType, fn: string, arg: string): NDArray => convertTo(asArray(x, fn, arg), dtype);

/** The shape of the draw: given, or that of the parameters; they must broadcast to it. */
export function drawShape(shape: Shape | number | null | undefined, parameters: readonly NDArray[], fn: string): Shape {
  const common = broadcastShapes(parameters.map((p) => p.shape), fn);
  if (shape === undefined || shape === null) return common;
  const wanted = requireShape(shape, fn);
  if (!shapesEqual(broadcastShapes([wanted, common], fn), wanted))
    throw new ShapeError({ fn, arg: "shape", expected: `a shape that the parameters' ${formatShape(common)} broadcasts to`, got: formatShape(wanted), fix: "enlarge shape" });
  return wanted;
}
export const spread = (x: NDArray, shape: Shape, fn: string): NDArray => broadcastToShape(x, shape, fn);

/** A draw as one compiled program; arguments at `statics` are settings. */
export const compiled = <A extends readonly unknown[], R>(name: string, f: (...args: A) => R, statics: readonly number[]): Jitted<A, R> => jit(f, { staticArgnums: statics, name: `random.${name}` });

/** Facts of IEEE formats: spacing above 1, spacing below 1, smallest normal number. */
export const float32Facts = { eps: 2 ** -23, epsneg: 2 ** -24, tiny: 2 ** -126, mantissa: 23 };
export const float64Facts = { eps: 2 ** -52, epsneg: 2 ** -53, tiny: 2 ** -1022, mantissa: 52 };
export const factsOf = (dtype: DType): typeof float32Facts => (dtype === "float32" ? float32Facts : float64Facts);
