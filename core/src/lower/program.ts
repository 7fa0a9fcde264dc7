import type { KernelLimits } from "../backends/backend.js";
import { sizeOf } from "../base/shape.js";
import type { Program } from "../ir/program.js";
import type { BufferId } from "../kernel/expr.js";
import type { Schedule } from "../kernel/schedule.js";
import { Fusion } from "./fuse/fuse.js";
import { fromBuffer } from "./lazy.js";
import { Lowering } from "./lowering.js";
import { donationsOf, shareMemory } from "./in-place.js";
import { planArena } from "./plan.js";

/** Lowers a whole Program. Its results are the schedule's outputs, in order; those that repeat each other or an argument are copies. Memory of donated arguments may become that of results. */
export function lowerProgram(program: Program, donated: readonly number[] = [], limits: KernelLimits = {}): Schedule {
  const ctx = new Lowering();
  const inputs: BufferId[] = program.inputs.map((v) => ctx.newBuffer(v.aval.dtype, sizeOf(v.aval.shape)));
  const results = ctx.program(program, program.inputs.map((v, i) => fromBuffer(inputs[i]!, v.aval.shape, v.aval.dtype)));
  const given = new Set<BufferId>([...inputs, ...ctx.constants.map((c) => c.buffer)]);
  const outputs: BufferId[] = [];
  for (const x of results) {
    let id = ctx.buffer(x);
    if (given.has(id) || outputs.includes(id)) {
      const copy = ctx.newBuffer(x.dtype, sizeOf(x.shape));
      ctx.copy(id, copy);
      id = copy;
    }
    outputs.push(id);
  }
  const own = new Set<BufferId>([...given, ...outputs]);
  const temporaries = new Set(ctx.buffers.map((_, id) => id).filter((id) => !own.has(id)));
  const steps = shareMemory(new Fusion(ctx.buffers, outputs, limits).run(ctx.steps), ctx.buffers, own);
  const donations = donationsOf(steps, ctx.buffers, donated.map((i) => inputs[i]!), outputs);
  return { buffers: ctx.buffers, inputs, constants: ctx.constants, outputs, donations, steps, arena: planArena(ctx.buffers, temporaries, steps) };
}
