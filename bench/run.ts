/** `npm run bench`: ours beside the peers. `--help` lists the options. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSystems } from "./src/harness/build.js";
import { readOptions, usage } from "./src/harness/options.js";
import { runBenchmarks } from "./src/harness/benchmarks.js";

const options = readOptions(process.argv.slice(2));
if (options.help) console.log(usage);
else {
  const dist = fileURLToPath(new URL("../core/dist/index.js", import.meta.url));
  if (!existsSync(dist)) execFileSync("npm", ["run", "build"], { cwd: fileURLToPath(new URL("..", import.meta.url)), stdio: "inherit" });
  await buildSystems();
  process.exitCode = await runBenchmarks(options);
}
