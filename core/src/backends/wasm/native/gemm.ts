import { sharedGemm } from "../gemm/shared.js";
import type { FloatDType } from "../functions/contract.js";
import type { CodeContext, Template } from "./code.js";

const parameters = {
  m: "index", n: "index", k: "index", a: "pointer", aRow: "index", aK: "index", b: "pointer", bK: "index", bColumn: "index",
  to: "pointer", toRow: "index", mode: "index", scratch: "pointer",
} as const;

/** What becomes of the product of `gemm`: it replaces C, is added to it, or subtracted from it. */
export const gemmMode = { replace: 0, add: 1, subtract: 2 } as const;

/**
 * Matrix product with sizes known at run time: `C[i,j] = sum_k A[i,k] B[k,j]` for m by n elements of `to`, whose rows lie `toRow`
 * apart and whose columns lie side by side. Strides are in elements and may be negative or zero; any transpose is a choice of strides.
 * `scratch` has `gemmScratchBytes`. Large products are shared among the threads.
 */
export const gemm: Template<typeof parameters, "nothing"> = {
  name: "gemm",
  parameters,
  result: "nothing",
  body: () => undefined,
  existing: ({ module, library, tasks }, dtype) => sharedGemm({ module, library, simd: true }, dtype as FloatDType, tasks).target,
};

/** Room that `gemm` needs while it runs. */
export const gemmScratchBytes = ({ tasks, ...context }: CodeContext, dtype: FloatDType): number => sharedGemm({ ...context, simd: true }, dtype, tasks).scratchBytes;
