import type { NDArray } from "../array/ndarray.js";
import * as p from "../primitives/binary.js";
import * as u from "../primitives/unary.js";
import { bind1 } from "../trace/trace.js";
import { broadcastArrays, promoteToFloat } from "./convert.js";
import { fused } from "./fused.js";
import { type BinaryFunction, choose, constantLike, floatArray, floatBinaryFunction, floatFunction, noParams, type UnaryFunction } from "./elementwise.js";

/** `sqrt(x)`; NaN below 0. @example np.sqrt([4, 2]) // [2, 1.4142135623730951] */
export const sqrt: UnaryFunction = floatFunction(u.sqrt, "sqrt");
/** The real cube root, also of negative numbers. */
export const cbrt: UnaryFunction = floatFunction(u.cbrt, "cbrt");
/** `e ** x`. */
export const exp: UnaryFunction = floatFunction(u.exp, "exp");
/** `2 ** x`. */
export const exp2: UnaryFunction = floatFunction(u.exp2, "exp2");
/** `exp(x) - 1` without cancellation near 0. */
export const expm1: UnaryFunction = floatFunction(u.expm1, "expm1");
/** Natural logarithm; -inf at 0, NaN below. */
export const log: UnaryFunction = floatFunction(u.log, "log");
/** Logarithm to base 2. */
export const log2: UnaryFunction = floatFunction(u.log2, "log2");
/** Logarithm to base 10. */
export const log10: UnaryFunction = floatFunction(u.log10, "log10");
/** `log(1 + x)` without cancellation near 0. */
export const log1p: UnaryFunction = floatFunction(u.log1p, "log1p");
/** Sine of an angle in radians. */
export const sin: UnaryFunction = floatFunction(u.sin, "sin");
/** Cosine of an angle in radians. */
export const cos: UnaryFunction = floatFunction(u.cos, "cos");
/** Tangent of an angle in radians. */
export const tan: UnaryFunction = floatFunction(u.tan, "tan");
/** Inverse sine in radians, in [-pi/2, pi/2]; NaN outside [-1, 1]. */
export const arcsin: UnaryFunction = floatFunction(u.asin, "arcsin");
/** Inverse cosine in radians, in [0, pi]; NaN outside [-1, 1]. */
export const arccos: UnaryFunction = floatFunction(u.acos, "arccos");
/** Inverse tangent in radians, in [-pi/2, pi/2]. */
export const arctan: UnaryFunction = floatFunction(u.atan, "arctan");
/** Angle of the point (b, a) in radians, in [-pi, pi]: `atan(a / b)` in the right quadrant. */
export const arctan2: BinaryFunction = floatBinaryFunction(p.atan2, "arctan2");
/** Hyperbolic sine. */
export const sinh: UnaryFunction = floatFunction(u.sinh, "sinh");
/** Hyperbolic cosine. */
export const cosh: UnaryFunction = floatFunction(u.cosh, "cosh");
/** Hyperbolic tangent. */
export const tanh: UnaryFunction = floatFunction(u.tanh, "tanh");
/** Inverse hyperbolic sine. */
export const arcsinh: UnaryFunction = floatFunction(u.asinh, "arcsinh");
/** Inverse hyperbolic cosine; NaN below 1. */
export const arccosh: UnaryFunction = floatFunction(u.acosh, "arccosh");
/** Inverse hyperbolic tangent; NaN outside [-1, 1]. */
export const arctanh: UnaryFunction = floatFunction(u.atanh, "arctanh");
/** The array API's short names. */
export { arccos as acos, arccosh as acosh, arcsin as asin, arcsinh as asinh, arctan as atan, arctan2 as atan2, arctanh as atanh };

const scaledBy = (fn: string, factor: number): UnaryFunction => (x) => {
  return fused(fn, [floatArray(x, fn)], (a) => bind1(p.mul, [a!, constantLike(a!, factor)], noParams));
};
/** Degrees to radians. @example np.deg2rad(180) // 3.141592653589793 */
export const deg2rad: UnaryFunction = scaledBy("deg2rad", Math.PI / 180);
/** Radians to degrees. */
export const rad2deg: UnaryFunction = scaledBy("rad2deg", 180 / Math.PI);
/** Alias of `deg2rad`. */
export const radians: UnaryFunction = deg2rad;
/** Alias of `rad2deg`. */
export const degrees: UnaryFunction = rad2deg;

const constant = (x: NDArray, v: number) => constantLike(x, v);
const op = (primitive: typeof p.add, ...xs: NDArray[]): NDArray => bind1(primitive, xs, noParams);
/** A composite of two arrays of floats. */
const composite = (fn: string, body: (x: NDArray, y: NDArray) => NDArray): BinaryFunction => (a, b) =>
  fused(fn, promoteToFloat([a, b], fn, ["a", "b"]), (...xs) => body(...(broadcastArrays(xs, fn) as [NDArray, NDArray])));
const isInfinite = (x: NDArray) => op(p.eq, op(u.abs, x), constant(x, Infinity));

/**
 * `sqrt(a^2 + b^2)` without overflow or underflow. Its derivatives at (0, 0), where none exists, are 0.
 * Very large and very small operands are scaled by a power of two, which rounds nothing and has no derivative.
 * @example np.hypot(3, 4) // 5
 */
export const hypot: BinaryFunction = composite("hypot", (x, y) => {
  const largest = op(p.max, op(u.abs, x), op(u.abs, y));
  const [bound, down, up] = x.dtype === "float32" ? [2 ** 60, 2 ** -70, 2 ** 80] : [2 ** 500, 2 ** -600, 2 ** 600];
  const scale = choose(op(p.gt, largest, constant(x, bound)), down, choose(op(p.lt, largest, constant(x, 1 / bound)), up, constant(x, 1)));
  const xs = op(p.mul, x, scale);
  const ys = op(p.mul, y, scale);
  const q = op(p.add, op(p.mul, xs, xs), op(p.mul, ys, ys));
  const atZero = op(p.eq, q, constant(q, 0));
  const r = choose(atZero, 0, op(p.div, op(u.sqrt, choose(atZero, 1, q)), scale));
  return choose(op(p.or, isInfinite(x), isInfinite(y)), Infinity, r);
});

/**
 * `log(exp(a) + exp(b))` without overflow. The larger argument is picked by a selection, whose two branches are the same smooth
 * function: derivatives of every order are exact, also at a = b.
 * @example np.logaddexp(1000, 1000) // 1000.6931471805599
 */
export const logaddexp: BinaryFunction = composite("logaddexp", (x, y) => logAdd(x, y, (d) => op(u.log1p, op(u.exp, d))));
/** `log2(2^a + 2^b)` without overflow. */
export const logaddexp2: BinaryFunction = composite("logaddexp2", (x, y) => logAdd(x, y, (d) => op(p.mul, op(u.log1p, op(u.exp2, d)), constant(d, Math.LOG2E))));
function logAdd(x: NDArray, y: NDArray, tail: (d: NDArray) => NDArray): NDArray {
  const first = op(p.ge, x, y);
  const hi = choose(first, x, y);
  const lo = choose(first, y, x);
  const sameInfinity = op(p.and, op(p.eq, hi, lo), isInfinite(hi));
  return op(p.add, hi, tail(choose(sameInfinity, 0, op(p.sub, lo, hi))));
}

/** 1/(2k+1)! with alternating sign: the series of sin(z)/z in z^2. */
const sincSeries = [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800, 1 / 6227020800, -1 / 1307674368000, 1 / 355687428096000];

/**
 * `sin(pi x) / (pi x)`, 1 at 0. Near 0 it is the power series, so that derivatives of every order are right there too.
 * @example np.sinc([0, 0.5, 1]) // [1, 0.6366197723675814, 3.9e-17]
 */
export const sinc: UnaryFunction = (x) => fused("sinc", [floatArray(x, "sinc")], (a) => sincOf(a!));
function sincOf(a: NDArray): NDArray {
  const z = op(p.mul, a, constant(a, Math.PI));
  const small = op(p.lt, op(u.abs, z), constant(z, 0.5));
  const far = choose(small, 1, z);
  const near = choose(small, z, 0);
  const z2 = op(p.mul, near, near);
  const series = sincSeries.reduceRight<NDArray>((sum, c, k) => (k === sincSeries.length - 1 ? sum : op(p.add, op(p.mul, sum, z2), constant(z, c))), constant(z, sincSeries.at(-1)!));
  return choose(small, series, op(p.div, op(u.sin, far), far));
}

/** 0 for a < 0, b at a = 0, 1 for a > 0, NaN for NaN. */
export const heaviside: BinaryFunction = composite("heaviside", (x, y) => {
  const zero = constant(x, 0);
  return choose(op(p.eq, x, zero), y, choose(op(p.ne, x, x), NaN, choose(op(p.gt, x, zero), 1, zero)));
});
