import { ArgumentError } from "../base/errors.js";
import { describeValue } from "../base/options.js";
import { stepSummaries } from "../kernel/summary.js";
import type { Program } from "../ir/program.js";
import type { Schedule } from "../kernel/schedule.js";
import type { Jitted } from "./jit.js";

/** What became of a jitted function for given argument types. */
export interface Explanation {
  /** As traced. */
  readonly program: Program;
  /** After the passes. */
  readonly optimized: Program;
  readonly schedule: Schedule;
  readonly equations: number;
  readonly kernels: number;
  readonly routines: number;
  /** Threads that the program runs on, and how many of its kernels they share (`setThreads`). */
  readonly threads: number;
  readonly splitKernels: number;
  readonly arenaBytes: number;
  readonly codeBytes: number;
  /** From the traced Program to code that runs. */
  readonly compileMilliseconds: number;
  /**
   * How long each stage took: running the function on abstract arguments, the passes, lowering to loops, writing code, and the engine, which
   * checks the module and makes an instance of it (0 where it is not known). V8 compiles a function of the module when it is called first: that
   * time is part of the first run.
   */
  readonly milliseconds: { readonly trace: number; readonly optimize: number; readonly lower: number; readonly codegen: number; readonly engine: number };
  /** A line for each step that runs: its loops, what it reads and writes, and how many operations on numbers it is. */
  readonly steps: readonly string[];
  /** Generated code in readable form. */
  readonly code: string;
  /** All but the texts of Program, Schedule and code, to be printed. */
  toString(): string;
}

/**
 * Compiles a jitted function for these arguments, without running it, and shows each stage: Program, optimized Program, Schedule, code and its
 * size. What it compiles the next call uses.
 * @throws ArgumentError for a function that is not jitted.
 * @example explain(jit((x: NDArray) => np.sin(x).mul(2).sum()), np.ones([3])).kernels // 1
 */
export function explain<A extends readonly unknown[], R>(f: Jitted<A, R>, ...args: A): Explanation {
  if (typeof (f as Partial<Jitted<A, R>> | undefined)?.lower !== "function") throw new ArgumentError({ fn: "explain", arg: "f", expected: "a jitted function", got: describeValue(f), fix: "explain(jit(f), ...args)" });
  const lowered = f.lower(...args);
  const compiled = lowered.compile();
  const { report } = compiled.executable;
  const engine = report.engineMilliseconds ?? 0;
  const { optimize, lower } = compiled.milliseconds;
  const milliseconds = { trace: lowered.traceMilliseconds, optimize, lower, codegen: report.compileMilliseconds - engine, engine };
  return {
    program: lowered.program,
    optimized: compiled.program,
    schedule: compiled.schedule,
    equations: compiled.program.equations.length,
    kernels: report.kernels,
    routines: report.routines,
    threads: report.threads ?? 1,
    splitKernels: report.splitKernels ?? 0,
    arenaBytes: report.arenaBytes,
    codeBytes: report.codeBytes,
    compileMilliseconds: optimize + lower + report.compileMilliseconds,
    milliseconds,
    steps: stepSummaries(compiled.schedule),
    get code() { return report.text(); },
    toString() {
      const times = Object.entries(milliseconds).map(([stage, ms]) => `${stage} ${ms.toFixed(1)} ms`);
      return [
        `${this.equations} equations, ${this.kernels} kernels, ${this.routines} routines`,
        `arena ${this.arenaBytes} bytes, code ${this.codeBytes} bytes`,
        times.join(", "),
        ...this.steps,
      ].join("\n");
    },
  };
}
