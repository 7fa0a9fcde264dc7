import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { type SystemName, systemNames } from "./case.js";

export interface Options {
  readonly tasks: readonly string[];
  readonly only: RegExp | undefined;
  readonly systems: readonly SystemName[];
  /** Programs of Node: versions become paths. */
  readonly nodes: readonly string[];
  readonly nodeFlags: readonly string[];
  readonly threads: readonly number[];
  readonly python: string | undefined;
  readonly rounds: number;
  readonly slice: number;
  readonly quick: boolean;
  readonly write: boolean;
  readonly build: boolean;
  readonly help: boolean;
}

export const usage = `npm run bench -- [options]
  --task a,b        tasks to run (default: all)
  --case REGEX      only cases whose name matches
  --peers a,b|none  systems beside ours: ${systemNames.slice(1).join(", ")} (default: those found)
  --node 20,24      versions of Node, fetched when they are not the one that runs this (default: that one)
  --flags "..."     flags for Node, for example --experimental-wasm-revectorize
  --threads 1,2     threads of every system that has them (default 1)
  --rounds N        alternations (default 9; quick 2)
  --slice MS        time of a system in a round (default 300; quick 25)
  --quick           small cases, hardly any repetition: shows that everything runs; times mean little
  --write, --no-write  whether RESULTS.md is written (default: unless --quick)
  --no-build        measures the packages as they were built last
HESSIA_BENCH_PYTHON is the Python that has numpy and jax.`;

const list = (text: string | undefined): string[] => (text ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "");

function positive(text: string | undefined, fallback: number, name: string): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name}: expected a positive number, got ${text}`);
  return value;
}

/** The path of a Node of that version. */
export function nodeProgram(version: string): string {
  if (process.versions.node === version || process.versions.node.startsWith(`${version}.`)) return process.execPath;
  return execFileSync("npx", ["-y", `node@${version}`, "-p", "process.execPath"], { encoding: "utf8" }).trim();
}

export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      task: { type: "string" }, case: { type: "string" }, peers: { type: "string" }, node: { type: "string" }, flags: { type: "string" }, threads: { type: "string" },
      rounds: { type: "string" }, slice: { type: "string" }, quick: { type: "boolean" }, write: { type: "boolean" }, "no-write": { type: "boolean" }, "no-build": { type: "boolean" }, help: { type: "boolean" },
    },
  });
  const quick = values.quick ?? false;
  const peers = values.peers === "none" ? [] : list(values.peers);
  for (const name of peers) if (!(systemNames as readonly string[]).includes(name)) throw new Error(`--peers: ${name} is none of ${systemNames.slice(1).join(", ")}`);
  const systems = values.peers === undefined ? systemNames : systemNames.filter((name) => name === "hessia" || peers.includes(name));
  const versions = list(values.node);
  return {
    tasks: list(values.task),
    only: values.case === undefined ? undefined : new RegExp(values.case),
    systems,
    nodes: versions.length === 0 ? [process.execPath] : versions.map(nodeProgram),
    nodeFlags: (values.flags ?? "").split(/\s+/).filter((flag) => flag !== ""),
    threads: list(values.threads ?? "1").map((text) => positive(text, 1, "threads")),
    python: process.env["HESSIA_BENCH_PYTHON"],
    rounds: positive(values.rounds, quick ? 2 : 9, "rounds"),
    slice: positive(values.slice, quick ? 25 : 300, "slice"),
    quick,
    write: values["no-write"] ? false : (values.write ?? !quick),
    build: !(values["no-build"] ?? false),
    help: values.help ?? false,
  };
}
