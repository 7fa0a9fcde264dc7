import { describe, expect, it } from "vitest";
import { explain, foriLoop, jit, lax, makeProgram, memory, type NDArray, np, scan, whileLoop } from "../index.js";
import type { Step } from "../kernel/schedule.js";
import { itemsize } from "../base/dtype.js";
import { evaluateProgram } from "../extend.js";
import { bodies } from "./effects.js";

/** Bytes that a run of the compiled function copies between buffers, by iteration of loops of known length. */
function copied(steps: readonly Step[], dtypeOf: (b: number) => number): number {
  let bytes = 0;
  for (const s of steps) {
    if (s.kind === "copy") bytes += s.count * dtypeOf(s.from);
    for (const b of bodies(s)) bytes += (s.kind === "for" ? s.count : 1) * copied(b, dtypeOf);
  }
  return bytes;
}
function copiedBy<A extends readonly unknown[]>(f: (...args: A) => unknown, ...args: A): number {
  const { schedule } = explain(jit(f), ...args);
  return copied(schedule.steps, (b) => itemsize(schedule.buffers[b]!.dtype));
}
/** The compiled value, which must be that of the Program evaluated equation by equation. */
function value<A extends readonly NDArray[]>(f: (...args: A) => NDArray, ...args: A): unknown {
  const program = makeProgram(f)(...args);
  const compiled = jit(f)(...args).toArray();
  expect(compiled).toEqual(evaluateProgram(program, args)[0]!.toArray());
  return compiled;
}

describe("shareMemory", () => {
  it.each([0, 1, 2, 3, 63, 64, 65, 1000])("n updates of an array of n cost O(n), n = %d", (n) => {
    const x = np.arange(n).astype("float32");
    const once = 4 * n;
    for (const f of [
      (v: NDArray) => foriLoop(0, n, (i, s) => s.at(i).set(i.astype("float32").mul(2)), v),
      (v: NDArray) => foriLoop(0, n, (i, s) => s.at(i).add(1), v),
      (v: NDArray) => foriLoop(0, n, (i, s) => lax.dynamicUpdateSlice(s, s.get([0]).mul(2).reshape([1]), [i]), v),
      (v: NDArray) => whileLoop(([i]: readonly [NDArray, NDArray]) => i.lt(n), ([i, s]) => [i.add(1), s.at(i).set(1)] as const, [np.array(0, { dtype: "int32" }), v] as const)[1],
    ]) {
      if (n === 0) continue;
      expect(copiedBy(f, x)).toBeLessThanOrEqual(once);
      value(f, x);
    }
  });

  it("recurrences that read what they write", () => {
    const fibonacci = (v: NDArray) => foriLoop(2, 20, (i, s) => s.at(i).set(s.at(i.sub(1)).get().add(s.at(i.sub(2)).get())), v);
    const x = np.ones([20]);
    expect((value(fibonacci, x) as number[])[19]).toBe(6765);
    // The update is made of other places of the same array.
    const shift = (v: NDArray) => foriLoop(0, 3, (i, s) => lax.dynamicUpdateSlice(s, lax.dynamicSlice(s, [i], [10]).mul(2), [i.add(1)]), v);
    value(shift, np.arange(20));
  });

  it("keeps apart what is needed with both contents", () => {
    const x = np.arange(7);
    const swap = (v: NDArray) => foriLoop(0, 5, (_, [a, b]: readonly [NDArray, NDArray]) => [b, a.add(b)] as const, [v, v.mul(2)] as const)[1];
    value(swap, x);
    const stencil = (v: NDArray) => foriLoop(0, 4, (_, s) => np.roll(s, 1).add(s), v);
    value(stencil, x);
    const both = (v: NDArray) => scan((s: NDArray) => [s.mul(2), s] as const, v, null, { length: 4 })[1].sum([0]);
    value(both, x);
    const late = (v: NDArray) => scan((s: NDArray) => { const t = s.at(2).set(9); return [t, s.sum().add(t.sum())] as const; }, v, null, { length: 3 })[1];
    value(late, x);
    const crossed = (v: NDArray) => foriLoop(0, 5, (_, [a, b]: readonly [NDArray, NDArray]) => [b.add(1), a.mul(2)] as const, [v, v.mul(2)] as const)[0];
    value(crossed, x);
    const product = (m: NDArray) => foriLoop(0, 3, (_, s) => np.matmul(s, s), m);
    value(product, np.arange(9).reshape([3, 3]));
  });

  it("loops in loops hand their state on without copies", () => {
    const f = (v: NDArray) => foriLoop(0, 3, (_, s) => foriLoop(0, 4, (_j, t) => np.sin(t).add(1), s), v);
    const x = np.linspace(0, 1, 1000);
    expect(copiedBy(f, x)).toBe(0);
    value(f, x);
  });

  it("donated arguments become results, in place", () => {
    const n = 5003;
    const numbers = (): NDArray => np.sin(np.arange(n).astype("float64"));
    const cases: [string, (x: NDArray, y: NDArray) => NDArray | readonly NDArray[], number][] = [
      ["the same place", (x, y) => x.mul(2).add(y), 1],
      ["a row", (x) => x.at(7).set(1), 1],
      ["other places", (x) => np.flip(x).add(x), 0],
      ["a reduction first", (x) => x.sub(x.mean()), 1],
      ["a reduction after", (x) => { const y = np.exp(np.sin(x)); return [y, np.sum(x)]; }, 1],
      ["itself", (x) => x, 1],
      ["itself and more", (x) => [x.add(1), x], 1],
      ["two from one", (x) => [np.exp(np.sin(x)), np.cos(np.sin(x))], 1],
      ["a loop", (x) => foriLoop(0, 3, (_, s) => s.mul(2), x), 1],
      ["another type", (x) => x.astype("float32"), 0],
      ["lengths that fill no vector", (x, y) => np.where(x.gt(y), x, y), 1],
    ];
    for (const [name, f, given] of cases) {
      const want = jit(f)(numbers(), np.ones([n]));
      const g = jit(f, { donateArgnums: 0 });
      expect(explain(g, numbers(), np.ones([n])).schedule.donations!.length, name).toBe(given);
      for (let k = 0; k < 2; k++) {
        const [x, y] = [numbers(), np.ones([n])];
        // In the heap of the device, as results of programs are.
        const there = jit((v: NDArray) => v.mul(1))(x);
        const got = g(there, y);
        const list = (v: NDArray | readonly NDArray[]) => (Array.isArray(v) ? (v as NDArray[]) : [v as NDArray]).map((w) => [...w.data]);
        expect(list(got), name).toEqual(list(want));
        expect(() => there.toArray()).toThrow(/donated/);
        expect(y.data[n - 1]).toBe(1);
      }
    }
  });

  it("donation takes and leaves no memory", () => {
    const step = jit((x: NDArray) => x.mul(0.5).add(1), { donateArgnums: 0 });
    let x = step(np.ones([100_000]));
    const before = memory().liveBytes;
    for (let i = 0; i < 50; i++) x = step(x);
    expect(memory().liveBytes).toBe(before);
    expect(x.data[99_999]).toBeCloseTo(2, 12);
  });

  it("results that differ share nothing, arguments stay as they were", () => {
    const x = np.arange(1000);
    const f = jit((v: NDArray) => { const y = v.at(3).set(-1); return [y, y.at(4).set(-2), v] as const; });
    const [a, b, c] = f(x);
    expect([a, b, c].map((v) => [...v!.data.slice(2, 6)])).toEqual([[2, -1, 4, 5], [2, -1, -2, 5], [2, 3, 4, 5]]);
  });
});
