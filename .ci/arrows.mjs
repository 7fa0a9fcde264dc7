// Checks the arrows of the house (arrow-rules.mjs) over the sources below a folder.
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { cruise } from "dependency-cruiser";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";
import { forbidden, packages } from "./arrow-rules.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @returns {Promise<{violations: {rule: string, from: string, to: string, via: string[]}[], modules: number, dependencies: number}>} */
export async function checkArrows(folder) {
  const baseDir = resolve(folder);
  // Aliases of tsconfig.json are looked up from the working directory.
  process.chdir(baseDir);
  const folders = Object.keys(packages)
    .map((name) => (existsSync(join(name, "src")) ? join(name, "src") : name))
    .filter((folder) => existsSync(folder) && readdirSync(folder).length > 0);
  const tsConfig = join(baseDir, "tsconfig.json");
  const { output } = await cruise(
    folders,
    {
      baseDir,
      validate: true,
      ruleSet: { forbidden },
      exclude: { path: "(^|/)fixtures/" },
      doNotFollow: { path: "(^|/)(node_modules|dist)/" },
      tsPreCompilationDeps: true,
      tsConfig: { fileName: tsConfig },
      combinedDependencies: true,
    },
    { extensions: [".ts", ".js", ".mjs", ".json", ".d.ts"], conditionNames: ["import", "types", "default"], exportsFields: ["exports"] },
    { tsConfig: extractTSConfig(tsConfig) },
  );
  const { summary } = output;
  return {
    violations: summary.violations.map((v) => ({ rule: v.rule.name, from: v.from, to: v.to, via: (v.cycle ?? []).map((step) => step.name) })),
    modules: summary.totalCruised,
    dependencies: summary.totalDependenciesCruised,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { violations, modules, dependencies } = await checkArrows(process.argv[2] ?? root);
  const seen = new Set();
  for (const { rule, from, to, via } of violations) {
    const cycle = via.length > 0 ? [...via].sort().join() : "";
    // One cycle is reported once, not once for each file on it.
    if (cycle && seen.has(cycle)) continue;
    seen.add(cycle);
    console.error(`${rule}: ${from} -> ${via.length > 0 ? via.join(" -> ") : to}`);
  }
  for (const rule of new Set(violations.map((v) => v.rule))) console.error(`  ${rule}: ${forbidden.find((r) => r.name === rule)?.comment}`);
  console.log(`${modules} modules, ${dependencies} imports: ${violations.length === 0 ? "every arrow holds" : `${violations.length} violations`}.`);
  if (modules === 0) console.error("No module was found: the check itself is broken.");
  process.exitCode = violations.length === 0 && modules > 0 ? 0 : 1;
}
