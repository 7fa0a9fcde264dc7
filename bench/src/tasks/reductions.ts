import { type Bar, bar, type Case, javascriptPeers, type Task } from "../harness/case.js";
import { centered, digest } from "../harness/data.js";

export const rows = 4096;
export const columns = 1000;
export const input = () => centered(rows * columns, 4, "float32", 8);

export const reductionNames = ["sum", "max", "argmax"] as const;
export type ReductionName = (typeof reductionNames)[number];

/** "all", or the axis that is reduced. */
export const axisOf = (axis: string | number): number | null => (axis === "all" ? null : Number(axis));

function reduce(x: ArrayLike<number>, op: ReductionName, axis: number | null): Float64Array {
  const outputs = axis === null ? 1 : axis === 0 ? columns : rows;
  const result = new Float64Array(outputs);
  const best = new Float64Array(outputs).fill(-Infinity);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const v = x[i * columns + j]!;
      const to = axis === null ? 0 : axis === 0 ? j : i;
      if (op === "sum") result[to]! += v;
      else if (v > best[to]!) {
        best[to] = v;
        result[to] = op === "max" ? v : axis === null ? i * columns + j : axis === 0 ? i : j;
      }
    }
  return result;
}

function logSoftmax(x: ArrayLike<number>): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    let top = -Infinity;
    for (let j = 0; j < columns; j++) top = Math.max(top, x[i * columns + j]!);
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += Math.exp(x[i * columns + j]! - top);
    for (let j = 0; j < columns; j++) out[i * columns + j] = x[i * columns + j]! - top - Math.log(sum);
  }
  return out;
}

const reductionBar: Bar = {
  anyOf: [{ atLeast: 2, systems: javascriptPeers }, { atLeast: 1 / 1.4, systems: ["jax"] }, { atLeast: 1 / 1.4, systems: ["numpy"] }],
};

const reductions32 = reductionNames.flatMap((op): Case[] =>
  ["all", 0, 1].map((axis) => ({
    name: `${op} ${axis === "all" ? "all" : `axis ${axis}`}`,
    params: { op, axis },
    // Sums of numbers of both signs: an error is judged by their sizes (mean 2).
    expected: () => ({ values: digest(reduce(input(), op, axisOf(axis))), tolerance: op === "sum" ? 1e-5 : 0, scale: op === "sum" ? (2 * rows * columns) / (axis === "all" ? 1 : axis === 0 ? columns : rows) : 1 }),
    bars: [reductionBar],
  })),
);

export const reductions: Task = {
  name: "reductions",
  title: "Reductions and log-softmax of a float32 [4096, 1000]",
  cases: [...reductions32, { name: "log-softmax", params: { op: "logSoftmax", axis: 1 }, expected: () => ({ values: digest(logSoftmax(input())), tolerance: 1e-6 }), bars: [bar(3, javascriptPeers), bar(0.5, "jax")] }],
};
