import { configureGlobal, readConfigureGlobal } from "fast-check";

/** Everyday runs are short and, by the fixed seed of .ci/vitest-setup.ts, repeat themselves; `npm run fuzz` sets a fresh seed and its own bounds. */
export const fuzzing = process.env["HESSIA_RUNS"] !== undefined;

/** Workloads at their full counts: `npm run fuzz -- --long`. */
export const long = process.env["HESSIA_LONG"] === "1";

export function everyday(numRuns: number): void {
  if (!fuzzing) configureGlobal({ ...readConfigureGlobal(), numRuns });
}
