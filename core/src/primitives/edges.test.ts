import { describe, expect, it } from "vitest";
import { programKey } from "../extend.js";
import { explain, foriLoop, jit, lax, makeProgram, np, type NDArray, vmap } from "../index.js";

describe("edges", () => {
  it("vmap over no examples, also where each has a convolution of its own", () => {
    const x = np.ones([1, 2, 5]);
    const k = np.ones([0, 2, 1, 3]);
    expect(vmap((w: NDArray) => lax.convGeneralDilated(x, w, [1], "VALID", { featureGroupCount: 2 }))(k).shape).toEqual([0, 1, 2, 3]);
    expect(vmap((v: NDArray) => foriLoop(0, 3, (_i, s) => s.mul(2), v))(np.ones([0, 2])).shape).toEqual([0, 2]);
  });

  it("padding with a value that is dear computes it once", () => {
    const { schedule } = explain(jit((x: NDArray, s: NDArray) => lax.pad(x, np.exp(np.sin(s)), [[1, 1, 0]])), np.ones([3]), np.array(2));
    expect(schedule.steps.length).toBe(2);
  });

  it("a dynamic slice is reshaped without a copy", () => {
    const f = jit((x: NDArray, i: NDArray) => lax.dynamicSlice(x, [i, 0], [2, 6]).reshape([4, 3]).mul(2));
    expect(f(np.arange(24).reshape([4, 6]), np.array(9).astype("int32")).toArray()).toEqual([[24, 26, 28], [30, 32, 34], [36, 38, 40], [42, 44, 46]]);
    // One kernel moves the start into range, the other does the rest.
    expect(explain(f, np.arange(24).reshape([4, 6]), np.array(1).astype("int32")).kernels).toBe(2);
  });

  it("keys of Programs that call Programs stay short", () => {
    let f = (x: NDArray): NDArray => np.sin(x);
    for (let d = 0; d < 12; d++) {
      const g = jit(f);
      f = (x) => np.add(g(x), g(np.multiply(x, 2)));
    }
    expect(programKey(makeProgram(f)(np.ones([2]))).length).toBeLessThan(1000);
    expect(programKey(makeProgram((x: NDArray) => np.sin(x))(np.ones([2])))).not.toBe(programKey(makeProgram((x: NDArray) => np.cos(x))(np.ones([2]))));
  });
});
