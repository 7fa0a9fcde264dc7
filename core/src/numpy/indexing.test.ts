import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import "../index.js";
import { ConcreteArray } from "../array/concrete.js";
import type { IndexItem, NDArray } from "../array/ndarray.js";
import { ArgumentError, ConcretizationError, IndexError, ShapeError } from "../base/errors.js";
import { jit } from "../transforms/jit.js";
import { vmap } from "../transforms/vmap.js";
import { sizeOf } from "../base/shape.js";
import { at, getItem } from "./indexing.js";
import { asArray } from "./convert.js";
import { stack } from "./joining.js";

interface Case { shape: number[]; index: (number | string | null | { array: unknown; shape: number[]; bool: boolean })[]; resultShape: number[]; result: number[]; set: number[]; add: number[] }
// Made with NumPy: random indices of every kind, the selection, and x[index] = -1, -2, ...
const cases = JSON.parse(readFileSync(new URL("./fixtures/indexing.json", import.meta.url), "utf8")) as Case[];

const counting = (shape: number[]): NDArray => ConcreteArray.fromHost(Float64Array.from({ length: sizeOf(shape) }, (_, i) => i), { shape, dtype: "float64", weak: false });
const ints = (values: number[], shape: number[]): NDArray => ConcreteArray.fromHost(Int32Array.from(values), { shape, dtype: "int32", weak: false });
const decode = (i: Case["index"][number]): IndexItem => {
  if (i === null || typeof i !== "object") return i;
  const flat = [i.array].flat(Infinity).map(Number);
  return i.bool ? ConcreteArray.fromHost(Uint8Array.from(flat), { shape: i.shape, dtype: "bool", weak: false }) : ints(flat, i.shape);
};
const isTraceable = (i: IndexItem): boolean => typeof i === "object" && i !== null && "dtype" in i && i.dtype === "int32";

describe("indexing against NumPy", () => {
  it.each(cases.map((c) => [JSON.stringify([c.shape, c.index]), c] as const))("%s", (_name, c) => {
    const x = counting(c.shape);
    const index = c.index.map(decode);
    const y = getItem(x, index);
    expect([...y.shape]).toEqual(c.resultShape);
    expect([...y.data]).toEqual(c.result);
    const v = ConcreteArray.fromHost(Float64Array.from({ length: y.size }, (_, k) => -1 - k), { shape: y.shape, dtype: "float64", weak: false });
    expect([...at(x, index).set(v).data]).toEqual(c.set);
    expect([...at(x, index).add(v).data]).toEqual(c.add);
    // The same with the integer arrays known only at run time.
    const traced = index.filter(isTraceable) as NDArray[];
    if (traced.length === 0) return;
    const f = jit((a: NDArray, u: NDArray, list: NDArray[]) => {
      let k = 0;
      const ix = index.map((i) => (isTraceable(i) ? list[k++]! : i));
      return [getItem(a, ix), at(a, ix).set(u), at(a, ix).add(u)];
    });
    const [g, s, d] = f(x, v, traced);
    expect([...g!.shape]).toEqual(c.resultShape);
    expect([...g!.data]).toEqual(c.result);
    expect([...s!.data]).toEqual(c.set);
    expect([...d!.data]).toEqual(c.add);
  });

  // vmap equals a loop: over the array, over the index arrays, and over both.
  it.each(cases.filter((_, i) => i % 4 === 0).map((c) => [JSON.stringify([c.shape, c.index]), c] as const))("vmap %s", (_name, c) => {
    const index = c.index.map(decode);
    const x = [counting(c.shape), at(counting(c.shape), ["..."]).mul(2)] as const;
    const lists = index.filter(isTraceable) as NDArray[];
    const shifted = lists.map((l) => at(l, ["..."]).min(0));
    const u = ConcreteArray.fromHost(Float64Array.from({ length: c.result.length }, (_, k) => -1 - k), { shape: c.resultShape, dtype: "float64", weak: false });
    const f = (a: NDArray, list: NDArray[]): NDArray[] => {
      let k = 0;
      const ix = index.map((i) => (isTraceable(i) ? list[k++]! : i));
      return [getItem(a, ix), at(a, ix).set(u), at(a, ix).add(u)];
    };
    const pairs = lists.map((l, i) => stack([l, shifted[i]!]));
    const both = stack([...x]);
    const same = (got: NDArray[], want: readonly [NDArray[], NDArray[]]) => got.forEach((g, i) => expect(g.toArray()).toEqual([want[0][i]!.toArray(), want[1][i]!.toArray()]));
    same(vmap((a: NDArray) => f(a, lists))(both), [f(x[0], lists), f(x[1], lists)]);
    if (lists.length === 0) return;
    same(vmap((l: NDArray[]) => f(x[0], l))(pairs), [f(x[0], lists), f(x[0], shifted)]);
    same(vmap((a: NDArray, l: NDArray[]) => f(a, l))(both, pairs), [f(x[0], lists), f(x[1], shifted)]);
  });
});

describe("indexing", () => {
  const x = counting([2, 3]);
  it("names axis and size when a static integer is out of range", () => {
    expect(() => getItem(x, [0, 3])).toThrow(IndexError);
    expect(() => getItem(x, [0, 3])).toThrow(/from -3 to 2 for axis 1 of size 3, got 3/);
    expect(() => getItem(x, [[0, -3]])).toThrow(/for axis 0 of size 2, got -3/);
  });
  it("clamps reads and drops writes out of range in integer arrays, as JAX", () => {
    const i = ints([-7, 1, 9], [3]);
    expect(getItem(counting([4]), [i]).toArray()).toEqual([0, 1, 3]);
    expect(at(counting([4]), [i]).set(-1).toArray()).toEqual([0, -1, 2, 3]);
    const two = jit((a: NDArray, k: NDArray) => [getItem(a, [k, k]), at(a, [k, k]).set(-1)]);
    const [g, s] = two(counting([2, 2]), ints([-7, 1, 9], [3]));
    expect(g!.toArray()).toEqual([0, 3, 3]);
    expect(s!.toArray()).toEqual([[0, 1], [2, -1]]);
  });
  it("refuses bad indices by name", () => {
    expect(() => getItem(x, [0, 0, 0])).toThrow(/at most 2 indices/);
    expect(() => getItem(x, ["...", "..."])).toThrow(/at most one "\.\.\."/);
    expect(() => getItem(x, ["::0"])).toThrow(/step other than 0/);
    expect(() => getItem(x, ["1;2"])).toThrow(IndexError);
    expect(() => getItem(x, [0.5])).toThrow(/0\.5/);
    expect(() => getItem(x, [asArray([0, 1], "test")])).toThrow(/astype\("int32"\)/);
    expect(() => getItem(x, [[true, false, true]])).toThrow(/mask of size 2 on axis 0/);
    expect(() => getItem(x, [[0, 1], [0, 1, 2]])).toThrow(/broadcast together/);
    expect(() => at(x, [0]).set([1, 2])).toThrow(ShapeError);
    expect(() => getItem(x, [true as unknown as number])).toThrow(IndexError);
  });
  it("asks for where() under a traced mask, and allows scalar updates through one", () => {
    const mask = asArray([true, false], "test");
    expect(() => jit((m: NDArray) => getItem(x, [m]))(mask)).toThrow(ConcretizationError);
    expect(() => jit((m: NDArray) => getItem(x, [m]))(mask)).toThrow(/np\.where/);
    expect(jit((m: NDArray) => at(x, [m]).set(7))(mask).toArray()).toEqual([[7, 7, 7], [3, 4, 5]]);
    expect(jit((m: NDArray) => at(x, [m]).mul(2))(mask).toArray()).toEqual([[0, 2, 4], [3, 4, 5]]);
  });
  it("has all updates, which keep the dtype", () => {
    const a = counting([4]);
    const i = [[1, 1, 2]];
    expect(at(a, i).sub(1).toArray()).toEqual([0, -1, 1, 3]);
    expect(at(a, i).mul(3).toArray()).toEqual([0, 9, 6, 3]);
    expect(at(a, i).div(2).toArray()).toEqual([0, 0.25, 1, 3]);
    expect(at(a, i).max(1.5).toArray()).toEqual([0, 1.5, 2, 3]);
    expect(at(a, ["1:3"]).min(1.5).toArray()).toEqual([0, 1, 1.5, 3]);
    expect(at(a, ["::2"]).set([[8, 9]]).toArray()).toEqual([8, 1, 9, 3]);
    const k = at(ints([1, 2, 3], [3]), [1]).mul(2.5);
    expect([k.dtype, k.toArray()]).toEqual(["int32", [1, 5, 3]]);
  });
  it("indexes with a scalar known at run time, under vmap too", () => {
    const rows = jit((a: NDArray, k: NDArray) => getItem(a, [k]));
    expect(rows(x, ints([1], [])).toArray()).toEqual([3, 4, 5]);
    expect(rows(x, ints([-1], [])).toArray()).toEqual([3, 4, 5]);
    expect(vmap((k: NDArray) => getItem(x, [":", k]))(ints([2, 0], [2])).toArray()).toEqual([[2, 5], [0, 3]]);
    expect(vmap((a: NDArray, k: NDArray) => at(a, [k]).add(10))(x, ints([2, 0], [2])).toArray()).toEqual([[0, 1, 12], [13, 4, 5]]);
  });
  it("throws for an empty axis instead of reading", () => expect(() => getItem(counting([0, 2]), [ints([0], [1])])).toThrow(/size 0/));
  it("takes an empty list", () => expect([...getItem(x, [[]]).shape]).toEqual([0, 3]));
  it("rejects what is no array", () => expect(() => at(x, [0]).set("a" as unknown as number)).toThrow(ArgumentError));
});
