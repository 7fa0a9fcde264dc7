import { cond, foriLoop, jit, type NDArray, np, scan, vmap, whileLoop } from "@hessia/core";
import { describe, expect, it } from "vitest";
import { expectClose } from "./fixtures/compare.js";
import { checkpoint, customJvp, customVjp, grad, hessian, hvp, hvpFn, jacfwd, jacrev, jvp, linearize, vjp } from "./index.js";

const x = np.array([0.5, -1.2, 0.3]);
const cubes = (y: NDArray): NDArray => np.sum(y.pow(3));

describe("transforms inside compiled loops", () => {
  it("grad in the body of a scan, differentiated by what the body closes over", () => {
    const f = (w: NDArray) => scan((c: NDArray, u: NDArray) => [c.sub(grad((y: NDArray) => cubes(y.mul(w)).mul(u))(c).mul(0.1)), null], x, np.array([1, 0.5]))[0].sum();
    const plain = (w: NDArray) => {
      let c = x;
      for (const u of [1, 0.5]) c = c.sub(c.mul(w).pow(2).mul(w).mul(3 * u * 0.1));
      return c.sum();
    };
    const w = np.array([1, 0.7, -0.4]);
    for (const t of [(g: typeof f) => grad(g)(w), (g: typeof f) => hessian(g)(w), (g: typeof f) => jit(hessian(g))(w), (g: typeof f) => vmap(grad(g))(np.stack([w, x]))]) expectClose(t(f), t(plain));
  });
  it("Hessian-vector products in a whileLoop under jit: conjugate gradients", () => {
    const A = np.array([[4, 1, 0], [1, 3, 1], [0, 1, 2]]);
    const energy = (y: NDArray) => np.sum(y.mul(np.matmul(A, y))).mul(0.5);
    const solve = jit((b: NDArray) => {
      const H = hvpFn(energy, [b]);
      const start = { s: np.zerosLike(b), r: b, p: b };
      return whileLoop(({ r }: typeof start) => np.sum(r.mul(r)).gt(1e-24), ({ s, r, p }: typeof start) => {
        const Ap = H(p);
        const rr = np.sum(r.mul(r));
        const a = rr.div(np.sum(p.mul(Ap)));
        const next = r.sub(Ap.mul(a));
        return { s: s.add(p.mul(a)), r: next, p: next.add(p.mul(np.sum(next.mul(next)).div(rr))) };
      }, start).s;
    });
    expectClose(np.matmul(A, solve(x)), x);
  });
  it("derivatives of derivatives through a linearized map", () => {
    const f = (y: NDArray) => linearize(cubes, y)[1](y.mul(y));
    expectClose(grad(f)(x), x.pow(3).mul(12));
    expectClose(jacfwd((y: NDArray) => vjp(cubes, y)[1](np.array(2))[0])(x), np.diag(x.mul(12)));
    expectClose(vmap((y: NDArray) => vjp((z: NDArray) => z.mul(z), y)[1](y)[0])(np.stack([x, x])), np.stack([x.mul(x), x.mul(x)]).mul(2));
  });
  it("vmap inside grad inside vmap", () => {
    const f = (w: NDArray, b: NDArray) => grad((y: NDArray) => np.sum(vmap((r: NDArray) => np.sum(np.sin(r.mul(y))))(b)))(w);
    const exact = (w: NDArray) => x.mul(np.cos(x.mul(w))).add(x.mul(2).mul(np.cos(x.mul(2).mul(w))));
    const ws = np.stack([x, x.mul(3).neg()]);
    expectClose(vmap(f, { inAxes: [0, null] })(ws, np.stack([x, x.mul(2)])), [exact(x), exact(x.mul(-3))]);
  });
  it("cond on a batched predicate, differentiated twice", () => {
    const f = (y: NDArray) => cond(y.gt(0), (z: NDArray) => np.exp(z).mul(z), (z: NDArray) => z.pow(4), y);
    expectClose(vmap(grad(grad(f)))(x), [Math.exp(0.5) * 2.5, 12 * 1.44, Math.exp(0.3) * 2.3]);
    expectClose(jacrev(vmap(grad(f)))(x), np.diag(np.array([Math.exp(0.5) * 2.5, 12 * 1.44, Math.exp(0.3) * 2.3])));
  });
  it("gradient descent compiled whole, differentiated by its step size", () => {
    const train = (rate: NDArray) => cubes(foriLoop(0, 10, (_i: NDArray, y: NDArray) => y.sub(grad((z: NDArray) => np.sum(z.mul(z)))(y).mul(rate)), x));
    const exact = (rate: number) => 30 * (1 - 2 * rate) ** 29 * -2 * Number(cubes(x));
    expectClose([grad(train)(np.array(0.1)), jit(grad(train))(np.array(0.1)), jvp(train, [np.array(0.1)], [1])[1]], [exact(0.1), exact(0.1), exact(0.1)]);
  });
});

describe("custom rules and checkpoints nested", () => {
  const sine = customJvp((y: NDArray) => np.sin(y));
  sine.defJvp(([y], [dy]) => [sine(y), np.cos(y).mul(dy)]);
  const square = customVjp((y: NDArray) => sine(y).mul(y), { fwd: (y: NDArray) => [sine(y).mul(y), y], bwd: (y: NDArray, u: NDArray) => [u.mul(np.cos(y).mul(y).add(sine(y)))] });
  const plain = (y: NDArray) => np.sum(scan((c: NDArray, u: NDArray) => [np.sin(c).mul(c).mul(u), null], y, x)[0]);
  const nested = (y: NDArray) => np.sum(scan((c: NDArray, u: NDArray) => [checkpoint((z: NDArray) => square(z).mul(u))(c), null], y, x)[0]);
  it("agree with the plain function", () => {
    for (const t of [(g: typeof plain) => grad(g)(x), (g: typeof plain) => hessian(g)(x), (g: typeof plain) => jit(hessian(g))(x), (g: typeof plain) => hvp(g, [x], [x], { mode: "rev-over-rev" }), (g: typeof plain) => vmap(hessian(g))(np.stack([x, x.mul(2)]))]) expectClose(t(nested), t(plain));
  });
  it("a custom function that closes over a differentiated value says so", () => {
    const f = (w: NDArray) => np.sum(customJvp((y: NDArray) => y.mul(w)).defJvp(([y], [dy]) => [y.mul(w), dy.mul(w)])(w));
    expect(() => grad(f)(x)).toThrow(/outside its transform|closes over/);
    expect(() => grad((w: NDArray) => np.sum(vmap(customJvp((y: NDArray) => y.mul(w)).defJvp(([y], [dy]) => [y.mul(w), dy.mul(w)]))(w)))(x)).toThrow(/closes over a value being differentiated|outside its transform/);
  });
});
