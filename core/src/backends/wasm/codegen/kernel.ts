import { BackendError } from "../../../base/errors.js";
import type { Kernel } from "../../../kernel/schedule.js";
import { emitNest } from "./nest.js";
import type { NestContext } from "./nest.js";
import { normalize } from "./normalize.js";
import { shareExpressions } from "./share.js";

/** Sets of dimensions are bits of a 32-bit integer. */
const maxLoops = 30;

/** Emits a kernel's loop nests into the current function. */
export function emitKernel(context: NestContext, kernel: Kernel): void {
  for (const nest of normalize(kernel, context.bound?.length)) {
    const loops = nest.dims.length + nest.reduceDims.length;
    if (loops > maxLoops)
      throw new BackendError({ fn: "compile", arg: "kernel", expected: `at most ${maxLoops} loops that cannot be joined`, got: String(loops), fix: "reshape the arrays to fewer dimensions" });
    emitNest(context, shareExpressions(nest));
  }
}
