import type { FunctionRef, ModuleBuilder } from "../assembler/index.js";
import type { FloatDType, FunctionLibrary } from "../functions/contract.js";

/** `C[i,j] = sum_k A[i,k] B[k,j]`, or `+=`; sizes are static, strides are in elements, the columns of C lie side by side. */
export interface GemmSpec {
  readonly dtype: FloatDType;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: { readonly row: number; readonly k: number };
  readonly b: { readonly k: number; readonly column: number };
  readonly c: { readonly row: number };
  readonly accumulate: boolean;
  /** B is A transposed, element by element the same memory: what lies above the diagonal of C is copied from below. */
  readonly symmetric?: boolean;
  /** The operand that comes in panels, packed beforehand (see panels.ts); its strides say where it was packed from. */
  readonly prepacked?: "a" | "b";
}

export interface GemmCode {
  readonly target: FunctionRef;
  /** Room (16-byte aligned) that it needs while it runs. */
  readonly scratchBytes: number;
}

/** Names of the blocks in form.ts. */
export type BlockName = "narrow" | "full" | "wide";

/** The module that takes the code. */
export interface GemmContext {
  readonly module: ModuleBuilder;
  readonly library: FunctionLibrary;
  readonly simd: boolean;
  /** The block of C that stays in registers; the one that suits the engine if absent. */
  readonly block?: BlockName;
}
