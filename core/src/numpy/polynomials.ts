import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { ShapeError } from "../base/errors.js";
import { concatenate } from "../primitives/structural.js";
import { reshapeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { along } from "./along.js";
import { asArray, describe, promoteArrays, promoteOperands } from "./convert.js";
import { full, zeros } from "./creation.js";
import { floatArray } from "./elementwise.js";
import { fused } from "./fused.js";
import { add, divide, multiply, subtract } from "./math.js";
import { requireInteger, requireOptions } from "./options.js";
import { convolve } from "./signals.js";

function coefficients(p: ArrayLike, fn: string, arg: string): NDArray {
  const a = asArray(p, fn, arg);
  if (a.ndim > 1) throw new ShapeError({ fn, arg, expected: "a vector of coefficients, highest power first", got: describe(a), fix: "ravel it first" });
  return a.ndim === 0 ? reshapeTo(a, [1]) : a;
}

/**
 * Value of the polynomial with coefficients `p`, highest power first, at x: Horner's rule. `p` may have further axes, which broadcast against x.
 * @example np.polyval([3, 0, 1], 5) // 76
 */
export function polyval(p: ArrayLike, x: ArrayLike): NDArray {
  const [c, at] = promoteOperands([asArray(p, "polyval", "p"), x], "polyval", ["p", "x"]) as [NDArray, NDArray];
  if (c.ndim === 0) throw new ShapeError({ fn: "polyval", arg: "p", expected: "a vector of coefficients", got: "a scalar", fix: "pass [c]" });
  const n = c.shape[0]!;
  return fused("polyval", [c, at], (k, v) => {
    let y = multiply(v!, 0);
    for (let i = 0; i < n; i++) y = add(multiply(y, v!), reshapeTo(along(k!, 0, i, i + 1), k!.shape.slice(1)));
    return y;
  });
}

/** The shorter polynomial gets leading zeros. */
function aligned(a: ArrayLike, b: ArrayLike, fn: string): [NDArray, NDArray] {
  const [p, q] = promoteArrays([coefficients(a, fn, "a"), coefficients(b, fn, "b")], fn) as [NDArray, NDArray];
  const n = Math.max(p.size, q.size);
  const lead = (v: NDArray) => (v.size === n ? v : bind1(concatenate, [zeros([n - v.size], { dtype: v.dtype }), v], { axis: 0 }));
  return [lead(p), lead(q)];
}
/** Sum of two polynomials, highest power first. */
export const polyadd = (a: ArrayLike, b: ArrayLike): NDArray => add(...aligned(a, b, "polyadd"));
/** Difference of two polynomials. */
export const polysub = (a: ArrayLike, b: ArrayLike): NDArray => subtract(...aligned(a, b, "polysub"));
/** Product of two polynomials: the convolution of their coefficients. Leading zeros stay. @example np.polymul([1, 2], [1, -2]) // [1, 0, -4] */
export const polymul = (a: ArrayLike, b: ArrayLike): NDArray => convolve(coefficients(a, "polymul", "a"), coefficients(b, "polymul", "b"));

const powers = (n: number): NDArray => full([n], 0).add(Array.from({ length: n }, (_, i) => n - i));
/** The m-th derivative of a polynomial. @example np.polyder([1, 2, 3]) // [2, 2] */
export function polyder(p: ArrayLike, m = 1): NDArray {
  requireInteger(m, "polyder", "m", 0);
  let c = coefficients(p, "polyder", "p");
  for (let k = 0; k < m && c.size > 0; k++) c = c.size === 1 ? zeros([0], { dtype: c.dtype }) : multiply(along(c, 0, 0, -1), convertTo(powers(c.size - 1), c.dtype));
  return c;
}
/** The m-th antiderivative of a polynomial, with integration constants `k` (one, or one for each step). @example np.polyint([2, 2]) // [1, 2, 0] */
export function polyint(p: ArrayLike, m = 1, options?: { readonly k?: ArrayLike }): NDArray {
  const { k = 0 } = requireOptions(options, "polyint", ["k"]);
  requireInteger(m, "polyint", "m", 0);
  let c = floatArray(coefficients(p, "polyint", "p"), "polyint", "p");
  const constants = convertTo(coefficients(k, "polyint", "k"), c.dtype);
  if (constants.size !== 1 && constants.size !== m) throw new ShapeError({ fn: "polyint", arg: "k", expected: `one constant or ${m}`, got: describe(constants), fix: "give one for each integration" });
  for (let step = 0; step < m; step++) {
    const i = constants.size === 1 ? 0 : step;
    c = bind1(concatenate, [divide(c, convertTo(powers(c.size), c.dtype)), along(constants, 0, i, i + 1)].map((v) => convertTo(v, c.dtype)), { axis: 0 });
  }
  return c;
}
/** Coefficients of the monic polynomial with these roots. @example np.poly([1, 2]) // [1, -3, 2] */
export function poly(roots: ArrayLike): NDArray {
  const r = floatArray(roots, "poly", "roots");
  if (r.ndim !== 1) throw new ShapeError({ fn: "poly", arg: "roots", expected: "a vector of roots", got: describe(r), fix: "for a matrix pass its eigenvalues" });
  let c = full([1], 1, { dtype: r.dtype });
  for (let i = 0; i < r.size; i++) c = convolve(c, bind1(concatenate, [full([1], 1, { dtype: r.dtype }), multiply(-1, along(r, 0, i, i + 1))], { axis: 0 }));
  return c;
}
