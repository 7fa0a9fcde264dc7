import type { Operand } from "../../../kernel/schedule.js";
import type { FunctionRef, ModuleBuilder } from "../assembler/index.js";
import type { FunctionLibrary } from "../functions/contract.js";
import type { ThreadTasks } from "../threads/tasks.js";

export interface RoutineRequest {
  readonly params: object;
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
  readonly module: ModuleBuilder;
  readonly library: FunctionLibrary;
  readonly simd: boolean;
  /** Set where threads can share work. */
  readonly tasks?: ThreadTasks | undefined;
}

export interface NativeRoutine {
  /** Its parameters are the addresses (i32) of the inputs, of the outputs, and of the scratch room. */
  readonly target: FunctionRef;
  /** Room that it needs while it runs. */
  readonly scratchBytes: number;
}
