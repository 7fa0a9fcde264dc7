import { type DType, isFloat } from "../base/dtype.js";
import type { ReduceOp } from "./schedule.js";

/** The least and the greatest value of a dtype: the identities of max and min. */
export const lowest = (dtype: DType): number => (dtype === "int32" ? -2147483648 : isFloat(dtype) ? -Infinity : 0);
export const highest = (dtype: DType): number => (dtype === "int32" ? 2147483647 : dtype === "uint32" ? 4294967295 : dtype === "bool" ? 1 : Infinity);

/** What a reduction begins with: taking in a value gives that value. A search begins with what any value beats. */
export function identity(op: ReduceOp, dtype: DType): number {
  switch (op) {
    case "add": case "or": case "xor": return 0;
    case "mul": return 1;
    case "and": return dtype === "bool" ? 1 : dtype === "int32" ? -1 : 4294967295;
    case "max": case "argmax": return lowest(dtype);
    case "min": case "argmin": return highest(dtype);
  }
}
