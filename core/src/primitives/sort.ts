import type { NDArray } from "../array/ndarray.js";
import { ShapeError } from "../base/errors.js";
import { formatShape, shapesEqual, sizeOf } from "../base/shape.js";
import { sortRoutine } from "../kernel/routines/sort.js";
import type { Primitive } from "../ir/primitive.js";
import { definePrimitive } from "../trace/define.js";
import { bind } from "../trace/trace.js";
import { alignBatch } from "./batch-axes.js";

/** Sorts several arrays together along an axis, by the first `keys` of them, lexicographically and stably; NaN last, -0 equal to 0. */
export interface SortParams { readonly axis: number; readonly keys: number }

export const sort: Primitive<SortParams> = definePrimitive({
  name: "sort",
  abstractEval(inputs) {
    for (const t of inputs) if (!shapesEqual(t.shape, inputs[0]!.shape)) throw new ShapeError({ fn: "sort", expected: formatShape(inputs[0]!.shape), got: formatShape(t.shape), fix: "sort arrays of one shape together" });
    return [...inputs];
  },
  batch(n, values, dims, { axis, keys }) {
    return { outputs: bind(sort, alignBatch(n, values, dims) as NDArray[], { axis: axis + 1, keys }), dims: values.map(() => 0) };
  },
  lower: (ctx, inputs, { axis, keys }) => {
    const { shape } = inputs[0]!;
    return ctx.routine(sortRoutine.name, inputs, inputs, { outer: sizeOf(shape.slice(0, axis)), length: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)), keys });
  },
});
export const sortPrimitives = { sort };
