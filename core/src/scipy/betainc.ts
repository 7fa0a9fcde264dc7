import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { add, bitwiseAnd, div, exp, expm1, ge, gt, le, log, log1p, lt, max, min, mul, neg, sqrt, sub } from "../lax/elementwise.js";
import { halfLine } from "../lax/quadrature.js";
import { fullLike, select, stopGradient } from "../lax/types.js";
import { composite } from "./composite.js";
import { betalnBody } from "./gamma-functions.js";

/**
 * Regularized incomplete beta function `I_x(a, b) = 1/B(a, b) int_0^x t^(a-1) (1-t)^(b-1) dt` (DLMF 8.17.2), differentiable in all three.
 * The integral is taken on the side of the mean where it is smaller, with `t = x exp(-w)`, by double exponential quadrature.
 * @example special.betainc(2, 3, 0.5) // 0.6875
 */
export const betainc: (a: ArrayLike, b: ArrayLike, x: ArrayLike) => NDArray = composite("betainc", (a0: NDArray, b0: NDArray, x0: NDArray) => {
  const inside = bitwiseAnd(bitwiseAnd(gt(a0, 0), gt(b0, 0)), bitwiseAnd(gt(x0, 0), lt(x0, 1)));
  const [p, q, y] = [select(inside, a0, fullLike(a0, 1)), select(inside, b0, fullLike(b0, 1)), select(inside, x0, fullLike(x0, 0.5))];
  const swapped = gt(mul(y, add(p, q)), p);
  const [a, b, x] = [select(swapped, q, p), select(swapped, p, q), select(swapped, sub(1, y), y)];
  const rest = select(swapped, y, sub(1, y));
  const odds = div(x, rest);
  const bend = mul(b, mul(odds, add(1, odds)));
  const c = stopGradient(div(1, max(add(sub(a, mul(max(sub(b, 1), 0), odds)), min(bend, sqrt(bend))), mul(a, 1e-3))));
  const { u, each, total } = halfLine(x);
  const w = mul(each(c), u);
  const integrand = exp(add(neg(mul(each(a), w)), mul(each(sub(b, 1)), log1p(neg(mul(each(odds), expm1(neg(w))))))));
  const [logX, logRest] = [select(swapped, log1p(neg(y)), log(y)), select(swapped, log(y), log1p(neg(y)))];
  // Small a: the constant to which the power tends is integrated by hand, and what is left falls off like exp(-w).
  const little = lt(a, 0.5);
  const [al, xl] = [select(little, a, fullLike(a, 0.25)), select(little, x, fullLike(x, 0.25))];
  const remainder = total(mul(exp(neg(mul(each(al), u))), expm1(mul(each(sub(b, 1)), log1p(neg(mul(each(xl), exp(neg(u)))))))), fullLike(x, 1));
  const littleSide = mul(exp(sub(mul(al, select(little, logX, fullLike(x, 0))), betalnBody(al, b))), add(div(1, al), remainder));
  const front = exp(sub(add(mul(a, logX), mul(sub(b, 1), logRest)), betalnBody(a, b)));
  const side = select(little, littleSide, mul(front, total(integrand, c)));
  const value = select(swapped, sub(1, side), side);
  const valid = bitwiseAnd(bitwiseAnd(gt(a0, 0), gt(b0, 0)), bitwiseAnd(ge(x0, 0), le(x0, 1)));
  return select(inside, value, select(valid, x0, fullLike(x0, NaN)));
});
