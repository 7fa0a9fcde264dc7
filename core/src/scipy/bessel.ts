import type { ArrayLike, NDArray } from "../array/ndarray.js";
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

// Power series in (x/2)^2 (DLMF 10.25.2): even functions near 0 keep exact derivatives there.
const quotients = (offset: number) => Array.from({ length: 14 }, (_, k) => Array.from({ length: k }, (_v, i) => (i + 1) * (i + 1 + offset)).reduce((c, d) => c / d, 1));
const [i0Series, i1Series] = [quotients(0), quotients(1)];
const nearZero = (x: NDArray) => le(magnitude(x), 2);
const series = (x: NDArray, small: NDArray, coefficients: readonly number[]): NDArray => {
  const half = mul(select(small, x, fullLike(x, 0)), 0.5);
  return polynomial(mul(half, half), coefficients);
};

/** Modified Bessel function I0 (DLMF 10.25.2). */
export const i0: (x: ArrayLike) => NDArray = composite("i0", (x: NDArray) => {
  const small = nearZero(x);
  const xl = select(small, fullLike(x, 2), x);
  return select(small, series(x, small, i0Series), unscale(xl, i0eBody(xl)));
});
/** `exp(-|x|) I0(x)`; its derivative at 0 is taken as 0. */
export const i0e: (x: ArrayLike) => NDArray = composite("i0e", i0eBody);
/** Modified Bessel function I1. */
export const i1: (x: ArrayLike) => NDArray = composite("i1", (x: NDArray) => {
  const small = nearZero(x);
  const xl = select(small, fullLike(x, 2), x);
  return select(small, mul(mul(x, 0.5), series(x, small, i1Series)), unscale(xl, i1eBody(xl)));
});
/** `exp(-|x|) I1(x)`. */
export const i1e: (x: ArrayLike) => NDArray = composite("i1e", (x: NDArray) => {
  const small = le(magnitude(x), 8);
  const xs = select(small, x, fullLike(x, 1));
  const near = mul(polynomial(sub(div(magnitude(xs), 4), 1), i1Near), xs);
  return select(small, near, i1eBody(select(small, fullLike(x, 8), x)));
});
