import { sizeOf } from "../base/shape.js";
import { type Program, Var } from "../ir/program.js";
import type { BufferId } from "../kernel/expr.js";
import type { Schedule } from "../kernel/schedule.js";
import { fromBuffer } from "./lazy.js";
import { Lowering } from "./lowering.js";
import { shareMemory } from "./in-place.js";
import { planArena } from "./plan.js";

/** Lowers a whole Program. `outputSources[i]` is a position among the schedule's outputs, or `~j` for input j passed through. */
export function lowerProgram(program: Program, donated: readonly number[] = []): { schedule: Schedule; outputSources: number[] } {
  const ctx = new Lowering();
  const inputs: BufferId[] = program.inputs.map((v) => ctx.newBuffer(v.aval.dtype, sizeOf(v.aval.shape)));
  const results = ctx.program(program, program.inputs.map((v, i) => fromBuffer(inputs[i]!, v.aval.shape, v.aval.dtype)));
  const given = new Set<BufferId>([...inputs, ...ctx.constants.map((c) => c.buffer)]);
  const outputs: BufferId[] = [];
  const outputSources = program.outputs.map((atom, i) => {
    const position = atom instanceof Var ? program.inputs.indexOf(atom) : -1;
    if (position >= 0 && !donated.includes(position)) return ~position;
    const x = results[i]!;
    let id = ctx.buffer(x);
    if (given.has(id) || outputs.includes(id)) {
      const copy = ctx.newBuffer(x.dtype, sizeOf(x.shape));
      ctx.copy(id, copy);
      id = copy;
    }
    return outputs.push(id) - 1;
  });
  const own = new Set<BufferId>([...given, ...outputs]);
  const temporaries = new Set(ctx.buffers.map((_, id) => id).filter((id) => !own.has(id)));
  const steps = shareMemory(ctx.steps, ctx.buffers, own);
  return {
    schedule: { buffers: ctx.buffers, inputs, constants: ctx.constants, outputs, steps, arena: planArena(ctx.buffers, temporaries, steps) },
    outputSources,
  };
}
