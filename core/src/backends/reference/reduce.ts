import type { DType } from "../../base/dtype.js";
import { identity } from "../../kernel/identity.js";
import type { ReduceOp } from "../../kernel/schedule.js";
import { binary } from "./semantics.js";

/** Folds a sequence of values; `result` may be asked once. */
export interface Fold {
  add(value: number): void;
  result(): number;
}

/** Float sums carry a compensation (Neumaier 1974), so that the reference is the accurate one. Fields, since engines box numbers that closures change. */
class CompensatedSum implements Fold {
  private sum = 0;
  private lost = 0;
  constructor(private readonly dtype: DType) {}
  add(v: number): void {
    const { sum } = this;
    const t = sum + v;
    this.lost += Math.abs(sum) >= Math.abs(v) ? sum - t + v : v - t + sum;
    this.sum = t;
  }
  result(): number {
    const v = Number.isFinite(this.sum) ? this.sum + this.lost : this.sum;
    return this.dtype === "float32" ? Math.fround(v) : v;
  }
}

export function fold(op: ReduceOp, dtype: DType): Fold {
  if (op === "add" && (dtype === "float32" || dtype === "float64")) return new CompensatedSum(dtype);
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
