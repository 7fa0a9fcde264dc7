/**
 * Reductions that users write, ours jitted beside NumPy: microseconds, and how many times as long NumPy takes.
 *   HESSIA_BENCH_PYTHON=/path/to/python node --expose-gc --import tsx bench/reductions.ts [pattern]
 */
import { execFileSync } from "node:child_process";
import { jit, np, type NDArray } from "@hessia/core";
import { median } from "./src/harness/statistics.js";

type Shape = readonly number[];
type DType = "float32" | "float64" | "int32" | "bool";
interface Case { readonly shape: Shape; readonly dtype: DType; readonly ours: (x: NDArray) => unknown; readonly numpy: string }

const cases: Case[] = [];
const add = (shapes: readonly Shape[], dtypes: readonly DType[], list: readonly (readonly [(x: NDArray) => unknown, string])[]): void => {
  for (const shape of shapes) for (const dtype of dtypes) for (const [ours, numpy] of list) cases.push({ shape, dtype, ours, numpy });
};
const along = (op: "sum" | "max" | "argmax" | "prod" | "mean" | "var" | "any" | "all", axis: number | number[] | null): readonly [(x: NDArray) => unknown, string] =>
  [(x) => (np[op] as (x: NDArray, axis?: number | number[] | null) => NDArray)(x, axis), `np.${op}(x, axis=${axis === null ? "None" : Array.isArray(axis) ? `(${axis.join(", ")})` : axis})`];

const basic = (["sum", "max", "argmax"] as const).flatMap((op) => [null, 0, 1].map((axis) => along(op, axis)));
add([[4096, 1000], [4096, 1024], [1000, 1031], [100, 100], [10, 10]], ["float32"], basic);
add([[1000, 1000]], ["float64", "int32"], basic);
// Narrow and tall, short rows, wide rows.
add([[1_000_000, 3], [100_000, 17], [3, 1_000_000]], ["float32"], basic.slice(1));
add([[128, 64, 100], [100, 1000, 7]], ["float32"], [0, 1, 2, [0, 2]].flatMap((axis) => [along("sum", axis), along("max", axis)]));
add([[4096, 1000]], ["bool"], [along("any", null), along("any", 0), along("any", 1), [(x) => np.all(np.logicalNot(x)), "np.all(~x)"], [(x) => np.sum(x), "np.sum(x)"]]);
add([[4096, 1000]], ["float32"], [
  along("prod", 0), along("prod", 1), along("mean", 0), along("var", null), along("var", 0), along("var", 1),
  [(x) => [np.min(x, 0), np.max(x, 0)], "(np.min(x, 0), np.max(x, 0))"],
  [(x) => np.any(np.greater(x, 2)), "np.any(x > 2)"],
  [(x) => np.sum(np.greater(x, 0)), "np.sum(x > 0)"],
  [(x) => np.sqrt(np.sum(np.square(x), 1)), "np.linalg.norm(x, axis=1)"],
  [(x) => np.sum(np.transpose(x), 0), "np.sum(x.T, 0)"],
  [(x) => np.max(np.transpose(x), 1), "np.max(x.T, 1)"],
  [(x) => np.nansum(x, 0), "np.nansum(x, 0)"],
  [(x) => np.nanmax(x, 1), "np.nanmax(x, 1)"],
  [(x) => np.cumsum(x, 0), "np.cumsum(x, 0)"],
  [(x) => np.cumsum(x, 1), "np.cumsum(x, 1)"],
]);

const values = (shape: Shape, dtype: DType): NDArray => {
  const n = shape.reduce((a, b) => a * b, 1);
  const x = new (dtype === "float64" ? Float64Array : Float32Array)(n);
  for (let i = 0; i < n; i++) x[i] = Math.sin(i) * (dtype === "int32" ? 1000 : 1);
  const a = np.array(x).reshape([...shape]);
  return dtype === "bool" ? np.greater(a, 2) : a.astype(dtype);
};

/** Median microseconds of slices of some 3 ms, the first of them left out. */
function time(f: () => unknown): number {
  const start = performance.now();
  f();
  const calls = Math.max(1, Math.ceil(3 / Math.max(1e-4, performance.now() - start)));
  const slices = Array.from({ length: 16 }, () => {
    const from = performance.now();
    for (let i = 0; i < calls; i++) f();
    return ((performance.now() - from) / calls) * 1e3;
  });
  return median(slices.slice(4));
}

const python = `
import json, sys, time, numpy as np
for line in sys.stdin:
    c = json.loads(line)
    n = int(np.prod(c["shape"]))
    x = np.sin(np.arange(n)).reshape(c["shape"])
    x = x > 2 if c["dtype"] == "bool" else (x * (1000 if c["dtype"] == "int32" else 1)).astype(c["dtype"])
    f = eval("lambda: " + c["numpy"])
    start = time.perf_counter(); f()
    calls = max(1, int(0.003 / max(1e-7, time.perf_counter() - start)))
    slices = []
    for _ in range(16):
        start = time.perf_counter()
        for _ in range(calls): f()
        slices.append((time.perf_counter() - start) / calls * 1e6)
    print(float(np.median(slices[4:])))
`;

const pattern = new RegExp(process.argv[2] ?? "");
const label = (c: Case): string => `${c.dtype} [${c.shape.join(", ")}] ${c.numpy}`;
const chosen = cases.filter((c) => pattern.test(label(c)));
const ours: number[] = [];
for (const { shape, dtype, ours: f } of chosen) {
  const x = values(shape, dtype);
  const compiled = jit(f as (x: NDArray) => NDArray);
  for (let i = 0; i < 5; i++) compiled(x);
  ours.push(time(() => compiled(x)));
  x.dispose();
  // Between turns of the event loop the memory of results is given back: arrays that find the heap full are copied for each call.
  (globalThis as { gc?: () => void }).gc?.();
  await new Promise((resolve) => setTimeout(resolve, 1));
}
const executable = process.env.HESSIA_BENCH_PYTHON;
const peers = executable === undefined ? [] : execFileSync(executable, ["-c", python], { input: chosen.map((c) => `${JSON.stringify({ shape: c.shape, dtype: c.dtype, numpy: c.numpy })}\n`).join(""), env: { ...process.env, OMP_NUM_THREADS: "1" } }).toString().trim().split("\n").map(Number);
chosen.forEach((c, i) => {
  const numpy = peers[i];
  console.log(`${label(c).padEnd(60)} ${ours[i]!.toFixed(1).padStart(10)}${numpy === undefined ? "" : `${numpy.toFixed(1).padStart(10)} ${(numpy / ours[i]!).toFixed(2).padStart(6)} x`}`);
});
