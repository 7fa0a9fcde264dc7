import { ConcreteArray, scalar } from "../array/concrete.js";
import { type ArrayLike, NDArray } from "../array/ndarray.js";
import { type DType, isFloat, toFloat } from "../base/dtype.js";
import { DTypeError } from "../base/errors.js";
import type { Shape } from "../base/shape.js";
import type { NoParams, Primitive } from "../ir/primitive.js";
import { iota } from "../primitives/structural.js";
import { broadcastTo } from "../primitives/structural-ops.js";
import { convertTo, select } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { asOne } from "./as-one.js";
import { fused } from "./fused.js";
import { asArray, broadcastArrays, describe, operandsOf, promoteOperands, promoteToFloat } from "./convert.js";

/** One frozen object for all: its cache key is computed once. */
export const noParams: NoParams = Object.freeze({});
const ab = ["a", "b"] as const;

export type UnaryFunction = (x: ArrayLike) => NDArray;
export type BinaryFunction = (a: ArrayLike, b: ArrayLike) => NDArray;

/** What a function does with bool operands: counts them as integers, keeps them, refuses them, or applies another primitive. */
export type BoolRule = "int32" | "keep" | "refuse" | Primitive<NoParams>;

function sameShape(a: NDArray, b: NDArray): boolean {
  const s = a.aval.shape;
  const t = b.aval.shape;
  if (s === t) return true;
  if (s.length !== t.length) return false;
  for (let d = 0; d < s.length; d++) if (s[d] !== t[d]) return false;
  return true;
}

/** The commonest case, in which nothing has to be converted. */
function bindAlive(primitive: Primitive<NoParams>, a: NDArray, b: NDArray, fn: string): NDArray {
  a.requireAlive(fn, "a");
  b.requireAlive(fn, "b");
  return bind1(primitive, [a, b], noParams);
}

function withoutBool(x: NDArray, rule: BoolRule, fn: string, arg: string): NDArray {
  if (x.dtype !== "bool" || rule === "keep" || typeof rule === "object") return x;
  if (rule === "int32") return convertTo(x, "int32");
  throw new DTypeError({ fn, arg, expected: "numbers", got: describe(x), fix: 'convert with astype("int32"), or use the logical functions' });
}

/** The elementwise function of two operands that promotes and broadcasts, then applies a primitive. */
export function binaryFunction(primitive: Primitive<NoParams>, fn: string, bool: BoolRule = "int32"): BinaryFunction {
  const general = (a: ArrayLike, b: ArrayLike): NDArray => {
    const [x, y] = promoteOperands([a, b], fn, ab) as [NDArray, NDArray];
    return broadcastBind(x.dtype === "bool" && typeof bool === "object" ? bool : primitive, withoutBool(x, bool, fn, "a"), withoutBool(y, bool, fn, "b"), fn);
  };
  return (a, b) => {
    if (!(a instanceof NDArray && b instanceof NDArray)) return general(a, b);
    if (a.dtype !== b.dtype || (bool !== "keep" && a.dtype === "bool")) return asOne(fn, [a, b], [], (x, y) => general(x!, y!));
    return sameShape(a, b) ? bindAlive(primitive, a, b, fn) : general(a, b);
  };
}

/** Broadcasting and the operation are one loop. */
function broadcastBind(primitive: Primitive<NoParams>, x: NDArray, y: NDArray, fn: string): NDArray {
  if (sameShape(x, y)) return bind1(primitive, [x, y], noParams);
  return fused(fn, [x, y], (p, q) => bind1(primitive, broadcastArrays([p!, q!], fn), noParams));
}

/** As `binaryFunction`, computing in floats. */
export function floatBinaryFunction(primitive: Primitive<NoParams>, fn: string): BinaryFunction {
  const general = (a: ArrayLike, b: ArrayLike): NDArray => {
    const [x, y] = promoteToFloat([a, b], fn, ab) as [NDArray, NDArray];
    return broadcastBind(primitive, x, y, fn);
  };
  return (a, b) => {
    if (!(a instanceof NDArray && b instanceof NDArray)) return general(a, b);
    if (a.dtype !== b.dtype || !isFloat(a.dtype)) return asOne(fn, [a, b], [], (x, y) => general(x!, y!));
    return sameShape(a, b) ? bindAlive(primitive, a, b, fn) : general(a, b);
  };
}

/** An argument as an array of floats: integers and bool take the default float. */
export function floatArray(x: ArrayLike, fn: string, arg = "x"): NDArray {
  const array = asArray(x, fn, arg);
  return isFloat(array.dtype) ? array : convertTo(array, toFloat(array.dtype), array.weak);
}

/** The elementwise function of one operand that computes in floats. */
export const floatFunction = (primitive: Primitive<NoParams>, fn: string): UnaryFunction => (x) => {
  if (!(x instanceof NDArray && isFloat(x.dtype))) return asOne(fn, [x], [], (a) => bind1(primitive, [floatArray(a!, fn)], noParams));
  x.requireAlive(fn, "x");
  return bind1(primitive, [x], noParams);
};

/** A function of one operand that integers and bool pass unchanged (rounding). */
export const integerIdentity = (primitive: Primitive<NoParams>, fn: string): UnaryFunction => (x) => {
  const array = asArray(x, fn);
  return isFloat(array.dtype) ? bind1(primitive, [array], noParams) : array;
};

/** `condition ? a : b` with promotion and broadcasting. */
export function choose(condition: ArrayLike, a: ArrayLike, b: ArrayLike, fn = "where"): NDArray {
  const [x, y] = promoteOperands([a, b], fn, ab) as [NDArray, NDArray];
  const c = asBool(condition, fn, "condition");
  if (sameShape(c, x) && sameShape(x, y)) return bind1(select, [c, x, y], noParams);
  return fused(`${fn} select`, [c, x, y], (...parts) => bind1(select, broadcastArrays(parts, fn), noParams));
}

/** Truth of each element: different from zero. */
export function asBool(x: ArrayLike, fn: string, arg = "x"): NDArray {
  const array = asArray(x, fn, arg);
  return array.dtype === "bool" ? array : convertTo(array, "bool");
}

/** JavaScript has no integers: nested arrays of whole numbers count as int32. */
function wholeNumbers(a: ArrayLike, fn: string, arg: string): NDArray {
  const x = asArray(a, fn, arg);
  const data = x instanceof ConcreteArray ? x.hostData : undefined;
  return data && isFloat(x.dtype) && data.every(Number.isInteger) ? convertTo(x, "int32") : x;
}

/** Integer operands (bool counts as int32). */
export function integerOperands(args: readonly ArrayLike[], fn: string, bool: BoolRule = "int32"): NDArray[] {
  const numbers = args.every((a) => typeof a === "number");
  return operandsOf(args.map((a, i) => (numbers || Array.isArray(a) ? wholeNumbers(a, fn, ab[i] ?? "x") : a)), fn, ab).map((x, i) => {
    if (isFloat(x.dtype)) throw new DTypeError({ fn, arg: ab[i] ?? "x", expected: "integers", got: describe(x), fix: 'convert with astype("int32")' });
    return withoutBool(x, bool, fn, ab[i] ?? "x");
  });
}

/** The elementwise function of one operand that takes every number, bool by its rule. */
export const numberFunction = (primitive: Primitive<NoParams>, fn: string, bool: BoolRule = "int32"): UnaryFunction => (x) => {
  const array = asArray(x, fn);
  return array.dtype === "bool" && bool === "keep" ? array : bind1(primitive, [withoutBool(array, bool, fn, "x")], noParams);
};

/** A scalar of x's dtype that adapts to it, on its device, spread over its shape: for constants inside composites. */
export const constantLike = (x: NDArray, value: number): NDArray => broadcastTo(scalar(value, x.dtype, true, x instanceof ConcreteArray ? x.backend : undefined), x.shape, []);

/** Positions 0, 1, ... along one axis of a shape, int32 unless told. */
export const positions = (shape: Shape, axis: number, dtype: DType = "int32"): NDArray => bind1(iota, [], { shape, dtype, axis });
