import type { DType } from "../../../../base/dtype.js";
import { isFloat } from "../../../../base/dtype.js";
import type { ReduceOp } from "../../../../kernel/schedule.js";

/** What a reduction begins with: taking in a value gives that value. */
export function identity(op: ReduceOp, dtype: DType): number {
  const highest = dtype === "int32" ? 2147483647 : dtype === "uint32" ? 4294967295 : dtype === "bool" ? 1 : Infinity;
  const lowest = dtype === "int32" ? -2147483648 : isFloat(dtype) ? -Infinity : 0;
  switch (op) {
    case "add": case "or": case "xor": return 0;
    case "mul": return 1;
    case "and": return dtype === "bool" ? 1 : -1;
    case "max": case "argmax": return lowest;
    case "min": case "argmin": return highest;
  }
}
