import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ArgumentError, DTypeError, type NDArray, np, ShapeError } from "@hessia/core";
import { nistModels } from "../fixtures/nist-models.js";
import { leastSquares } from "./least-squares.js";

interface NistProblem {
  readonly name: string;
  readonly response: string;
  readonly y: number[];
  readonly x: number[] | number[][];
  readonly start1: number[];
  readonly start2: number[];
  readonly certified: number[];
  readonly solution?: number[];
  readonly certified_rss: number;
}
const { entries } = JSON.parse(readFileSync(new URL("../fixtures/nist-strd.json", import.meta.url), "utf8")) as { entries: NistProblem[] };

const residualsOf = (problem: NistProblem) => {
  const model = nistModels[problem.name]!;
  const two = Array.isArray(problem.x[0]);
  const x = np.array(two ? (problem.x as number[][])[0]! : (problem.x as number[]));
  const x2 = two ? np.array((problem.x as number[][])[1]!) : x;
  const y = problem.response === "y" ? np.array(problem.y) : np.log(np.array(problem.y));
  return (b: NDArray) => np.subtract(model(problem.start1.map((_, i) => b.get(i)), x, x2), y);
};

/** Certified digits: -log10 of the relative error, the worst parameter. */
const digits = (got: readonly number[], want: readonly number[]) => Math.min(...got.map((v, i) => -Math.log10(Math.abs(v - want[i]!) / Math.abs(want[i]!))));

describe("NIST StRD: all 27 problems from both certified starts", () => {
  it.each(entries.flatMap((p) => (["start1", "start2"] as const).map((s) => [p.name, s, p] as const)))("%s from %s", (_name, start, problem) => {
    const result = leastSquares(residualsOf(problem), np.array(problem[start]));
    expect(result.success, result.message).toBe(true);
    expect(digits(result.x.toArray() as number[], problem.solution ?? problem.certified)).toBeGreaterThan(9.5);
    expect(Math.abs(2 * result.cost - problem.certified_rss)).toBeLessThanOrEqual(problem.name.startsWith("Lanczos1") ? 1e-20 : 1e-9 * problem.certified_rss);
  });
});

describe("leastSquares", () => {
  const t = np.linspace(0, 2, 20);
  const y = np.multiply(2, np.exp(np.multiply(-1.3, t)));

  it("fits pytrees of parameters and returns SciPy's fields", () => {
    const r = leastSquares((p: { a: NDArray; rate: NDArray }) => np.subtract(np.multiply(p.a, np.exp(np.negative(np.multiply(p.rate, t)))), y), { a: np.array(1), rate: np.array(1) });
    expect(r.x.a.item()).toBeCloseTo(2, 12);
    expect(r.x.rate.item()).toBeCloseTo(1.3, 12);
    expect(r.jac.shape).toEqual([20, 2]);
    expect(r.fun.shape).toEqual([20]);
    expect([r.success, r.status > 0, r.nfev > 0, r.njev > 0]).toEqual([true, true, true, true]);
  });

  it("takes reverse-mode and own Jacobians", () => {
    const f = (b: NDArray) => np.subtract(np.multiply(b.get(0), np.exp(np.negative(np.multiply(b.get(1), t)))), y);
    const own = (b: NDArray) => {
      const e = np.exp(np.negative(np.multiply(b.get(1), t)));
      return np.stack([e, np.negative(np.multiply(np.multiply(b.get(0), t), e))], 1);
    };
    for (const jac of ["fwd", "rev", own] as const) expect((leastSquares(f, np.array([1, 1]), { jac }).x.toArray() as number[])[1]).toBeCloseTo(1.3, 12);
  });

  it("survives a rank-deficient Jacobian", () => {
    const r = leastSquares((b: NDArray) => np.subtract(np.multiply(np.add(b.get(0), b.get(1)), t), t), np.array([5, 3]));
    expect(r.cost).toBeLessThan(1e-25);
  });

  it("reports evaluations that ran out, and starts that are not finite", () => {
    const f = (b: NDArray) => np.subtract(np.exp(np.multiply(b.get(0), t)), np.exp(np.multiply(3, t)));
    expect(leastSquares(f, np.array([-4]), { maxNfev: 2 })).toMatchObject({ success: false, status: 0 });
    expect(leastSquares((b: NDArray) => np.log(np.multiply(b, -1)), np.array([1])).status).toBe(-1);
  });

  it("names what is wrong", () => {
    expect(() => leastSquares((b: NDArray) => b.get(":1"), np.array([1, 2]))).toThrow(ShapeError);
    expect(() => leastSquares((b: NDArray) => b, np.array([1, 2]).astype("int32"))).toThrow(DTypeError);
    expect(() => leastSquares((b: NDArray) => b, np.array([1, 2]), { method: "trf" as "lm" })).toThrow(ArgumentError);
  });
});
