import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { isFloat } from "../base/dtype.js";
import * as p from "../primitives/binary.js";
import { broadcastTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import * as u from "../primitives/unary.js";
import { bind1 } from "../trace/trace.js";
import { asArray, broadcastArrays, promoteToFloat } from "./convert.js";
import { fused, fusedAll } from "./fused.js";
import { type BinaryFunction, choose, constantLike, floatArray, floatBinaryFunction, integerIdentity, integerOperands, noParams, type UnaryFunction } from "./elementwise.js";
import { multiply } from "./math.js";
import { requireInteger, requireOptions } from "./options.js";

const op = (primitive: typeof p.add, ...xs: NDArray[]): NDArray => bind1(primitive, xs, noParams);
const everywhere = (x: NDArray, value: boolean): NDArray => broadcastTo(scalar(value, "bool", false), x.shape, []);

/** A test of floats; integers and bool all answer `otherwise`. */
const floatTest = (fn: string, otherwise: boolean, test: (x: NDArray) => NDArray): UnaryFunction => (x) => {
  const a = asArray(x, fn);
  return isFloat(a.dtype) ? fused(fn, [a], (x0) => test(x0!)) : everywhere(a, otherwise);
};
/** True for NaN. */
export const isnan: UnaryFunction = floatTest("isnan", false, (x) => op(p.ne, x, x));
/** True for inf and -inf. */
export const isinf: UnaryFunction = floatTest("isinf", false, (x) => op(p.eq, op(u.abs, x), constantLike(x, Infinity)));
/** True for numbers other than NaN and the infinities. */
export const isfinite: UnaryFunction = floatTest("isfinite", true, (x) => op(u.isFinite, x));
/** True for inf. */
export const isposinf: UnaryFunction = floatTest("isposinf", false, (x) => op(p.eq, x, constantLike(x, Infinity)));
/** True for -inf. */
export const isneginf: UnaryFunction = floatTest("isneginf", false, (x) => op(p.eq, x, constantLike(x, -Infinity)));

/** Largest integer not above x; integers stay as they are. Derivative 0. */
export const floor: UnaryFunction = integerIdentity(u.floor, "floor");
/** Smallest integer not below x. Derivative 0. */
export const ceil: UnaryFunction = integerIdentity(u.ceil, "ceil");
/** x without its fraction. Derivative 0. */
export const trunc: UnaryFunction = integerIdentity(u.trunc, "trunc");
/** Alias of `trunc`. */
export const fix: UnaryFunction = trunc;
/** Nearest integer, halves to even. Derivative 0. */
export const rint: UnaryFunction = (x) => op(u.round, floatArray(x, "rint"));

/**
 * x rounded to a number of decimals (0 by default; negative ones round to tens, hundreds, ...), halves to even.
 * @example np.round([0.5, 1.5, 2.345], 2) // [0.5, 1.5, 2.34]
 */
export function round(x: ArrayLike, decimals = 0): NDArray {
  requireInteger(decimals, "round", "decimals");
  const a = asArray(x, "round");
  if (!isFloat(a.dtype)) {
    if (decimals >= 0) return a;
    return convertTo(round(floatArray(a, "round"), decimals), a.dtype);
  }
  if (decimals === 0) return op(u.round, a);
  return fused(`round ${decimals}`, [a], (x0) => roundTo(x0!, decimals));
}
function roundTo(a: NDArray, decimals: number): NDArray {
  const factor = constantLike(a, 10 ** Math.abs(decimals));
  // As NumPy: scale, round, scale back; a result that is not finite stays x.
  const scaled = op(u.round, op(decimals > 0 ? p.mul : p.div, a, factor));
  const back = op(decimals > 0 ? p.div : p.mul, scaled, factor);
  return choose(op(u.isFinite, scaled), back, a);
}
/** Alias of `round`. */
export const around: typeof round = round;

/** True where the sign bit is set: negative numbers and -0. */
export const signbit: UnaryFunction = (x) => fused("signbit", [asArray(x, "signbit")], (a) => signbitOf(a!));
function signbitOf(a: NDArray): NDArray {
  const zero = constantLike(a, 0);
  if (!isFloat(a.dtype)) return a.dtype === "bool" ? everywhere(a, false) : op(p.lt, a, zero);
  const inverse = op(p.div, constantLike(a, 1), a);
  return op(p.or, op(p.lt, a, zero), op(p.and, op(p.eq, a, zero), op(p.lt, inverse, zero)));
}

/** |a| with the sign of b. */
export const copysign: BinaryFunction = (a, b) =>
  fused("copysign", promoteToFloat([a, b], "copysign", ["a", "b"]), (...xs) => {
    const [x, y] = broadcastArrays(xs, "copysign") as [NDArray, NDArray];
    return choose(op(p.ne, signbitOf(x), signbitOf(y)), op(u.neg, x), x);
  });

/** The next float after a towards b. Derivative 1 with respect to a. */
export const nextafter: BinaryFunction = floatBinaryFunction(p.nextafter, "nextafter");

/** The distance from |x| to the next larger float, with the sign of x; NaN for infinities. */
export const spacing: UnaryFunction = (x) => {
  return fused("spacing", [floatArray(x, "spacing")], (a) => {
    const size = op(u.abs, a!);
    return copysign(op(p.sub, op(p.nextafter, size, constantLike(size, Infinity)), size), a!);
  });
};

export interface NanToNumOptions { readonly nan?: ArrayLike; readonly posinf?: ArrayLike; readonly neginf?: ArrayLike }
/** NaN becomes 0 and infinities the largest finite numbers, or what the options say. @example np.nanToNum([NaN, 1]) // [0, 1] */
export function nanToNum(x: ArrayLike, options?: NanToNumOptions): NDArray {
  const a = asArray(x, "nanToNum");
  const o = requireOptions(options, "nanToNum", ["nan", "posinf", "neginf"]);
  if (!isFloat(a.dtype)) return a;
  const largest = a.dtype === "float32" ? 3.4028234663852886e38 : Number.MAX_VALUE;
  const values = [o.nan ?? 0, o.posinf ?? largest, o.neginf ?? -largest].map((v) => (typeof v === "number" ? scalar(v, a.dtype, true) : asArray(v, "nanToNum")));
  return fused("nanToNum", [a, ...values], (x0, nan, high, low) => convertTo(choose(isnan(x0!), nan!, choose(isposinf(x0!), high!, choose(isneginf(x0!), low!, x0!))), a.dtype));
}

/** `a 2^b` for integers b, without overflow on the way. */
export function ldexp(a: ArrayLike, b: ArrayLike): NDArray {
  const x = floatArray(a, "ldexp", "a");
  const [n] = integerOperands([b], "ldexp") as [NDArray];
  return fused("ldexp", [x, n], (m, k) => scaleBy(m!, k!));
}
/** Three factors keep every intermediate in range where the result is. */
function scaleBy(x: NDArray, n: NDArray): NDArray {
  const third = op(p.div, n, constantLike(n, 3));
  const rest = op(p.sub, op(p.sub, n, third), third);
  const power = (k: NDArray) => op(u.exp2, convertTo(k, x.dtype));
  return multiply(multiply(multiply(x, power(third)), power(third)), power(rest));
}

/** `[fraction, integer part]`, both with the sign of x. @example np.modf(-2.5) // [-0.5, -2] */
export function modf(x: ArrayLike): [NDArray, NDArray] {
  return fusedAll("modf", [floatArray(x, "modf")], (a) => {
    const whole = op(u.trunc, a!);
    return [copysign(choose(isinf(a!), 0, op(p.sub, a!, whole)), a!), whole];
  }) as [NDArray, NDArray];
}

/** `[m, e]` with `x = m 2^e`, 0.5 <= |m| < 1 and e an int32; `[x, 0]` for 0, NaN and infinities. */
export function frexp(x: ArrayLike): [NDArray, NDArray] {
  return fusedAll("frexp", [floatArray(x, "frexp")], (a) => frexpOf(a!)) as [NDArray, NDArray];
}
function frexpOf(a: NDArray): [NDArray, NDArray] {
  const special = op(p.or, op(u.not, op(u.isFinite, a)), op(p.eq, a, constantLike(a, 0)));
  const smallest = a.dtype === "float32" ? 2 ** -126 : 2 ** -1022;
  const lift = a.dtype === "float32" ? 24 : 54;
  const tiny = op(p.lt, op(u.abs, a), constantLike(a, smallest));
  const normal = choose(special, 1, choose(tiny, op(p.mul, a, constantLike(a, 2 ** lift)), a));
  const size = op(u.abs, normal);
  const guess = convertTo(op(u.floor, op(u.log2, size)), "int32");
  // log2 may round across an integer: correct the guess by comparing with the powers themselves.
  const m0 = ldexp(size, op(u.neg, guess));
  const one = constantLike(guess, 1);
  const e = choose(op(p.ge, m0, constantLike(m0, 2)), op(p.add, guess, one), choose(op(p.lt, m0, constantLike(m0, 1)), op(p.sub, guess, one), guess));
  const exponent = op(p.add, e, one);
  const m = ldexp(normal, op(u.neg, exponent));
  return [choose(special, a, m), choose(special, 0, choose(tiny, op(p.sub, exponent, constantLike(e, lift)), exponent))];
}
