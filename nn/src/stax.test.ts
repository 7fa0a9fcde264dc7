import { grad, hvp } from "@hessia/autodiff";
import { ArgumentError, jit, type NDArray, np, random, tree } from "@hessia/core";
import { describe, expect, it } from "vitest";
import { softmaxCrossEntropyWithIntegerLabels, stax } from "./index.js";

const key = random.key(0);
const flat = (a: unknown): number[] => tree.leaves<NDArray>(a).flatMap((l) => l.ravel().toArray() as number[]);

describe("stax", () => {
  it("chains layers: shapes known before anything is computed", () => {
    const [init, apply] = stax.serial(stax.Conv(4, [3, 3], 1, "SAME"), stax.Relu, stax.MaxPool([2, 2], { strides: [2, 2] }), stax.Flatten, stax.Dense(3), stax.LogSoftmax);
    const [shape, params] = init(key, [5, 8, 8, 1]);
    expect(shape).toEqual([5, 3]);
    expect(tree.leaves<NDArray>(params).map((p) => p.shape)).toEqual([[4], [3, 3, 1, 4], [3], [64, 3]]);
    const y = apply(params, random.normal(key, [5, 8, 8, 1])) as NDArray;
    expect(y.shape).toEqual([5, 3]);
    flat(np.exp(y).sum(-1)).forEach((p) => expect(p).toBeCloseTo(1, 12));
  });

  it("branches: parallel, sums and joins, and layers that ask for the shape", () => {
    const [init, apply] = stax.serial(stax.FanOut(3), stax.parallel(stax.Dense(4), stax.Identity, stax.shapeDependent((s) => stax.Dense(s.at(-1)! - 2))), stax.FanInConcat());
    const [shape, params] = init(key, [2, 4]);
    expect(shape).toEqual([2, 10]);
    const x = np.reshape(np.arange(8), [2, 4]).astype("float64");
    const y = apply(params, x) as NDArray;
    expect(y.get("...", "4:8").toArray()).toEqual(x.toArray());
    const [, sum] = stax.serial(stax.FanOut(2), stax.parallel(stax.Identity, stax.Identity), stax.FanInSum);
    expect(flat(sum([{}, [{}, {}], {}], x))).toEqual(flat(x.mul(2)));
    expect(() => stax.FanInSum[1]({}, x)).toThrow(ArgumentError);
    expect(() => apply([], x)).toThrow(/3 parameters/);
  });

  it("goes through grad, hvp and jit", () => {
    const [init, apply] = stax.serial(stax.Dense(5), stax.Tanh, stax.Dense(3));
    const [, made] = init(key, [1, 4]);
    const params = tree.map((a: NDArray) => a.astype("float64"), made) as stax.StaxParams;
    const x = random.normal(key, [6, 4]);
    const loss = (p: stax.StaxParams): NDArray => softmaxCrossEntropyWithIntegerLabels(apply(p, x) as NDArray, [0, 1, 2, 0, 1, 2]).mean();
    const g = grad(loss)(params);
    const v = tree.map((a: NDArray) => np.cos(a), params) as stax.StaxParams;
    const hv = hvp(loss, [params], [v] as never)[1];
    const e = 1e-5;
    const at = (s: number): number[] => flat(grad(loss)(tree.map((a: NDArray, b: NDArray) => a.add(b.mul(s)), params, v) as stax.StaxParams));
    const numeric = at(e).map((p, i) => (p - at(-e)[i]!) / (2 * e));
    flat(hv).forEach((h, i) => expect(h).toBeCloseTo(numeric[i]!, 8));
    flat(jit(grad(loss))(params)).forEach((p, i) => expect(p).toBeCloseTo(flat(g)[i]!, 12));
  });

  it("drops with a key only", () => {
    const [, apply] = stax.serial(stax.Dropout(0.5), stax.Identity);
    expect(() => apply([{}, {}], np.ones([4]))).toThrow(/key/);
    expect(flat(apply([{}, {}], np.ones([64]), { key })).every((v) => v === 0 || v === 2)).toBe(true);
    expect(flat(stax.Dropout(0.5, "test")[1]({}, np.ones([4])))).toEqual([1, 1, 1, 1]);
  });
});
