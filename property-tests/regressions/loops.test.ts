import { foriLoop, jit, np, scan, vmap, type NDArray } from "@hessia/core";
import { describe, expect, it } from "vitest";

const zero = np.array(0);

describe("loops", () => {
  it("of more iterations than an int32 counts are refused, not wrapped around", () => {
    const run = (length: number) => scan((c: NDArray) => [np.cos(c), null] as const, zero, null, { length });
    for (const n of [2 ** 31, 2 ** 32 + 3]) for (const f of [() => run(n), () => jit(() => run(n))()]) expect(f).toThrow(`scan(length): expected at most 2147483647 iterations, which an int32 counts, got ${n}.`);
    const sum = (lower: number, upper: number | NDArray) => foriLoop(lower, upper, (i, c: NDArray) => np.add(c, i), zero);
    expect(() => sum(2 ** 31, 2 ** 31 + 2)).toThrow("foriLoop(lower): expected integers from -2147483648 to 2147483647, got 2147483648.");
    expect(() => sum(0, 2 ** 32)).toThrow("foriLoop(upper)");
    expect(() => sum(-(2 ** 31), 2)).toThrow("foriLoop(length): expected at most 2147483647");
    expect(sum(2 ** 31 - 3, 2 ** 31 - 1).item()).toBe(2 ** 32 - 5);
    expect(sum(-(2 ** 31), 2 - 2 ** 31).item()).toBe(1 - 2 ** 32);
  });
  it("have whole numbers as bounds, also beside a traced one", () => {
    const count = jit((n: NDArray) => foriLoop(0.5, n, (_, c: NDArray) => c.add(1), zero));
    expect(() => count(np.array(3, { dtype: "int32" }))).toThrow("foriLoop(lower): expected integers, got 0.5.");
    expect(() => foriLoop(0, NaN, (_, c: NDArray) => c, zero)).toThrow("foriLoop(upper): expected integers, got NaN.");
  });
});

describe("vmap with null", () => {
  const x = np.array([1, 2, 3]);
  it("for all arguments maps none of them", () => {
    expect(vmap((v: NDArray) => v.sum(), { inAxes: null, axisSize: 2 })(x).toArray()).toEqual([6, 6]);
    expect(() => vmap((v: NDArray) => v.sum(), { inAxes: null })(x)).toThrow("inAxes): expected at least one mapped argument");
  });
  it("for the results gives what all examples share, and refuses what they do not", () => {
    expect(vmap((_: NDArray) => x.sum(), { outAxes: null })(x).toArray()).toBe(6);
    expect(() => vmap((v: NDArray) => v, { outAxes: null })(x)).toThrow("outAxes): expected an axis for results that differ between examples, got null");
  });
});
