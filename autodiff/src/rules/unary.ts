import type { NDArray } from "@hessia/core";
import { bind1, primitiveFamilies } from "@hessia/core/extend";
import { type DerivativeRules, elementwise, linear, nonDifferentiable, zero } from "../derivative.js";
import { constant, cos, cosh, digamma, div, eq, exp, ge, logistic, mask, mul, neg, rsqrt, scale, select, shift, sin, sinh, square, sub } from "../ops.js";

const reciprocal = (x: NDArray): NDArray => div(constant(x, 1), x);
const oneMinus = (x: NDArray): NDArray => sub(constant(x, 1), x);
/**
 * 1 - x^2 without cancellation at the ends. At the ends themselves the product would give 0 times infinity when cotangents come back.
 */
function oneMinusSquare(x: NDArray): NDArray {
  const s = square(x);
  return select(eq(s, constant(s, 1)), oneMinus(s), mul(oneMinus(x), shift(x, 1)));
}
/** sigma'(x) = sigma(x) sigma(-x): the usual y (1 - y) loses all digits where y is near 1. */
const logisticSlope = (x: NDArray): NDArray => mul(logistic(x), logistic(neg(x)));
const polygammaOne = (x: NDArray): NDArray => bind1(primitiveFamilies.binary.polygamma, [constant(x, 1), x], {});

export const unaryRules: DerivativeRules<typeof primitiveFamilies.unary> = {
  neg: linear((ct) => [neg(ct)]),
  /** 1 at 0, as in JAX. */
  abs: elementwise((x) => shift(scale(mask(ge(x, constant(x, 0)), x), 2), -1)),
  sign: zero(),
  floor: zero(),
  ceil: zero(),
  round: zero(),
  trunc: zero(),
  sqrt: elementwise((_x, y) => div(constant(y, 0.5), y)),
  rsqrt: elementwise((x, y) => scale(div(y, x), -0.5)),
  cbrt: elementwise((_x, y) => div(constant(y, 1 / 3), square(y))),
  exp: elementwise((_x, y) => y),
  exp2: elementwise((_x, y) => scale(y, Math.LN2)),
  /** exp(x), not y + 1, which is 0 for x < -37. */
  expm1: elementwise((x) => exp(x)),
  log: elementwise(reciprocal),
  log2: elementwise((x) => div(constant(x, Math.LOG2E), x)),
  log10: elementwise((x) => div(constant(x, Math.LOG10E), x)),
  log1p: elementwise((x) => reciprocal(shift(x, 1))),
  sin: elementwise((x) => cos(x)),
  cos: elementwise((x) => neg(sin(x))),
  tan: elementwise((_x, y) => shift(square(y), 1)),
  asin: elementwise((x) => rsqrt(oneMinusSquare(x))),
  acos: elementwise((x) => neg(rsqrt(oneMinusSquare(x)))),
  atan: elementwise((x) => reciprocal(shift(square(x), 1))),
  sinh: elementwise((x) => cosh(x)),
  cosh: elementwise((x) => sinh(x)),
  /** sech^2(x) = 4 sigma(2x) sigma(-2x): 1 - y^2 loses all digits where |y| is near 1. */
  tanh: elementwise((x) => scale(logisticSlope(scale(x, 2)), 4)),
  asinh: elementwise((x) => rsqrt(shift(square(x), 1))),
  acosh: elementwise((x) => rsqrt(neg(oneMinusSquare(x)))),
  atanh: elementwise((x) => reciprocal(oneMinusSquare(x))),
  logistic: elementwise((x, y) => mul(y, logistic(neg(x)))),
  erf: elementwise((x) => scale(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
  erfc: elementwise((x) => scale(exp(neg(square(x))), -2 / Math.sqrt(Math.PI))),
  erfInv: elementwise((_x, y) => scale(exp(square(y)), Math.sqrt(Math.PI) / 2)),
  lgamma: elementwise((x) => digamma(x)),
  digamma: elementwise(polygammaOne),
  not: nonDifferentiable("it acts on bits"),
  isFinite: zero(),
};
