/**
 * Under `npm run fuzz` (.ci/fuzz.mjs) every fast-check property that names no bounds of its own takes the seed and the bounds of the run.
 * Otherwise each takes the same seed every time: a change is not refused for what an earlier one did, and fresh cases are the work of `npm run fuzz`.
 */
import { configureGlobal } from "fast-check";

const { HESSIA_SEED: seed, HESSIA_RUNS: runs, HESSIA_SECONDS: seconds } = process.env;
configureGlobal({
  seed: Number(seed ?? 20240607),
  ...(runs === undefined ? {} : { numRuns: Number(runs) }),
  ...(seconds === undefined ? {} : { interruptAfterTimeLimit: Number(seconds) * 1000 }),
});
