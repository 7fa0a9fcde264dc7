import type { Backend, Executable, Storage } from "../backends/backend.js";
import type { Aval } from "../ir/aval.js";
import type { Program } from "../ir/program.js";
import type { Schedule } from "../kernel/schedule.js";
import { lowerProgram } from "../lower/program.js";
import { optimize } from "../optimize/optimize.js";

/** A Program made ready for a backend. */
export class Compiled {
  readonly inputTypes: readonly Aval[];
  readonly outputTypes: readonly Aval[];
  constructor(
    readonly backend: Backend,
    readonly program: Program,
    readonly schedule: Schedule,
    readonly executable: Executable,
    /** For each output of the Program: position among the executable's results, or of the input passed through as `~position`. */
    readonly outputSources: readonly number[],
  ) {
    this.inputTypes = program.inputTypes;
    this.outputTypes = program.outputTypes;
  }

  /** New storages, or positions of inputs that are results themselves. */
  run(inputs: readonly Storage[], donated?: readonly number[]): (Storage | number)[] {
    const { schedule, outputSources } = this;
    const results = schedule.steps.length || schedule.outputs.length ? this.executable.run(inputs, donated) : [];
    const out = new Array<Storage | number>(outputSources.length);
    for (let i = 0; i < out.length; i++) {
      const s = outputSources[i]!;
      out[i] = s < 0 ? ~s : results[s]!;
    }
    return out;
  }
}

/** Program -> optimized Program -> Schedule -> code. With `donated`, no listed input is passed through. */
export function compileProgram(program: Program, backend: Backend, donated: readonly number[] = []): Compiled {
  const optimized = optimize(program);
  const { schedule, outputSources } = lowerProgram(optimized, donated);
  return new Compiled(backend, optimized, schedule, backend.compile(schedule), outputSources);
}
