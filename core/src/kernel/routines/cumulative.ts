import type { TypedArray } from "../../base/dtype.js";
import { defineRoutine } from "../routine.js";

export type CumulativeOp = "add" | "mul" | "max" | "min";
/** The array as `[outer, length, inner]`. */
export interface CumulativeRoutineParams { readonly op: CumulativeOp; readonly outer: number; readonly length: number; readonly inner: number; readonly reverse: boolean }

const combine: Record<CumulativeOp, (a: number, b: number) => number> = { add: (a, b) => a + b, mul: (a, b) => a * b, max: Math.max, min: Math.min };

export const cumulativeRoutine = defineRoutine<CumulativeRoutineParams>({
  name: "cumulative",
  reference([x], [y], { op, outer, length, inner, reverse }) {
    const from: TypedArray = x!.data;
    const to: TypedArray = y!.data;
    const f = op === "mul" && x!.dtype !== "float64" && x!.dtype !== "float32" ? Math.imul : combine[op];
    const stride = reverse ? -inner : inner;
    for (let o = 0; o < outer; o++) {
      const start = (o * length + (reverse ? length - 1 : 0)) * inner;
      if (length > 0) to.set(from.subarray(start, start + inner), start);
      // Storing rounds to the dtype; the running value is read back so that float32 sums are those of float32 arithmetic.
      for (let k = 1, row = start + stride; k < length; k++, row += stride) {
        const end = row + inner;
        if (op === "add") for (let p = row; p < end; p++) to[p] = to[p - stride]! + from[p]!;
        else for (let p = row; p < end; p++) to[p] = f(to[p - stride]!, from[p]!);
      }
    }
  },
});
