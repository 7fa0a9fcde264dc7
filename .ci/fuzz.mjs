// Runs the laws of property-tests/, the random kernels and the legality of fusion longer and on fresh seeds.
//   npm run fuzz -- [--seed N] [--runs N] [--seconds N] [--long] [vitest filters]
// --long also runs the memory bars at their full counts, which takes about half an hour.
// Each property runs until it has seen `runs` cases or spent `seconds`. The seed is printed first: with it, the run repeats.
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string" }, runs: { type: "string", default: "100000" }, seconds: { type: "string", default: "30" }, long: { type: "boolean", default: false } },
});
const number = (name) => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`--${name} expects a positive integer, got ${values[name]}.`);
  process.exit(2);
};
const seed = values.seed === undefined ? randomInt(1, 2 ** 31) : number("seed");
const [runs, seconds] = [number("runs"), number("seconds")];

console.log(`Fuzzing with --seed ${seed} --runs ${runs} --seconds ${seconds}`);
const { status } = spawnSync(
  process.execPath,
  [join(root, "node_modules/vitest/vitest.mjs"), "run", ...(positionals.length > 0 ? positionals : ["property-tests/laws/", "property-tests/programs/", "property-tests/memory/", "property-tests/numpy-derivatives", "core/src/lower/fuse/legality", "core/src/backends/wasm/random-kernels", "core/src/backends/wasm/codegen/contraction/contraction"]), `--testTimeout=${(seconds * 4 + 60) * 1000}`],
  { cwd: root, stdio: "inherit", env: { ...process.env, HESSIA_SEED: String(seed), HESSIA_RUNS: String(runs), HESSIA_SECONDS: String(seconds), ...(values.long ? { HESSIA_LONG: "1" } : {}) } },
);
console.log(`Seed of this run: ${seed}`);
process.exitCode = status ?? 1;
