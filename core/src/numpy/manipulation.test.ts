import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import "../index.js";
import { ConcreteArray } from "../array/concrete.js";
import { NDArray } from "../array/ndarray.js";
import { type DType, newTypedArray } from "../base/dtype.js";
import { jit } from "../transforms/jit.js";
import { vmap } from "../transforms/vmap.js";
import { asArray } from "./convert.js";
import * as np from "./index.js";

interface EncodedArray { dtype: DType; shape: number[]; data: (number | string)[] }
interface Case { fn: string; args: unknown[]; result: EncodedArray | EncodedArray[] }
// Made with NumPy; integers of any width stand as int32.
const cases = JSON.parse(readFileSync(new URL("./fixtures/manipulation.json", import.meta.url), "utf8")) as Case[];

const number = (v: number | string): number => (typeof v === "string" ? Number(v.replace("inf", "Infinity")) : v);
const isArray = (v: unknown): v is EncodedArray => typeof v === "object" && v !== null && "dtype" in v && "data" in v;
function decode(v: unknown): unknown {
  if (isArray(v)) {
    const data = newTypedArray(v.dtype, v.data.length);
    v.data.forEach((t, i) => (data[i] = number(t)));
    return ConcreteArray.fromHost(data, { shape: v.shape, dtype: v.dtype, weak: false });
  }
  if (Array.isArray(v)) return v.map(decode);
  if (typeof v === "object" && v !== null) return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, decode(x)]));
  return v;
}
function check(got: unknown, want: EncodedArray): void {
  if (!(got instanceof NDArray)) throw new Error(`no array: ${String(got)}`);
  expect([got.dtype, ...got.shape]).toEqual([want.dtype, ...want.shape]);
  got.data.forEach((v, i) => {
    const w = number(want.data[i]!);
    if (!(Object.is(v, w) || (v === w) || Math.abs(v - w) <= 1e-13 * Math.max(1, Math.abs(w)))) throw new Error(`element ${i}: ${v}, NumPy has ${w}`);
  });
}
const functions = np as unknown as Record<string, (...args: unknown[]) => unknown>;
const variadic = new Set(["broadcastArrays", "ix"]);

describe("against NumPy", () => {
  it.each(cases.map((c, i) => [`${i} ${c.fn}`, c] as const))("%s", (_name, c) => {
    const got = functions[c.fn]!(...c.args.map(decode));
    if (!Array.isArray(c.result)) return check(got, c.result);
    expect((got as unknown[]).length).toBe(c.result.length);
    c.result.forEach((w, i) => check((got as unknown[])[i], w));
  });

  // The same functions under jit, where only the first argument is traced and sizes do not depend on it.
  const concreteOnly = new Set(["trimZeros", "extract", "nonzero", "argwhere", "flatnonzero", "unique", "intersect1d", "union1d", "setdiff1d", "setxor1d", "ix", "block", "delete"]);
  const traceable = cases.filter((c) => isArray(c.args[0]) && !concreteOnly.has(c.fn) && !variadic.has(c.fn) && !Array.isArray(c.result) && c.fn !== "compress");
  it.each(traceable.map((c, i) => [`${i} ${c.fn}`, c] as const))("jit %s", (_name, c) => {
    const [x, ...rest] = c.args.map(decode);
    check(jit((a: NDArray) => functions[c.fn]!(a, ...rest) as NDArray)(x as NDArray), c.result as EncodedArray);
  });
});

describe("errors name the function, the argument and the way out", () => {
  const m = asArray([[1, 2, 3], [4, 5, 6]], "test");
  const list: [string, () => unknown, RegExp][] = [
    ["reshape", () => np.reshape(m, [4, -1]), /\[hessia:shape\] reshape\(shape\): expected 6 elements/],
    ["two -1", () => np.reshape(m, [-1, -1]), /at most one -1/],
    ["transpose", () => np.transpose(m, [0, 0]), /\[hessia:axis\] transpose\(axes\)/],
    ["moveaxis", () => np.moveaxis(m, 2, 0), /\[hessia:axis\] moveaxis\(source\)/],
    ["squeeze", () => np.squeeze(m, 0), /axis 0 of size 2/],
    ["broadcastTo", () => np.broadcastTo(m, [3]), /\[hessia:shape\] broadcastTo\(shape\)/],
    ["broadcastShapes", () => np.broadcastShapes([2, 1], [8, 4, 3]), /\[hessia:shape\] broadcastShapes/],
    ["concatenate", () => np.concatenate([m, [[1, 2]]]), /concatenate\(arrays\[1\]\): expected shape \[2,3\] except along axis 0/],
    ["concatenate []", () => np.concatenate([]), /\[hessia:argument\]/],
    ["stack", () => np.stack([m, [1]]), /\[hessia:shape\] stack/],
    ["split", () => np.split(m, 2, 1), /a divisor of 3.*arraySplit/],
    ["delete", () => np.delete(m, 7, 0), /\[hessia:index\] delete/],
    ["repeat", () => np.repeat(m, [1, 2], 1), /1 or 3 entries/],
    ["pad", () => np.pad(m, [[1, 1], [1, 1], [1, 1]]), /\[hessia:shape\] pad\(padWidth\)/],
    ["pad mode", () => np.pad(m, 1, "mirror" as "edge"), /\[hessia:argument\] pad\(mode\)/],
    ["pad option", () => np.pad(m, 1, "constant", { constant_values: 1 } as object), /constant_values/],
    ["take", () => np.take(m, [0, 3], 1), /integers from -3 to 2 for axis 1 of size 3, got 3/],
    ["takeAlongAxis", () => np.takeAlongAxis(m, [0], 1), /2 dimensions/],
    ["choose", () => np.choose(new Int32Array([0, 5]), [[1, 2], [3, 4]]), /\[hessia:index\] choose/],
    ["unravelIndex", () => np.unravelIndex(6, [2, 3]), /\[hessia:index\] unravelIndex/],
    ["searchsorted", () => np.searchsorted(m, 1), /searchsorted\(sorted\): expected a vector/],
    ["topK", () => np.topK(m, 4), /topK\(k\): expected at most 3/],
    ["unique", () => jit((x: NDArray) => np.unique(x))(m), /\[hessia:concretization\] unique/],
    ["nonzero", () => jit((x: NDArray) => np.nonzero(x))(m), /\[hessia:concretization\]/],
    ["axis", () => np.sort(m, 2), /\[hessia:axis\] sort/],
  ];
  it.each(list)("%s", (_name, f, message) => expect(f).toThrow(message));
});

describe("beyond NumPy", () => {
  it("take fills out of range with NaN, or what it is told", () => {
    const i = ConcreteArray.fromHost(Int32Array.of(-4, 1, 3), { shape: [3], dtype: "int32", weak: false });
    expect(np.take([1, 2, 3], i).toArray()).toEqual([NaN, 2, NaN]);
    expect(np.take([1, 2, 3], i, 0, { fillValue: -1 }).toArray()).toEqual([-1, 2, -1]);
  });
  it("topK takes the first of equal elements", () => {
    const [values, at] = np.topK([1, 5, 3, 5], 3);
    expect([values.toArray(), at.toArray()]).toEqual([[5, 5, 3], [1, 3, 2]]);
  });
  it("rolls by a traced shift", () => {
    const f = jit((x: NDArray, s: NDArray) => np.roll(x, s, 0));
    for (const s of [-4, -1, 0, 2, 7]) expect(f(asArray([1, 2, 3], "t"), ConcreteArray.fromHost(Int32Array.of(s), { shape: [], dtype: "int32", weak: false })).toArray()).toEqual(np.roll([1, 2, 3], s).toArray());
  });
  it("nonzero has a fixed size under jit", () => {
    const f = jit((x: NDArray) => np.nonzero(x, { size: 3, fillValue: -1 }));
    expect(f(asArray([[0, 1], [2, 0]], "t")).map((i) => i.toArray())).toEqual([[0, 1, -1], [1, 0, -1]]);
    expect(np.nonzero([0, 1], { size: 4 })[0]!.toArray()).toEqual([1, 0, 0, 0]);
  });
  it("works under vmap", () => {
    const x = asArray([[3, 1, 2], [1, 9, 5]], "t");
    expect(vmap((r: NDArray) => np.argsort(r))(x).toArray()).toEqual([[1, 2, 0], [0, 2, 1]]);
    expect(vmap((r: NDArray) => np.pad(r, [1, 2], "reflect"))(x).toArray()).toEqual([[1, 3, 1, 2, 1, 3], [9, 1, 9, 5, 9, 1]]);
    expect(vmap((r: NDArray) => np.roll(r, 1))(x).toArray()).toEqual([[2, 3, 1], [5, 1, 9]]);
    expect(vmap((r: NDArray, v: NDArray) => np.searchsorted(np.sort(r), v))(x, asArray([2, 6], "t")).toArray()).toEqual([1, 2]);
  });
  it("slides windows and applies over axes", () => {
    expect(np.slidingWindowView([1, 2, 3, 4], 3).toArray()).toEqual([[1, 2, 3], [2, 3, 4]]);
    expect(np.slidingWindowView([[1, 2, 3], [4, 5, 6]], [2, 2]).toArray()).toEqual([[[[1, 2], [4, 5]], [[2, 3], [5, 6]]]]);
    expect([...np.slidingWindowView(np.ones([5, 4]), 2, 0).shape]).toEqual([4, 4, 2]);
    expect(() => np.slidingWindowView([1, 2], 3)).toThrow(/windows of 1 to 2/);
    expect(np.applyOverAxes((x, d) => np.sum(x, d), np.ones([2, 3, 4]), [0, 2]).toArray()).toEqual([[[8], [8], [8]]]);
  });
  it("piecewise, applyAlongAxis, ndindex, ndenumerate", () => {
    const x = asArray([-1, 0, 2], "t");
    expect(np.piecewise(x, [[true, false, false]], [(v) => v.neg(), 7]).toArray()).toEqual([1, 7, 7]);
    expect(np.applyAlongAxis((v) => np.sort(v), 0, [[3, 1], [2, 4]]).toArray()).toEqual([[2, 1], [3, 4]]);
    expect([...np.ndindex([2, 1])]).toEqual([[0, 0], [1, 0]]);
    expect([...np.ndenumerate([[5], [6]])]).toEqual([[[0, 0], 5], [[1, 0], 6]]);
  });
});
