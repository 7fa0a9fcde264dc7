/** `npm run bench`: ours beside the peers. `--help` lists the options. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { buildSystems } from "./src/harness/build.js";
import { readOptions, usage } from "./src/harness/options.js";
import { runBenchmarks } from "./src/harness/benchmarks.js";

const options = readOptions(process.argv.slice(2));
if (options.help) console.log(usage);
else {
  // What is measured must be what is there; packages that have not changed are not built again.
  if (options.build) execFileSync("npm", ["run", "--silent", "build"], { cwd: fileURLToPath(new URL("..", import.meta.url)), stdio: ["ignore", "ignore", "inherit"] });
  await buildSystems();
  process.exitCode = await runBenchmarks(options);
}
