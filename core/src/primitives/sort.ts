import type { NDArray } from "../array/ndarray.js";
import { ShapeError } from "../base/errors.js";
import { formatShape, shapesEqual, sizeOf } from "../base/shape.js";
import { defineRoutine } from "../kernel/routine.js";
import type { Primitive } from "../ir/primitive.js";
import { definePrimitive } from "../trace/define.js";
import { bind } from "../trace/trace.js";
import { alignBatch } from "./batch-axes.js";

/** Sorts several arrays together along an axis, by the first `keys` of them, lexicographically and stably; NaN last, -0 equal to 0. */
export interface SortParams { readonly axis: number; readonly keys: number }
export interface SortRoutineParams { readonly outer: number; readonly length: number; readonly inner: number; readonly keys: number }

const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : -1);

export const sortRoutine = defineRoutine<SortRoutineParams>({
  name: "sort",
  reference(inputs, outputs, { outer, length, inner, keys }) {
    const order = new Array<number>(length);
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        const start = o * length * inner + i;
        for (let k = 0; k < length; k++) order[k] = k;
        order.sort((a, b) => {
          for (let q = 0; q < keys; q++) {
            const c = compare(inputs[q]!.data[start + a * inner]!, inputs[q]!.data[start + b * inner]!);
            if (c !== 0) return c;
          }
          return a - b;
        });
        inputs.forEach((x, q) => {
          for (let k = 0; k < length; k++) outputs[q]!.data[start + k * inner] = x.data[start + order[k]! * inner]!;
        });
      }
  },
});

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
    return ctx.routine("sort", inputs, inputs, { outer: sizeOf(shape.slice(0, axis)), length: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)), keys });
  },
});
export const sortPrimitives = { sort };
