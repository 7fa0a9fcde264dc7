import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { isFloat } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import type { AnyPrimitive } from "../ir/primitive.js";
import { asArray, floatOperandsOf, operandsOf } from "../numpy/convert.js";
import * as b from "../primitives/binary.js";
import * as u from "../primitives/unary.js";
import { broadcastTo } from "../primitives/structural-ops.js";
import { bind1 } from "../trace/trace.js";

/**
 * Elementwise functions, one primitive each. Operands are promoted and broadcast as in `np`; functions of the reals take integers as
 * the default float.
 */
export type Unary = (x: ArrayLike) => NDArray;
export type Binary = (x: ArrayLike, y: ArrayLike) => NDArray;

const float = (primitive: AnyPrimitive): Unary => (x) => bind1(primitive, floatOperandsOf([x], primitive.name), {});
const any = (primitive: AnyPrimitive): Unary => (x) => bind1(primitive, [asArray(x, primitive.name)], {});
const pair = (primitive: AnyPrimitive): Binary => (x, y) => bind1(primitive, operandsOf([x, y], primitive.name, ["x", "y"]), {});
const floatPair = (primitive: AnyPrimitive): Binary => (x, y) => bind1(primitive, floatOperandsOf([x, y], primitive.name, ["x", "y"]), {});

/** `-x`. */
export const neg: Unary = any(u.neg);
/** `|x|`. */
export const abs: Unary = any(u.abs);
/** -1, 0 or 1 by the sign of x; NaN stays. */
export const sign: Unary = any(u.sign);
export const floor: Unary = float(u.floor);
export const ceil: Unary = float(u.ceil);
/** To the nearest integer, halves to even. */
export const round: Unary = float(u.round);
export const sqrt: Unary = float(u.sqrt);
/** `1 / sqrt(x)`. */
export const rsqrt: Unary = float(u.rsqrt);
export const cbrt: Unary = float(u.cbrt);
export const exp: Unary = float(u.exp);
export const exp2: Unary = float(u.exp2);
export const expm1: Unary = float(u.expm1);
export const log: Unary = float(u.log);
export const log1p: Unary = float(u.log1p);
export const sin: Unary = float(u.sin);
export const cos: Unary = float(u.cos);
export const tan: Unary = float(u.tan);
export const asin: Unary = float(u.asin);
export const acos: Unary = float(u.acos);
export const atan: Unary = float(u.atan);
export const sinh: Unary = float(u.sinh);
export const cosh: Unary = float(u.cosh);
export const tanh: Unary = float(u.tanh);
export const asinh: Unary = float(u.asinh);
export const acosh: Unary = float(u.acosh);
export const atanh: Unary = float(u.atanh);
/** `1 / (1 + exp(-x))`. */
export const logistic: Unary = float(u.logistic);
export const erf: Unary = float(u.erf);
export const erfc: Unary = float(u.erfc);
/** Inverse of `erf` on (-1, 1). */
export const erfInv: Unary = float(u.erfInv);
/** `log |Gamma(x)|`. */
export const lgamma: Unary = float(u.lgamma);
/** Derivative of `lgamma`. */
export const digamma: Unary = float(u.digamma);
export const isFinite: Unary = (x) => {
  const a = asArray(x, "isFinite");
  return isFloat(a.dtype) ? bind1(u.isFinite, [a], {}) : bind1(b.eq, [a, a], {});
};
/** Logical for bool, of the bits for integers. */
export const bitwiseNot: Unary = any(u.not);

export const add: Binary = pair(b.add);
export const sub: Binary = pair(b.sub);
export const mul: Binary = pair(b.mul);
/** Quotient; that of integers is truncated. */
export const div: Binary = pair(b.div);
/** Remainder with the sign of x. */
export const rem: Binary = pair(b.rem);
export const pow: Binary = pair(b.pow);
export const max: Binary = pair(b.max);
export const min: Binary = pair(b.min);
export const atan2: Binary = floatPair(b.atan2);
/** The float next to x towards y. */
export const nextafter: Binary = floatPair(b.nextafter);
export const bitwiseAnd: Binary = pair(b.and);
export const bitwiseOr: Binary = pair(b.or);
export const bitwiseXor: Binary = pair(b.xor);
export const shiftLeft: Binary = pair(b.shiftLeft);
export const shiftRightLogical: Binary = pair(b.shiftRight);
export const shiftRightArithmetic: Binary = pair(b.shiftRightArithmetic);
/** Derivative n of `digamma` at x. */
export const polygamma: Binary = floatPair(b.polygamma);
/** Regularized lower incomplete gamma function P(a, x). */
export const igamma: Binary = floatPair(b.igamma);
/** Regularized upper incomplete gamma function Q(a, x). */
export const igammac: Binary = floatPair(b.igammac);
export const eq: Binary = pair(b.eq);
export const ne: Binary = pair(b.ne);
export const lt: Binary = pair(b.lt);
export const le: Binary = pair(b.le);
export const gt: Binary = pair(b.gt);
export const ge: Binary = pair(b.ge);

/** `x * x`. */
export const square: Unary = (x) => {
  const a = asArray(x, "square");
  return bind1(b.mul, [a, a], {});
};
/** `1 / x`. */
export const reciprocal: Unary = (x) => div(1, floatOperandsOf([x], "reciprocal")[0]!);

/**
 * `x ** n` for a fixed integer n by repeated squaring; its derivatives are finite wherever mathematics says so.
 * @throws ArgumentError when n is no integer, or negative for an integer array.
 */
export function integerPow(x: ArrayLike, n: number): NDArray {
  const a = asArray(x, "integerPow");
  if (!Number.isInteger(n) || (n < 0 && !isFloat(a.dtype))) throw new ArgumentError({ fn: "integerPow", arg: "n", expected: isFloat(a.dtype) ? "an integer" : "an integer >= 0", got: String(n), fix: "use pow" });
  if (n === 0) return broadcastTo(scalar(1, a.dtype, a.weak), a.shape, []);
  let result: NDArray | undefined;
  for (let k = Math.abs(n), power = a; k > 0; k = Math.floor(k / 2)) {
    if (k % 2 === 1) result = result ? bind1(b.mul, [result, power], {}) : power;
    if (k > 1) power = bind1(b.mul, [power, power], {});
  }
  return n < 0 ? div(1, result!) : result!;
}

/**
 * Number of 1 bits, by adding neighbouring fields (Warren, "Hacker's Delight", 5-1).
 * @throws DTypeError for anything but int32 and uint32.
 */
export function populationCount(x: ArrayLike): NDArray {
  let v = asArray(x, "populationCount");
  v = sub(v, bitwiseAnd(shiftRightLogical(v, 1), 0x55555555));
  v = add(bitwiseAnd(v, 0x33333333), bitwiseAnd(shiftRightLogical(v, 2), 0x33333333));
  v = bitwiseAnd(add(v, shiftRightLogical(v, 4)), 0x0f0f0f0f);
  return shiftRightLogical(mul(v, 0x01010101), 24);
}

/** Number of leading zero bits of int32 or uint32 values: 32 for 0. */
export function clz(x: ArrayLike): NDArray {
  let v = asArray(x, "clz");
  for (const s of [1, 2, 4, 8, 16]) v = bitwiseOr(v, shiftRightLogical(v, s));
  return populationCount(bitwiseNot(v));
}
