/** Tables, in Markdown. */
import type { Bar, Circumstances, SystemName } from "./case.js";
import type { MemoryAnswer } from "./protocol.js";
import { type CaseResult, type Cell, formatTime, type TaskResult } from "./session.js";
import type { MemoryCase, Startup } from "./fresh-process.js";
import { pairedRatio } from "./statistics.js";

const times = (ratio: number): string => (ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(2));

/** How many times as fast ours is as each system. */
function ratios(result: CaseResult): Map<SystemName, number> {
  const ours = result.cells.get("hessia");
  const out = new Map<SystemName, number>();
  if (ours?.median === undefined) return out;
  for (const [name, cell] of result.cells) if (name !== "hessia" && cell.median !== undefined) out.set(name, pairedRatio(ours.rounds, cell.rounds));
  return out;
}

export interface Verdict { readonly text: string; readonly met: boolean | undefined }

/** A bar is judged against the fastest of its systems that gave a right answer. */
function judge(bar: Bar, result: CaseResult): Verdict {
  const found = ratios(result);
  const parts = bar.anyOf.map(({ atLeast, systems }) => {
    const known = systems.filter((name) => found.has(name) && !result.cells.get(name)!.wrong);
    const worst = Math.min(...known.map((name) => found.get(name)!));
    const who = systems.length === 1 ? systems[0]! : "best peer";
    return { met: known.length === 0 ? undefined : worst >= atLeast, text: `${known.length === 0 ? "?" : times(worst)} of ≥ ${times(atLeast)} × ${who}` };
  });
  const ours = result.cells.get("hessia");
  const met = ours?.median === undefined || ours.wrong ? false : parts.some((p) => p.met === true) ? true : parts.every((p) => p.met === undefined) ? undefined : false;
  return { met, text: `${met === undefined ? "–" : met ? "✓" : "✗"} ${parts.map((p) => p.text).join(" or ")}` };
}

export const verdicts = (result: CaseResult, circumstances: Circumstances): Verdict[] => result.case.bars.filter((b) => b.when?.(circumstances) ?? true).map((b) => judge(b, result));

function cellText(name: SystemName, cell: Cell, ratio: number | undefined, flops: number | undefined): string {
  if (cell.median === undefined) return cell.unsupported ? "" : `failed: ${cell.failure}`;
  const rate = flops === undefined ? "" : `, ${(flops / cell.median / 1e6).toFixed(1)} GFLOP/s`;
  const wrong = cell.inaccurate ? ` (${cell.wrong ? "**wrong**" : "off"} by ${cell.error!.toExponential(0)})` : "";
  const versus = ratio === undefined || name === "hessia" ? "" : ` (${times(ratio)} ×)`;
  return `${formatTime(cell.median)}${rate}${versus}${wrong}${cell.once ? " (one call)" : ""}`;
}

const row = (cells: readonly string[]): string => `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

export function taskTable({ task, results, circumstances }: TaskResult): string {
  const names = [...new Set(results.flatMap((r) => [...r.cells].filter(([, cell]) => !cell.unsupported).map(([name]) => name)))];
  const rows = results.map((r) => {
    const found = ratios(r);
    const ours = r.cells.get("hessia");
    return [
      r.case.name,
      ...names.map((name) => { const cell = r.cells.get(name); return cell ? cellText(name, cell, found.get(name), r.case.flops) : ""; }),
      ours?.first === undefined ? "" : formatTime(ours.first),
      verdicts(r, circumstances).map((v) => v.text).join("; "),
    ];
  });
  return `### ${task.title}\n\n${table(["case", ...names, "our first call", "bars"], rows)}\n`;
}

export function startupTable(found: ReadonlyMap<SystemName, Startup | string>): string {
  return `### From the start of a process to a first result\n\n${table(["system", "whole process", "import", "first result"], [...found].map(([name, r]) => (typeof r === "string" ? [name, `failed: ${r}`, "", ""] : [name, formatTime(r.total), formatTime(r.imported), formatTime(r.first)])))}\n`;
}

export function memoryTable(found: readonly (readonly [MemoryCase, ReadonlyMap<SystemName, MemoryAnswer | string>])[]): string {
  const rows = found.flatMap(([c, answers]) => [...answers].map(([name, a]) => (typeof a === "string" ? [c.title, name, `failed: ${a}`, "", ""] : [c.title, name, `${a.done.toLocaleString("en")} of ${c.calls.toLocaleString("en")}${a.stopped ? ` (${a.stopped})` : ""}`, `${(a.peakBytes / 2 ** 20).toFixed(0)} MB`, formatTime(a.microseconds / 1000)])));
  return `### Resident memory in one synchronous loop, results dropped, nothing disposed\n\n${table(["loop", "system", "calls", "peak", "time of a call"], rows)}\n`;
}
