/** Runs the cases of a task: every system in a process of its own, taking turns. */
import type { Case, Circumstances, SystemName, Task } from "./case.js";
import type { Hello, MeasureAnswer, PreparedAnswer } from "./protocol.js";
import { median, quantile } from "./statistics.js";
import { SystemError, SystemProcess } from "./system-process.js";
import { commandOf, type Runtime } from "./systems.js";

export interface Cell {
  /** Milliseconds of one call; absent where there is no time. */
  readonly median?: number;
  readonly low?: number;
  readonly high?: number;
  /** Milliseconds of the very first call, compilation included. */
  readonly first?: number;
  /** Median of each round. */
  readonly rounds: ReadonlyMap<number, number>;
  /** Distance from the reference relative to its scale. */
  readonly error?: number;
  /** The distance is above the tolerance of the case. */
  readonly inaccurate?: boolean;
  /** Too slow to be called again: the time is that of one call. */
  readonly once?: boolean;
  /** The answer is another one: for ours when it is inaccurate, for a peer when nothing can excuse the distance. */
  readonly wrong?: boolean;
  /** Why there is no time. */
  readonly failure?: string;
  readonly unsupported?: boolean;
}

export interface CaseResult { readonly case: Case; readonly cells: ReadonlyMap<SystemName, Cell> }
export interface TaskResult {
  readonly task: Task;
  readonly results: readonly CaseResult[];
  readonly versions: Readonly<Record<string, string>>;
  readonly circumstances: Circumstances;
}

export interface Plan {
  readonly rounds: number;
  /** Milliseconds of a system in a round. */
  readonly slice: number;
  readonly systems: readonly SystemName[];
  readonly runtime: Runtime;
  /** Whether our packages were built just before. */
  readonly built: boolean;
  readonly report: (line: string) => void;
}

/** A peer with fewer digits than it should have is still compared; beyond this it did not solve the task. */
const inexcusable = 1e-3;
/** A peer whose second call takes so many milliseconds is not called again: everyone would wait for it, and no disturbance is of that size. */
const slowCall = 1000;
/** Ours does not hold a case longer than this. */
const secondsPerCase = 40;
/** A peer that has not prepared a case by then has no time for it. */
const secondsPerRequest = 120;

const failed = (error: unknown): Cell => ({ rounds: new Map(), failure: error instanceof Error ? error.message : String(error), unsupported: error instanceof SystemError && error.unsupported });

function distance(digest: readonly number[], expected: readonly number[], scale: number): number {
  if (digest.length !== expected.length) return Infinity;
  return digest.reduce((worst, value, i) => Math.max(worst, Number.isFinite(value) ? Math.abs(value - expected[i]!) / scale : Infinity), 0);
}

export class Session {
  readonly #plan: Plan;
  readonly #processes = new Map<SystemName, SystemProcess>();
  readonly versions: Record<string, string> = {};
  relaxedSimd = false;

  constructor(plan: Plan) { this.#plan = plan; }

  async #process(name: SystemName): Promise<SystemProcess> {
    const known = this.#processes.get(name);
    if (known && !known.ended) return known;
    const made = new SystemProcess(commandOf(name, this.#plan.runtime));
    this.#processes.set(name, made);
    const hello = await made.ask<Hello>({ op: "hello" }, secondsPerRequest);
    Object.assign(this.versions, hello.versions);
    if (name === "hessia") this.relaxedSimd = hello.relaxedSimd;
    return made;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((p) => p.close()));
    this.#processes.clear();
  }

  async run(task: Task, cases: readonly Case[]): Promise<CaseResult[]> {
    const results: CaseResult[] = [];
    for (const c of cases) {
      results.push(await this.#case(task, c));
      this.#plan.report(describe(task, results.at(-1)!));
    }
    return results;
  }

  async #case(task: Task, c: Case): Promise<CaseResult> {
    const { systems, rounds, slice } = this.#plan;
    const cells = new Map<SystemName, Cell>();
    const expected = c.expected();
    const scale = expected.scale ?? Math.max(...expected.values.map(Math.abs));
    const ready: { name: SystemName; process: SystemProcess; rounds: number }[] = [];

    for (const name of systems) {
      try {
        const process = await this.#process(name);
        const prepared = await process.ask<PreparedAnswer>({ op: "prepare", task: task.name, params: c.params }, secondsPerRequest);
        const error = distance(prepared.digest.map(Number), expected.values, scale);
        cells.set(name, { rounds: new Map(), first: prepared.first, error, inaccurate: !(error <= expected.tolerance), wrong: !(error <= (name === "hessia" ? expected.tolerance : Math.max(expected.tolerance, inexcusable))) });
        if (name !== "hessia" && prepared.second > slowCall) {
          cells.set(name, { ...cells.get(name)!, once: true, rounds: new Map([[0, prepared.second / (c.callsPerRun ?? 1)]]), median: prepared.second / (c.callsPerRun ?? 1) });
          await process.ask({ op: "release" }, secondsPerRequest);
          continue;
        }
        const affordable = Math.max(1, Math.floor((secondsPerCase * 1000) / Math.max(prepared.second, slice)));
        if (prepared.second < slice) await process.ask<MeasureAnswer>({ op: "measure", milliseconds: slice }, secondsPerRequest); // warm
        ready.push({ name, process, rounds: Math.min(rounds, affordable) });
      } catch (error) {
        cells.set(name, failed(error));
      }
    }

    const samples = new Map<SystemName, number[]>();
    const ofRounds = new Map<SystemName, Map<number, number>>();
    for (let round = 0; round < rounds; round++) {
      // Each round begins with another system, so that none always follows the same one.
      for (let k = 0; k < ready.length; k++) {
        const system = ready[(round + k) % ready.length]!;
        if (round >= system.rounds || cells.get(system.name)?.failure !== undefined) continue;
        try {
          const answer = await system.process.ask<MeasureAnswer>({ op: "measure", milliseconds: slice }, secondsPerRequest);
          const times = answer.samples.map((t) => t / (c.callsPerRun ?? 1));
          samples.set(system.name, [...(samples.get(system.name) ?? []), ...times]);
          ofRounds.set(system.name, (ofRounds.get(system.name) ?? new Map<number, number>()).set(round, median(times)));
        } catch (error) {
          cells.set(system.name, failed(error));
        }
      }
    }
    for (const { name, process } of ready) {
      const times = samples.get(name);
      const cell = cells.get(name)!;
      if (times && cell.failure === undefined) cells.set(name, { ...cell, rounds: ofRounds.get(name)!, median: median(times), low: quantile(times, 0.1), high: quantile(times, 0.9) });
      if (!process.ended) await process.ask({ op: "release" }, secondsPerRequest).catch(() => undefined);
    }
    return { case: c, cells };
  }
}

function describe(task: Task, result: CaseResult): string {
  const parts = [...result.cells].map(([name, cell]) => `${name} ${cell.median === undefined ? `- (${cell.unsupported ? "not offered" : cell.failure})` : `${formatTime(cell.median)}${cell.inaccurate ? ` ${cell.wrong ? "WRONG" : "off"} by ${cell.error?.toExponential(1)}` : ""}`}`);
  return `${task.name} ${result.case.name}: ${parts.join(", ")}`;
}

/** Milliseconds with three digits, in the unit that fits. */
export function formatTime(ms: number): string {
  const [value, unit] = ms >= 1000 ? [ms / 1000, "s"] : ms >= 1 ? [ms, "ms"] : ms >= 1e-3 ? [ms * 1e3, "µs"] : [ms * 1e6, "ns"];
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${unit}`;
}
