import { describe, expect, it } from "vitest";
import { jit, LinAlgError, type NDArray, np, random, ShapeError, vmap } from "@hessia/core";
import { checkGrads, grad, hessian, jacfwd, jacrev } from "@hessia/autodiff";
import { cholesky, choFactor, choSolve, det, eigh, eigvalsh, inv, lu, luFactor, luSolve, norm, qr, slogdet, solve, solveTriangular, svd, svdvals } from "../index.js";

const normal = (seed: number, shape: number[]) => random.normal(random.key(seed), shape, { dtype: "float64" });
const positive = (seed: number, n: number) => {
  const a = normal(seed, [n, n]);
  return np.add(np.matmul(a, np.transpose(a)), np.multiply(n, np.eye(n)));
};
const error = (a: NDArray, b: NDArray): number => (a.size === 0 ? 0 : Number(np.max(np.abs(np.subtract(a, b))).item()));
const sizes = [0, 1, 2, 3, 5, 8, 17, 31];

describe.each(sizes)("n = %i", (n) => {
  it("cholesky, eigh and solves rebuild their matrix", () => {
    const a = positive(n, n);
    const b = normal(n + 1, [n, 2]);
    const l = cholesky(a);
    expect(error(np.matmul(l, np.transpose(l)), a)).toBeLessThan(1e-13 * (n + 1) * 10);
    expect(error(np.matmul(a, solve(a, b, { assumeA: "pos" })), b)).toBeLessThan(1e-12);
    expect(error(choSolve(choFactor(a), b), solve(a, b))).toBeLessThan(1e-12);
    const { eigenvalues: w, eigenvectors: v } = eigh(a);
    expect(error(np.matmul(np.multiply(v, w), np.transpose(v)), a)).toBeLessThan(1e-12 * (n + 1));
    expect(error(np.matmul(np.transpose(v), v), np.eye(n))).toBeLessThan(1e-13 * (n + 1));
    expect(Array.from(w.data)).toEqual([...Array.from(w.data)].sort((x, y) => x - y));
  });

  it("lu, solve, inv, det, slogdet", () => {
    const a = normal(n + 50, [n, n]);
    const b = normal(n + 1, [n]);
    const { p, l, u } = lu(a);
    expect(error(np.matmul(p, np.matmul(l, u)), a)).toBeLessThan(1e-13 * (n + 1));
    const x = solve(a, b);
    expect(x.shape).toEqual([n]);
    expect(error(np.matmul(a, x), b)).toBeLessThan(1e-10);
    expect(error(np.matmul(np.transpose(a), solve(a, b, { transposed: true })), b)).toBeLessThan(1e-10);
    expect(error(luSolve(luFactor(a), b), x)).toBeLessThan(1e-11);
    expect(error(np.matmul(np.transpose(a), luSolve(luFactor(a), b, { trans: true })), b)).toBeLessThan(1e-10);
    expect(error(np.matmul(a, inv(a)), np.eye(n))).toBeLessThan(1e-10);
    const { sign, logabsdet } = slogdet(a);
    const d = Number(det(a).item());
    expect(Math.abs(Number(sign.item()) * Math.exp(Number(logabsdet.item())) - d)).toBeLessThanOrEqual(1e-11 * Math.abs(d));
  });

  it("qr and svd, tall and wide", () => {
    for (const [m, k] of [[n, n], [n + 3, n], [n, n + 2]] as const) {
      const a = normal(m * 7 + k, [m, k]);
      const { q, r } = qr(a);
      expect(error(np.matmul(q, r), a)).toBeLessThan(1e-13 * (m + k + 1));
      expect(error(np.matmul(np.transpose(q), q), np.eye(q.shape[1]!))).toBeLessThan(1e-13 * (m + k + 1));
      expect(error(r, np.triu(r))).toBe(0);
      const s = svd(a);
      expect(error(np.matmul(np.multiply(s.u, s.s), s.vt), a)).toBeLessThan(1e-12 * (m + k + 1));
      expect(error(np.matmul(np.transpose(s.u), s.u), np.eye(s.u.shape[1]!))).toBeLessThan(1e-12 * (m + k + 1));
    }
    const { q } = qr(normal(3, [n + 2, n]), { mode: "complete" });
    expect(q.shape).toEqual([n + 2, n + 2]);
    expect(error(np.matmul(np.transpose(q), q), np.eye(n + 2))).toBeLessThan(1e-13 * (n + 3));
  });
});

describe("derivatives to second order", () => {
  const a = normal(1, [4, 4]);
  const b = normal(2, [4, 2]);
  const w = normal(3, [4, 4]);
  const spd = positive(4, 4);
  const weigh = (x: NDArray, k = 5) => np.sum(np.multiply(x, normal(k, [...x.shape])));
  const cases: [string, (x: NDArray) => NDArray, NDArray][] = [
    ["cholesky", (x) => weigh(cholesky(x)), spd],
    ["solve by A", (x) => weigh(solve(x, b)), a],
    ["solve by b", (x) => np.sum(np.square(solve(a, x))), b],
    ["solve transposed", (x) => weigh(solve(x, b, { transposed: true })), a],
    ["solve positive", (x) => weigh(solve(x, b, { assumeA: "pos" })), spd],
    ["inv", (x) => weigh(inv(x)), a],
    ["solveTriangular", (x) => weigh(solveTriangular(x, b, { lower: true })), np.add(np.tril(a), np.multiply(3, np.eye(4)))],
    ["solveTriangular transposed unit", (x) => weigh(solveTriangular(x, b, { trans: true, unitDiagonal: true })), a],
    ["lu", (x) => { const f = lu(x); return np.add(weigh(f.l), weigh(f.u, 6)); }, a],
    ["lu wide", (x) => { const f = lu(x); return np.add(weigh(f.l), weigh(f.u, 6)); }, normal(8, [3, 5])],
    ["lu tall", (x) => { const f = lu(x); return np.add(weigh(f.l), weigh(f.u, 6)); }, normal(8, [5, 3])],
    ["qr", (x) => { const f = qr(x); return np.add(weigh(f.q), weigh(f.r, 6)); }, normal(9, [5, 3])],
    ["qr wide", (x) => { const f = qr(x); return np.add(weigh(f.q), weigh(f.r, 6)); }, normal(9, [3, 5])],
    ["eigh values", (x) => weigh(eigvalsh(x)), np.add(w, np.transpose(w))],
    ["eigh function", (x) => { const f = eigh(x); return weigh(np.matmul(np.multiply(f.eigenvectors, np.exp(f.eigenvalues)), np.transpose(f.eigenvectors))); }, np.add(w, np.transpose(w))],
    ["svd values", (x) => weigh(svdvals(x)), normal(9, [5, 3])],
    ["svd function", (x) => { const f = svd(x); return weigh(np.matmul(np.multiply(f.u, np.sin(f.s)), f.vt)); }, normal(9, [4, 3])],
    ["det 3", (x) => det(x), normal(10, [3, 3])],
    ["det 4", (x) => det(x), a],
    ["slogdet", (x) => slogdet(x).logabsdet, a],
    ["norm fro", (x) => norm(x), a],
    ["norm nuc", (x) => norm(x, "nuc"), a],
    ["norm 2", (x) => norm(x, 2), a],
    ["norm 3 of a vector", (x) => norm(x, 3), normal(11, [5])],
  ];
  it.each(cases)("%s", (_name, f, x) => {
    checkGrads(f, [x], { order: 2 });
    const h = hessian(f)(x) as NDArray;
    const n = x.size;
    const flat = np.reshape(h, [n, n]);
    expect(error(flat, np.transpose(flat))).toBeLessThan(1e-8 * (1 + Number(np.max(np.abs(flat)).item())));
    expect(error(np.reshape(jacfwd(jacrev(f))(x) as NDArray, [n, n]), np.reshape(jacrev(jacrev(f))(x) as NDArray, [n, n]))).toBeLessThan(1e-8 * (1 + Number(np.max(np.abs(flat)).item())));
  });

  it("det of a singular matrix has its cofactors as gradient", () => {
    const s = np.array([[1, 2, 3, 4], [2, 4, 6, 8], [1, 0, 1, 0], [0, 1, 1, 3]]);
    const g = grad((x: NDArray) => det(x))(s) as NDArray;
    const h = 1e-5;
    const d = (i: number, j: number, e: number) => Number(det(s.at(i, j).add(e)).item());
    for (const [i, j] of [[0, 0], [1, 2], [0, 3], [1, 1]] as const) expect(Number(g.get(i, j).item())).toBeCloseTo((d(i, j, h) - d(i, j, -h)) / (2 * h), 6);
  });
});

describe("batches, jit and vmap", () => {
  it("leading axes are batches", () => {
    const a = np.stack([positive(1, 3), positive(2, 3)]);
    const b = normal(3, [2, 3, 1]);
    expect(error(np.matmul(a, solve(a, b)), b)).toBeLessThan(1e-12);
    expect(error(vmap((m: NDArray) => cholesky(m))(a), cholesky(a))).toBe(0);
    expect(error(jit((m: NDArray) => eigvalsh(m))(a), eigvalsh(a))).toBe(0);
    expect(det(a).shape).toEqual([2]);
    const g = vmap(grad((m: NDArray) => slogdet(m).logabsdet))(a) as NDArray;
    expect(error(g, np.matrixTranspose(inv(a)))).toBeLessThan(1e-12);
  });
  it("float32 stays float32", () => {
    const a = positive(1, 3).astype("float32");
    for (const x of [cholesky(a), solve(a, np.ones([3], { dtype: "float32" })), inv(a), det(a), eigvalsh(a), qr(a).q, norm(a)]) expect(x.dtype).toBe("float32");
  });
});

describe("errors", () => {
  it("says what broke down", () => {
    const bad = np.array([[1, 2], [2, 1]]);
    expect(() => cholesky(bad)).toThrow(LinAlgError);
    expect(() => cholesky(bad)).toThrow(/positive definite/);
    expect(np.all(np.isnan(cholesky(bad, { checkFinite: false }))).item()).toBe(true);
    expect(np.all(np.isnan(jit((x: NDArray) => cholesky(x))(bad))).item()).toBe(true);
    expect(() => solve(np.ones([2, 2]), np.ones([2]))).toThrow(/nonsingular/);
    expect(() => inv(np.ones([2, 3]))).toThrow(ShapeError);
    expect(() => solve(np.eye(3), np.ones([2]))).toThrow(/3 rows/);
    expect(() => eigh(np.ones([3]))).toThrow(ShapeError);
    expect(() => eigh(np.array([[NaN, 1], [1, 2]]))).toThrow(LinAlgError);
  });
});
