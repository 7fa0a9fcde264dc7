/**
 * `npm run guard`: fails where ours has become slower than the floors of guard.json say, by ratio to a plain loop in the same run.
 *   npm run guard -- [--update] [--rounds N] [case ...]
 * --update writes floors at two thirds of what is measured now. A case below its floor is measured once more before it fails.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildSystems } from "./src/harness/build.js";

const { values, positionals } = parseArgs({ options: { update: { type: "boolean" }, rounds: { type: "string" } }, allowPositionals: true });
const rounds = values.rounds ?? "9";
const floorsFile = fileURLToPath(new URL("guard.json", import.meta.url));
const program = fileURLToPath(new URL("dist/systems/guard.js", import.meta.url));
const floorShare = 2 / 3;

/** Floors by Node's major version: engines differ, loops and ours alike. */
type Floors = Record<string, Record<string, number>>;
const floors: Floors = existsSync(floorsFile) ? (JSON.parse(readFileSync(floorsFile, "utf8")) as Floors) : {};
const engine = `node ${process.versions.node.split(".")[0]}`;

const ask = (...args: string[]): unknown => JSON.parse(execFileSync(process.execPath, [program, ...args], { encoding: "utf8" }));
const best = (name: string, processes: number): number => Math.max(...Array.from({ length: processes }, () => ask(name, rounds) as number));

await buildSystems();
const cases = ask() as { name: string; once: boolean }[];
const processesOf = new Map(cases.map(({ name, once }) => [name, once ? 5 : 1]));
const measure = (names: readonly string[]): Map<string, number> => new Map(names.map((name) => [name, best(name, processesOf.get(name) ?? 1)]));
const measured = measure(positionals.length > 0 ? positionals : cases.map(({ name }) => name));
const known = floors[engine] ?? {};
const slow = [...measured].filter(([name, ratio]) => ratio < (known[name] ?? 0)).map(([name]) => name);
if (slow.length > 0 && !values.update) for (const [name, ratio] of measure(slow)) measured.set(name, Math.max(ratio, measured.get(name)!));

let failed = 0;
for (const [name, ratio] of measured) {
  const floor = known[name];
  const below = floor !== undefined && ratio < floor && !values.update;
  if (below) failed++;
  console.log(`${below ? "SLOWER" : "ok    "} ${name.padEnd(26)} ${ratio.toPrecision(3).padStart(7)} × a plain loop${floor === undefined ? " (no floor)" : `, floor ${floor}`}`);
}
if (values.update) {
  floors[engine] = { ...known, ...Object.fromEntries([...measured].map(([name, ratio]) => [name, Number((ratio * floorShare).toPrecision(2))])) };
  writeFileSync(floorsFile, `${JSON.stringify(floors, null, 2)}\n`);
}
process.exitCode = failed === 0 ? 0 : 1;
