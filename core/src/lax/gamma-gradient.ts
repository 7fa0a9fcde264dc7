import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { floatOperandsOf } from "../numpy/convert.js";
import { add, bitwiseAnd, digamma, div, exp, expm1, gt, le, lgamma, log, log1p, lt, min, mul, neg, sqrt, sub } from "./elementwise.js";
import { halfLine } from "./quadrature.js";
import { fullLike, select, stopGradient } from "./types.js";

/**
 * Derivative of a gamma draw x of shape parameter a in a, at a fixed probability: `dx/da = -(dP(a, x)/da) / p(x)`, which is
 * `-1/p(x) int_0^x (log t - psi(a)) p(t) dt`, or the integral from x to infinity with the other sign. The smaller side is taken, with
 * `t = x exp(-w)` below and `t = x + w` above, so that the integrand falls from its end on.
 * Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients" (2018), give the use; the quadrature is our own.
 */
export function randomGammaGrad(a: ArrayLike, x: ArrayLike): NDArray {
  const [shape, sample] = floatOperandsOf([a, x], "randomGammaGrad", ["a", "x"]);
  return ratio(shape!, sample!);
}

function ratio(a0: NDArray, x0: NDArray): NDArray {
  const ok = bitwiseAnd(bitwiseAnd(gt(a0, 0), gt(x0, 0)), lt(x0, Infinity));
  const [a, x] = [select(ok, a0, fullLike(a0, 1)), select(ok, x0, fullLike(x0, 1))];
  const below = le(x, a);
  const [ab, xb] = [select(below, a, fullLike(a, 1)), select(below, x, fullLike(x, 1))];
  const [aa, xa] = [select(below, fullLike(a, 1), a), select(below, fullLike(x, 1), x)];
  // Widths of the integrands; the integral does not depend on them.
  const widthBelow = stopGradient(div(1, add(sub(ab, xb), min(xb, sqrt(xb)))));
  const widthAbove = stopGradient(div(1, add(div(sub(xa, aa), add(xa, 1)), div(1, sqrt(add(xa, 1))))));
  const { u, each, total } = halfLine(x);
  const wb = mul(each(widthBelow), u);
  const logExcess = (av: NDArray, xv: NDArray) => sub(log(xv), digamma(av));
  const fb = mul(sub(each(logExcess(ab, xb)), wb), exp(sub(neg(mul(each(ab), wb)), mul(each(xb), expm1(neg(wb))))));
  const wa = mul(each(widthAbove), u);
  const growth = log1p(div(wa, each(xa)));
  const fa = mul(add(each(logExcess(aa, xa)), growth), exp(sub(mul(sub(each(aa), 1), growth), wa)));
  const value = select(below, neg(mul(xb, total(fb, widthBelow))), total(fa, widthAbove));
  const edge = select(gt(a0, 0), fullLike(x0, 0), fullLike(x0, NaN));
  return select(ok, value, edge);
}

/**
 * Derivative of the regularized lower incomplete gamma function P(a, x) in a.
 * @example lax.igammaGradA(2.5, 1.7)
 */
export function igammaGradA(a: ArrayLike, x: ArrayLike): NDArray {
  const [p, q] = floatOperandsOf([a, x], "igammaGradA", ["a", "x"]);
  const inside = bitwiseAnd(bitwiseAnd(gt(p!, 0), gt(q!, 0)), lt(q!, Infinity));
  const [as, xs] = [select(inside, p!, fullLike(p!, 1)), select(inside, q!, fullLike(q!, 1))];
  const density = exp(sub(sub(mul(sub(as, 1), log(xs)), xs), lgamma(as)));
  const edge = select(gt(p!, 0), fullLike(q!, 0), fullLike(q!, NaN));
  return select(inside, neg(mul(density, ratio(as, xs))), edge);
}
