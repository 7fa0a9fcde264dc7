import type { Operand } from "../../../kernel/schedule.js";
import type { FunctionRef, ModuleBuilder } from "../assembler/index.js";
import type { FunctionLibrary } from "../functions/contract.js";

export interface RoutineRequest {
  readonly params: object;
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
  readonly module: ModuleBuilder;
  readonly library: FunctionLibrary;
  readonly simd: boolean;
}

export interface NativeRoutine {
  /** Its parameters are the addresses (i32) of the inputs, of the outputs, and of the scratch room. */
  readonly target: FunctionRef;
  /** Room that it needs while it runs. */
  readonly scratchBytes: number;
}

/** Makes WebAssembly code for a routine, or gives undefined for params or dtypes that it does not cover: those are called in JavaScript. */
export type RoutineGenerator = (request: RoutineRequest) => NativeRoutine | undefined;
