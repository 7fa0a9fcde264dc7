import { describe, expect, it } from "vitest";
import { explain, foriLoop, jit, lax, makeProgram, type NDArray, np, scan, whileLoop } from "../index.js";
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

  it("results that differ share nothing, arguments stay as they were", () => {
    const x = np.arange(1000);
    const f = jit((v: NDArray) => { const y = v.at(3).set(-1); return [y, y.at(4).set(-2), v] as const; });
    const [a, b, c] = f(x);
    expect([a, b, c].map((v) => [...v!.data.slice(2, 6)])).toEqual([[2, -1, 4, 5], [2, -1, -2, 5], [2, 3, 4, 5]]);
  });
});
