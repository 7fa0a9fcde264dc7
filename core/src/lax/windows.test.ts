import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import "../index.js";
import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import { jit } from "../transforms/jit.js";
import * as lax from "./index.js";

interface Encoded { shape: number[]; data: (number | string)[] }
interface Case { fn: string; x: Encoded; k?: Encoded; strides?: number[]; padding?: lax.Padding; options: object; y: Encoded; init?: number | string; op?: lax.WindowOp; window?: number[] }
const { cases } = JSON.parse(readFileSync(new URL("./fixtures/jax-windows.json", import.meta.url), "utf8")) as { cases: Case[] };

const number = (v: number | string) => (v === "inf" ? Infinity : v === "-inf" ? -Infinity : (v as number));
const array = (e: Encoded): NDArray => ConcreteArray.fromHost(Float64Array.from(e.data, number), { shape: e.shape, dtype: "float64", weak: false });
const run = (c: Case): ((x: NDArray, k: NDArray) => NDArray) => {
  if (c.fn === "reduceWindow") return (x) => lax.reduceWindow(x, number(c.init!), c.op!, c.window!, c.options);
  return (x, k) => (c.fn === "convTranspose" ? lax.convTranspose : lax.convGeneralDilated)(x, k, c.strides!, c.padding!, c.options);
};

describe("convolutions and windows against JAX", () => {
  it.each(cases.map((c, i) => [i, `${c.fn} ${c.x.shape} ${c.k?.shape ?? c.window} ${JSON.stringify(c.padding ?? "")} ${JSON.stringify(c.options)}`, c] as const))("%i %s", (_i, _name, c) => {
    const args = [array(c.x), array(c.k ?? { shape: [], data: [0] })] as const;
    for (const y of [run(c)(...args), jit(run(c))(...args)]) {
      expect(y.shape).toEqual(c.y.shape);
      const expected = c.y.data.map(number);
      y.data.forEach((v, i) => (Number.isFinite(expected[i]!) ? expect(v).toBeCloseTo(expected[i]!, 12) : expect(v).toBe(expected[i])));
    }
  });

  it("takes any function, and the named ones give the same", () => {
    const x = array({ shape: [5], data: [3, -1, 4, 1, -5] });
    expect(lax.reduceWindow(x, -Infinity, (a, b) => lax.max(a, b), [2]).toArray()).toEqual([3, 4, 4, 1]);
    expect(lax.reduceWindow(x, 0, lax.add, [3]).toArray()).toEqual([6, 4, 0]);
    const ints = lax.convertElementType(x, "int32");
    expect(lax.reduceWindow(ints, -Infinity, "max", [3], { padding: "SAME" }).toArray()).toEqual([3, 4, 4, 4, 1]);
  });

  it("max of a window with NaN is NaN", () => {
    expect(lax.reduceWindow(array({ shape: [4], data: [1, NaN, 2, 3] }), -Infinity, "max", [2]).toArray()).toEqual([NaN, NaN, 3]);
  });

  it("windows order -0 below 0", () => {
    const x = ConcreteArray.fromHost(Float64Array.of(-0, -0, -0, 0, -0, -1), { shape: [6], dtype: "float64", weak: false });
    for (const op of ["max", "min"] as const)
      for (const y of [lax.reduceWindow(x, op === "max" ? -Infinity : Infinity, op, [2], { windowStrides: 2 }), jit((v: NDArray) => lax.reduceWindow(v, op === "max" ? -Infinity : Infinity, op, [2], { windowStrides: 2 }))(x)])
        expect(y.toArray()).toEqual(op === "max" ? [-0, 0, -0] : [-0, -0, -1]);
  });
  it("pools", () => {
    const x = lax.reshape(lax.convertElementType(lax.iota("int32", 16), "float64"), [1, 4, 4, 1]);
    expect(lax.maxPool(x, [2, 2]).data).toEqual(Float64Array.of(5, 7, 13, 15));
    expect(lax.avgPool(x, [2, 2]).data).toEqual(Float64Array.of(2.5, 4.5, 10.5, 12.5));
    expect(lax.avgPool(x, [3, 3], { strides: 2, padding: "SAME", countIncludePad: false }).data).toEqual(Float64Array.of(5, 6.5, 11, 12.5));
    expect(lax.maxPool(lax.reshape(x, [1, 1, 4, 4]), [2, 2], { layout: "channelsFirst" }).shape).toEqual([1, 1, 2, 2]);
    expect(() => lax.maxPool(lax.reshape(x, [4, 4]), [2, 2])).toThrow(/maxPool\(x\): expected 4 axes/);
  });

  it("says what is wrong with bad arguments", () => {
    const [x, k] = [lax.full([1, 3, 5], 1), lax.full([2, 2, 3], 1)];
    expect(() => lax.conv(x, k, [1], "SAME")).toThrow(/conv\(kernel\)/);
    expect(() => lax.conv(x, lax.full([2, 3, 3], 1), [1, 1], "SAME")).toThrow(/windowStrides/);
    expect(() => lax.conv(x, lax.full([2, 3, 3], 1), [1], "FULL" as "SAME")).toThrow(/padding/);
    expect(() => lax.convGeneralDilated(x, k, [1], "SAME", { dimensionNumbers: ["NHC", "HIX", "NHC"] })).toThrow(/layout/);
    expect(() => lax.convGeneralDilated(x, k, [1], "SAME", { lhsDilation: 2 })).toThrow(/padding/);
  });
});
