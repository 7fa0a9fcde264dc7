import { describe, expect, it } from "vitest";
import { evaluateProgram, type Program } from "../extend.js";
import { jit, makeProgram, type NDArray, np, scan, vmap } from "../index.js";
import { checkProgram } from "../ir/check.js";
import { optimize } from "../optimize/optimize.js";
import type { ScanParams } from "./control-flow-params.js";

const bodyOf = (p: Program): Program => (p.equations.find((e) => e.primitive.name === "scan")!.params as ScanParams).program;
const count = (p: Program, name: string): number => p.equations.filter((e) => e.primitive.name === name).length;
const numbers = (shape: number[], seed = 1): NDArray => np.sin(np.arange(shape.reduce((n, d) => n * d, 1)).add(seed).mul(1.7)).reshape(shape);

/** The optimized Program; it and its compiled form give what the traced Program gives, but for rounding. */
function optimized(f: (...args: never[]) => unknown, ...args: NDArray[]): Program {
  const program = makeProgram(f as (...a: NDArray[]) => unknown)(...args);
  const want = evaluateProgram(program, args);
  const better = optimize(program);
  checkProgram(better);
  const flat = (y: unknown): NDArray[] => (Array.isArray(y) ? y.flatMap(flat) : [y as NDArray]);
  for (const got of [evaluateProgram(better, args), flat(jit(f as (...a: NDArray[]) => unknown)(...args))])
    got.forEach((y, i) => {
      expect(y.shape).toEqual(want[i]!.shape);
      y.data.forEach((v, k) => expect(Math.abs(v - want[i]!.data[k]!)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(v))));
    });
  return better;
}

describe("products of rows with a fixed matrix", () => {
  const cell = (w: NDArray, u: NDArray, h: NDArray, xs: NDArray) => scan((s: NDArray, x: NDArray) => { const t = np.tanh(np.matmul(x, w).add(np.matmul(s, u))); return [t, t] as const; }, h, xs)[1];
  it.each([[0, 1], [1, 1], [2, 1], [3, 1], [5, 2], [7, 65]])("%d steps of %d rows", (steps, rows) => {
    const p = optimized(cell as never, numbers([4, 3]), numbers([3, 3]), numbers([rows, 3]), numbers([steps, rows, 4]));
    expect(count(bodyOf(p), "dot")).toBe(steps >= 2 && rows <= 64 ? 1 : 2);
  });
  it("with work on the rows before, vectors for rows, several products, backwards", () => {
    const f = (w: NDArray, h: NDArray, xs: NDArray) => scan((s: NDArray, x: NDArray) => [np.sin(s).add(np.matmul(w, np.exp(x))), np.matmul(np.square(x), w)] as const, h, xs, { reverse: true });
    const p = optimized(f as never, numbers([3, 3]), numbers([3]), numbers([6, 3]));
    expect(count(bodyOf(p), "dot")).toBe(0);
  });
  it("under vmap and in each other", () => {
    const f = (w: NDArray, h: NDArray, xs: NDArray) => scan((s: NDArray, x: NDArray) => [scan((t: NDArray, y: NDArray) => [t.add(np.matmul(y, w)).mul(np.sum(s)), null] as const, s, x)[0], null] as const, h, xs)[0];
    optimized(f as never, numbers([3, 3]), numbers([3]), numbers([2, 4, 3]));
    optimized((w: NDArray, h: NDArray, xs: NDArray) => vmap((a: NDArray, b: NDArray) => f(a, h, b))(w, xs), numbers([2, 3, 3]), numbers([3]), numbers([2, 2, 4, 3]));
  });
});

describe("carries that only grow", () => {
  const outer = (a: NDArray, b: NDArray) => np.multiply(a.reshape([-1, 1]), b.reshape([1, -1]));
  it.each([[1, 0], [2, 1], [9, 1]])("sums of products of %d steps are one product", (steps, moved) => {
    const f = (m: NDArray, h: NDArray, xs: NDArray, reverse = false) => scan(([g, s]: readonly [NDArray, NDArray], x: NDArray) => {
      const t = np.sin(s.add(x));
      return [[g.add(np.tensordot(t.reshape([1, 5]), x.reshape([1, 5]), [[0], [0]])), t], null] as const;
    }, [m, h] as const, xs, { reverse })[0];
    const args = [numbers([5, 5]), numbers([5]), numbers([steps, 5])] as const;
    const p = optimized(f as never, ...args);
    expect(count(bodyOf(p), "dot")).toBe(1 - moved);
    expect(bodyOf(p).inputs.length).toBe(moved ? 2 : 3);
    optimized(((m: NDArray, h: NDArray, xs: NDArray) => f(m, h, xs, true)) as never, ...args);
  });
  it("sums of what is kept anyway follow, and batches stay batches", () => {
    const f = (m: NDArray, b: NDArray, h: NDArray, xs: NDArray) => scan(([g, k, s]: readonly [NDArray, NDArray, NDArray], x: NDArray) => {
      const t = np.cos(s.add(x));
      return [[np.tensordot(x, t, [[0], [0]]).add(g), k.add(np.sum(t, [0])), t], null] as const;
    }, [m, b, h] as const, xs)[0];
    const p = optimized(f as never, numbers([4, 4]), numbers([4]), numbers([2, 4]), numbers([3, 2, 4]));
    expect([count(bodyOf(p), "dot"), count(bodyOf(p), "reduceSum"), bodyOf(p).inputs.length]).toEqual([0, 0, 2]);
  });
  it("stay in the loop where the sum itself is read, where the terms are many, and where one factor is fixed", () => {
    const read = (m: NDArray, xs: NDArray) => scan((g: NDArray, x: NDArray) => { const n = g.add(outer(x, np.sin(x))); return [n, np.sum(g)] as const; }, m, xs);
    expect(bodyOf(optimized(read as never, numbers([4, 4]), numbers([3, 4]))).outputs.length).toBe(2);
    const many = (m: NDArray, h: NDArray, xs: NDArray) => scan(([g, s]: readonly [NDArray, NDArray], x: NDArray) => { const t = np.sin(s.add(x)); return [[g.add(np.matmul(t.T, t)), t], null] as const; }, [m, h] as const, xs)[0];
    expect(count(bodyOf(optimized(many as never, numbers([3, 3]), numbers([64, 3]), numbers([2, 64, 3]))), "dot")).toBe(1);
    const fixed = (m: NDArray, w: NDArray, h: NDArray, xs: NDArray) => scan(([g, s]: readonly [NDArray, NDArray], x: NDArray) => { const t = np.sin(s.add(x)); return [[g.add(np.tensordot(w, t, [[0], [0]])), t], null] as const; }, [m, h] as const, xs)[0];
    expect(count(bodyOf(optimized(fixed as never, numbers([4, 4]), numbers([1, 4]), numbers([1, 4]), numbers([3, 1, 4]))), "dot")).toBe(1);
  });
});
