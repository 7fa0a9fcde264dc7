/** Under `npm run fuzz` (.ci/fuzz.mjs) every fast-check property that names no bounds of its own takes the seed and the bounds of the run. */
const { HESSIA_SEED: seed, HESSIA_RUNS: runs, HESSIA_SECONDS: seconds } = process.env;
if (seed !== undefined || runs !== undefined || seconds !== undefined) {
  const { configureGlobal } = await import("fast-check");
  configureGlobal({
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(runs === undefined ? {} : { numRuns: Number(runs) }),
    ...(seconds === undefined ? {} : { interruptAfterTimeLimit: Number(seconds) * 1000 }),
  });
}

export {};
