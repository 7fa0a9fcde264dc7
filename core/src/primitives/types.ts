import type { NDArray } from "../array/ndarray.js";
import { type DType, itemsize, kindOf } from "../base/dtype.js";
import { DTypeError, ShapeError } from "../base/errors.js";
import { formatShape, shapesEqual } from "../base/shape.js";
import type { NoParams, Primitive } from "../ir/primitive.js";
import { bitcast as bitcastExpr, cast, select as selectExpr } from "../kernel/expr.js";
import { definePrimitive } from "../trace/define.js";
import { bind1 } from "../trace/trace.js";
import { elementwiseBatch, elementwiseLower, requireSame } from "./elementwise.js";

/** Changes the dtype, with JAX's rules: floats truncate and saturate into integers. */
export const convert: Primitive<{ dtype: DType; weak: boolean }> = definePrimitive({
  name: "convert",
  elementwise: true,
  linear: true,
  abstractEval: ([x], { dtype, weak }) => ({ shape: x!.shape, dtype, weak }),
  batch: (_n, [x], [d], params) => ({ outputs: [bind1(convert, [x!], params)], dims: [d!] }),
  lower: (_ctx, [x], { dtype }) => [{ shape: x!.shape, dtype, expr: cast(dtype, x!.expr) }],
});

/** The same bits under another dtype of the same width. */
export const bitcast: Primitive<{ dtype: DType }> = definePrimitive({
  name: "bitcast",
  elementwise: true,
  abstractEval([x], { dtype }) {
    if (itemsize(dtype) !== 4 || itemsize(x!.dtype) !== 4) throw new DTypeError({ fn: "bitcast", arg: "dtype", expected: "two dtypes of 32 bits", got: `${x!.dtype} to ${dtype}`, fix: "use int32, uint32 or float32" });
    return { shape: x!.shape, dtype, weak: false };
  },
  batch: (_n, [x], [d], params) => ({ outputs: [bind1(bitcast, [x!], params)], dims: [d!] }),
  lower: (_ctx, [x], { dtype }) => [{ shape: x!.shape, dtype, expr: bitcastExpr(dtype, x!.expr) }],
});

/** `condition ? a : b`, elementwise; all of one shape. */
export const select: Primitive<NoParams> = definePrimitive({
  name: "select",
  elementwise: true,
  abstractEval([c, a, b]) {
    if (c!.dtype !== "bool") throw new DTypeError({ fn: "where", arg: "condition", expected: "bool", got: c!.dtype, fix: "compare first, as in np.notEqual(x, 0)" });
    const out = requireSame("where", [a!, b!]);
    if (!shapesEqual(c!.shape, out.shape)) throw new ShapeError({ fn: "where", arg: "condition", expected: formatShape(out.shape), got: formatShape(c!.shape), fix: "broadcast first: np.where does" });
    return out;
  },
  batch: elementwiseBatch(() => select),
  lower: elementwiseLower((c, a, b) => selectExpr(c!, a!, b!)),
});

/** The identity, to whose argument no derivative flows. */
export const stopGradient: Primitive<NoParams> = definePrimitive({
  name: "stopGradient",
  elementwise: true,
  abstractEval: ([x]) => x!,
  batch: (_n, [x], [d]) => ({ outputs: [bind1(stopGradient, [x!], {})], dims: [d!] }),
  lower: (_ctx, [x]) => [x!],
});

export const typePrimitives = { convert, bitcast, select, stopGradient };

export const convertTo = (x: NDArray, dtype: DType, weak = false): NDArray => (x.dtype === dtype && x.weak === weak ? x : bind1(convert, [x], { dtype, weak }));
export const isUnsigned = (d: DType): boolean => kindOf(d) === "uint";
