import type { MatmulParams } from "../../../kernel/matmul.js";
import { times } from "../gemm/loops.js";
import { emitGemm, emitTinyGemm } from "../gemm/static.js";
import type { GemmSpec } from "../gemm/spec.js";
import type { RoutineGenerator } from "./contract.js";

/** A batch of products: one product's code, called for each. */
export const matmul: RoutineGenerator = (request) => {
  const dtype = request.outputs[0]!.dtype;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  const { batch, m, n, k, transposeA, transposeB } = request.params as MatmulParams;
  const spec: GemmSpec = {
    dtype, m, n, k,
    a: transposeA ? { row: 1, k: m } : { row: k, k: 1 },
    b: transposeB ? { k: 1, column: k } : { k: n, column: 1 },
    c: { row: n },
    accumulate: false,
  };
  if (batch === 1) return emitGemm(request, spec);
  const size = dtype === "float32" ? 4 : 8;
  let scratchBytes = 0;
  const name = `matmul.${dtype}.${batch}x${m}x${n}x${k}${transposeA ? ".tA" : ""}${transposeB ? ".tB" : ""}`;
  const target = request.library.helper(name, { params: ["i32", "i32", "i32", "i32"], results: [] }, (f) => {
    const [A, B, C, scratch] = [0, 1, 2, 3];
    times(f, batch, () => {
      if (!emitTinyGemm(f, request, spec, [A, B, C])) {
        const one = emitGemm(request, spec);
        ({ scratchBytes } = one);
        f.get(A).get(B).get(C).get(scratch).call(one.target);
      }
      for (const [pointer, elements] of [[A, m * k], [B, k * n], [C, m * n]] as const) f.get(pointer).i32(elements * size).op("i32.add").set(pointer);
    });
  });
  return { target, scratchBytes };
};
