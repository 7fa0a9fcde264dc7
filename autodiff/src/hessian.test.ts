import { jit, type NDArray, np, vmap } from "@hessia/core";
import { describe, expect, it } from "vitest";
import { expectClose } from "./fixtures/compare.js";
import { checkGrads, checkHessian, customJvp, directionalSecond, ggnvp, grad, hessian, hessianDiag, hvp, hvpFn, jacfwd, jacobian, jacrev, ravelPytree, stopGradient as stop, vhp } from "./index.js";

const x = np.array([1, 2, 3]);
const v = np.array([1, 0, 2]);
const f = (y: NDArray): NDArray => np.prod(y).add(np.sum(y.pow(3)));
const H = [[6, 3, 2], [3, 12, 1], [2, 1, 18]];
type Params = { a: NDArray; b: NDArray };
const model = (p: Params): NDArray => np.sum(np.tanh(np.matmul(p.a, p.b)).pow(2));
const params: Params = { a: np.linspace(-1, 1, 6).reshape([2, 3]), b: np.linspace(0, 1, 12).reshape([3, 4]) };

describe("Jacobians", () => {
  it("N-dimensional inputs and outputs, out ++ in", () => {
    const g = (y: NDArray) => np.einsum("ij,kj->jik", y, y.mul(y));
    const y = np.linspace(-1, 1, 6).reshape([2, 3]);
    const j = jacfwd(g)(y);
    expect(j.shape).toEqual([3, 2, 2, 2, 3]);
    expectClose(jacrev(g)(y), j);
    expectClose(jacobian(g)(y), j);
    const h = 1e-6;
    const e = np.zeros([2, 3]).at(1, 2).set(h);
    expectClose(j.get("...", 1, 2), g(y.add(e)).sub(g(y.sub(e))).div(2 * h), 1e-8);
  });
  it("trees in and out", () => {
    const g = (p: Params) => ({ s: np.sum(p.a).mul(p.b), t: [p.a] as const });
    for (const jac of [jacfwd, jacrev, jacobian]) {
      const j = jac(g)(params);
      expect([j.s.a.shape, j.s.b.shape, j.t[0].a.shape, j.t[0].b.shape]).toEqual([[3, 4, 2, 3], [3, 4, 3, 4], [2, 3, 2, 3], [2, 3, 3, 4]]);
      expectClose(j.t[0].a, np.eye(6).reshape([2, 3, 2, 3]));
      expectClose(j.t[0].b, np.zeros([2, 3, 3, 4]));
    }
  });
  it("scalars, empty arrays, aux, argnums", () => {
    expect(jacfwd((a: NDArray) => np.sin(a))(np.array(1)).shape).toEqual([]);
    for (const jac of [jacfwd, jacrev, jacobian]) {
      expect(jac((a: NDArray) => a.mul(2))(np.zeros([0, 2])).shape).toEqual([0, 2, 0, 2]);
      expect(jac((a: NDArray) => np.concatenate([a, np.ones([2])]))(np.zeros([0])).shape).toEqual([2, 0]);
      const [j, aux] = jac((a: NDArray) => [a.mul(a), { n: 1, a }] as const, { hasAux: true })(x);
      expectClose([j, aux.a], [np.diag(x.mul(2)), x]);
      const [ja, jb] = jac((a: NDArray, b: NDArray) => a.mul(b), { argnums: [0, 1] })(x, v);
      expectClose([ja, jb], [np.diag(v), np.diag(x)]);
    }
  });
  it("integers are an error with the path", () => {
    expect(() => jacfwd((n: NDArray) => n)(np.array([1], { dtype: "int32" }))).toThrow(/jacfwd\(argument 0\).*int32/);
    expect(() => jacrev((y: NDArray) => ({ n: y.astype("int32") }))(x)).toThrow(/output\.n/);
    expect(() => hessian((n: NDArray) => n)(np.array([1], { dtype: "int32" }))).toThrow(/hessian\(argument 0\)/);
  });
});

describe("hessian", () => {
  it("agrees in all compositions, under jit and vmap", () => {
    expectClose(hessian(f)(x), H);
    for (const outer of [jacfwd, jacrev]) for (const inner of [jacfwd, jacrev]) expectClose(outer(inner(f))(x), H);
    expectClose(jit(hessian(f))(x), H);
    expectClose(hessian(jit(f))(x), H);
    expectClose(vmap(hessian(f))(np.stack([x, x])), [H, H]);
    expectClose(vmap((t: NDArray) => hvp(f, [x], [t])[1])(np.eye(3)), H);
  });
  it("blocks of trees", () => {
    const h = hessian(model)(params);
    expect([h.a.a.shape, h.a.b.shape, h.b.a.shape, h.b.b.shape]).toEqual([[2, 3, 2, 3], [2, 3, 3, 4], [3, 4, 2, 3], [3, 4, 3, 4]]);
    const [flat, unravel] = ravelPytree(params);
    const dense = hessian((w: NDArray) => model(unravel(w)))(flat);
    expectClose(h.a.b.reshape([6, 12]), dense.get(":6", "6:"));
    expectClose(h.b.b.reshape([12, 12]), dense.get("6:", "6:"));
  });
  it("argnums, aux, vector outputs, scalars", () => {
    const h = hessian((a: NDArray, b: NDArray) => np.sum(a.mul(b).mul(b)), { argnums: [0, 1] })(x, v);
    expectClose(h[0][1], np.diag(v.mul(2)));
    expectClose(h[1][1], np.diag(x.mul(2)));
    expect(hessian((y: NDArray) => y.mul(y))(x).shape).toEqual([3, 3, 3]);
    expect(hessian((y: NDArray) => y.mul(y))(np.array(2)).shape).toEqual([]);
    const [h2, aux] = hessian((y: NDArray) => [f(y), { y, k: 2 }] as const, { hasAux: true })(x);
    expectClose(h2, H);
    expectClose(aux.y, x);
  });
});

describe("Hessian-vector products", () => {
  const Hv = [10, 5, 38];
  const g = [9, 15, 29];
  it("three modes, trees, aux, argnums", () => {
    for (const mode of ["fwd-over-rev", "rev-over-rev", "rev-over-fwd"] as const) {
      expectClose(hvp(f, [x], [v], { mode }), [g, Hv]);
      expectClose(jit((y: NDArray) => hvp(f, [y], [v], { mode })[1])(x), Hv);
      const t = { a: params.a.mul(2), b: np.ones([3, 4]) };
      const [ga, ha] = hvp(model, [params], [t], { mode });
      const h = hessian(model)(params);
      expectClose(ga, grad(model)(params));
      expectClose(ha.a, np.tensordot(h.a.a, t.a, 2).add(np.tensordot(h.a.b, t.b, 2)));
      const [, hw, aux] = hvp((y: NDArray) => [f(y), { y, name: "aux" }] as const, [x], [v], { mode, hasAux: true });
      expectClose([hw, aux.y], [Hv, x]);
      expect(aux.name).toBe("aux");
      const two = hvp((a: NDArray, s: number, b: NDArray) => np.sum(a.mul(b).mul(b)).mul(s), [x, 3, v], [v, x], { mode, argnums: [0, 2] });
      expectClose(two[1][0], v.mul(x).mul(6));
    }
    expect(() => hvp(f, [x], [v], { mode: "sideways" as never })).toThrow(/fwd-over-rev/);
    expect(() => hvp(f, x as never, v as never)).toThrow(/hvp\(f, \[x\], \[v\]\)/);
    expect(() => hvp((y: NDArray) => y, [x], [v])).toThrow(/scalar/);
    expect(() => hvp(f, [x], [np.ones([2])])).toThrow(/shape \[3\]/);
  });
  it("hvpFn linearizes once", () => {
    let runs = 0;
    const product = hvpFn((y: NDArray) => (runs++, f(y)), [x]);
    expectClose([product(v), product(x), product.gradient], [Hv, np.matmul(np.array(H), x), g]);
    expect(runs).toBe(1);
    product.dispose();
    expect(() => product(v)).toThrow(/disposed/);
  });
  it("vhp, directional second derivative, diagonal, Gauss-Newton", () => {
    expectClose(vhp(f, [x], [v]), [42, Hv]);
    expectClose(directionalSecond(f, [x], [v]), [42, 67, 86]);
    expectClose(hessianDiag(f)(x), [6, 12, 18]);
    const d = hessianDiag(model)(params);
    const h = hessian(model)(params);
    expectClose(d.a, np.diag(h.a.a.reshape([6, 6])).reshape([2, 3]));
    expectClose(d.b, np.diag(h.b.b.reshape([12, 12])).reshape([3, 4]));
    const A = np.linspace(-1, 2, 12).reshape([4, 3]);
    expectClose(ggnvp((w: NDArray) => np.matmul(A, w), (z: NDArray) => np.sum(z.mul(z)), x, v), np.matmul(A.T, np.matmul(A, v)).mul(2));
  });
  it("holds no matrix: a vector of 200000", () => {
    const n = 200_000;
    const y = np.linspace(0, 1, n);
    const rosenbrock = (w: NDArray) => np.sum(w.get("1:").sub(w.get(":-1").pow(2)).pow(2).mul(100).add(np.subtract(1, w.get(":-1")).pow(2)));
    for (const mode of ["fwd-over-rev", "rev-over-rev", "rev-over-fwd"] as const) expect(hvp(rosenbrock, [y], [np.ones([n])], { mode })[1].shape).toEqual([n]);
  });
});

describe("checks of derivatives", () => {
  it("pass for right ones", () => {
    checkGrads((a: NDArray, p: Params) => [np.sin(a), np.matmul(p.a, p.b)], [x, params], { order: 3 });
    checkGrads((a: NDArray) => np.sin(a), [x.astype("float32")]);
    checkGrads((a: NDArray, n: NDArray) => a.mul(n), [x, np.array([1, 2, 3], { dtype: "int32" })]);
    const report = checkHessian((p: Params) => model(p), [params]);
    expect(Math.max(report.asymmetry, report.modes, report.columns)).toBeLessThan(1e-12);
    expect(report.differences).toBeLessThan(1e-7);
  });
  it("name the leaf and both values for wrong ones", () => {
    const wrong = customJvp((y: NDArray) => np.sin(y)).defJvp(([y], [dy]) => [np.sin(y), np.cos(y).mul(1.1).mul(dy)]);
    expect(() => checkGrads((p: { w: NDArray }) => ({ out: wrong(p.w) }), [{ w: x }])).toThrow(/checkGrads\(output\.out\).*jvp gave .* finite differences/);
    // Right first derivative, wrong second one.
    const flat = customJvp((y: NDArray) => np.sin(y)).defJvp(([y], [dy]) => [np.sin(y), stop(np.cos(y)).mul(dy)]);
    checkGrads((y: NDArray) => flat(y), [x], { order: 1 });
    expect(() => checkGrads((y: NDArray) => flat(y), [x])).toThrow(/order 2/);
    expect(() => checkHessian((y: NDArray) => np.sum(flat(y)), [x])).toThrow(/finite differences of the gradient/);
  });
});

describe("ravelPytree", () => {
  it("gives a vector and the way back, dtypes included", () => {
    const t = { w: np.ones([2, 2], { dtype: "float32" }), n: np.array([3, 4], { dtype: "int32" }), b: np.array([0.5]) };
    const [flat, unravel] = ravelPytree(t);
    expect([flat.shape, flat.dtype]).toEqual([[7], "float64"]);
    const back = unravel(flat.mul(2));
    expect([back.w.dtype, back.n.dtype, back.w.shape]).toEqual(["float32", "int32", [2, 2]]);
    expectClose(back.n, [6, 8]);
    expect(() => unravel(np.ones([6]))).toThrow(/vector of 7 elements/);
    expectClose(grad((w: NDArray) => np.sum(ravelPytree({ a: w, b: w.mul(2) })[0]))(x), [3, 3, 3]);
    expect(ravelPytree({})[0].shape).toEqual([0]);
  });
});
