import { itemsize } from "../../../../base/dtype.js";
import { BackendError } from "../../../../base/errors.js";
import type { BufferId } from "../../../../kernel/expr.js";
import type { Kernel } from "../../../../kernel/schedule.js";
import { roundUp } from "../../memory/allocator.js";
import { emitTransposing } from "./register-transpose.js";
import type { BufferLocation } from "../location.js";
import { emitNest } from "./nest.js";
import type { NestContext } from "./nest.js";
import { normalize } from "./normalize.js";
import { splitRows } from "./row-blocks.js";
import { shareExpressions } from "../../../../kernel/share.js";

/** Sets of dimensions are bits of a 32-bit integer. */
const maxLoops = 30;

/** Bytes between such buffers: rows that are walked along together share no set of the first cache. */
const apart = 1088;

/** Ids of buffers between the parts of one kernel, behind all others. */
const firstPartial = 2 ** 30;

/**
 * Emits a kernel's loop nests into the current function.
 * @param scratchOffset where in the frame room begins that the kernel may use; without it, it goes without.
 * @returns how many bytes of it the kernel uses.
 */
export function emitKernel(context: NestContext, kernel: Kernel, scratchOffset?: number): number {
  let bytes = 0;
  for (const nest of normalize(kernel, context.bound?.length)) {
    const loops = nest.dims.length + nest.reduceDims.length;
    if (loops > maxLoops)
      throw new BackendError({ fn: "compile", arg: "kernel", expected: `at most ${maxLoops} loops that cannot be joined`, got: String(loops), fix: "reshape the arrays to fewer dimensions" });
    const shared = shareExpressions(nest);
    const rows = scratchOffset === undefined || context.bound ? undefined : splitRows(shared, context.simd, firstPartial);
    if (rows === undefined || scratchOffset === undefined) {
      const left = emitTransposing(context, shared);
      for (const part of left?.flatMap((k) => normalize(k)) ?? [shared]) emitNest(context, part);
      continue;
    }
    let end = 0;
    const places = rows.partials.map(({ dtype, size }): BufferLocation => {
      const offset = scratchOffset + end;
      end = roundUp(end + size * itemsize(dtype)) + apart;
      return { kind: "frame", offset };
    });
    const locate = (id: BufferId): BufferLocation => places[id - firstPartial] ?? context.locate(id);
    for (const part of rows.kernels) emitKernel({ ...context, locate }, part);
    bytes = Math.max(bytes, end);
  }
  return bytes;
}
