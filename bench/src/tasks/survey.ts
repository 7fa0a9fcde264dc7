import { bar, type Case, type Element, javascriptPeers, type Task } from "../harness/case.js";
import { centered, digest, type Numbers, uniform } from "../harness/data.js";

/** One operation of each kind that the other tasks leave out. */
export const surveyNames = ["remainder", "cube", "clip", "where", "column + row", "transpose", "concatenate", "repeat", "roll", "pad", "every second", "diff", "variance, axis 0", "norm, axis 1", "softmax"] as const;
export type SurveyName = (typeof surveyNames)[number];

export interface SurveyInput { readonly x: Numbers; readonly y: Numbers; /** Between 0.1 and 1.1. */ readonly positive: Numbers; readonly rows: number; readonly columns: number }
/** `n` numbers as vectors, and as matrices of `rows` and `columns`. */
export function surveyInput(n: number, dtype: Element): SurveyInput {
  const rows = n === 10 ? 2 : Math.sqrt(n);
  return { x: centered(n, 31, dtype, 4), y: centered(n, 32, dtype, 4), positive: uniform(n, 33, dtype).map((v) => v + 0.1), rows, columns: n / rows };
}

const fill = (size: number, f: (i: number) => number): Float64Array => Float64Array.from({ length: size }, (_, i) => f(i));

function answer(op: SurveyName, { x, y, positive, rows, columns }: SurveyInput): Float64Array {
  const n = x.length;
  const at = (i: number, j: number): number => x[i * columns + j]!;
  const sum = (size: number, f: (i: number) => number): number => fill(size, f).reduce((s, v) => s + v, 0);
  switch (op) {
    case "remainder": return fill(n, (i) => ((x[i]! % positive[i]!) + positive[i]!) % positive[i]!);
    case "cube": return fill(n, (i) => x[i]! ** 3);
    case "clip": return fill(n, (i) => Math.min(1, Math.max(-1, x[i]!)));
    case "where": return fill(n, (i) => (x[i]! > 0 ? x[i]! : y[i]!));
    case "column + row": return fill(n, (i) => x[Math.floor(i / columns)]! + y[i % columns]!);
    case "transpose": return fill(n, (i) => at(i % rows, Math.floor(i / rows)));
    case "concatenate": return fill(2 * n, (i) => (i < n ? x[i]! : y[i - n]!));
    case "repeat": return fill(2 * n, (i) => x[i >> 1]!);
    case "roll": return fill(n, (i) => x[(i + n - 3) % n]!);
    case "pad": {
      const wide = columns + 2;
      return fill((rows + 2) * wide, (k) => {
        const [i, j] = [Math.floor(k / wide) - 1, (k % wide) - 1];
        return i < 0 || i >= rows || j < 0 || j >= columns ? 0 : at(i, j);
      });
    }
    case "every second": return fill(Math.ceil(n / 2), (i) => x[2 * i]!);
    case "diff": return fill(n - 1, (i) => x[i + 1]! - x[i]!);
    case "variance, axis 0": return fill(columns, (j) => {
      const mean = sum(rows, (i) => at(i, j)) / rows;
      return sum(rows, (i) => (at(i, j) - mean) ** 2) / rows;
    });
    case "norm, axis 1": return fill(rows, (i) => Math.sqrt(sum(columns, (j) => at(i, j) ** 2)));
    case "softmax": {
      const sums = fill(rows, (i) => sum(columns, (j) => Math.exp(at(i, j))));
      return fill(n, (k) => Math.exp(x[k]!) / sums[Math.floor(k / columns)]!);
    }
  }
}

const modes = ["eager", "jit"] as const;
const cases = (dtype: Element, n: number): Case[] =>
  surveyNames.flatMap((op) => modes.map((mode): Case => ({
    name: `${dtype} ${op}, n=${n} ${mode}`,
    params: { dtype, n, op, mode },
    expected: () => ({ values: digest(answer(op, surveyInput(n, dtype))), tolerance: dtype === "float32" ? 2e-5 : 1e-12 }),
    bars: [bar(1, javascriptPeers)],
  })));

export const survey: Task = { name: "survey", title: "One operation of each kind, on 10 and on 10^6 elements", cases: (["float32", "float64"] as const).flatMap((dtype) => [...cases(dtype, 10), ...cases(dtype, 10 ** 6)]) };
