import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { add, bitwiseAnd, bitwiseOr, div, eq, erfc, erfInv, gt, le, log, log1p, lt, mul, neg, sqrt, sub } from "../lax/elementwise.js";
import * as lax from "../lax/elementwise.js";
import { fullLike, select } from "../lax/types.js";
import { quantileFar, quantileNear } from "./coefficients.js";
import { composite, polynomial } from "./composite.js";

/** `2/sqrt(pi) int_0^x exp(-t^2) dt` (DLMF 7.2.1). */
export const erf: (x: ArrayLike) => NDArray = lax.erf;
/** `1 - erf(x)`, without cancellation. */
export { erfc };
/** Inverse of `erf`: infinite at -1 and 1, NaN beyond. */
export const erfinv: (y: ArrayLike) => NDArray = erfInv;

const ndtrBody = (x: NDArray): NDArray => mul(erfc(mul(x, -Math.SQRT1_2)), 0.5);
/** Distribution function of the standard normal law, `erfc(-x / sqrt 2) / 2`. */
export const ndtr: (x: ArrayLike) => NDArray = composite("ndtr", ndtrBody);

// 1 - 1/x^2 + 3/x^4 - 15/x^6 + ... (DLMF 7.12.1), in powers of -1/x^2.
const millsSeries = Array.from({ length: 12 }, (_, k) => Array.from({ length: k }, (_v, i) => 2 * i + 1).reduce((p, v) => p * v, 1));

/**
 * `log ndtr(x)`, also where `ndtr` underflows (x < -38): there by the asymptotic series of Mills' ratio.
 * @example special.logNdtr(-50) // -1254.83
 */
export const logNdtr: (x: ArrayLike) => NDArray = composite("logNdtr", (x: NDArray) => {
  const cut = x.dtype === "float32" ? -10 : -20;
  const [far, right] = [lt(x, cut), gt(x, 0)];
  const xf = select(far, x, fullLike(x, cut));
  const square = mul(xf, xf);
  const tail = sub(sub(add(mul(square, -0.5), log1p(mul(div(-1, square), polynomial(div(-1, square), millsSeries.slice(1))))), log(neg(xf))), 0.5 * Math.log(2 * Math.PI));
  const xm = select(bitwiseOr(far, right), fullLike(x, 0), x);
  const xr = select(right, x, fullLike(x, 1));
  // -inf for -inf: the series has inf - inf there.
  const left = select(eq(x, -Infinity), fullLike(x, -Infinity), tail);
  return select(far, left, select(right, log1p(neg(ndtrBody(neg(xr)))), log(ndtrBody(xm))));
});

/**
 * Quantiles of the standard normal law, the inverse of `ndtr`: infinite at 0 and 1, NaN outside.
 * By `erfInv` in the middle; in the tails by polynomials in `sqrt(-2 log p)` and its inverse.
 */
export const ndtri: (p: ArrayLike) => NDArray = composite("ndtri", (p: NDArray) => {
  const upper = gt(p, 0.5);
  const q = select(upper, sub(1, p), p);
  const inside = bitwiseAnd(gt(p, 0), lt(p, 1));
  const middle = bitwiseAnd(inside, gt(q, 0.2));
  const center = mul(erfInv(sub(mul(select(middle, p, fullLike(p, 0.5)), 2), 1)), Math.SQRT2);
  const tails = bitwiseAnd(inside, le(q, 0.2));
  const s = sqrt(mul(log(select(tails, q, fullLike(p, 0.1))), -2));
  const near = le(s, 6);
  const sn = select(near, s, fullLike(s, 3));
  const r = div(1, select(near, fullLike(s, 10), s));
  const [a, b] = [1 / 38.8, 1 / 6];
  const nearValue = polynomial(div(sub(sn, (1.6 + 6) / 2), (6 - 1.6) / 2), quantileNear);
  const farValue = div(polynomial(div(sub(r, (a + b) / 2), (b - a) / 2), quantileFar), r);
  const tail = select(near, nearValue, farValue);
  const edge = select(eq(p, 0), fullLike(p, -Infinity), select(eq(p, 1), fullLike(p, Infinity), fullLike(p, NaN)));
  return select(middle, center, select(tails, select(upper, tail, neg(tail)), edge));
});
