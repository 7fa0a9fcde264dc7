import type { ArithmeticFn, UnaryFn } from "../expr.js";
import { exp2, logistic, rsqrt } from "./elementary.js";
import { erfInv } from "./erf-inv.js";
import { erf, erfc } from "./erf.js";
import { digamma, lgamma } from "./gamma.js";
import { igamma, igammac } from "./igamma.js";
import { polygamma } from "./polygamma.js";
import { pow } from "./power.js";
import { nextafter, roundHalfEven } from "./rounding.js";

/**
 * The meaning of every unary function of kernel expressions, on doubles. Float32 results are these, rounded. `not` is the logical one
 * (0 or 1); backends give integers their own bitwise `not`, `neg`, `abs` and `sign`.
 */
export const unaryFunctions: Readonly<Record<UnaryFn, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  trunc: Math.trunc,
  sqrt: Math.sqrt,
  rsqrt,
  cbrt: Math.cbrt,
  exp: Math.exp,
  exp2,
  expm1: Math.expm1,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  logistic,
  erf,
  erfc,
  erfInv,
  lgamma,
  digamma,
  not: (x) => (x === 0 ? 1 : 0),
  isFinite: (x) => (Number.isFinite(x) ? 1 : 0),
};

/**
 * The meaning of every arithmetic function of two floats, on doubles. Integer semantics (truncating `div`, wrap-around, 32-bit
 * `shift`s of uint32) belong to the backends; the bitwise functions here take 32-bit integer values.
 */
export const arithmeticFunctions: Readonly<Record<ArithmeticFn, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  rem: (a, b) => a % b,
  pow,
  atan2: Math.atan2,
  max: Math.max,
  min: Math.min,
  nextafter,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shiftLeft: (a, b) => (b >>> 0 > 31 ? 0 : a << b),
  shiftRight: (a, b) => (b >>> 0 > 31 ? 0 : a >>> b),
  shiftRightArithmetic: (a, b) => (b >>> 0 > 31 ? a >> 31 : a >> b),
  polygamma,
  igamma,
  igammac,
};

export { nextafterFloat32 } from "./rounding.js";
