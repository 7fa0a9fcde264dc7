import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { type DType, requireDType } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import { broadcastShapes, canonicalAxis, requireShape, type Shape } from "../base/shape.js";
import { asArray, broadcastToShape, operandsOf } from "../numpy/convert.js";
import { gt, lt, ne } from "../primitives/binary.js";
import * as structural from "../primitives/structural.js";
import { broadcastTo } from "../primitives/structural-ops.js";
import * as types from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";

/** Another dtype: floats truncate and saturate into integers, NaN becomes 0. */
export const convertElementType = (x: ArrayLike, dtype: DType): NDArray => types.convertTo(asArray(x, "convertElementType"), requireDType(dtype, "convertElementType"));

/**
 * The same bits under another dtype of 32 bits.
 * @throws DTypeError for dtypes of other widths.
 * @example lax.bitcastConvertType(np.array(1, { dtype: "float32" }), "uint32") // 1065353216
 */
export function bitcastConvertType(x: ArrayLike, dtype: DType): NDArray {
  const a = asArray(x, "bitcastConvertType");
  return a.dtype === dtype ? a : bind1(types.bitcast, [a], { dtype: requireDType(dtype, "bitcastConvertType") });
}

/** 0, 1, ..., n - 1. */
export const iota = (dtype: DType, size: number): NDArray => broadcastedIota(dtype, [size], 0);

/** An array of `shape` that counts 0, 1, ... along `axis`. */
export function broadcastedIota(dtype: DType, shape: Shape, axis: number): NDArray {
  const sizes = requireShape(shape, "broadcastedIota");
  return bind1(structural.iota, [], { shape: sizes, dtype: requireDType(dtype, "broadcastedIota"), axis: canonicalAxis(axis, sizes.length, "broadcastedIota") });
}

/** An array of one value. */
export function full(shape: Shape, value: ArrayLike, dtype?: DType): NDArray {
  const a = asArray(value, "full", "value");
  return broadcastToShape(types.convertTo(a, dtype ?? a.dtype), requireShape(shape, "full"), "full");
}
/** An array like `x` of one value. */
export const fullLike = (x: NDArray, value: number | boolean, o: { dtype?: DType; shape?: Shape } = {}): NDArray => broadcastTo(scalar(value, o.dtype ?? x.dtype, false), o.shape ?? x.shape, []);

/** `condition ? a : b`, elementwise, with promotion and broadcasting. */
export function select(condition: ArrayLike, a: ArrayLike, b: ArrayLike): NDArray {
  const [x, y] = operandsOf([a, b], "select", ["a", "b"]);
  const c = asArray(condition, "select", "condition");
  const [mask, p, q] = spread(types.convertTo(c, "bool"), x!, y!);
  return bind1(types.select, [mask!, p!, q!], {});
}
function spread(c: NDArray, x: NDArray, y: NDArray): NDArray[] {
  if (c.ndim === x.ndim && c.shape.every((n, d) => n === x.shape[d])) return [c, x, y];
  const shape = broadcastShapes([c.shape, x.shape], "select");
  return [c, x, y].map((v) => broadcastToShape(v, shape, "select"));
}

/** `cases[which]`, elementwise: `which` is bool for two cases or int32 for any number. */
export function selectN(which: ArrayLike, ...cases: readonly ArrayLike[]): NDArray {
  if (cases.length === 0) throw new ArgumentError({ fn: "selectN", arg: "cases", expected: "at least one case", got: "none", fix: "pass the values to choose from" });
  const w = asArray(which, "selectN", "which");
  if (w.dtype === "bool") {
    if (cases.length > 2) throw new ArgumentError({ fn: "selectN", arg: "cases", expected: "two cases for a bool selector", got: String(cases.length), fix: "use an int32 selector" });
    return select(w, cases[1] ?? cases[0]!, cases[0]!);
  }
  const index = types.convertTo(w, "int32");
  return cases.slice(1).reduce<NDArray>((out, c, i) => {
    const here = asArray(i, "selectN");
    return select(bind1(gt, [index, broadcastTo(types.convertTo(here, "int32"), index.shape, [])], {}), c, out);
  }, operandsOf([cases[0]!, ...cases.slice(1)], "selectN")[0]!);
}

/** `min(max(x, lo), hi)`; the derivative at the bounds is 0. */
export function clamp(lo: ArrayLike, x: ArrayLike, hi: ArrayLike): NDArray {
  const [l, v, h] = operandsOf([lo, x, hi], "clamp", ["lo", "x", "hi"]);
  const inside = bind1(types.select, [bind1(gt, [v!, l!], {}), v!, l!], {});
  const isNaN = bind1(ne, [v!, v!], {});
  const clamped = bind1(types.select, [bind1(lt, [inside, h!], {}), inside, h!], {});
  return bind1(types.select, [isNaN, v!, clamped], {});
}

/** The identity, to whose argument no derivative flows. */
export const stopGradient = (x: ArrayLike): NDArray => bind1(types.stopGradient, [asArray(x, "stopGradient")], {});
