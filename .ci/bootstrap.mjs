// Runs a job of the workspace on plain Node, with nothing installed yet: `npm start` and `npm test` are the first
// commands that a newcomer types. Installs when node_modules is missing or older than the lock file, builds what the job
// runs on, then runs the job with the arguments that follow.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [job, ...args] = process.argv.slice(2);

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Hessia needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

const quietTurbo = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };

/** Runs a command in the workspace; ends this process with its status when it fails. */
function step(command, commandArgs) {
  const result = spawnSync(command, commandArgs, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32" && command === "npm",
  });
  if (result.error) console.error(String(result.error));
  if (result.status !== 0) process.exit(result.status ?? 1);
}
const node = (script, ...rest) => step(process.execPath, [join(root, script), ...rest]);

function install() {
  const lock = join(root, "package-lock.json");
  const installed = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installed)) step("npm", ["ci"]);
  else if (statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
    console.error("The lock file is newer than node_modules: installing.");
    step("npm", ["install", "--no-save"]);
    // npm leaves this file alone when nothing changed.
    utimesSync(installed, new Date(), new Date());
  }
}

/** Builds through turbo, which skips what has not changed; silent unless it fails. */
function build(...rest) {
  const quiet = job !== "build";
  const turbo = [join(root, "node_modules/turbo/bin/turbo"), "run", "build", "--output-logs=errors-only", "--no-update-notifier", ...rest];
  const result = spawnSync(process.execPath, turbo, { cwd: root, stdio: quiet ? "pipe" : "inherit", encoding: "utf8", env: quietTurbo });
  if (result.status === 0) return;
  if (quiet) console.error(`${result.stdout}${result.stderr}`);
  if (result.error) console.error(String(result.error));
  process.exit(result.status ?? 1);
}
const vitest = (...rest) => node("node_modules/vitest/vitest.mjs", "run", ...rest);

const jobs = {
  /** The main program of examples/, on built packages as a user would run it. */
  start() {
    build();
    node("examples/dist/main.js", ...args);
  },
  /** Every program of examples/src, one after the other; modules that programs share lie in folders below. */
  examples() {
    build();
    const programs = readdirSync(join(root, "examples/src")).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
    for (const program of programs) {
      console.log(`\nexamples/src/${program}`);
      node(`examples/dist/${program.replace(/ts$/, "js")}`);
    }
  },
  /** Unit tests, laws, examples and docs, on the sources. */
  test: () => vitest(...args),
  build: () => build(...args),
  typecheck: () => node("node_modules/tsgo/bin/tsc", "-p", "tsconfig.json", ...args),
  lint() {
    // Both speak before either fails the job.
    const eslint = ["node_modules/eslint/bin/eslint.js", "--cache", "--cache-location", "node_modules/.cache/eslint/", ...(args.length ? args : ["."])];
    const { status } = spawnSync(process.execPath, eslint, { cwd: root, stdio: "inherit" });
    node(".ci/arrows.mjs");
    if (status !== 0) process.exit(status ?? 1);
  },
  /** Updates the API reports; with --check fails where they differ. */
  api() {
    build();
    node(".ci/api-report.mjs", ...args);
  },
  "check:packages"() {
    build();
    node(".ci/check-packages.mjs", ...args);
  },
  browser() {
    build();
    node(".ci/browser.mjs");
  },
  fuzz: () => node(".ci/fuzz.mjs", ...args),
  /** Executes every snippet of README.md and docs/. */
  docs: () => vitest("docs/", ...args),
  install() {},
};

if (!Object.hasOwn(jobs, job ?? "")) {
  console.error(`Unknown job ${job}. Jobs: ${Object.keys(jobs).join(" ")}`);
  process.exit(2);
}
install();
jobs[job]();
