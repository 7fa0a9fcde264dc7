import type { DType } from "../../base/dtype.js";
import { identity } from "../../kernel/identity.js";
import type { ReduceOp } from "../../kernel/schedule.js";
import { binary } from "./semantics.js";

/** Folds a sequence of values; `result` may be asked once. */
export interface Fold {
  add(value: number): void;
  result(): number;
}

/** Float sums carry a compensation (Neumaier 1974), so that the reference is the accurate one. */
function compensatedSum(dtype: DType): Fold {
  let sum = 0;
  let c = 0;
  return {
    add(v) {
      const t = sum + v;
      c += Math.abs(sum) >= Math.abs(v) ? sum - t + v : v - t + sum;
      sum = t;
    },
    result: () => {
      const v = Number.isFinite(sum) ? sum + c : sum;
      return dtype === "float32" ? Math.fround(v) : v;
    },
  };
}

export function fold(op: ReduceOp, dtype: DType): Fold {
  if (op === "add" && (dtype === "float32" || dtype === "float64")) return compensatedSum(dtype);
  if (op === "argmax" || op === "argmin") {
    let best = NaN;
    let at = 0;
    let i = 0;
    return {
      add(v) {
        if (i === 0 || (!Number.isNaN(best) && (Number.isNaN(v) || (op === "argmax" ? v > best : v < best)))) {
          best = v;
          at = i;
        }
        i++;
      },
      result: () => at,
    };
  }
  const f = binary(op, dtype);
  let acc = identity(op, dtype);
  return { add: (v) => (acc = f(acc, v)), result: () => acc };
}
