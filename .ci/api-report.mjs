// The public surface of every entry point as a text that reviewers read: <package>/api/<entry>.api.md.
//   npm run api               writes the reports
//   npm run api -- --check    fails where a report differs from the sources, or changed since the main branch without a changeset
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { published, requireBuilt, root } from "./packages.mjs";
import { unannouncedChanges } from "./changes.mjs";

const check = process.argv.includes("--check");
requireBuilt();
const temp = mkdtempSync(join(tmpdir(), "hessia-api-"));

const jobs = published.flatMap((p) =>
  p.entries.map((entry) => ({
    folder: join(p.path, "api"),
    file: `${entry.stem}.api.md`,
    config: ExtractorConfig.prepare({
      packageJsonFullPath: join(p.path, "package.json"),
      configObjectFullPath: undefined,
      configObject: {
        projectFolder: p.path,
        mainEntryPointFilePath: entry.types,
        // Line ends as git keeps them, so that the comparison means the same on every system.
        newlineKind: "lf",
        compiler: {
          overrideTsconfig: {
            compilerOptions: { target: "ES2022", module: "ESNext", moduleResolution: "Bundler", lib: ["ES2023", "ESNext.Disposable", "DOM"], strict: true, skipLibCheck: true, types: ["node"], typeRoots: [join(root, "node_modules/@types")] },
            include: [entry.types],
          },
        },
        apiReport: { enabled: true, reportFileName: entry.stem, reportFolder: temp, reportTempFolder: join(temp, "new") },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          compilerMessageReporting: { default: { logLevel: "error" } },
          extractorMessageReporting: {
            default: { logLevel: "none" },
            "ae-forgotten-export": { logLevel: "warning", addToApiReportFile: false },
          },
          tsdocMessageReporting: { default: { logLevel: "none" } },
        },
      },
    }),
  })),
);

mkdirSync(join(temp, "new"), { recursive: true });
// One compiler program serves every entry point.
const compilerState = CompilerState.create(jobs[0].config, { additionalEntryPoints: jobs.slice(1).map((job) => job.config.mainEntryPointFilePath) });
let failed = false;
const hidden = [];
const exported = new Set();
const changed = [];
for (const { folder, file, config } of jobs) {
  const result = Extractor.invoke(config, {
    compilerState,
    localBuild: true,
    messageCallback(message) {
      const forgotten = message.messageId === "ae-forgotten-export" && /symbol "(\w+)"/.exec(message.text)?.[1];
      if (forgotten) hidden.push({ name: forgotten, entry: file });
      // "You have changed the API" is said below, once, with what to do.
      if (message.logLevel !== ExtractorLogLevel.Error) message.logLevel = ExtractorLogLevel.None;
    },
  });
  if (result.errorCount > 0) failed = true;
  const text = readFileSync(join(temp, "new", file), "utf8").replaceAll("\r\n", "\n");
  for (const [, name] of text.matchAll(/^export (?:declare )?(?:abstract )?(?:class|interface|type|const|function|enum) (\w+)/gm)) exported.add(name);
  const kept = join(folder, file);
  if (existsSync(kept) && readFileSync(kept, "utf8").replaceAll("\r\n", "\n") === text) continue;
  changed.push(relative(root, kept));
  if (check) {
    console.error(existsSync(kept) ? difference(readFileSync(kept, "utf8"), text) : "(new)");
    continue;
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(kept, text);
}
for (const p of published) {
  const folder = join(p.path, "api");
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    if (p.entries.some((entry) => file === `${entry.stem}.api.md`)) continue;
    console.error(`${relative(root, join(folder, file))} describes no entry point${check ? "" : ": removed"}.`);
    if (check) failed = true;
    else rmSync(join(folder, file));
  }
}
rmSync(temp, { recursive: true });

// Worth a reviewer's look: a type in a signature that users cannot name.
const unreachable = [...new Set(hidden.filter(({ name }) => !exported.has(name.replace(/_\d+$/, ""))).map(({ name, entry }) => `${name} (${entry})`))];
if (unreachable.length > 0) console.log(`Types in public signatures that no entry point exports: ${unreachable.join(", ")}.`);

/** The lines that one text has and the other lacks: enough to see what changed. */
function difference(before, after) {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const [inOld, inNow] = [new Set(old), new Set(now)];
  const lines = [...old.filter((line) => !inNow.has(line)).map((line) => `- ${line}`), ...now.filter((line) => !inOld.has(line)).map((line) => `+ ${line}`)];
  return [...lines.slice(0, 60), ...(lines.length > 60 ? [`… ${lines.length - 60} more lines`] : [])].join("\n");
}

if (check) {
  if (changed.length > 0) {
    failed = true;
    console.error(`\nThe public API differs from its report: ${changed.join(", ")}.\nFix: if that is meant, run \`npm run api\` and \`npx changeset\`, and commit what they write.`);
  }
  const { base, unannounced, notice } = unannouncedChanges();
  if (notice) console.log(notice);
  if (unannounced.length > 0) {
    failed = true;
    console.error(`\nThe API report of ${unannounced.join(", ")} changed since ${base} and no changeset names it.\nFix: run \`npx changeset\` and commit the file that it writes.`);
  }
}
console.log(`${jobs.length} API reports: ${changed.length === 0 ? "unchanged" : `${changed.length} ${check ? "differ" : "written"}`}.`);
process.exitCode = failed ? 1 : 0;
