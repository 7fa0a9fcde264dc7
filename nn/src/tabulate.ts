import { type DType, NDArray, ShapeDtype, tree } from "@hessia/core";
import { type Rngs, splitInputs, traceShapes } from "./modules/init-apply.js";
import type { Module } from "./modules/module.js";
import type { CallRecord } from "./modules/run.js";

export interface LayerRow {
  /** Where the module stands; "" for the network itself. */
  readonly path: string;
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The module's own parameters, without those of its submodules; 0 on later calls of a shared module. */
  readonly params: number;
  readonly bytes: number;
  /** Bytes of its own variables in other collections, such as running statistics. */
  readonly stateBytes: number;
}
export interface Summary {
  readonly rows: readonly LayerRow[];
  readonly totalParams: number;
  readonly totalBytes: number;
  readonly totalStateBytes: number;
  /** The table as aligned text. */
  toString(): string;
}

const itemsize: Record<DType, number> = { bool: 1, int32: 4, uint32: 4, float32: 4, float64: 8 };
const types = (value: unknown): string[] => tree.leaves(value).filter((x) => x instanceof NDArray || x instanceof ShapeDtype).map((x) => `${x.dtype}[${x.shape.join(",")}]`);
const count = (n: number): string => n.toLocaleString("en-US");
const bytes = (n: number): string => (n < 1024 ? `${n} B` : n < 1024 ** 2 ? `${(n / 1024).toFixed(1)} KB` : `${(n / 1024 ** 2).toFixed(1)} MB`);

/**
 * What a network consists of: path, class, results, parameters and bytes of every module called, found by running it for shapes
 * only. Printed it is a table; `rows` and the totals are data.
 * @throws What the module's `init` throws.
 * @example console.log(String(nn.tabulate(net, random.key(0), new ShapeDtype([1, 64], "float32"))));
 */
export function tabulate(module: Module, rngs: Rngs, ...inputs: readonly unknown[]): Summary {
  const calls: (Omit<CallRecord, "inputs" | "output"> & { inputs: string[]; outputs: string[] })[] = [];
  const { keys, args, method } = splitInputs(rngs, inputs, "tabulate");
  const made = traceShapes(module, keys, args, method, "tabulate", (r) => calls.push({ path: r.path, type: r.type, inputs: types(r.inputs), outputs: types(r.output) }));
  const sizes = made.map((d) => {
    const leaves = tree.leaves<NDArray>(d.stand);
    return { path: d.path.join("/"), isParam: d.collection === "params", n: leaves.reduce((s, x) => s + x.size, 0), bytes: leaves.reduce((s, x) => s + x.size * itemsize[x.dtype], 0) };
  });
  // Calls are recorded when they return; a table starts with the whole and goes into its parts.
  const first = (path: readonly string[]): number => calls.findIndex((c) => path.every((name, i) => c.path[i] === name));
  const order = calls.map((c, i) => ({ c, i })).sort((a, b) => comparePaths(a.c.path, b.c.path, first) || a.i - b.i);
  const seen = new Set<string>();
  const rows = order.map(({ c }): LayerRow => {
    const path = c.path.join("/");
    const own = seen.has(path) ? [] : sizes.filter((s) => s.path === path);
    seen.add(path);
    const sum = (pick: (s: (typeof own)[number]) => number): number => own.reduce((t, s) => t + pick(s), 0);
    return { path, type: c.type, inputs: c.inputs, outputs: c.outputs, params: sum((s) => (s.isParam ? s.n : 0)), bytes: sum((s) => (s.isParam ? s.bytes : 0)), stateBytes: sum((s) => (s.isParam ? 0 : s.bytes)) };
  });
  const total = (pick: (s: (typeof sizes)[number]) => number): number => sizes.reduce((t, s) => t + pick(s), 0);
  const summary = { rows, totalParams: total((s) => (s.isParam ? s.n : 0)), totalBytes: total((s) => (s.isParam ? s.bytes : 0)), totalStateBytes: total((s) => (s.isParam ? 0 : s.bytes)) };
  return { ...summary, toString: () => table(summary) };
}

/** Paths in the order of their first calls, every module before its parts. */
function comparePaths(a: readonly string[], b: readonly string[], first: (path: readonly string[]) => number): number {
  for (let n = 1; n <= Math.min(a.length, b.length); n++) if (a[n - 1] !== b[n - 1]) return first(a.slice(0, n)) - first(b.slice(0, n));
  return a.length - b.length;
}

function table(s: Pick<Summary, "rows" | "totalParams" | "totalBytes" | "totalStateBytes">): string {
  const hasState = s.totalStateBytes > 0;
  const lines = [
    ["path", "module", "output", "params", "bytes", "state"],
    ...s.rows.map((r) => [r.path || "(top)", r.type, r.outputs.join(" "), r.params ? count(r.params) : "", r.bytes ? bytes(r.bytes) : "", r.stateBytes ? bytes(r.stateBytes) : ""]),
    ["total", "", "", count(s.totalParams), bytes(s.totalBytes), bytes(s.totalStateBytes)],
  ].map((line) => (hasState ? line : line.slice(0, 5)));
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const text = lines.map((line) => line.map((cell, i) => (i >= 3 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join("  ").trimEnd());
  const rule = "-".repeat(widths.reduce((a, b) => a + b, 2 * (widths.length - 1)));
  return [text[0], rule, ...text.slice(1, -1), rule, text.at(-1)].join("\n");
}
