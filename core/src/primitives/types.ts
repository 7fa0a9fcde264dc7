import type { NDArray } from "../array/ndarray.js";
import { type DType, isFloat, itemsize, kindOf } from "../base/dtype.js";
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
  simplify(known, [x], params) {
    if (x!.aval.dtype === params.dtype) return x;
    // Through a dtype that holds all of the first one's values, unless its saturation is asked for: uint32 to int32 wraps, by way of a float not.
    const inner = known.definition(x!);
    if (inner?.primitive !== convert) return undefined;
    const from = inner.inputs[0]!.aval.dtype;
    const sameWay = from === params.dtype || from === "bool" || isFloat(from) || isFloat(params.dtype) || params.dtype === "bool";
    if (!holdsAll(from, x!.aval.dtype) || !sameWay) return undefined;
    const { weak } = inner.inputs[0]!.aval;
    return from === params.dtype && weak === params.weak ? inner.inputs[0] : known.emit(convert, [inner.inputs[0]!], params);
  },
  abstractEval: ([x], { dtype, weak }) => ({ shape: x!.shape, dtype, weak }),
  batch: (_n, [x], [d], params) => ({ outputs: [bind1(convert, [x!], params)], dims: [d!] }),
  lower: (_ctx, [x], { dtype }) => [{ shape: x!.shape, dtype, expr: cast(dtype, x!.expr) }],
});

/** Whether every value of one dtype is one of another. */
const holdsAll = (from: DType, to: DType): boolean => from === "bool" || (to === "float64" && from !== "float64");

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
  simplify(known, [c, a, b]) {
    const choice = known.uniform(c!);
    return choice !== undefined ? (choice ? a : b) : a === b ? a : undefined;
  },
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

/** The identity, at the end of a derivative along unit vectors: zeros that were structural are ordinary from here on. */
export const ordinaryZeros: Primitive<NoParams> = definePrimitive({
  name: "ordinaryZeros",
  elementwise: true,
  linear: true,
  abstractEval: ([x]) => x!,
  batch: (_n, [x], [d]) => ({ outputs: [bind1(ordinaryZeros, [x!], {})], dims: [d!] }),
  lower: (ctx, [x]) => [ctx.ordinary(x!)],
});

export const typePrimitives = { convert, bitcast, select, stopGradient, ordinaryZeros };

export const convertTo = (x: NDArray, dtype: DType, weak = false): NDArray => (x.dtype === dtype && x.weak === weak ? x : bind1(convert, [x], { dtype, weak }));
export const isUnsigned = (d: DType): boolean => kindOf(d) === "uint";
