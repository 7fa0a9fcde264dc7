/**
 * What the processor allows through WebAssembly, by kernels written by hand, and how close ours come to it, in one process, taking turns:
 *   npx tsx bench/limits.ts [--write]
 * `--write` puts the table into RESULTS.md. Flags of Node (relaxed SIMD, revectorization) go before the file as usual.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { jit, np, type NDArray } from "@hessia/core";
import { type FunctionBuilder, ModuleBuilder, type PlainOp } from "../core/src/backends/wasm/assembler/index.js";
import { mergeSections } from "./src/harness/results-file.js";
import { median } from "./src/harness/statistics.js";

type Kernel = (repeats: number) => unknown;
interface Element { readonly name: "float32" | "float64"; readonly shape: "f32x4" | "f64x2"; readonly lanes: number; readonly bytes: number; readonly splat: "v128.load32_splat" | "v128.load64_splat" }
const elements: readonly Element[] = [
  { name: "float32", shape: "f32x4", lanes: 4, bytes: 4, splat: "v128.load32_splat" },
  { name: "float64", shape: "f64x2", lanes: 2, bytes: 8, splat: "v128.load64_splat" },
];

const probe = new ModuleBuilder();
probe.function("f", ["v128"], ["v128"]).get(0).get(0).get(0).op("f64x2.relaxed_madd");
const relaxed = WebAssembly.validate(probe.finish());

/** Address 0 up to here is B, from here on A, then sums. */
const [panelBytes, pages] = [16384, 1024];

/** `run(repeats)`: a loop around `body`, with `unroll` copies of it; `before` and `after` stand outside. */
function kernel(unroll: number, write: (f: FunctionBuilder) => { body: (copy: number) => void; advance?: () => void; after: () => void }): Kernel {
  const m = new ModuleBuilder();
  m.importMemory("host", "memory", pages, pages, false);
  const f = m.function("run", ["i32"]);
  const { body, advance, after } = write(f);
  f.loop((again) => {
    for (let i = 0; i < unroll; i++) body(i);
    advance?.();
    f.get(0).i32(1).op("i32.sub").tee(0).brIf(again);
  });
  after();
  m.export("run", f);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  new Float32Array(memory.buffer).fill(1e-3);
  return new WebAssembly.Instance(new WebAssembly.Module(m.finish()), { host: { memory } }).exports["run"] as Kernel;
}

const vector = (e: Element, op: "add" | "mul" | "relaxed_madd"): PlainOp => `${e.shape}.${op}` as PlainOp;
const keep = (f: FunctionBuilder, sums: readonly number[]): void => { sums.forEach((s, i) => f.i32(2 * panelBytes + 16 * i).get(s).memory("v128.store")); };

/** sum = sum * a + b of registers alone, in twelve independent chains: no memory, nothing to wait for. */
const registers = (e: Element): Kernel =>
  kernel(8, (f) => {
    const [a, b] = [f.local("v128"), f.local("v128")];
    const sums = Array.from({ length: 12 }, () => f.local("v128"));
    f.i32(0).memory("v128.load").set(a).i32(16).memory("v128.load").set(b);
    const step = (s: number): void => {
      if (relaxed) f.get(s).get(a).get(b).op(vector(e, "relaxed_madd")).set(s);
      else f.get(s).get(a).op(vector(e, "mul")).get(b).op(vector(e, "add")).set(s);
    };
    return { body: () => { sums.forEach(step); }, after: () => { keep(f, sums); } };
  });
const registersFlops = (e: Element): number => 8 * 12 * 2 * e.lanes;

/** The inside of a matrix product: `rows` x `vectors` sums, panels of A and B in the first-level cache, so many steps in depth a round. */
const tile = (e: Element, rows: number, vectors: number, depth: number): Kernel =>
  kernel(depth, (f) => {
    const sums = Array.from({ length: rows * vectors }, () => f.local("v128"));
    const [a, ...b] = Array.from({ length: 1 + vectors }, () => f.local("v128"));
    const [atA, atB] = [f.local("i32"), f.local("i32")];
    const [stepA, stepB] = [e.bytes * rows, 16 * vectors];
    const forward = (at: number, step: number): void => { f.get(at).i32(depth * step).op("i32.add").i32(panelBytes / 2 - 1).op("i32.and").set(at); };
    return {
      body: (k) => {
        b.forEach((v, j) => f.get(atB).memory("v128.load", stepB * k + 16 * j).set(v));
        for (let i = 0; i < rows; i++) {
          f.get(atA).memory(e.splat, panelBytes + stepA * k + e.bytes * i).set(a!);
          b.forEach((v, j) => {
            const sum = sums[i * vectors + j]!;
            if (relaxed) f.get(a!).get(v).get(sum).op(vector(e, "relaxed_madd")).set(sum);
            else f.get(sum).get(a!).get(v).op(vector(e, "mul")).op(vector(e, "add")).set(sum);
          });
        }
      },
      advance: () => { forward(atA, stepA); forward(atB, stepB); },
      after: () => { keep(f, sums); },
    };
  });
const blocks = [[2, 4], [3, 3], [3, 4], [4, 2], [4, 3], [5, 2], [6, 2], [8, 1], [10, 1], [12, 1], [3, 2], [4, 4]] as const;
const depths = [1, 2, 4, 16];

/** Reads of `bytes` of memory, added up. */
const stream = (bytes: number): Kernel =>
  kernel(8, (f) => {
    const at = f.local("i32");
    const sums = Array.from({ length: 8 }, () => f.local("v128"));
    return {
      body: (i) => { f.get(sums[i]!).get(at).memory("v128.load", 16 * i).op("f32x4.add").set(sums[i]!); },
      advance: () => { f.get(at).i32(128).op("i32.add").i32(bytes - 1).op("i32.and").set(at); },
      after: () => { keep(f, sums); },
    };
  });

interface Candidate { readonly name: string; readonly work: number; readonly run: (repeats: number) => unknown }
/** Work per nanosecond (GFLOP/s, GB/s) of each, at its fastest of rounds in which all take turns. */
async function rates(candidates: readonly Candidate[], rounds = 20, milliseconds = 3): Promise<Map<string, number>> {
  const ready = [];
  for (const c of candidates) {
    let repeats = 1;
    const time = (): number => { const start = performance.now(); c.run(repeats); return performance.now() - start; };
    while (time() < milliseconds) repeats *= 2;
    for (let r = 0; r < 4; r++) { time(); await new Promise((resolve) => setTimeout(resolve, 5)); } // the optimizing compiler has its time
    while (time() < milliseconds) repeats *= 2;
    ready.push({ ...c, time, repeats, times: [] as number[] });
  }
  for (let r = 0; r < rounds; r++) for (const c of ready) c.times.push(c.time());
  // The rates of a limit and of what it limits both come from the better half of their rounds.
  return new Map(ready.map((c) => [c.name, (c.work * c.repeats) / (median(c.times.sort((x, y) => x - y).slice(0, rounds / 2)) * 1e6)]));
}

const repeated = (call: () => NDArray) => (repeats: number): void => { for (let i = 0; i < repeats; i++) call().dispose(); };

function product(e: Element, n: number): Candidate {
  const data = (seed: number): NDArray => np.array(Array.from({ length: n * n }, (_, i) => Math.sin(i * seed)), { dtype: e.name }).reshape([n, n]);
  const [a, b] = [data(1), data(2)];
  const f = jit((x: NDArray, y: NDArray) => np.matmul(x, y));
  return { name: `ours ${n}`, work: 2 * n ** 3, run: repeated(() => f(a, b)) };
}

function sum(bytes: number): Candidate {
  const x = np.ones([bytes / 4], { dtype: "float32" });
  const f = jit((v: NDArray) => np.sum(v));
  return { name: "ours", work: bytes, run: repeated(() => f(x)) };
}

const rows: string[][] = [];
const note = (what: string, limit: number, ours: Iterable<readonly [string, number]>, unit: string): void => {
  const shown = [...ours].map(([name, rate]) => `${name}: ${rate.toFixed(1)} (${((100 * rate) / limit).toFixed(0)} %)`).join(", ");
  rows.push([what, `${limit.toFixed(1)} ${unit}`, shown]);
  console.error(`${what}: ${limit.toFixed(1)} ${unit}; ${shown}`);
};

for (const e of elements) {
  const sizes = [64, 256, 512];
  const tiles = blocks.flatMap(([r, v]) => depths.map((d) => ({ name: `${r} x ${v * e.lanes}, ${d} deep`, work: d * r * v * 2 * e.lanes, run: tile(e, r, v, d) })));
  const found = await rates([
    { name: "registers", work: registersFlops(e), run: registers(e) },
    ...tiles,
    ...sizes.map((n) => product(e, n)),
  ]);
  const ours = sizes.map((n) => [`N = ${n}`, found.get(`ours ${n}`)!] as const);
  const best = tiles.map((t) => t.name).reduce((x, y) => (found.get(x)! > found.get(y)! ? x : y));
  note(`${e.name} product: ${relaxed ? "fused multiply-add" : "multiply and add"} of registers alone`, found.get("registers")!, ours, "GFLOP/s");
  note(`${e.name} product: best tile with its loads from the first-level cache (${best})`, found.get(best)!, ours, "GFLOP/s");
}
for (const bytes of [2 ** 15, 2 ** 19, 2 ** 24, 2 ** 25]) {
  const found = await rates([{ name: "limit", work: 128, run: stream(bytes) }, sum(bytes)], 16);
  note(`reading ${bytes / 1024} KiB`, found.get("limit")!, [["sum of float32", found.get("ours")!]], "GB/s");
}

const table = [["limit", "reached by hand", "ours, and its share"], ["---", "---", "---"], ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const flags = process.execArgv.filter((flag) => flag.startsWith("--experimental-wasm"));
const heading = `Node ${process.versions.node.split(".")[0]}, 1 thread${flags.length > 0 ? `, ${flags.join(" ")}` : ""}`;
const text = `### What the processor allows, by kernels written by hand in WebAssembly\n\n${table}\n\n${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC, ${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}; node v${process.versions.node}; \`bench/limits.ts\`.`;
console.log(`\n${text}`);
if (process.argv.includes("--write")) {
  const file = new URL("./RESULTS.md", import.meta.url);
  writeFileSync(file, mergeSections(readFileSync(file, "utf8"), [{ heading, task: "limits", text }]));
}
