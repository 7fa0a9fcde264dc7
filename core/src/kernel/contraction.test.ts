import { describe, expect, it } from "vitest";
import { asContraction, byStride, exchanged, mergedStride } from "./contraction.js";
import { accumulator, type Affine, binary, cast, constant, type Expr, guard, index, load, unary } from "./expr.js";
import type { Kernel, ReduceOp } from "./schedule.js";

const at = (buffer: number, ...strides: number[]): Expr => load("float64", buffer, { offset: 0, strides });
const kernel = (dims: number[], reduceDims: number[], value: Expr, op: ReduceOp = "add", output: Expr = accumulator("float64", 0)): Kernel => ({
  dims, reduceDims, accumulators: [{ op, dtype: value.dtype, value }], outputs: [{ buffer: 9, index: { offset: 0, strides: dims.map(() => 1) }, value: output }],
});
const classes = (k: Kernel) => {
  const c = asContraction(k);
  return c && { batch: c.batch, m: c.m, n: c.n, k: c.k };
};

describe("asContraction", () => {
  it("finds batch, rows, columns and depth", () => {
    const [a, b] = [at(0, 12, 4, 0, 1), at(1, 20, 0, 1, 5)];
    const c = asContraction(kernel([2, 3, 5], [4], binary("mul", a, b)))!;
    expect(c).toMatchObject({ dtype: "float64", sizes: [2, 3, 5, 4], batch: [0], m: [1], n: [2], k: [3] });
    expect([c.a, c.b]).toEqual([a, b]);
    expect(exchanged(c)).toMatchObject({ a: b, b: a, batch: [0], m: [2], n: [1], k: [3] });
  });
  it("knows vectors: a product of a matrix and a vector has no columns, an inner product neither rows nor columns", () => {
    expect(classes(kernel([3], [4], binary("mul", at(0, 4, 1), at(1, 0, 1))))).toEqual({ batch: [], m: [0], n: [], k: [1] });
    expect(classes(kernel([], [4], binary("mul", at(0, 1), at(1, 1))))).toEqual({ batch: [], m: [], n: [], k: [0] });
  });
  it("takes a convolution: positions and window meet in one place", () => {
    // y[o, p] = sum_w x[p + w - 1] k[o, w], zero outside
    const place: Affine = { offset: -1, strides: [0, 1, 1] };
    const x = guard([{ index: place, lo: 0, hi: 8, step: 1 }], load("float64", 0, place), constant("float64", 0));
    expect(classes(kernel([4, 8], [3], binary("mul", x, at(1, 3, 0, 1))))).toEqual({ batch: [], m: [1], n: [0], k: [2] });
  });
  it("sees the dimensions in bounds, indices and everything that is computed", () => {
    const bounded = guard([{ index: { offset: 0, strides: [0, 1, 0] }, lo: 0, hi: 2, step: 1 }], at(0, 0, 0, 1), constant("float64", 0));
    expect(classes(kernel([4, 8], [3], binary("mul", bounded, at(1, 3, 0, 1))))).toMatchObject({ m: [1], n: [0] });
    const ranked = unary("exp", cast("float64", index({ offset: 0, strides: [1, 0, 0] })));
    expect(classes(kernel([4, 8], [3], binary("mul", ranked, at(1, 0, 3, 1))))).toMatchObject({ m: [0], n: [1] });
  });
  it("counts as batch what both factors change with, or neither", () => {
    expect(classes(kernel([4, 8], [3], binary("mul", at(0, 1, 0, 4), at(1, 3, 0, 1))))).toEqual({ batch: [0, 1], m: [], n: [], k: [2] });
  });
  it("takes any function of the sum as output", () => {
    const out = unary("tanh", binary("add", accumulator("float64", 0), at(2, 1, 0)));
    expect(asContraction(kernel([4, 8], [3], binary("mul", at(0, 3, 0, 1), at(1, 0, 1, 8)), "add", out))).toBeDefined();
  });
  it("refuses other reductions, other terms and several sums", () => {
    const value = binary("mul", at(0, 3, 0, 1), at(1, 0, 1, 8));
    expect(asContraction(kernel([4, 8], [3], value, "max"))).toBeUndefined();
    expect(asContraction(kernel([4, 8], [3], binary("add", at(0, 3, 0, 1), at(1, 0, 1, 8))))).toBeUndefined();
    expect(asContraction(kernel([4, 8], [3], at(0, 3, 0, 1)))).toBeUndefined();
    const two = kernel([4, 8], [3], value);
    expect(asContraction({ ...two, accumulators: [two.accumulators[0]!, two.accumulators[0]!] })).toBeUndefined();
    expect(asContraction({ ...two, accumulators: [] })).toBeUndefined();
  });
});

describe("mergedStride", () => {
  const walk: Affine = { offset: 3, strides: [20, 4, 1, -2, 0] };
  const sizes = [2, 5, 4, 6, 7];
  it("joins what lies evenly", () => {
    expect(mergedStride(walk, sizes, [0, 1, 2])).toBe(1);
    expect(mergedStride(walk, sizes, [0, 1])).toBe(4);
    expect(mergedStride(walk, sizes, [3])).toBe(-2);
    expect(mergedStride(walk, sizes, [4])).toBe(0);
    expect(mergedStride(walk, sizes, [])).toBe(0);
  });
  it("refuses the rest", () => {
    expect(mergedStride(walk, sizes, [0, 2])).toBeUndefined();
    expect(mergedStride(walk, sizes, [1, 0])).toBeUndefined();
    expect(mergedStride(walk, sizes, [2, 4])).toBeUndefined();
  });
  it("ignores dimensions of size 1", () => {
    expect(mergedStride(walk, [2, 1, 4, 1, 1], [0, 1, 2])).toBeUndefined();
    expect(mergedStride(walk, [2, 1, 1, 1, 1], [0, 1, 2, 3])).toBe(20);
  });
  it("orders dimensions by their steps", () => expect(byStride(walk, [2, 3, 1, 0])).toEqual([0, 1, 3, 2]));
});
