import type { Kernel } from "../../../kernel/schedule.js";
import { emitNest } from "./nest.js";
import type { NestContext } from "./nest.js";
import { normalize } from "./normalize.js";
import { shareExpressions } from "./share.js";

/** Emits a kernel's loop nests into the current function. */
export function emitKernel(context: NestContext, kernel: Kernel): void {
  for (const nest of normalize(kernel)) emitNest(context, shareExpressions(nest));
}
