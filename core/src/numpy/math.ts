import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { isFloat, isInteger, kindOf } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import * as p from "../primitives/binary.js";
import { convertTo } from "../primitives/types.js";
import * as u from "../primitives/unary.js";
import { bind1 } from "../trace/trace.js";
import { asArray, broadcastArrays, promoteOperands } from "./convert.js";
import { onesLike } from "./creation.js";
import { fused } from "./fused.js";
import { type BinaryFunction, binaryFunction, choose, constantLike, floatArray, floatBinaryFunction, floatFunction, noParams, numberFunction, type UnaryFunction } from "./elementwise.js";

/** `a + b`, elementwise with broadcasting; of bool, the logical or. @throws ShapeError when the shapes do not broadcast. @example np.add([1, 2], 3) // [4, 5] */
export const add: BinaryFunction = binaryFunction(p.add, "add", p.or);
/** `a - b`, elementwise with broadcasting. @throws DTypeError for two bools. @example np.subtract([1, 2], 3) // [-2, -1] */
export const subtract: BinaryFunction = binaryFunction(p.sub, "subtract", "refuse");
/** `a b`, elementwise with broadcasting; of bool, the logical and. @example np.multiply([1, 2], 3) // [3, 6] */
export const multiply: BinaryFunction = binaryFunction(p.mul, "multiply", p.and);
/** `a / b` in floats, elementwise with broadcasting; 1/0 is inf. @example np.divide([1, 2], 4) // [0.25, 0.5] */
export const divide: BinaryFunction = floatBinaryFunction(p.div, "divide");
/** Alias of `divide`. */
export const trueDivide: BinaryFunction = divide;

/** `-x`. @throws DTypeError for bool: use `logicalNot`. @example np.negative([1, -2]) // [-1, 2] */
export const negative: UnaryFunction = numberFunction(u.neg, "negative", "refuse");
/** `x` itself, as an array. */
export const positive: UnaryFunction = (x) => asArray(x, "positive");
/** `|x|`. The derivative at 0 is JAX's choice. @example np.abs([-1, 2]) // [1, 2] */
export const abs: UnaryFunction = numberFunction(u.abs, "abs", "keep");
/** Alias of `abs`. */
export const absolute: UnaryFunction = abs;
/** `|x|` in floats. */
export const fabs: UnaryFunction = floatFunction(u.abs, "fabs");
/** -1, 0 or 1 with the sign of x; NaN for NaN. Its derivative is 0. @example np.sign([-2, 0, 3]) // [-1, 0, 1] */
export const sign: UnaryFunction = numberFunction(u.sign, "sign");

/** `x x`. @example np.square([1, -2]) // [1, 4] */
export const square: UnaryFunction = (x) => {
  const a = asArray(x, "square");
  return bind1(a.dtype === "bool" ? p.and : p.mul, [a, a], noParams);
};

/** `1 / x` in floats. @example np.reciprocal([2, -0.5]) // [0.5, -2] */
export const reciprocal: UnaryFunction = (x) => {
  return fused("reciprocal", [floatArray(x, "reciprocal")], (a) => bind1(p.div, [constantLike(a!, 1), a!], noParams));
};

/** Largest exponent that is written out as multiplications: `pow` is as exact and no slower beyond. */
const writtenOut = 8;

/** x^n by repeated squaring, for integers n >= 1. */
function repeated(x: NDArray, n: number): NDArray {
  let result: NDArray | undefined;
  for (let base = x, k = n; ; base = bind1(p.mul, [base, base], noParams)) {
    if (k % 2 === 1) result = result ? bind1(p.mul, [result, base], noParams) : base;
    k = Math.floor(k / 2);
    if (k === 0) return result!;
  }
}

/**
 * `a ** b`, elementwise with broadcasting. A JavaScript integer as exponent is exact where multiplication is, and has finite
 * derivatives of every order also for a <= 0; `0 ** 0` is 1, and its derivative for that exponent 0.
 * @throws ArgumentError for integers to a negative integer number.
 * @example np.power([-1, 2], 3) // [-1, 8]
 */
export const power: BinaryFunction = (a, b) => {
  // As NumPy: the root is exact to half an ulp, and keeps the sign of -0.
  if (b === 0.5 && typeof a !== "number") return squareRoot(a);
  if (typeof b === "number" && Number.isInteger(b) && typeof a !== "number") {
    const x = asArray(a, "power", "a");
    const base = x.dtype === "bool" ? convertTo(x, "int32") : x;
    if (b < 0 && !isFloat(base.dtype))
      throw new ArgumentError({ fn: "power", arg: "b", expected: "an exponent of at least 0 for integers", got: String(b), fix: 'convert the base with astype("float64"), or use floatPower' });
    if (b === 0) return onesLike(base);
    if (Math.abs(b) <= writtenOut || !isFloat(base.dtype)) {
      return fused(`power ${b}`, [base], (x0) => {
        const y = repeated(x0!, Math.abs(b));
        return b < 0 ? bind1(p.div, [constantLike(y, 1), y], noParams) : y;
      });
    }
  }
  return generalPower(a, b);
};
const generalPower = binaryFunction(p.pow, "power");
const squareRoot = floatFunction(u.sqrt, "power");
/** Alias of `power`. */
export const pow: BinaryFunction = power;

/** `a ** b` in float64 (in the floats of the operands where they are floats). */
export const floatPower: BinaryFunction = (a, b) => {
  const x = floatArray(a, "floatPower", "a");
  return power(x, typeof b === "number" ? b : floatArray(b, "floatPower", "b"));
};

const isNegative = (x: NDArray): NDArray => bind1(p.lt, [x, constantLike(x, 0)], noParams);
const isZero = (x: NDArray): NDArray => bind1(p.eq, [x, constantLike(x, 0)], noParams);

/** A composite of two numbers' arrays, bool counting as int32. */
const composite = (fn: string, body: (x: NDArray, y: NDArray) => NDArray): BinaryFunction => (a, b) =>
  fused(fn, promoteOperands([a, b], fn, ["a", "b"]).map((x) => (x.dtype === "bool" ? convertTo(x, "int32") : x)), (...xs) => body(...(broadcastArrays(xs, fn) as [NDArray, NDArray])));

/**
 * Remainder with the sign of the divisor: `a - b floor(a / b)`. Integers modulo 0 give 0, floats NaN.
 * @example np.remainder([7, -7], 3) // [1, 2]
 */
export const remainder: BinaryFunction = composite("remainder", (x, y) => {
  const r = bind1(p.rem, [x, y], noParams);
  if (kindOf(x.dtype) === "uint") return choose(isZero(y), 0, r);
  const wrong = bind1(p.and, [bind1(p.ne, [isNegative(r), isNegative(y)], noParams), bind1(u.not, [isZero(r)], noParams)], noParams);
  const shifted = choose(wrong, bind1(p.add, [r, y], noParams), r);
  if (isInteger(x.dtype)) return choose(isZero(y), 0, shifted);
  // Zeros take the divisor's sign: adding +0 turns -0 into +0, and leaves everything else.
  const zero = constantLike(r, 0);
  const minus = bind1(u.neg, [bind1(p.add, [bind1(u.neg, [shifted], noParams), zero], noParams)], noParams);
  return choose(isNegative(y), minus, bind1(p.add, [shifted, zero], noParams));
});
/** Alias of `remainder`. */
export const mod: BinaryFunction = remainder;

/** Remainder with the sign of the dividend, as C's `fmod` and JavaScript's `%`. @example np.fmod([7, -7], 3) // [1, -1] */
export const fmod: BinaryFunction = composite("fmod", (x, y) => {
  const r = bind1(p.rem, [x, y], noParams);
  return isInteger(x.dtype) ? choose(isZero(y), 0, r) : r;
});

/** `floor(a / b)`; integers divided by 0 give 0. @example np.floorDivide([7, -7], 2) // [3, -4] */
export const floorDivide: BinaryFunction = composite("floorDivide", (x, y) => {
  const r = bind1(p.rem, [x, y], noParams);
  const differ = bind1(p.and, [bind1(p.ne, [isNegative(r), isNegative(y)], noParams), bind1(u.not, [isZero(r)], noParams)], noParams);
  if (isInteger(x.dtype)) {
    const q = bind1(p.div, [x, y], noParams);
    return choose(isZero(y), 0, kindOf(x.dtype) === "uint" ? q : choose(differ, bind1(p.sub, [q, constantLike(q, 1)], noParams), q));
  }
  // CPython's and NumPy's rule: the quotient is an integer up to rounding once the remainder is taken off.
  const q = bind1(p.div, [bind1(p.sub, [x, r], noParams), y], noParams);
  const below = choose(differ, bind1(p.sub, [q, constantLike(q, 1)], noParams), q);
  const exact = bind1(p.div, [x, y], noParams);
  const whole = bind1(u.round, [below], noParams);
  const signed = choose(isZero(whole), bind1(p.mul, [bind1(u.sign, [exact], noParams), constantLike(exact, 0)], noParams), whole);
  return choose(isZero(y), exact, signed);
});

/** `[floorDivide(a, b), remainder(a, b)]`. */
export const divmod = (a: ArrayLike, b: ArrayLike): [NDArray, NDArray] => [floorDivide(a, b), remainder(a, b)];

/** The larger of a and b; NaN if either is. At ties each gets half of the derivative. @example np.maximum([1, 5], 3) // [3, 5] */
export const maximum: BinaryFunction = binaryFunction(p.max, "maximum", "keep");
/** The smaller of a and b; NaN if either is. At ties each gets half of the derivative. */
export const minimum: BinaryFunction = binaryFunction(p.min, "minimum", "keep");

function ignoringNaN(fn: string, best: BinaryFunction): BinaryFunction {
  const missing = (v: NDArray) => bind1(p.ne, [v, v], noParams);
  return (a, b) =>
    fused(fn, promoteOperands([a, b], fn, ["a", "b"]), (...xs) => {
      const [x, y] = broadcastArrays(xs, fn) as [NDArray, NDArray];
      return isFloat(x.dtype) ? choose(missing(x), y, choose(missing(y), x, best(x, y))) : best(x, y);
    });
}
/** The larger of a and b; where one is NaN, the other. */
export const fmax: BinaryFunction = ignoringNaN("fmax", maximum);
/** The smaller of a and b; where one is NaN, the other. */
export const fmin: BinaryFunction = ignoringNaN("fmin", minimum);

/**
 * `min(max(x, lo), hi)`; a bound of null is none. At a bound half of the derivative flows to x.
 * @throws ArgumentError without any argument for the bounds.
 * @example np.clip([-1, 0.5, 2], 0, 1) // [0, 0.5, 1]
 */
export function clip(x: ArrayLike, lo: ArrayLike | null = null, hi: ArrayLike | null = null): NDArray {
  const a = asArray(x, "clip");
  if (lo === null || hi === null) return lo !== null ? maximum(a, lo) : hi !== null ? minimum(a, hi) : a;
  return fused("clip", promoteOperands([a, lo, hi], "clip", ["x", "lo", "hi"]), (x0, l, h) => minimum(maximum(x0!, l!), h!));
}
