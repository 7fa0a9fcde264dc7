import { describe, expect, it } from "vitest";
import { jit, type NDArray, np, random, vmap } from "@hessia/core";
import { checkGrads, grad, hessian } from "@hessia/autodiff";
import { solve } from "../solve.js";
import { cg } from "./cg.js";

const normal = (seed: number, shape: number[]) => random.normal(random.key(seed), shape, { dtype: "float64" });
const positive = (seed: number, n: number) => {
  const a = normal(seed, [n, n]);
  return np.add(np.matmul(a, np.transpose(a)), np.multiply(n, np.eye(n)));
};
const error = (a: NDArray, b: NDArray): number => Number(np.max(np.abs(np.subtract(a, b))).item());

describe("cg", () => {
  it("solves with a matrix, a function, a preconditioner, on pytrees", () => {
    const a = positive(1, 20);
    const b = normal(2, [20]);
    const x = solve(a, b);
    for (const op of [a, (v: NDArray) => np.matmul(a, v)]) {
      const r = cg<NDArray>(op as NDArray, b, { tol: 1e-12 });
      expect(error(r.x, x)).toBeLessThan(1e-10);
      expect(r.info.converged.item()).toBe(true);
    }
    const inverse = np.divide(1, np.diagonal(a));
    const pre = cg<NDArray>((v) => np.matmul(a, v), b, { tol: 1e-12, M: (v) => np.multiply(inverse, v) });
    expect(error(pre.x, x)).toBeLessThan(1e-10);
    const tree = cg<{ u: NDArray; v: NDArray }>((t) => ({ u: np.multiply(2, t.u), v: np.multiply(3, t.v) }), { u: np.ones([2]), v: np.array(6) }, { tol: 1e-12 });
    expect(tree.x.u.toArray()).toEqual([0.5, 0.5]);
    expect(tree.x.v.item()).toBeCloseTo(2, 12);
  });

  it("reports indefinite operators and iterations that run out", () => {
    const r = cg(np.array([[1, 0], [0, -1]]), np.array([1, 1]));
    expect(r.info.breakdown.item()).toBe(true);
    expect(cg(positive(3, 10), normal(1, [10]), { maxiter: 2, tol: 1e-14 }).info.converged.item()).toBe(false);
  });

  it("has derivatives of every mode and order through the equation", () => {
    const b = normal(2, [4]);
    const f = (a: NDArray, c: NDArray) => np.sum(np.square(cg<NDArray>((v) => np.matmul(a, v), c, { tol: 1e-14 }).x));
    const g = (a: NDArray, c: NDArray) => np.sum(np.square(solve(a, c)));
    const a = positive(5, 4);
    expect(error(grad(f, { argnums: 1 })(a, b) as NDArray, grad(g, { argnums: 1 })(a, b) as NDArray)).toBeLessThan(1e-11);
    const sym = (x: NDArray) => np.add(x, np.transpose(x));
    expect(error(sym(grad(f)(a, b) as NDArray), sym(grad(g)(a, b) as NDArray))).toBeLessThan(1e-11);
    const byScale = (h: typeof f) => (s: NDArray) => h(np.add(a, np.diag(s)), b);
    expect(error(hessian(byScale(f))(np.ones([4])) as NDArray, hessian(byScale(g))(np.ones([4])) as NDArray)).toBeLessThan(1e-9);
    checkGrads(byScale(f), [np.ones([4])], { order: 2 });
  });

  it("works under jit and vmap", () => {
    const as = np.stack([positive(1, 3), positive(2, 3)]);
    const bs = normal(3, [2, 3]);
    const f = (a: NDArray, b: NDArray) => cg<NDArray>(a, b, { tol: 1e-13 }).x;
    expect(error(vmap(f)(as, bs), np.squeeze(solve(as, np.expandDims(bs, -1)), -1))).toBeLessThan(1e-10);
    expect(error(jit(f)(as.get(0), bs.get(0)), f(as.get(0), bs.get(0)))).toBeLessThan(1e-13);
    expect(error(jit(grad((a: NDArray, b: NDArray) => np.sum(f(a, b))))(as.get(0), bs.get(0)) as NDArray, grad((a: NDArray, b: NDArray) => np.sum(f(a, b)))(as.get(0), bs.get(0)) as NDArray)).toBeLessThan(1e-12);
  });
});
