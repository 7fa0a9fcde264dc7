import { associativeScan, cond, evalShape, foriLoop, jit, LeakedTracerError, makeProgram, map, type NDArray, np, scan, switchCase, vmap, whileLoop } from "@hessia/core";
import { checkpoint, customJvp, customVjp, directionalSecond, grad, hessian, hessianDiag, hvp, hvpFn, jacfwd, jacrev, jvp, linearize, valueAndGrad, vhp, vjp } from "@hessia/autodiff";
import { currentTrace, eagerTrace } from "@hessia/core/extend";
import { describe, expect, it } from "vitest";

class Boom extends Error {}
const x = np.array([1, 2, 3]);
const v = np.ones([3]);
type F = (a: NDArray) => NDArray;

/** Each transform runs a function that throws in its middle. */
const transforms: Readonly<Record<string, (f: F) => unknown>> = {
  jit: (f) => jit(f)(x),
  vmap: (f) => vmap(f)(np.stack([x, x])),
  makeProgram: (f) => makeProgram(f)(x),
  evalShape: (f) => evalShape(f, x),
  grad: (f) => grad((a: NDArray) => np.sum(f(a)))(x),
  valueAndGrad: (f) => valueAndGrad((a: NDArray) => np.sum(f(a)))(x),
  jvp: (f) => jvp(f, [x], [v]),
  vjp: (f) => vjp(f, x),
  linearize: (f) => linearize(f, x),
  jacfwd: (f) => jacfwd(f)(x),
  jacrev: (f) => jacrev(f)(x),
  hessian: (f) => hessian((a: NDArray) => np.sum(f(a)))(x),
  hessianDiag: (f) => hessianDiag((a: NDArray) => np.sum(f(a)))(x),
  hvp: (f) => hvp((a: NDArray) => np.sum(f(a)), [x], [v]),
  hvpFn: (f) => hvpFn((a: NDArray) => np.sum(f(a)), [x]),
  vhp: (f) => vhp((a: NDArray) => np.sum(f(a)), [x], [v]),
  directionalSecond: (f) => directionalSecond((a: NDArray) => np.sum(f(a)), [x], [v]),
  checkpoint: (f) => grad((a: NDArray) => np.sum(checkpoint(f)(a)))(x),
  cond: (f) => cond(np.asarray(true), (a: NDArray) => f(a), (a: NDArray) => a, x),
  switchCase: (f) => switchCase(0, [(a: NDArray) => f(a), (a: NDArray) => a], x),
  scan: (f) => scan((c: NDArray, a: NDArray) => [f(np.add(c, a)), a], np.zeros([3]), np.stack([x, x])),
  map: (f) => map(f, np.stack([x, x])),
  whileLoop: (f) => whileLoop((c: NDArray) => np.less(np.sum(c), 1), f, x),
  foriLoop: (f) => foriLoop(0, 3, (_i: NDArray, c: NDArray) => f(c), x),
  associativeScan: (f) => associativeScan((a: NDArray, b: NDArray) => np.add(f(a), b), np.stack([x, x, x])),
  customJvp: (f) => {
    const g = customJvp((a: NDArray) => np.sin(a));
    g.defJvp(([a], [da]) => [np.sin(a), np.multiply(f(a), da)]);
    return grad((a: NDArray) => np.sum(g(a)))(x);
  },
  customVjp: (f) => {
    const g = customVjp((a: NDArray) => np.sin(a));
    g.defVjp((a) => [np.sin(a), a], (a, ct) => [np.multiply(f(a), ct)]);
    return grad((a: NDArray) => np.sum(g(a)))(x);
  },
  "nested transforms": (f) => jit(vmap(grad((a: NDArray) => np.sum(hvp((b: NDArray) => np.sum(f(b)), [a], [v])[1]))))(np.stack([x, x])),
};

describe.each(Object.entries(transforms))("%s", (_name, run) => {
  it("leaves the trace as it was when the function throws", () => {
    const before = currentTrace();
    expect(before).toBe(eagerTrace);
    expect(() => run((a) => { void np.multiply(np.sin(a), 2); throw new Boom("in the middle"); })).toThrow(Boom);
    expect(currentTrace()).toBe(before);
    expect(np.add(x, 1).toArray()).toEqual([2, 3, 4]);
    // And when an operation inside refuses.
    expect(() => run((a) => np.matmul(a, np.ones([7, 7])))).toThrow(/\[hessia:shape\]/);
    expect(currentTrace()).toBe(before);
    // The same transform works afterwards.
    expect(() => run((a) => np.multiply(a, 1))).not.toThrow();
  });

  it("refuses tracers that outlived it", () => {
    let leaked: NDArray | undefined;
    run((a) => { leaked = np.multiply(a, 2); return np.multiply(a, 1); });
    expect(currentTrace()).toBe(eagerTrace);
    // Under eager control flow and customs the value may be a plain array.
    if (leaked && leaked.device === "traced") expect(() => np.add(leaked!, 1)).toThrow(LeakedTracerError);
  });
});
