import { jit, np, type NDArray } from "@hessia/core";
import { grad } from "@hessia/autodiff";
import { describe, expect, it } from "vitest";

const inf = Infinity;

describe("quantiles", () => {
  it.each<[number[], number]>([[[inf, inf, 1, 0], inf], [[inf, 1, 2, inf, 3, inf], inf], [[-inf, 2], -inf], [[inf, inf], inf], [[-inf, -inf, 3], -inf], [[-inf, inf], NaN], [[inf, NaN, 1], NaN]])("the median of %j is %d", (x, want) => {
    expect(np.median(x).item()).toBe(want);
    expect(jit((y: NDArray) => np.median(y))(np.array(x)).item()).toBe(want);
  });
  it("between a finite element and an infinite one are infinite", () => {
    expect(np.quantile([0, 1, inf, inf], [0, 0.1, 1 / 3, 0.4, 0.5, 0.9, 1]).toArray()).toEqual([0, 0.30000000000000004, 1, inf, inf, inf, inf]);
    expect(np.quantile([-inf, 0, 2], [0, 0.25, 0.5, 0.75]).toArray()).toEqual([-inf, -inf, 0, 1]);
    expect(np.nanquantile([NaN, 3, inf], [0, 0.25, 0.75]).toArray()).toEqual([3, inf, inf]);
  });
  it("of equal elements have the derivative of others", () => {
    const g = (q: number, x: number[]) => grad((y: NDArray) => np.quantile(y, q))(np.array(x)).toArray() as number[];
    expect(g(0.5, [2, 2])).toEqual([0.5, 0.5]);
    expect(g(0.5, [2, 2, 2, 1])).toEqual([0.5, 0.5, 0, 0]);
    expect(g(0.25, [2, 2])).toEqual([0.75, 0.25]);
    expect(g(0.75, [2, 2])).toEqual([0.25, 0.75]);
    expect(g(0.25, [2, 3])).toEqual([0.75, 0.25]);
  });
});
