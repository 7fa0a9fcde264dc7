import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { tasks as timedTasks } from "../tasks/index.js";
import { type Circumstances, type SystemName, type Task } from "./case.js";
import { measureMemory, measureStartup, memoryCases } from "./fresh-process.js";
import type { Options } from "./options.js";
import { memoryTable, startupTable, taskTable, verdicts } from "./report.js";
import { mergeSections, type Section } from "./results-file.js";
import { type Plan, Session } from "./session.js";
import { missing, type Runtime } from "./systems.js";
import { busyShare } from "./timing.js";

const freshTasks = ["memory", "startup"];
const resultsFile = fileURLToPath(new URL("../../RESULTS.md", import.meta.url));

function run(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}

function selected(options: Options): { timed: Task[]; fresh: string[] } {
  const known = [...timedTasks.map((t) => t.name), ...freshTasks];
  for (const name of options.tasks) if (!known.includes(name)) throw new Error(`--task: ${name} is none of ${known.join(", ")}`);
  const wanted = (name: string): boolean => options.tasks.length === 0 || options.tasks.includes(name);
  return { timed: timedTasks.filter((t) => wanted(t.name)), fresh: freshTasks.filter(wanted) };
}

/** What was measured, on what and when. Other work on the machine is told by what its processors did before the start. */
function circumstancesText(plan: Plan, commit: string, versions: Readonly<Record<string, string>>, busyBefore: number): string {
  const { node, nodeFlags, threads } = plan.runtime;
  const cores = cpus();
  const busy = busyBefore > 0.1 ? ` **The machine was busy with other work (${(100 * busyBefore).toFixed(0)} % of its processors before the start): times are inflated and ratios are rough.**` : "";
  const shown = Object.entries({ ...versions, node: run(node, "--version") }).map(([name, version]) => `${name} ${version}`).join(", ");
  return `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC, commit ${plan.built ? "" : "(built earlier) "}${commit}, ${cores.length} × ${cores[0]?.model ?? "unknown processor"}, ${threads} thread${threads === 1 ? "" : "s"}${nodeFlags.length > 0 ? `, ${nodeFlags.join(" ")}` : ""}; ${shown}; ${plan.rounds} rounds of ${plan.slice} ms.${busy}`;
}

/** Runs what the options select and returns the exit code: 1 where ours fails or answers wrongly. A bar that is not met is a finding, not a failure. */
export async function runBenchmarks(options: Options): Promise<number> {
  const { timed, fresh } = selected(options);
  // Told now: the tables that are written make the tree differ from its commit.
  const commit = run("git", "describe", "--always", "--dirty", "--exclude=*");
  let failures = 0;
  let judged = 0;
  let metCount = 0;
  for (const node of options.nodes)
    for (const threads of options.threads) {
      const runtime: Runtime = { node, nodeFlags: options.nodeFlags, python: options.python, threads };
      const systems = options.systems.filter((name) => {
        const why = missing(name, runtime);
        if (why !== undefined) console.error(`without ${name}: ${why}`);
        return why === undefined;
      });
      const plan: Plan = { rounds: options.rounds, slice: options.slice, systems, runtime, built: options.build, report: (line) => { console.error(line); } };
      const sections: Section[] = [];
      const heading = `Node ${run(node, "-p", "process.versions.node.split('.')[0]")}, ${threads} thread${threads === 1 ? "" : "s"}${options.nodeFlags.length > 0 ? `, ${options.nodeFlags.join(" ")}` : ""}`;
      const add = (task: string, table: string, versions: Readonly<Record<string, string>>, busy: number): void => {
        console.log(`\n${table}`);
        sections.push({ heading, task, text: `${table}\n${circumstancesText(plan, commit, versions, busy)}\n` });
        if (options.write) writeFileSync(resultsFile, mergeSections(existing(), sections));
      };

      for (const task of timed) {
        const cases = task.cases.filter((c) => (options.only ? options.only.test(c.name) : true) && !(options.quick && c.slow));
        if (cases.length === 0) continue;
        const busy = await busyShare();
        const session = new Session(plan);
        const results = await session.run(task, cases);
        await session.close();
        const circumstances: Circumstances = { threads, relaxedSimd: session.relaxedSimd, revectorized: options.nodeFlags.some((flag) => flag.includes("revectorize")) };
        for (const r of results) {
          const ours = r.cells.get("hessia")!;
          if (ours.failure !== undefined || ours.wrong) {
            failures++;
            console.error(`${task.name} ${r.case.name}: ours ${ours.failure === undefined ? `is off by ${ours.error}` : `failed: ${ours.failure}`}`);
          }
          for (const v of verdicts(r, circumstances)) if (v.met !== undefined) { judged++; if (v.met) metCount++; }
        }
        add(task.name, taskTable({ task, results, versions: session.versions, circumstances }), session.versions, busy);
      }
      if (fresh.includes("memory")) {
        const busy = await busyShare();
        const found = [];
        for (const c of memoryCases(options.quick)) found.push([c, await measureMemory(c, plan, options.quick ? 5 : 120)] as const);
        for (const [c, answers] of found) if (typeof answers.get("hessia") === "string") { failures++; console.error(`memory ${c.mode}: ours failed: ${String(answers.get("hessia"))}`); }
        add("memory", memoryTable(found), {}, busy);
      }
      if (fresh.includes("startup")) {
        const busy = await busyShare();
        const found = measureStartup(plan);
        if (typeof found.get("hessia" satisfies SystemName) === "string") { failures++; console.error(`startup: ours failed: ${String(found.get("hessia"))}`); }
        add("startup", startupTable(found), {}, busy);
      }
    }
  console.log(`\n${metCount} of ${judged} bars that could be judged are met${options.quick ? " (a quick run: the times mean little)" : ""}; ${failures} cases of ours failed.`);
  return failures === 0 ? 0 : 1;
}

function existing(): string {
  try {
    return readFileSync(resultsFile, "utf8");
  } catch {
    return "";
  }
}
