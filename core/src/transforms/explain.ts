import { ArgumentError } from "../base/errors.js";
import { describeValue } from "../base/options.js";
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
  readonly compileMilliseconds: number;
  /** Generated code in readable form. */
  readonly code: string;
}

/**
 * Compiles a jitted function for these arguments and shows each stage: Program, optimized Program, Schedule, code and its size.
 * @example console.log(explain(jit(f), x).kernels);
 */
export function explain<A extends readonly unknown[], R>(f: Jitted<A, R>, ...args: A): Explanation {
  if (typeof (f as Partial<Jitted<A, R>> | undefined)?.lower !== "function") throw new ArgumentError({ fn: "explain", arg: "f", expected: "a jitted function", got: describeValue(f), fix: "explain(jit(f), ...args)" });
  const lowered = f.lower(...args);
  const compiled = lowered.compile();
  const { report } = compiled.executable;
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
    compileMilliseconds: report.compileMilliseconds,
    get code() { return report.text(); },
  };
}
