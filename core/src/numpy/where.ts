import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { ArgumentError } from "../base/errors.js";
import { choose } from "./elementwise.js";
import { nonzero } from "./index-tools.js";

/**
 * `condition ? a : b`, elementwise with broadcasting; both sides are computed. With the condition alone: the indices of its true elements.
 *
 * A derivative that is NaN on the side not chosen spoils the result (0 times NaN): make the argument safe first, as in
 * `where(x > 0, sqrt(where(x > 0, x, 1)), 0)`, or use `whereGrad`.
 * @throws ShapeError for shapes that do not broadcast.
 * @example np.where(np.greater(x, 0), x, 0)
 */
export function where(condition: ArrayLike): NDArray[];
export function where(condition: ArrayLike, a: ArrayLike, b: ArrayLike): NDArray;
export function where(condition: ArrayLike, a?: ArrayLike, b?: ArrayLike): NDArray | NDArray[] {
  if (a === undefined && b === undefined) return nonzero(condition);
  if (a === undefined || b === undefined) throw new ArgumentError({ fn: "where", arg: a === undefined ? "a" : "b", expected: "both values, or neither", got: "one", fix: "pass what to take where the condition is false" });
  return choose(condition, a, b);
}

/**
 * `f(x)` where the condition holds and `otherwise` elsewhere, with derivatives that are finite although f is not differentiable there: f sees
 * `safe` in place of the excluded elements.
 * @example np.whereGrad(np.greater(x, 0), np.sqrt, x, 1, 0) // derivative 0 at x = 0, not NaN
 */
export const whereGrad = (condition: ArrayLike, f: (x: NDArray) => NDArray, x: ArrayLike, safe: ArrayLike, otherwise: ArrayLike = 0): NDArray => choose(condition, f(choose(condition, x, safe)), otherwise);
