import { describe, expect, it } from "vitest";
import { cond, DisposedError, jit, type NDArray, np, scan, vmap } from "../index.js";

const step = jit((x: NDArray) => x.add(1), { donateArgnums: 0, name: "step" });
const donated = (...shape: number[]): NDArray => {
  const x = np.ones(shape);
  step(x);
  return x;
};

/** What the error says before what it expected: the function and its argument. */
function named(f: (x: NDArray) => unknown, ...shape: number[]): string {
  try {
    f(donated(...shape));
  } catch (e) {
    expect(e).toBeInstanceOf(DisposedError);
    expect(String(e)).toContain("was donated. Fix: use the jitted function's result instead, or drop donateArgnums.");
    return /\[hessia:disposed\] (.*?): expected/.exec(String(e))![1]!;
  }
  throw new Error("nothing was thrown");
}

describe("an error about an array that was donated names the function that was called, and its argument", () => {
  const y = np.ones([4]);
  it.each<[string, (x: NDArray) => unknown]>([
    ["subtract(a)", (x) => np.subtract(x, 1)],
    ["subtract(b)", (x) => np.subtract(1, x)],
    ["subtract(a)", (x) => x.sub(y)],
    ["arctan2(b)", (x) => np.arctan2(y, x)],
    ["where(b)", (x) => np.where(y.gt(0), y, x)],
    ["tanh(x)", (x) => x.tanh()],
    ["sum(x)", (x) => x.sum()],
    ["reshape(x)", (x) => x.reshape(2, 2)],
    ["concatenate(arrays[1])", (x) => np.concatenate([y, x])],
    ["matmul(b)", (x) => np.matmul(y, x)],
    ["get", (x) => x.get(1)],
    ["at", (x) => x.at(1).set(2)],
    ["data", (x) => x.data],
    ["toArray", (x) => x.toArray()],
    ["toString", (x) => x.toString()],
    ["jit(step)", (x) => step(x)],
    ["scan(xs)", (x) => scan((c: NDArray, v: NDArray) => [c.add(v), null], 0 as unknown as NDArray, x)],
    ["cond(operands[0])", (x) => cond(true, (v: NDArray) => v, (v: NDArray) => v.neg(), x)],
    ["vmap(twice)(argument 0)", (x) => vmap(function twice(v: NDArray) { return v.mul(2); })(x)],
  ])("%s", (name, f) => {
    expect(named(f, 4)).toBe(name);
  });
  it("item", () => expect(named((x) => x.item(), 1)).toBe("item"));
});

it("shape and dtype of an array whose elements are gone stay known", () => {
  const x = donated(2, 3);
  expect([x.shape, np.shape(x), np.ndim(x), np.size(x), x.dtype]).toEqual([[2, 3], [2, 3], 2, 6, "float64"]);
  expect(np.zerosLike(x).toArray()).toEqual([[0, 0, 0], [0, 0, 0]]);
});
