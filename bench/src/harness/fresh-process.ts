/** Tasks that need fresh processes: the time to a first result, and memory in long loops. */
import { spawnSync } from "node:child_process";
import type { SystemName } from "./case.js";
import type { MemoryAnswer } from "./protocol.js";
import type { Plan } from "./session.js";
import { median } from "./statistics.js";
import { SystemProcess } from "./system-process.js";
import { commandOf, startupCommand } from "./systems.js";

export interface Startup { readonly total: number; readonly imported: number; readonly first: number }

/** Medians over fresh processes, the systems taking turns: milliseconds of the whole process, of the import, of the first result. */
export function measureStartup(plan: Plan): Map<SystemName, Startup | string> {
  const runs = new Map<SystemName, Startup[]>();
  const failures = new Map<SystemName, string>();
  for (let round = 0; round < plan.rounds; round++)
    for (const name of plan.systems) {
      if (failures.has(name)) continue;
      const { program, args, env } = startupCommand(name, plan.runtime);
      const start = performance.now();
      const child = spawnSync(program, args, { env: { ...process.env, ...env }, encoding: "utf8" });
      const total = performance.now() - start;
      if (child.status !== 0) failures.set(name, (child.stderr.trim().split("\n").at(-1) ?? "").slice(0, 200));
      else runs.set(name, [...(runs.get(name) ?? []), { ...(JSON.parse(child.stdout.trim().split("\n").at(-1)!) as Omit<Startup, "total">), total }]);
    }
  const middle = (all: readonly Startup[]): Startup => ({ total: median(all.map((r) => r.total)), imported: median(all.map((r) => r.imported)), first: median(all.map((r) => r.first)) });
  return new Map(plan.systems.map((name) => [name, failures.get(name) ?? middle(runs.get(name)!)]));
}

export interface MemoryCase { readonly mode: "small" | "large" | "step"; readonly title: string; readonly calls: number }
export const memoryCases = (quick: boolean): MemoryCase[] => [
  { mode: "small", title: "x + 1 on 10 elements", calls: quick ? 1e4 : 1e6 },
  { mode: "large", title: "x + 1 on 10,000 elements", calls: quick ? 1e4 : 1e6 },
  { mode: "step", title: "jitted step over 10 MB of parameters", calls: quick ? 200 : 1e5 },
];

/** Resident memory at its highest in one synchronous loop whose results are dropped. */
export async function measureMemory(c: MemoryCase, plan: Plan, seconds: number): Promise<Map<SystemName, MemoryAnswer | string>> {
  const out = new Map<SystemName, MemoryAnswer | string>();
  for (const name of plan.systems) {
    const process = new SystemProcess(commandOf(name, plan.runtime));
    try {
      await process.ask({ op: "hello" }, 120);
      out.set(name, await process.ask<MemoryAnswer>({ op: "memory", mode: c.mode, calls: c.calls, seconds }, seconds + 60));
    } catch (error) {
      out.set(name, error instanceof Error ? error.message : String(error));
    }
    await process.close();
  }
  return out;
}
