import type { DType } from "../../base/dtype.js";
import { isFloat } from "../../base/dtype.js";
import { type ArithmeticFn, type BinaryFn, type CompareFn, isCompare, type UnaryFn } from "../../kernel/expr.js";
import { arithmeticFunctions, nextafterFloat32, unaryFunctions } from "../../kernel/functions/index.js";

/** Brings a double into the value set of a dtype: what storing and loading it would do. */
export function round(dtype: DType, v: number): number {
  switch (dtype) {
    case "float64": return v;
    case "float32": return Math.fround(v);
    case "int32": return v | 0;
    case "uint32": return v >>> 0;
    case "bool": return v ? 1 : 0;
  }
}

/** Conversion as JAX: towards zero and saturating for integers, NaN to 0, bool is `!= 0`. */
export function convert(from: DType, to: DType, v: number): number {
  if (to === "bool") return v !== 0 ? 1 : 0;
  if (!isFloat(to) && isFloat(from)) {
    const [lo, hi] = to === "int32" ? [-2147483648, 2147483647] : [0, 4294967295];
    // Integers have no -0, which truncating -0.5 would give: rounding again makes it 0.
    return Number.isNaN(v) ? 0 : round(to, Math.min(hi, Math.max(lo, Math.trunc(v))));
  }
  return round(to, v);
}

const bits = new DataView(new ArrayBuffer(8));
/** The same 32 bits as an element of another dtype. */
export function bitcast(from: DType, to: DType, v: number): number {
  if (from === "float32") bits.setFloat32(0, v);
  else if (from === "int32") bits.setInt32(0, v);
  else bits.setUint32(0, v);
  return to === "float32" ? bits.getFloat32(0) : to === "int32" ? bits.getInt32(0) : bits.getUint32(0);
}

const integerUnary: Partial<Record<UnaryFn, (v: number) => number>> = {
  neg: (v) => -v, abs: Math.abs, sign: Math.sign, not: (v) => ~v, floor: (v) => v, ceil: (v) => v, round: (v) => v, trunc: (v) => v,
};

/** A function of one operand of this dtype. */
export function unary(fn: UnaryFn, dtype: DType): (v: number) => number {
  if (dtype === "bool" && fn === "not") return (v) => (v ? 0 : 1);
  const exact = !isFloat(dtype) ? integerUnary[fn] : undefined;
  const f = exact ?? unaryFunctions[fn];
  return dtype === "float64" ? f : (v) => round(fn === "isFinite" ? "bool" : dtype, f(v));
}

const compare: Record<CompareFn, (a: number, b: number) => boolean> = {
  eq: (a, b) => a === b, ne: (a, b) => a !== b, lt: (a, b) => a < b, le: (a, b) => a <= b, gt: (a, b) => a > b, ge: (a, b) => a >= b,
};

const integerArithmetic: Partial<Record<ArithmeticFn, (a: number, b: number, dtype: DType) => number>> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => Math.imul(a, b),
  // Division by zero has no integer answer; WASM would trap, so 0 (rem: the dividend) is the rule everywhere.
  div: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)), rem: (a, b) => (b === 0 ? a : a % b),
  max: (a, b) => Math.max(a, b), min: (a, b) => Math.min(a, b),
  and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b,
  shiftLeft: (a, b) => (b >>> 0 >= 32 ? 0 : a << b),
  shiftRight: (a, b) => (b >>> 0 >= 32 ? 0 : a >>> b),
  shiftRightArithmetic: (a, b, dtype) => (dtype === "uint32" ? (b >>> 0 >= 32 ? 0 : a >>> b) : a >> (b >>> 0 >= 32 ? 31 : b)),
  pow: (a, b) => integerPower(a, b),
};

function integerPower(a: number, b: number): number {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 ? -1 : 1) : 0;
  let result = 1;
  for (let base = a, n = b; n > 0; n = Math.floor(n / 2), base = Math.imul(base, base)) if (n % 2) result = Math.imul(result, base);
  return result;
}

/** A function of two operands of this dtype; comparisons give 0 or 1. */
export function binary(fn: BinaryFn, dtype: DType): (a: number, b: number) => number {
  if (isCompare(fn)) {
    const c = compare[fn];
    return (a, b) => (c(a, b) ? 1 : 0);
  }
  if (!isFloat(dtype)) {
    const f = integerArithmetic[fn] ?? arithmeticFunctions[fn];
    return (a, b) => round(dtype, f(a, b, dtype));
  }
  const f = arithmeticFunctions[fn];
  if (dtype === "float32" && fn === "nextafter") return nextafterFloat32;
  return dtype === "float64" ? f : (a, b) => Math.fround(f(a, b));
}
