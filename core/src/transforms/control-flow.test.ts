import { describe, expect, it } from "vitest";
import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import { associativeScan, cond, foriLoop, jit, map, scan, switchCase, vmap, whileLoop } from "../index.js";
import { add, lt, mul, sub } from "../primitives/binary.js";
import { reduceSum } from "../primitives/reductions.js";
import { broadcastTo } from "../primitives/structural-ops.js";
import { scalar } from "../array/concrete.js";
import { bind1 } from "../trace/trace.js";

const vec = (...d: number[]) => ConcreteArray.fromHost(Float64Array.from(d), { shape: [d.length], dtype: "float64", weak: false });
const num = (v: number) => scalar(v, "float64", false);
const times = (x: NDArray, k: number) => bind1(mul, [x, broadcastTo(num(k), x.shape, [])], {});
const plus = (a: NDArray, b: NDArray) => bind1(add, [a, b], {});
const total = (x: NDArray) => bind1(reduceSum, [x], { axes: [0] });

describe.each([["eager", <A extends readonly unknown[], R>(f: (...a: A) => R) => f], ["jit", jit]] as const)("control flow, %s", (_name, run) => {
  it("cond runs the branch taken", () => {
    const f = run((p: NDArray, x: NDArray) => cond(p, (v) => times(v, 2), (v) => times(v, -1), x));
    expect(f(scalar(true, "bool", false), vec(1, 2)).toArray()).toEqual([2, 4]);
    expect(f(scalar(false, "bool", false), vec(1, 2)).toArray()).toEqual([-1, -2]);
  });

  it("switchCase moves the index into range", () => {
    const f = run((i: NDArray, x: NDArray) => switchCase(i, [(v) => times(v, 10), (v) => times(v, 20), (v) => times(v, 30)], x));
    expect([-5, 0, 1, 2, 7].map((i) => f(scalar(i, "int32", false), vec(1)).toArray())).toEqual([[10], [10], [20], [30], [30]]);
  });

  it("scan carries and stacks, also in reverse and with closures", () => {
    const k = vec(1, 1, 1);
    const f = run((c: NDArray, xs: NDArray) => scan((s: NDArray, x: NDArray) => [plus(s, x), plus(total(k), s)] as const, c, xs));
    const [last, ys] = f(num(0), vec(1, 2, 3));
    expect(last.item()).toBe(6);
    expect(ys.toArray()).toEqual([3, 4, 6]);
    const g = run((xs: NDArray) => scan((s: NDArray, x: NDArray) => [plus(s, x), s] as const, num(0), xs, { reverse: true }));
    expect(g(vec(1, 2, 3))[1].toArray()).toEqual([5, 3, 0]);
  });

  it("scan swaps carries without mixing old and new", () => {
    const f = run((a: NDArray, b: NDArray) => scan(([x, y]: [NDArray, NDArray]) => [[y, plus(x, y)] as [NDArray, NDArray], x] as const, [a, b] as [NDArray, NDArray], null, { length: 10 }));
    const [[a, b], ys] = f(num(0), num(1));
    expect([a.item(), b.item()]).toEqual([55, 89]);
    expect(ys.toArray()).toEqual([0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
  });

  it("whileLoop and foriLoop", () => {
    const f = run((x: NDArray) => whileLoop((v) => bind1(lt, [v, num(100)], {}), (v) => plus(v, v), x));
    expect(f(num(3)).item()).toBe(192);
    expect(f(num(300)).item()).toBe(300);
    const g = run((x: NDArray, n: NDArray) => foriLoop(0, n, (_i, s) => times(s, 2), x));
    expect(g(num(1), scalar(5, "int32", false)).item()).toBe(32);
    const h = run((x: NDArray) => foriLoop(0, 4, (_i, s) => foriLoop(0, 3, (_j, t) => plus(t, num(1)), s), x));
    expect(h(num(0)).item()).toBe(12);
  });

  it("map, associativeScan", () => {
    const f = run((xs: NDArray) => map((x: NDArray) => times(x, 3), xs));
    expect(f(vec(1, 2, 3)).toArray()).toEqual([3, 6, 9]);
    for (const n of [1, 2, 3, 5, 8, 13]) {
      const xs = vec(...Array.from({ length: n }, (_, i) => i + 1));
      const g = run((v: NDArray) => associativeScan(plus, v));
      expect(g(xs).toArray()).toEqual(Array.from({ length: n }, (_, i) => ((i + 1) * (i + 2)) / 2));
    }
  });

  it("vmap of loops: each example stops on its own", () => {
    const f = run(vmap((x: NDArray) => whileLoop((v) => bind1(lt, [v, num(100)], {}), (v) => plus(v, v), x)));
    expect(f(vec(3, 300, 99)).toArray()).toEqual([192, 300, 198]);
    const g = run(vmap((x: NDArray) => cond(bind1(lt, [x, num(0)], {}), (v) => times(v, -1), (v) => times(v, 2), x)));
    expect(g(vec(-3, 4)).toArray()).toEqual([3, 8]);
    const h = run(vmap((c: NDArray) => scan((s: NDArray, x: NDArray) => [plus(s, x), bind1(sub, [s, x], {})] as const, c, vec(1, 2, 3))));
    const [last, ys] = h(vec(10, 20));
    expect(last.toArray()).toEqual([16, 26]);
    expect(ys.toArray()).toEqual([[9, 9, 10], [19, 19, 20]]);
  });
});
