import { sizeOf } from "../base/shape.js";
import type { PrimitiveFacts, Primitive } from "../ir/primitive.js";
import { type CumulativeOp, cumulativeRoutine } from "../kernel/routines/cumulative.js";
import { definePrimitive } from "../trace/define.js";
import { bind1 } from "../trace/trace.js";
import { requireDTypes } from "./elementwise.js";

export interface CumulativeParams { readonly axis: number; readonly reverse: boolean }

function cumulative(name: string, op: CumulativeOp, facts: PrimitiveFacts = {}) {
  const primitive: Primitive<CumulativeParams> = definePrimitive({
    name,
    ...facts,
    abstractEval([x]) {
      requireDTypes(name, [x!], "number");
      return x!;
    },
    batch: (_n, [x], [d], { axis, reverse }) => ({ outputs: [bind1(primitive, [x!], { axis: axis >= d! ? axis + 1 : axis, reverse })], dims: [d!] }),
    lower: (ctx, [x], { axis, reverse }) =>
      ctx.routine(cumulativeRoutine.name, [x!], [x!], { op, outer: sizeOf(x!.shape.slice(0, axis)), length: x!.shape[axis]!, inner: sizeOf(x!.shape.slice(axis + 1)), reverse }),
  });
  return primitive;
}

export const cumsum = cumulative("cumsum", "add", { linear: true });
export const cumprod = cumulative("cumprod", "mul");
export const cummax = cumulative("cummax", "max");
export const cummin = cumulative("cummin", "min");
export const cumulativePrimitives = { cumsum, cumprod, cummax, cummin };
