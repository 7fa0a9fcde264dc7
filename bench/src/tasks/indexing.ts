import { bar, type Case, type Element, javascriptPeers, type Task } from "../harness/case.js";
import { centered, digest, uniform } from "../harness/data.js";

export const side = 1000;
const size = side * side;
export const indexingNames = ["cumsum", "sort", "argsort", "take", "add"] as const;
export type IndexingName = (typeof indexingNames)[number];

/** A million numbers, as a vector or as a matrix of 1000 rows. */
export const numbers = (dtype: Element) => centered(size, 21, dtype, 2);
export const shapeOf = (shape: string): number[] => (shape === "vector" ? [size] : [side, side]);
/** Positions of the first axis, many more than once. */
export const positions = (shape: string): Int32Array => {
  const n = shapeOf(shape)[0]!;
  return Int32Array.from(uniform(n, 22, "float64"), (u) => Math.floor(u * n));
};

/** The elements of each row along an axis, in their order. */
function* rowsOf(shape: string, axis: number): Generator<Int32Array> {
  if (shape === "vector") yield Int32Array.from({ length: size }, (_, i) => i);
  else for (let r = 0; r < side; r++) yield Int32Array.from({ length: side }, (_, k) => (axis === 0 ? k * side + r : r * side + k));
}

function answer(op: IndexingName, shape: string, axis: number, dtype: Element): Float64Array {
  const x = numbers(dtype);
  const y = new Float64Array(size);
  if (op === "take" || op === "add") {
    const width = shape === "vector" ? 1 : side;
    if (op === "add") y.set(x);
    positions(shape).forEach((p, i) => {
      for (let j = 0; j < width; j++)
        if (op === "take") y[i * width + j] = x[p * width + j]!;
        else y[p * width + j]! += x[i * width + j]!;
    });
    return y;
  }
  for (const row of rowsOf(shape, axis)) {
    const order = op === "cumsum" ? undefined : row.map((_, k) => k).sort((a, b) => x[row[a]!]! - x[row[b]!]! || a - b);
    let sum = 0;
    row.forEach((i, k) => {
      sum += x[i]!;
      y[i] = order === undefined ? sum : op === "argsort" ? order[k]! : x[row[order[k]!]!]!;
    });
  }
  return y;
}

const kinds: readonly (readonly [IndexingName, string, number])[] = [
  ["cumsum", "vector", 0], ["cumsum", "matrix", 0], ["cumsum", "matrix", 1],
  ["sort", "vector", 0], ["sort", "matrix", 0], ["sort", "matrix", 1],
  ["argsort", "vector", 0], ["argsort", "matrix", 1],
  ["take", "vector", 0], ["take", "matrix", 0], ["add", "vector", 0], ["add", "matrix", 0],
];
const titles: Readonly<Record<IndexingName, string>> = { cumsum: "cumsum", sort: "sort", argsort: "argsort", take: "x[i]", add: "x[i] += x" };

const cases = (dtype: Element): Case[] =>
  kinds.map(([op, shape, axis]) => ({
    name: `${dtype} ${titles[op]}, ${shape === "vector" ? "1-D" : op === "take" || op === "add" ? "rows" : `axis ${axis}`}`,
    params: { dtype, op, shape, axis },
    // Running sums of numbers of both signs: an error is judged by the sum of their sizes.
    expected: () => ({ values: digest(answer(op, shape, axis, dtype)), tolerance: op === "cumsum" || op === "add" ? (dtype === "float32" ? 1e-5 : 1e-13) : 0, scale: op === "cumsum" ? (shape === "vector" ? size : side) / 2 : 1 }),
    bars: [bar(2, javascriptPeers), { anyOf: [{ atLeast: 0.7, systems: ["numpy"] }, { atLeast: 0.7, systems: ["jax"] }] }],
  }));

export const indexing: Task = { name: "indexing", title: "Running sums, sorting and indexing of 10^6 elements, 1-D and [1000, 1000]", cases: [...cases("float32"), ...cases("float64")] };
