import type { DType } from "../../../../base/dtype.js";
import { itemsize } from "../../../../base/dtype.js";
import type { FunctionBuilder } from "../../assembler/index.js";
import { scalarLoad } from "./scalar.js";
import { replaceLane, vectorLoad } from "./vector.js";
import type { Lanes } from "./vector.js";

/**
 * Pushes a vector of elements that lie `stride` apart.
 * @param pushAddress pushes the address of the first, moved by some bytes, and gives the constant offset for the load.
 */
export function loadLanes(f: FunctionBuilder, dtype: DType, lanes: Lanes, stride: number, pushAddress: (bytes: number) => number): void {
  if (stride === 1) {
    vectorLoad(f, dtype, lanes, pushAddress(0));
    return;
  }
  const size = itemsize(dtype);
  if ((stride === 2 || stride === -1) && size > 1 && size * lanes === 16) {
    // Whole vectors whose elements are all between the first and the last that are wanted.
    f.memory("v128.load", pushAddress(stride === 2 ? 0 : (1 - lanes) * size));
    if (stride === 2) f.memory("v128.load", pushAddress((lanes - 1) * size));
    else f.i32x4(0);
    if (lanes === 4 && stride === 2) f.shuffle32(0, 2, 5, 7);
    else if (lanes === 4) f.shuffle32(3, 2, 1, 0);
    else if (stride === 2) f.shuffle64(0, 3);
    else f.shuffle64(1, 0);
    return;
  }
  f.i32x4(0);
  for (let l = 0; l < lanes; l++) {
    f.memory(scalarLoad(dtype), pushAddress(l * stride * size));
    replaceLane(f, dtype, lanes, l);
  }
}
