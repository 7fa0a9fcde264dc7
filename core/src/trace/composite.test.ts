import { describe, expect, it } from "vitest";
import { type NDArray, jit, np } from "../index.js";
import { bind1, compositeLowering, definePrimitive } from "../extend.js";

describe("compositeLowering", () => {
  const table = np.array([10, 20, 30]);
  const shifted = definePrimitive<{ by: number }>({
    name: "test.shifted",
    abstractEval: ([x]) => x!,
    lower: compositeLowering<{ by: number }>(([x], { by }) => [x!.mul(2).add(table).add(by)]),
  });
  const f = (x: NDArray) => bind1(shifted, [x], { by: 1 });
  it("runs the operations in place of the primitive, with params and arrays from outside", () => {
    expect(f(np.array([1, 2, 3])).toArray()).toEqual([13, 25, 37]);
    expect(jit((x: NDArray) => f(x).sum())(np.array([1, 2, 3])).item()).toBe(75);
  });
  it("is lowered for the types at hand", () => {
    expect(f(np.ones([2, 3], { dtype: "float64" })).toArray()).toEqual([[13, 23, 33], [13, 23, 33]]);
  });
});
