import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { defaultFloat, type DType, isFloat, requireDType } from "../base/dtype.js";
import { ArgumentError, DTypeError } from "../base/errors.js";
import { requireShape, type Shape, sizeOf } from "../base/shape.js";
import { add, bitwiseXor, le, lt, max, min, mul, rem, shiftRightLogical, sub } from "../lax/elementwise.js";
import { bitcastConvertType, select } from "../lax/types.js";
import { sliceInDim } from "../lax/structure.js";
import { asArray } from "../numpy/convert.js";
import { reshapeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { hashCounters, type Key, requireKey, splitKeys } from "./keys.js";
import { compiled, drawShape, factsOf, floatDType, type FloatOptions, integerDType, type IntegerOptions, parameter, spread } from "./options.js";

/** @internal 32 random bits an element. */
export function drawBits(k: Key, shape: Shape): NDArray {
  const [a, b] = hashCounters(k, sizeOf(shape));
  return reshapeTo(bitwiseXor(a, b), shape);
}
const bitsJit = compiled("bits", drawBits, [1]);

/**
 * Uniform random bits, uint32.
 * @throws DTypeError for other dtypes.
 * @example random.bits(random.key(0), [3])
 */
export function bits(key: Key, shape: Shape | number = [], o: { dtype?: DType } = {}): NDArray {
  if ((o.dtype ?? "uint32") !== "uint32") throw new DTypeError({ fn: "random.bits", arg: "dtype", expected: "uint32", got: String(o.dtype), fix: "draw uint32 and convert" });
  return bitsJit(requireKey(key, "random.bits"), requireShape(shape, "random.bits"));
}

/** @internal Multiples of 2^-23 (float32: one word) or 2^-52 (float64: two words) in [0, 1): what filling the mantissa gives. */
export function drawUnit(k: Key, shape: Shape, dtype: DType): NDArray {
  if (dtype === "float32") return mul(convertTo(shiftRightLogical(drawBits(k, shape), 9), "float32"), 2 ** -23);
  const [hi, lo] = hashCounters(k, sizeOf(shape));
  const real = (x: NDArray) => convertTo(x, "float64");
  return reshapeTo(add(mul(real(hi), 2 ** -32), mul(real(shiftRightLogical(lo, 12)), 2 ** -52)), shape);
}
/** @internal Uniform in [lo, hi), never below lo. */
export function drawUniform(k: Key, shape: Shape, dtype: DType, lo: NDArray, hi: NDArray): NDArray {
  const [l, h] = [spread(lo, shape, "random.uniform"), spread(hi, shape, "random.uniform")];
  return max(l, add(mul(drawUnit(k, shape, dtype), sub(h, l)), l));
}
const unitJit = compiled("uniform", drawUnit, [1, 2]);
const uniformJit = compiled("uniform", drawUniform, [1, 2]);

export interface UniformOptions extends FloatOptions {
  readonly minval?: ArrayLike;
  readonly maxval?: ArrayLike;
}

/**
 * Uniform draws from [minval, maxval).
 * @throws DTypeError for dtypes that are no floats; ShapeError when the bounds do not broadcast to `shape`.
 * @example random.uniform(random.key(0), [2, 3], { minval: -1 })
 */
export function uniform(key: Key, shape: Shape | number = [], o: UniformOptions = {}): NDArray {
  const fn = "random.uniform";
  const dtype = floatDType(o.dtype, fn);
  const [lo, hi] = [o.minval ?? 0, o.maxval ?? 1];
  if (lo === 0 && hi === 1) return unitJit(requireKey(key, fn), requireShape(shape, fn), dtype);
  const bounds = [parameter(lo, dtype, fn, "minval"), parameter(hi, dtype, fn, "maxval")] as const;
  return uniformJit(requireKey(key, fn), drawShape(requireShape(shape, fn), bounds, fn), dtype, ...bounds);
}

const bounds: Record<string, readonly [number, number]> = { int32: [-2147483648, 2147483647], uint32: [0, 4294967295] };

const randintJit = compiled("randint", (k: Key, lo: NDArray, hi: NDArray, shape: Shape, dtype: DType, beyond: boolean): NDArray => {
  const [k1, k2] = splitKeys(k, 2);
  const [higher, lower] = [drawBits(k1!, shape), drawBits(k2!, shape)];
  const [l, h] = [spread(lo, shape, "random.randint"), spread(hi, shape, "random.randint")];
  const one = (x: NDArray) => spread(scalar(1, x.dtype, false), shape, "random.randint");
  const unsigned = bitcastConvertType(sub(h, l), "uint32");
  const empty = le(h, l);
  const span = select(empty, one(unsigned), beyond ? add(unsigned, one(unsigned)) : unsigned);
  // 2^32 mod span, so that higher * 2^32 + lower is reduced without 64-bit numbers.
  const half = rem(spread(scalar(65536, "uint32", false), shape, "random.randint"), span);
  const wrap = rem(mul(half, half), span);
  const offset = rem(add(mul(rem(higher, span), wrap), rem(lower, span)), span);
  return add(l, bitcastConvertType(offset, dtype));
}, [3, 4, 5]);

/** A bound in the dtype of the draw; bounds beyond its range are moved to the end. */
function integerBound(x: ArrayLike, dtype: DType, arg: string): NDArray {
  const [least, most] = bounds[dtype]!;
  if (typeof x === "number") {
    if (!Number.isInteger(x)) throw new ArgumentError({ fn: "random.randint", arg, expected: "an integer", got: String(x), fix: "round it first" });
    return scalar(Math.max(least, Math.min(most, x)), dtype, false);
  }
  const a = asArray(x, "random.randint", arg);
  if (a.dtype === dtype) return a;
  if (a.dtype === "int32") return convertTo(max(a, 0), dtype);
  if (a.dtype === "uint32") return convertTo(min(a, bounds["int32"]![1]), dtype);
  return convertTo(a, dtype);
}

/**
 * Uniform integers from [minval, maxval). When the range is no power of two, some values are likelier by a relative 2^-32 times the range.
 * Empty ranges give minval.
 * @throws DTypeError for dtypes that are no integers; ShapeError when the bounds do not broadcast to `shape`.
 * @example random.randint(random.key(0), [4], 0, 10)
 */
export function randint(key: Key, shape: Shape | number, minval: ArrayLike, maxval: ArrayLike, o: IntegerOptions = {}): NDArray {
  const fn = "random.randint";
  const dtype = integerDType(o.dtype, fn);
  const [lo, hi] = [integerBound(minval, dtype, "minval"), integerBound(maxval, dtype, "maxval")];
  const beyond = typeof maxval === "number" && maxval > bounds[dtype]![1];
  return randintJit(requireKey(key, fn), lo, hi, drawShape(requireShape(shape, fn), [lo, hi], fn), dtype, beyond);
}

const bernoulliJit = compiled("bernoulli", (k: Key, p: NDArray, shape: Shape, mode: "low" | "high"): NDArray => {
  const wide = spread(p, shape, "random.bernoulli");
  if (mode === "low") return lt(drawUnit(k, shape, p.dtype), wide);
  const both = drawUnit(k, [2, ...shape], p.dtype);
  const [u1, u2] = [0, 1].map((i) => reshapeTo(sliceInDim(both, i, i + 1), shape));
  return lt(mul(u2!, 2 ** -factsOf(p.dtype).mantissa), sub(wide, u1!));
}, [2, 3]);

/**
 * True with probability p. `mode: "high"` draws twice, so that probabilities below the spacing of one draw are right too.
 * @throws DTypeError when p is no float.
 */
export function bernoulli(key: Key, p: ArrayLike = 0.5, shape?: Shape | number | null, o: { mode?: "low" | "high" } = {}): NDArray {
  const fn = "random.bernoulli";
  const probability = typeof p === "number" ? scalar(p, defaultFloat(), false) : asArray(p, fn, "p");
  if (!isFloat(probability.dtype)) throw new DTypeError({ fn, arg: "p", expected: "a float dtype", got: probability.dtype, fix: "convert with astype" });
  const mode = o.mode ?? "low";
  if (mode !== "low" && mode !== "high") throw new ArgumentError({ fn, arg: "mode", expected: '"low" or "high"', got: String(mode), fix: "pass one of the two" });
  return bernoulliJit(requireKey(key, fn), probability, drawShape(shape, [probability], fn), mode);
}

/** @internal -1 or 1, from a uniform draw of dtype `from`. */
export function drawSigns(k: Key, shape: Shape, dtype: DType, from: DType): NDArray {
  return sub(mul(convertTo(lt(drawUnit(k, shape, from), 0.5), dtype), 2), 1);
}
const rademacherJit = compiled("rademacher", drawSigns, [1, 2, 3]);

/**
 * -1 or 1, each with probability 1/2, as any number dtype (int32 when not given).
 * @example random.rademacher(random.key(0), [5], { dtype: "float32" })
 */
export function rademacher(key: Key, shape: Shape | number = [], o: { dtype?: DType } = {}): NDArray {
  const fn = "random.rademacher";
  const dtype = requireDType(o.dtype ?? "int32", fn);
  if (dtype === "bool") throw new DTypeError({ fn, arg: "dtype", expected: "a number dtype", got: dtype, fix: "use bernoulli for booleans" });
  return rademacherJit(requireKey(key, fn), requireShape(shape, fn), dtype, defaultFloat());
}
