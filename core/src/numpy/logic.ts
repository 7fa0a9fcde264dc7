import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { isFloat } from "../base/dtype.js";
import { shapesEqual } from "../base/shape.js";
import * as p from "../primitives/binary.js";
import * as u from "../primitives/unary.js";
import { bind1 } from "../trace/trace.js";
import { asOne } from "./as-one.js";
import { asArray, broadcastArrays, promoteToFloat } from "./convert.js";
import { fused } from "./fused.js";
import { asBool, type BinaryFunction, binaryFunction, noParams, type UnaryFunction } from "./elementwise.js";
import { abs, add, multiply, subtract } from "./math.js";
import { isfinite, isnan } from "./floats.js";
import { requireOptions } from "./options.js";
import { all } from "./reductions.js";

/** `a == b`, elementwise, as bool; false beside NaN. */
export const equal: BinaryFunction = binaryFunction(p.eq, "equal", "keep");
/** `a != b`, elementwise, as bool; true beside NaN. */
export const notEqual: BinaryFunction = binaryFunction(p.ne, "notEqual", "keep");
/** `a < b`, elementwise, as bool. @example np.less([1, 3], 2) // [true, false] */
export const less: BinaryFunction = binaryFunction(p.lt, "less", "keep");
/** `a <= b`, elementwise, as bool. */
export const lessEqual: BinaryFunction = binaryFunction(p.le, "lessEqual", "keep");
/** `a > b`, elementwise, as bool. */
export const greater: BinaryFunction = binaryFunction(p.gt, "greater", "keep");
/** `a >= b`, elementwise, as bool. */
export const greaterEqual: BinaryFunction = binaryFunction(p.ge, "greaterEqual", "keep");

const logical = (fn: string, primitive: typeof p.and): BinaryFunction => (a, b) =>
  asOne(fn, [a, b], [], (x, y) => bind1(primitive, broadcastArrays([asBool(x!, fn, "a"), asBool(y!, fn, "b")], fn), noParams));
/** Truth of both (not 0), elementwise. */
export const logicalAnd: BinaryFunction = logical("logicalAnd", p.and);
/** Truth of either (not 0), elementwise. */
export const logicalOr: BinaryFunction = logical("logicalOr", p.or);
/** Truth of exactly one (not 0), elementwise. */
export const logicalXor: BinaryFunction = logical("logicalXor", p.xor);
/** True where x is 0. */
export const logicalNot: UnaryFunction = (x) => asOne("logicalNot", [x], [], (a) => bind1(u.not, [asBool(a!, "logicalNot")], noParams));

export interface CloseOptions {
  /** Relative tolerance, times |b|; default 1e-5. */
  readonly rtol?: number;
  /** Absolute tolerance; default 1e-8. */
  readonly atol?: number;
  /** Count NaN as equal to NaN. */
  readonly equalNan?: boolean;
}

/**
 * `|a - b| <= atol + rtol |b|`, elementwise; infinities are close only to themselves.
 * @example np.isclose([1, 2], [1, 2.1]) // [true, false]
 */
export function isclose(a: ArrayLike, b: ArrayLike, options?: CloseOptions): NDArray {
  return asOne("isclose", [a, b], [options], (a, b) => iscloseOf(a!, b!, options));
}
function iscloseOf(a: ArrayLike, b: ArrayLike, options?: CloseOptions): NDArray {
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = requireOptions(options, "isclose", ["rtol", "atol", "equalNan"]);
  return fused(`isclose ${rtol} ${atol} ${equalNan}`, promoteToFloat([a, b], "isclose", ["a", "b"]), (...xs) => {
    const [x, y] = broadcastArrays(xs, "isclose") as [NDArray, NDArray];
    const near = lessEqual(abs(subtract(x, y)), add(atol, multiply(rtol, abs(y))));
    const close = logicalOr(logicalAnd(near, isfinite(y)), equal(x, y));
    return equalNan ? logicalOr(close, logicalAnd(isnan(x), isnan(y))) : close;
  });
}

/** True if all elements are close: see `isclose`. */
export const allclose = (a: ArrayLike, b: ArrayLike, options?: CloseOptions): NDArray => all(isclose(a, b, options));

const no = (): NDArray => scalar(false, "bool", false);
const sameElements = (x: NDArray, y: NDArray, equalNan: boolean): NDArray => {
  const same = equal(x, y);
  return all(equalNan && isFloat(x.dtype) && isFloat(y.dtype) ? logicalOr(same, logicalAnd(isnan(x), isnan(y))) : same);
};

/** True if shapes and elements are equal. @example np.arrayEqual([1, 2], [1, 2]) // true */
export function arrayEqual(a: ArrayLike, b: ArrayLike, options?: { readonly equalNan?: boolean }): NDArray {
  return asOne("arrayEqual", [a, b], [options], (a, b) => arrayEqualOf(a!, b!, options));
}
function arrayEqualOf(a: ArrayLike, b: ArrayLike, options?: { readonly equalNan?: boolean }): NDArray {
  const { equalNan = false } = requireOptions(options, "arrayEqual", ["equalNan"]);
  const [x, y] = [asArray(a, "arrayEqual", "a"), asArray(b, "arrayEqual", "b")];
  return shapesEqual(x.shape, y.shape) ? sameElements(x, y, equalNan) : no();
}

/** True if the arrays broadcast and their elements are equal then. */
export function arrayEquiv(a: ArrayLike, b: ArrayLike): NDArray {
  const [x, y] = [asArray(a, "arrayEquiv", "a"), asArray(b, "arrayEquiv", "b")];
  const n = Math.min(x.ndim, y.ndim);
  const fits = Array.from({ length: n }, (_, k) => [x.shape[x.ndim - 1 - k]!, y.shape[y.ndim - 1 - k]!] as const).every(([s, t]) => s === t || s === 1 || t === 1);
  return fits ? sameElements(x, y, false) : no();
}
