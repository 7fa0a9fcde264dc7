import { dynamicGemm } from "./dynamic.js";
import type { GemmCode, GemmContext, GemmSpec } from "./spec.js";

const keyOf = ({ dtype, m, n, k, a, b, c, accumulate }: GemmSpec): string =>
  `gemm.${dtype}.${m}x${n}x${k}.a${a.row},${a.k}.b${b.k},${b.column}.c${c.row}${accumulate ? ".add" : ""}`;

/** A product specialised on its sizes. Parameters of the function (i32): addresses of A, B, C and of scratch room. One per module and spec. */
export function emitGemm(context: GemmContext, spec: GemmSpec): GemmCode {
  const dynamic = dynamicGemm(context, spec.dtype);
  const { m, n, k, a, b, c, accumulate } = spec;
  const target = context.library.helper(keyOf(spec), { params: ["i32", "i32", "i32", "i32"], results: [] }, (f) => {
    if (m === 0 || n === 0 || (k === 0 && accumulate)) return;
    f.i32(m).i32(n).i32(k).get(0).i32(a.row).i32(a.k).get(1).i32(b.k).i32(b.column).get(2).i32(c.row).i32(accumulate ? 1 : 0).get(3).call(dynamic.target);
  });
  return { target, scratchBytes: dynamic.scratchBytes };
}
