import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import type { DType } from "../base/dtype.js";
import { requireShape, type Shape } from "../base/shape.js";
import { erf, erfInv, exp, max, min, mul, nextafter } from "../lax/elementwise.js";
import { stopGradient } from "../lax/types.js";
import { type Key, requireKey } from "./keys.js";
import { compiled, drawShape, factsOf, floatDType, type FloatOptions, parameter, spread } from "./options.js";
import { drawUniform } from "./uniform.js";

/** @internal `sqrt(2) erfInv(u)` with u uniform in (-1, 1). */
export function drawNormal(k: Key, shape: Shape, dtype: DType): NDArray {
  const u = drawUniform(k, shape, dtype, scalar(-1 + factsOf(dtype).epsneg, dtype, false), scalar(1, dtype, false));
  return mul(erfInv(u), Math.SQRT2);
}
const normalJit = compiled("normal", drawNormal, [1, 2]);

/**
 * Standard normal draws, by inversion.
 * @throws DTypeError for dtypes that are no floats.
 * @example random.normal(random.key(0), [2, 3], { dtype: "float32" })
 */
export function normal(key: Key, shape: Shape | number = [], o: FloatOptions = {}): NDArray {
  return normalJit(requireKey(key, "random.normal"), requireShape(shape, "random.normal"), floatDType(o.dtype, "random.normal"));
}

const truncatedJit = compiled("truncatedNormal", (k: Key, lower: NDArray, upper: NDArray, shape: Shape, dtype: DType): NDArray => {
  const [a, b] = [lower, upper].map((x) => erf(mul(x, Math.SQRT1_2)));
  const x = mul(erfInv(drawUniform(k, shape, dtype, a!, b!)), Math.SQRT2);
  return max(min(x, nextafter(stopGradient(upper), -Infinity)), nextafter(stopGradient(lower), Infinity));
}, [3, 4]);

/**
 * Standard normal draws given that they lie in (lower, upper), by inversion.
 * @example random.truncatedNormal(random.key(0), -2, 2, [1000])
 */
export function truncatedNormal(key: Key, lower: ArrayLike, upper: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray {
  const fn = "random.truncatedNormal";
  const dtype = floatDType(o.dtype, fn);
  const [lo, hi] = [parameter(lower, dtype, fn, "lower"), parameter(upper, dtype, fn, "upper")];
  return truncatedJit(requireKey(key, fn), lo, hi, drawShape(shape, [lo, hi], fn), dtype);
}

const lognormalJit = compiled("lognormal", (k: Key, sigma: NDArray, shape: Shape, dtype: DType): NDArray => exp(mul(drawNormal(k, shape, dtype), spread(sigma, shape, "random.lognormal"))), [2, 3]);

/** `exp(sigma z)` with z standard normal. */
export function lognormal(key: Key, sigma: ArrayLike = 1, shape?: Shape | number | null, o: FloatOptions = {}): NDArray {
  const dtype = floatDType(o.dtype, "random.lognormal");
  const s = parameter(sigma, dtype, "random.lognormal", "sigma");
  return lognormalJit(requireKey(key, "random.lognormal"), s, drawShape(shape, [s], "random.lognormal"), dtype);
}
