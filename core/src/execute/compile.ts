import type { Backend, Executable, Storage } from "../backends/backend.js";
import type { Aval } from "../ir/aval.js";
import type { Program } from "../ir/program.js";
import type { Schedule } from "../kernel/schedule.js";
import { lowerProgram } from "../lower/program.js";
import { optimize } from "../optimize/optimize.js";

/** How long the stages took. */
export interface StageMilliseconds { readonly optimize: number; readonly lower: number }

/** A Program made ready for a backend. */
export class Compiled {
  readonly inputTypes: readonly Aval[];
  readonly outputTypes: readonly Aval[];
  constructor(
    readonly backend: Backend,
    readonly program: Program,
    readonly schedule: Schedule,
    readonly executable: Executable,
    readonly milliseconds: StageMilliseconds,
  ) {
    this.inputTypes = program.inputTypes;
    this.outputTypes = program.outputTypes;
  }

  /** New storages, which share no memory with inputs that were not donated. */
  run(inputs: readonly Storage[], donated?: readonly number[]): Storage[] {
    return this.schedule.outputs.length > 0 ? this.executable.run(inputs, donated) : [];
  }
}

/** Program -> optimized Program -> Schedule -> code. Inputs at the positions `donated` are given away in each run. */
export function compileProgram(program: Program, backend: Backend, donated: readonly number[] = []): Compiled {
  const start = performance.now();
  const optimized = optimize(program);
  const lowering = performance.now();
  const schedule = lowerProgram(optimized, donated, backend.kernelLimits);
  const done = performance.now();
  return new Compiled(backend, optimized, schedule, backend.compile(schedule), { optimize: lowering - start, lower: done - lowering });
}
