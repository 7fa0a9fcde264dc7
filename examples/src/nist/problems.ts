import { readFileSync } from "node:fs";
import { type NDArray, np } from "@hessia/core";
import { compileFormula } from "./formula.js";

interface Entry {
  readonly name: string;
  readonly difficulty: "lower" | "average" | "higher";
  readonly formula: string;
  readonly response: "y" | "log(y)";
  readonly predictors: readonly string[];
  readonly y: number[];
  readonly x: number[] | number[][];
  readonly start1: number[];
  readonly start2: number[];
  readonly certified: number[];
  readonly solution?: number[];
  readonly certified_rss: number;
}

export interface NistProblem extends Entry {
  /** Residuals `model(b) - response`. */
  readonly residuals: (b: NDArray) => NDArray;
  /** The model's values for plotting. */
  readonly model: (b: NDArray) => NDArray;
}

/** The 27 problems with their models compiled from the formulas that NIST prints. */
export function loadNistProblems(file: URL): NistProblem[] {
  const { entries } = JSON.parse(readFileSync(file, "utf8")) as { entries: Entry[] };
  return entries.map((entry) => {
    const formula = compileFormula(entry.formula);
    const columns = entry.predictors.length === 1 ? [entry.x as number[]] : (entry.x as number[][]);
    const predictors = Object.fromEntries(entry.predictors.map((name, i) => [name, np.array(columns[i]!)]));
    const response = entry.response === "y" ? np.array(entry.y) : np.log(np.array(entry.y));
    const model = (b: NDArray) => formula({ ...predictors, ...Object.fromEntries(entry.certified.map((_, i) => [`b${i + 1}`, b.get(i)])) });
    return { ...entry, model, residuals: (b) => np.subtract(model(b), response) };
  });
}

/** Certified digits reached: -log10 of the relative error of the worst parameter, at most 11, as many as NIST prints. */
export function certifiedDigits(got: readonly number[], problem: Entry): number {
  const want = problem.solution ?? problem.certified;
  const digits = Math.min(...got.map((v, i) => -Math.log10(Math.abs(v - want[i]!) / Math.abs(want[i]!))));
  return Number.isNaN(digits) ? 0 : Math.max(0, Math.min(11, digits));
}
