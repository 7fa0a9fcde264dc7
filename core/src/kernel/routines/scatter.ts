import { isFloat, type TypedArray } from "../../base/dtype.js";
import { defineRoutine } from "../routine.js";

/** Out-of-range indices: moved to the edge, or reading as NaN (floats) or 0 and never written. */
export type IndexMode = "clip" | "fill";
export type ScatterOp = "set" | "add" | "mul" | "min" | "max";
/** Sizes of the flattened groups: batch, indexed axis, indices, rest. */
export interface ScatterRoutineParams { readonly batch: number; readonly count: number; readonly indices: number; readonly rest: number; readonly op: ScatterOp; readonly mode: IndexMode }

export const scatterRoutine = defineRoutine<ScatterRoutineParams>({
  name: "scatter",
  reference([x, at, updates], [y], { batch, count, indices, rest, op, mode }) {
    const out: TypedArray = y!.data;
    // In place where the result has the memory of `x`.
    if (out.buffer !== x!.data.buffer || out.byteOffset !== x!.data.byteOffset) out.set(x!.data);
    const put = op === "mul" && !isFloat(x!.dtype) ? Math.imul : writers[op];
    for (let b = 0; b < batch; b++)
      for (let j = 0; j < indices; j++) {
        let i = at!.data[b * indices + j]!;
        if (i < 0 || i >= count) {
          if (mode === "fill" || count === 0) continue;
          i = i < 0 ? 0 : count - 1;
        }
        const to = (b * count + i) * rest;
        const from = (b * indices + j) * rest;
        for (let r = 0; r < rest; r++) out[to + r] = put(out[to + r]!, updates!.data[from + r]!);
      }
  },
});
const writers: Record<ScatterOp, (old: number, update: number) => number> = { set: (_, u) => u, add: (o, u) => o + u, mul: (o, u) => o * u, min: Math.min, max: Math.max };
