// What users get: packs every published package and judges the tarballs, never the working tree.
//   1. publint and are-the-types-wrong on each tarball
//   2. a bare project that installs the tarballs: every entry point type-checks (library types included) and loads
//   3. a small program, run as it is and bundled with tree shaking: `sideEffects` has to be true (core registers backends as it loads and says so)
//   4. the examples of extensions (examples/src/custom-*.ts), built and run against the tarballs
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { published, requireBuilt, root } from "./packages.mjs";

requireBuilt();
const temp = mkdtempSync(join(tmpdir(), "hessia-packages-"));
const problems = [];

function run(command, args, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, shell: process.platform === "win32" && command === "npm" });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("close", (status) => resolve({ status, output }));
    child.on("error", (error) => resolve({ status: 1, output: String(error) }));
  });
}

/** Runs a check and keeps what it says when it fails. */
async function expectSuccess(what, command, args, cwd) {
  const { status, output } = await run(command, args, cwd);
  if (status !== 0) problems.push(`${what}:\n${output.trim()}`);
  else console.log(`ok  ${what}`);
  return status === 0;
}

async function judge(p) {
  const packed = await run("npm", ["pack", "--json", "--silent", "--pack-destination", temp], p.path);
  const start = packed.output.indexOf("[");
  if (packed.status !== 0 || start < 0) return void problems.push(`npm pack ${p.name}:\n${packed.output}`);
  const [{ filename, files, size }] = JSON.parse(packed.output.slice(start, packed.output.lastIndexOf("]") + 1));
  const tarball = join(temp, basename(filename));
  const stray = files.map((file) => file.path).filter((path) => /[.]test[.]|fixtures\/|tsbuildinfo/.test(path));
  if (stray.length > 0) problems.push(`${p.name} packs files of tests: ${stray.join(", ")}`);
  for (const needed of ["LICENSE", "package.json"]) {
    if (!files.some((file) => file.path === needed)) problems.push(`${p.name} packs no ${needed}`);
  }

  const bytes = readFileSync(tarball);
  const { messages } = await publint({ level: "suggestion", strict: true, pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) } });
  for (const message of messages) {
    // Without a public home there is no repository to name.
    if (message.code === "USE_REPOSITORY_FIELD") continue;
    problems.push(`publint ${p.name}: ${formatMessage(message, p.manifest)}`);
  }
  // ES modules only, by decision: the profile leaves out `require`, which Node 20.19 and newer answer by themselves.
  await expectSuccess(`publint and types of ${p.name} (${files.length} files, ${Math.ceil(size / 1024)} KiB)`, process.execPath, [join(root, "node_modules/@arethetypeswrong/cli/dist/index.js"), tarball, "--profile", "esm-only", "--no-emoji"], root);
  return tarball;
}

const tarballs = [];
for (const p of published) tarballs.push(await judge(p));

async function consume() {
  const project = join(temp, "project");
  mkdirSync(project);
  const write = (name, text) => writeFileSync(join(project, name), text);
  write("package.json", JSON.stringify({ name: "consumer", private: true, type: "module" }));
  // Offline: our packages need nothing but each other.
  if (!(await expectSuccess("install of the tarballs", "npm", ["install", "--offline", "--no-audit", "--no-fund", ...tarballs], project))) return;

  const specifiers = published.flatMap((p) => p.entries.map((entry) => p.name + entry.subpath.slice(1)));
  write("entries.ts", `${specifiers.map((name, i) => `import * as e${i} from "${name}";`).join("\n")}\nexport const counts: number[] = [${specifiers.map((_, i) => `Object.keys(e${i}).length`).join(", ")}];\nif (counts.some((count) => count === 0)) throw new Error(String(counts));\n`);
  copyFileSync(join(root, ".ci/consumer/main.ts"), join(project, "main.ts"));
  const examples = join(root, "examples/src");
  const extensions = existsSync(examples) ? readdirSync(examples).filter((name) => /^custom-.*(?<![.]test)[.]ts$/.test(name)) : [];
  for (const name of extensions) copyFileSync(join(examples, name), join(project, name));
  const programs = ["entries.ts", "main.ts", ...extensions];

  const options = { target: "ES2022", module: "NodeNext", moduleResolution: "NodeNext", lib: ["ES2023", "ESNext.Disposable", "DOM"], strict: true, noEmit: true, skipLibCheck: false, types: ["node"], typeRoots: [join(root, "node_modules/@types")] };
  // Types of Node come from our own tree and are not what is judged here, so the tree's version serves.
  write("tsconfig.json", JSON.stringify({ compilerOptions: options, files: programs }));
  await expectSuccess("types in a bare project, native compiler", process.execPath, [join(root, "node_modules/tsgo/bin/tsc"), "-p", "."], project);
  await expectSuccess("types in a bare project, TypeScript 5.9", process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "."], project);

  for (const program of programs) {
    const out = program.replace(/ts$/, "js");
    await build({ entryPoints: [join(project, program)], outfile: join(project, out), format: "esm", target: "es2022", logLevel: "silent" });
    await expectSuccess(`run ${program}`, process.execPath, [out], project);
  }
  const bundle = join(project, "main.bundle.mjs");
  try {
    await build({ entryPoints: [join(project, "main.ts")], outfile: bundle, bundle: true, minify: true, treeShaking: true, format: "esm", platform: "node", target: "es2022", external: ["webgpu"], logLevel: "silent" });
  } catch (error) {
    return void problems.push(`bundle of main.ts: ${error.message}`);
  }
  await expectSuccess(`run main.ts bundled with tree shaking (${Math.ceil(statSync(bundle).size / 1024)} KiB)`, process.execPath, [bundle], project);
}
if (tarballs.every(Boolean)) await consume();

if (process.argv.includes("--keep")) console.log(`Kept: ${temp}`);
else rmSync(temp, { recursive: true });
for (const problem of problems) console.error(`\nFAILED ${problem}`);
console.log(problems.length === 0 ? "Every package is fit to publish." : `${problems.length} problems.`);
process.exitCode = problems.length === 0 ? 0 : 1;
