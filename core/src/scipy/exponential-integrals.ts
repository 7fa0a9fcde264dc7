import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { add, bitwiseAnd, div, eq, exp, gt, le, log, lt, mul, neg, sub } from "../lax/elementwise.js";
import { fullLike, select } from "../lax/types.js";
import { e1Far, e1Low, e1Middle, eiFar, eiLast, eiMiddle, eiNear } from "./coefficients-exponential.js";
import { composite, polynomial } from "./composite.js";

const euler = 0.5772156649015329;
/** The polynomial over [lo, hi] where `here` holds. */
function piece(x: NDArray, here: NDArray, lo: number, hi: number, coefficients: readonly number[]): NDArray {
  const inside = select(here, x, fullLike(x, (lo + hi) / 2));
  return polynomial(div(sub(inside, (lo + hi) / 2), (hi - lo) / 2), coefficients);
}
// E1(x) + log x + gamma = sum -(-x)^k / (k k!) (DLMF 6.6.2).
const e1Series = Array.from({ length: 20 }, (_, k) => Array.from({ length: k + 1 }, (_v, i) => i + 1).reduce((p, v) => p / v, (k % 2 ? -1 : 1) / (k + 1)));

function e1Body(x: NDArray): NDArray {
  const first = le(x, 1);
  const xs = select(first, x, fullLike(x, 0.5));
  const near = sub(mul(xs, polynomial(xs, e1Series)), add(log(xs), euler));
  const xl = select(first, fullLike(x, 2), x);
  const [low, middle] = [le(xl, 2), le(xl, 4)];
  const far = gt(xl, 4);
  const r = div(1, select(far, xl, fullLike(x, 8)));
  const scaled = select(low, piece(xl, low, 1, 2, e1Low), select(middle, piece(xl, bitwiseAnd(middle, gt(xl, 2)), 2, 4, e1Middle), piece(r, far, 1e-3, 0.25, e1Far)));
  const value = select(first, near, mul(div(scaled, xl), exp(neg(xl))));
  return select(lt(x, 0), fullLike(x, NaN), select(eq(x, Infinity), fullLike(x, 0), value));
}
/** Exponential integral `E1(x) = int_x^inf exp(-t)/t dt` for x > 0 (DLMF 6.2.1); infinite at 0, NaN below. */
export const exp1: (x: ArrayLike) => NDArray = composite("exp1", e1Body);

/** Exponential integral `Ei(x)`, the principal value of `int_-inf^x exp(t)/t dt` (DLMF 6.2.5); -inf at 0. */
export const expi: (x: ArrayLike) => NDArray = composite("expi", (x: NDArray) => {
  const negative = lt(x, 0);
  const below = neg(e1Body(select(negative, neg(x), fullLike(x, 1))));
  const xp = select(negative, fullLike(x, 1), x);
  const first = le(xp, 4);
  const xs = select(first, xp, fullLike(x, 1));
  const near = add(mul(xs, piece(xs, first, 0, 4, eiNear)), add(log(xs), euler));
  const xl = select(first, fullLike(x, 5), xp);
  const [middle, far, last] = [le(xl, 12), le(xl, 40), gt(xl, 40)];
  const r = div(1, select(last, xl, fullLike(x, 80)));
  const scaled = select(middle, piece(xl, middle, 4, 12, eiMiddle), select(far, piece(xl, bitwiseAnd(far, gt(xl, 12)), 12, 40, eiFar), piece(r, last, 1e-3, 1 / 40, eiLast)));
  // exp(x)/x as exp(x - log x), which overflows only where Ei does; beyond, exp has Ei's value and derivative, infinity.
  const huge = gt(xl, 720);
  const xm = select(huge, fullLike(x, 100), xl);
  const large = select(huge, exp(xl), mul(scaled, exp(sub(xm, log(xm)))));
  const value = select(first, near, large);
  return select(negative, below, value);
});
