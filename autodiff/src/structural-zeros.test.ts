import fc from "fast-check";
import { explain, jit, lax, makeProgram, type NDArray, np, scan, vmap, withDevice } from "@hessia/core";
import { bind1, evaluateProgram, primitiveFamilies, printSchedule } from "@hessia/core/extend";
import { describe, expect, it } from "vitest";
import { expectClose } from "./fixtures/compare.js";
import { checkpoint, grad, hessian, hessianDiag, jacfwd, jacrev } from "./index.js";

const sizes = [1, 2, 3, 7, 100];
const point = (n: number): NDArray => np.linspace(-0.9, 1.2, n);

function rosenbrock(x: NDArray): NDArray {
  const [later, earlier] = [x.get("1:"), x.get(":-1")];
  return np.sum(np.square(later.sub(np.square(earlier))).mul(100).add(np.square(np.subtract(1, earlier))));
}
const functions: Readonly<Record<string, (x: NDArray) => NDArray>> = {
  separable: (x) => np.sum(np.exp(x).mul(x)),
  banded: rosenbrock,
  "far bands": (x) => np.sum(np.sin(x).mul(np.roll(x, 2)).mul(np.roll(x, -1))),
  "dense and diagonal": (x) => np.sum(x).mul(np.sum(np.exp(x))).add(np.prod(np.cos(x))),
  dense: (x) => np.sum(np.tanh(np.matmul(np.sin(np.arange(3 * x.size).mul(0.7)).reshape([3, x.size]), x)).pow(3)),
  quadratic: (x) => np.dot(x, np.matmul(np.cos(np.arange(x.size ** 2)).reshape([x.size, x.size]), x)),
  convolved: (x) => np.sum(np.tanh(np.convolve(x, np.array([1, -2, 0.5]))).pow(2)),
  pooled: (x) => np.sum(np.exp(lax.reduceWindow(np.concatenate([x, x.mul(2), np.ones([2])]), 0, "add", [3]))),
  reversed: (x) => np.sum(x.mul(np.flip(x.mul(x)))),
  chosen: (x) => np.sum(np.where(x.gt(0.2), x.pow(3), np.sin(x).mul(np.sum(x)))),
  scanned: (x) => np.sum(np.square(scan((c: NDArray, y: NDArray) => [c.mul(0.5).add(np.sin(y).mul(c)), c.mul(y)] as const, np.array(1), x)[1])),
  gathered: (x) => np.sum(np.square(np.take(x, np.arange(2 * x.size).mul(3).mod(x.size).astype("int32"))).mul(np.cumsum(np.concatenate([x, x])))),
};

describe("compiled Hessians", () => {
  for (const [name, f] of Object.entries(functions))
    it.each(sizes)(`of a ${name} function equal the ones computed step by step, n = %d`, (n) => {
      const x = point(n);
      expectClose(jit(hessian(f))(x), hessian(f)(x), 1e-11);
      if (n < 100) expectClose(jit(jacrev(jacrev(f)))(x), hessian(f)(x), 1e-11);
      expectClose(jit(hessianDiag(f))(x), np.diag(hessian(f)(x)), 1e-11);
    });
  it.each(["wasm", "reference"])("of trees of parameters, on %s", (device) => {
    withDevice(device, () => {
      const data = np.sin(np.arange(12)).reshape([3, 4]);
      const loss = (p: { w: NDArray; b: NDArray; s: NDArray }) => np.sum(np.square(np.tanh(np.matmul(data, p.w).add(p.b)).mul(p.s))).add(np.sum(p.w.pow(3)));
      const p = { w: np.cos(np.arange(20)).reshape([4, 5]), b: np.linspace(0, 1, 5), s: np.array(0.3) };
      const [compiled, plain] = [jit(hessian(loss))(p), hessian(loss)(p)];
      for (const a of ["w", "b", "s"] as const) for (const b of ["w", "b", "s"] as const) expectClose(compiled[a][b], plain[a][b], 1e-12);
    });
  });
  it("third derivatives, maps over points, checkpoints", () => {
    const x = point(4);
    const third = jacfwd(hessian(functions["far bands"]!));
    expectClose(jit(third)(x), third(x), 1e-12);
    const forward = jacfwd(jacfwd(functions["dense and diagonal"]!));
    expectClose(jit(forward)(x), hessian(functions["dense and diagonal"]!)(x), 1e-12);
    const xs = np.sin(np.arange(12)).reshape([3, 4]);
    expectClose(jit(vmap(hessian(rosenbrock)))(xs), np.stack([0, 1, 2].map((k) => hessian(rosenbrock)(xs.get(k)))), 1e-12);
    const trace = (y: NDArray) => np.trace(hessian(rosenbrock)(y));
    expectClose(jit(grad(trace))(x), grad(trace)(x), 1e-12);
    expectClose(jit(hessian(checkpoint(rosenbrock)))(x), hessian(rosenbrock)(x), 1e-12);
  });
});

describe("compiled Jacobians", () => {
  it.each(sizes)("of elementwise, banded and dense vector functions, n = %d", (n) => {
    const x = point(n);
    for (const f of [(y: NDArray) => np.sin(y).mul(y), (y: NDArray) => np.diff(y.pow(3)), (y: NDArray) => np.outer(y, np.exp(y.get(":3"))), (y: NDArray) => np.cumsum(y.mul(y)), (y: NDArray) => np.sort(np.sin(y.mul(9)))])
      for (const jac of [jacfwd, jacrev]) expectClose(jit(jac(f))(x), jac(f)(x), 1e-12);
  });
});

describe("what is computed", () => {
  const work = (f: (x: NDArray) => NDArray, n: number): number[] =>
    explain(jit(f), point(n)).schedule.steps.flatMap((s) => (s.kind === "kernel" ? [[...s.kernel.dims, ...s.kernel.reduceDims].reduce((a, b) => a * b, 1)] : s.kind === "routine" ? [Infinity] : []));
  it("a banded Hessian: zeros everywhere, then each band", () => {
    const { schedule } = explain(jit(hessian(rosenbrock)), point(100));
    expect(printSchedule(schedule).split("\n").filter((line) => line.startsWith("kernel")).sort()).toEqual(["kernel i<100", "kernel i<10000", "kernel i<99", "kernel i<99"]);
    expect(printSchedule(schedule)).toContain("[i] = 0\n");
  });
  it("the diagonal of a banded Hessian in time linear in the size", () => {
    expect(Math.max(...work(hessianDiag(rosenbrock), 100))).toBeLessThanOrEqual(100);
  });
  it("no product with unit vectors", () => {
    const a = np.sin(np.arange(60)).reshape([12, 5]);
    const linear = explain(jit(jacfwd((x: NDArray) => np.matmul(a, x))), point(5));
    expect([linear.routines, linear.kernels]).toEqual([0, 0]);
    expectClose(jit(jacfwd((x: NDArray) => np.matmul(a, x)))(point(5)), a, 0);
  });
});

describe("zeros", () => {
  const off = (x: NDArray): number[] => [x.get(0, 1).item() as number, x.get(1, 0).item() as number];
  it("of unit vectors stay zero where they meet infinities; results and users' matrices have ordinary ones", () => {
    const x = np.array([0, 4]);
    // d/dx sqrt(x) is infinite at 0: the derivative of sqrt(x0) by x1 is zero all the same.
    expect(jit(jacfwd((y: NDArray) => np.sqrt(y)))(x).toArray()).toEqual([[Infinity, 0], [0, 0.25]]);
    expect(off(jit((y: NDArray) => np.eye(2).mul(np.divide(1, y.get([0]))))(x))).toEqual([NaN, NaN]);
    expect(off(jit((y: NDArray) => jacfwd((z: NDArray) => np.sin(z))(y).mul(np.divide(1, y.get([0]))))(x))).toEqual([NaN, NaN]);
    expect(off(jit((y: NDArray) => hessian((z: NDArray) => np.sum(np.sin(z)))(y).mul(np.divide(1, y.get([0]))))(x))).toEqual([NaN, NaN]);
  });
});

describe("linear functions of unit vectors", () => {
  const { unitVectors, pad, slice, reverse, concatenate } = primitiveFamilies.structural;
  type Step = (x: NDArray, r: (n: number) => number) => NDArray;
  const dense = (dims: readonly number[], seed: number): NDArray => np.sin(np.arange(dims.reduce((a, b) => a * b, 1)).mul(0.37).add(seed)).reshape([...dims]);
  const axis = (x: NDArray, r: (n: number) => number) => (x.ndim === 0 ? undefined : r(x.ndim));
  const steps: Readonly<Record<string, Step>> = {
    scale: (x, r) => x.mul(dense(x.shape, r(9))),
    negate: (x) => x.neg().sub(x.mul(3)),
    addTurned: (x) => (x.ndim >= 2 && x.shape[0] === x.shape[1] ? x.add(np.swapaxes(x, 0, 1)) : x),
    addDense: (x, r) => (r(4) === 0 ? x.add(dense(x.shape, r(9))) : x),
    transpose: (x, r) => np.transpose(x, Array.from({ length: x.ndim }, (_, d) => (d + r(x.ndim || 1)) % x.ndim).map((d, i, all) => (new Set(all).size === x.ndim ? d : i))),
    slice: (x, r) => { const d = axis(x, r); return d === undefined || x.shape[d]! < 2 ? x : bind1(slice, [x], { start: x.shape.map((_, k) => (k === d ? r(2) : 0)), limit: x.shape, strides: x.shape.map((_, k) => (k === d ? 1 + r(2) : 1)) }); },
    pad: (x, r) => bind1(pad, [x, np.array(0).astype("float64")], { low: x.shape.map(() => r(2)), high: x.shape.map(() => r(3) - 1 < 0 ? 0 : r(2)), interior: x.shape.map(() => (r(6) === 0 ? 1 : 0)) }),
    reverse: (x, r) => { const d = axis(x, r); return d === undefined ? x : bind1(reverse, [x], { axes: [d] }); },
    concatenate: (x, r) => { const d = axis(x, r); return d === undefined || x.size > 200 ? x : bind1(concatenate, [x, r(3) === 0 ? dense(x.shape, 1) : x.mul(2)], { axis: d }); },
    sum: (x, r) => { const d = axis(x, r); return d === undefined ? x : np.sum(x, d); },
    broadcast: (x, r) => (x.size > 300 ? x : np.broadcastTo(x, [1 + r(3), ...x.shape])),
    split: (x) => { const d = x.shape.findIndex((n) => n > 2 && n % 2 === 0); return d < 0 ? x : x.reshape(x.shape.flatMap((n, k) => (k === d ? [2, n / 2] : [n]))); },
    merge: (x, r) => (x.ndim < 2 ? x : ((d) => x.reshape(x.shape.flatMap((n, k) => (k === d ? [n * x.shape[k + 1]!] : k === d + 1 ? [] : [n]))))(r(x.ndim - 1))),
    choose: (x, r) => np.where(dense(x.shape, r(5)).gt(0), x, r(2) === 0 ? np.zeros(x.shape) : x.mul(2)),
    product: (x, r) => (x.ndim === 0 ? x : np.tensordot(dense([2, x.shape.at(-1)!], r(5)), x, [[1], [x.ndim - 1]])),
    // Not linear: structure ends here.
    tanh: (x, r) => (r(3) === 0 ? np.tanh(x) : x),
  };
  it("of random programs, compiled and step by step", () => {
    let seen = 0;
    const names = Object.keys(steps);
    fc.assert(fc.property(fc.constantFrom<readonly number[]>([1], [2], [5], [2, 3], [2, 2, 2]), fc.integer({ min: 0, max: 2 }), fc.array(fc.tuple(fc.constantFrom(...names), fc.array(fc.nat(997), { minLength: 8, maxLength: 8 })), { minLength: 1, maxLength: 7 }), (dims, offset, list) => {
      const count = dims.reduce((a, b) => a * b, 1) + 2;
      const f = (y: NDArray): NDArray => {
        let x = bind1(unitVectors, [], { shape: dims, dtype: "float64", count, offset }).mul(y);
        for (const [name, numbers] of list) {
          let k = 0;
          x = steps[name]!(x, (n) => numbers[k++ % numbers.length]! % n);
          if (x.size === 0 || x.size > 3000) break;
        }
        return x;
      };
      const y = np.array(1.5);
      const plain = evaluateProgram(makeProgram(f)(y), [y])[0]!;
      seen += plain.size;
      expectClose(jit(f)(y), plain, 1e-13);
      expectClose(jit((z: NDArray) => bind1(primitiveFamilies.types.ordinaryZeros, [f(z)], {}))(y), plain, 1e-13);
    }), { numRuns: 250 });
    expect(seen).toBeGreaterThan(1000);
  });
});
