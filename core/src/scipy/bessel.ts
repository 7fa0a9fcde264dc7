import type { ArrayLike } from "../array/methods.js";
import type { NDArray } from "../array/ndarray.js";
import { div, exp, le, mul, sign, sqrt, sub } from "../lax/elementwise.js";
import { fullLike, select } from "../lax/types.js";
import { i0Far, i0Near, i1Far, i1Near } from "./coefficients.js";
import { composite, polynomial } from "./composite.js";

/** |x| with derivative 0 at 0. */
const magnitude = (x: NDArray): NDArray => mul(sign(x), x);

/** exp(-a) I(a) for a >= 0, with `near` over [0, 8] and `far` beyond; `near` may leave out a factor a. */
function scaled(a: NDArray, near: readonly number[], far: readonly number[], factor: boolean): NDArray {
  const small = le(a, 8);
  const an = select(small, a, fullLike(a, 8));
  const af = select(small, fullLike(a, 8), a);
  const nearValue = polynomial(sub(div(an, 4), 1), near);
  const farValue = div(polynomial(sub(div(16, af), 1), far), sqrt(af));
  return select(small, factor ? mul(an, nearValue) : nearValue, farValue);
}
const i0eBody = (x: NDArray) => scaled(magnitude(x), i0Near, i0Far, false);
const i1eBody = (x: NDArray) => mul(sign(x), scaled(magnitude(x), i1Near, i1Far, true));

/** Unscales without overflow before the result overflows: exp(a) in two halves. */
const unscale = (x: NDArray, y: NDArray): NDArray => {
  const half = exp(mul(magnitude(x), 0.5));
  return mul(mul(y, half), half);
};

/** Modified Bessel function I0 (DLMF 10.25.2). */
export const i0: (x: ArrayLike) => NDArray = composite("i0", (x: NDArray) => unscale(x, i0eBody(x)));
/** `exp(-|x|) I0(x)`; its derivative at 0 is taken as 0. */
export const i0e: (x: ArrayLike) => NDArray = composite("i0e", i0eBody);
/** Modified Bessel function I1. */
export const i1: (x: ArrayLike) => NDArray = composite("i1", (x: NDArray) => {
  const a = magnitude(x);
  const small = le(a, 8);
  // Near 0 as x times an even function, so that the derivative there is 1/2.
  const xs = select(small, x, fullLike(x, 1));
  const near = mul(unscale(xs, polynomial(sub(div(magnitude(xs), 4), 1), i1Near)), xs);
  return select(small, near, unscale(select(small, fullLike(x, 8), x), i1eBody(select(small, fullLike(x, 8), x))));
});
/** `exp(-|x|) I1(x)`. */
export const i1e: (x: ArrayLike) => NDArray = composite("i1e", (x: NDArray) => {
  const small = le(magnitude(x), 8);
  const xs = select(small, x, fullLike(x, 1));
  const near = mul(polynomial(sub(div(magnitude(xs), 4), 1), i1Near), xs);
  return select(small, near, i1eBody(select(small, fullLike(x, 8), x)));
});
