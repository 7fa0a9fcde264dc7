import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { abs, add, cos, div, eq, le, mul, neg, sin, sqrt, sub } from "../lax/elementwise.js";
import { fullLike, select } from "../lax/types.js";
import { j0Near, j0P, j0Q, j1Near, j1P, j1Q } from "./coefficients-oscillating.js";
import { composite, polynomial } from "./composite.js";

const near = (x: NDArray, small: NDArray, coefficients: readonly number[]): NDArray => {
  const xs = select(small, x, fullLike(x, 0));
  return polynomial(sub(div(mul(xs, xs), 32), 1), coefficients);
};

/** Where the interpolants of P and Q begin; below they go on smoothly. */
const least = 1e-4;
/** Hankel's form for x > 8 (DLMF 10.17.3), with cos(x - phase) written in cos x and sin x, which keep large x exact. */
function far(x: NDArray, p: readonly number[], q: readonly number[], order: 0 | 1): NDArray {
  const r = div(64, mul(x, x));
  const t = div(sub(r, (1 + least) / 2), (1 - least) / 2);
  const [c, s] = [cos(x), sin(x)];
  const [even, odd] = order === 0 ? [add(c, s), sub(s, c)] : [sub(s, c), neg(add(s, c))];
  return div(sub(mul(polynomial(t, p), even), div(mul(polynomial(t, q), odd), x)), mul(sqrt(x), Math.sqrt(Math.PI)));
}
const tail = (a: NDArray, small: NDArray): NDArray => select(small, fullLike(a, 9), a);
const flat = (a: NDArray, y: NDArray): NDArray => select(eq(a, Infinity), fullLike(a, 0), y);

/** Bessel function J0 (DLMF 10.2.2). */
export const j0: (x: ArrayLike) => NDArray = composite("j0", (x: NDArray) => {
  const small = le(abs(x), 8);
  return select(small, near(x, small, j0Near), flat(abs(x), far(tail(abs(x), small), j0P, j0Q, 0)));
});
/** Bessel function J1; NaN at infinity, as in SciPy. */
export const j1: (x: ArrayLike) => NDArray = composite("j1", (x: NDArray) => {
  const small = le(abs(x), 8);
  const outer = far(tail(abs(x), small), j1P, j1Q, 1);
  return select(small, mul(x, near(x, small, j1Near)), select(le(x, 0), neg(outer), outer));
});
