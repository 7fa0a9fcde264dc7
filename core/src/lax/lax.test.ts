import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import "../index.js";
import { ConcreteArray } from "../array/concrete.js";
import { NDArray } from "../array/ndarray.js";
import { type DType, newTypedArray } from "../base/dtype.js";
import { jit } from "../transforms/jit.js";
import * as lax from "./index.js";

interface Encoded { dtype: DType; shape: number[]; data: (number | string)[] }
interface Case { fn: string; args: unknown[]; y: Encoded[] }
const { cases } = JSON.parse(readFileSync(new URL("./fixtures/jax-lax.json", import.meta.url), "utf8")) as { cases: Case[] };
const number = (v: number | string) => (v === "inf" ? Infinity : v === "-inf" ? -Infinity : v === "nan" ? NaN : (v as number));
function array(e: Encoded): NDArray {
  const data = newTypedArray(e.dtype, e.data.length);
  e.data.forEach((v, i) => (data[i] = number(v)));
  return ConcreteArray.fromHost(data, { shape: e.shape, dtype: e.dtype, weak: false });
}
const isEncoded = (v: unknown): v is Encoded => typeof v === "object" && v !== null && "data" in v;
const decode = (v: unknown): unknown => (isEncoded(v) ? array(v) : Array.isArray(v) && v.some(isEncoded) ? v.map(decode) : v);

describe("lax against JAX", () => {
  it.each(cases.map((c, i) => [i, `${c.fn} ${JSON.stringify(c.args.filter((a) => !isEncoded(a))).slice(0, 60)}`, c] as const))("%i %s", (_i, _name, c) => {
    const f = (lax as unknown as Record<string, (...args: unknown[]) => NDArray | NDArray[]>)[c.fn]!;
    const args = c.args.map(decode);
    const arrays = args.filter((a) => a instanceof NDArray);
    const traced = jit((xs: NDArray[]) => {
      let next = 0;
      return f(...args.map((a) => (a instanceof NDArray ? xs[next++] : a)));
    });
    for (const result of [f(...args), traced(arrays)]) {
      const outputs = Array.isArray(result) ? result : [result];
      expect(outputs.length).toBe(c.y.length);
      outputs.forEach((y, k) => {
        const e = c.y[k]!;
        expect([y.dtype, y.shape]).toEqual([e.dtype, e.shape]);
        const expected = array(e).data;
        y.data.forEach((v, i) => (Number.isFinite(expected[i]!) ? expect(Math.abs(v - expected[i]!)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(expected[i]!))) : expect(v).toBe(expected[i])));
      });
    }
  });

  it("takes rows by index", () => {
    const x = lax.reshape(lax.iota("int32", 12), [3, 4]);
    expect(lax.indexTake(x, [[0, 2]].map((r) => r), 0).shape).toEqual([1, 2, 4]);
    expect(lax.indexTake(x, [3, -1, 0], 1).toArray()).toEqual([[3, 3, 0], [7, 7, 4], [11, 11, 8]]);
  });

  it("reduces by any associative function, in order", () => {
    const x = lax.reshape(lax.convertElementType(lax.iota("int32", 10), "float64"), [5, 2]);
    expect(lax.reduce(x, 0, "add", [0]).toArray()).toEqual([20, 25]);
    expect(lax.reduce(x, 3, lax.max, [0, 1]).item()).toBe(9);
    expect(lax.reduce(x, 100, (a, b) => lax.min(a, b), [1]).toArray()).toEqual([0, 2, 4, 6, 8]);
    // Composition of affine maps is associative and not commutative: "take the first" shows the order.
    expect(lax.reduce(x, NaN, (a, b) => lax.select(lax.eq(a, a), a, b), [0]).toArray()).toEqual([0, 1]);
    expect(lax.stack(lax.unstack(x, 1), 1).toArray()).toEqual(x.toArray());
  });

  it("says what is wrong", () => {
    const x = lax.full([2, 3], 1);
    expect(() => lax.squeeze(x, [0])).toThrow(/squeeze\(dimensions\)/);
    expect(() => lax.dynamicSlice(x, [0], [1, 1])).toThrow(/dynamicSlice\(starts\): expected 2 indices/);
    expect(() => lax.dynamicSlice(x, [0, 0], [3, 1])).toThrow(/dynamicSlice/);
    expect(() => lax.topK(x, 4)).toThrow(/topK\(k\)/);
    expect(() => lax.sort([x, x], { numKeys: 3 })).toThrow(/numKeys/);
    expect(() => lax.split(x, [1, 1], 1)).toThrow(/sum to 3/);
    expect(() => lax.dotGeneral(x, x, [[[5], [0]], [[], []]])).toThrow(/dotGeneral/);
    expect(() => lax.integerPow(x, 0.5)).toThrow(/integerPow\(n\)/);
    expect(() => lax.bitcastConvertType(x, "uint32")).toThrow(/32 bits/);
    expect(() => lax.pad(x, 0, [[0, 0, 0]])).toThrow(/pad\(config\)/);
  });
});
