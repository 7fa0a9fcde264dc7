import { expect, it } from "vitest";
import { allDTypes, newTypedArray } from "../base/dtype.js";
import type { DType, TypedArray } from "../base/dtype.js";
import { RadixOrder } from "./radix-order.js";

/** What the order means, by comparisons. */
const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : -1);
const expected = (keys: readonly TypedArray[], n: number, start: number, step: number): number[] =>
  Array.from({ length: n }, (_, k) => k).sort((a, b) => {
    for (const key of keys) {
      const c = compare(key[start + a * step]!, key[start + b * step]!);
      if (c !== 0) return c;
    }
    return a - b;
  });

function values(dtype: DType, n: number, seed: number, spread: number): TypedArray {
  let s = seed * 2654435761 + 1;
  const special = [0, -0, NaN, Infinity, -Infinity, 1e-40, -1e-40, 2147483647, -2147483648];
  return newTypedArray(dtype, n).map((_, i) => {
    s = (Math.imul(s ^ (s >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    if (dtype === "bool") return s & 1;
    return i % 7 === 3 ? special[(s >>> 3) % special.length]! : (s / 2 ** 31) * spread;
  }) as TypedArray;
}

it("orders as comparisons do, at every length where the method changes", () => {
  for (const dtype of allDTypes)
    for (const n of [0, 1, 2, 31, 32, 33, 255, 257, 4095, 4096, 4099])
      for (const spread of [4, 1e9]) {
        const x = values(dtype, n, n + 1, spread);
        const radix = new RadixOrder(n);
        radix.sort([{ data: x, dtype }], 0, 1);
        expect([...radix.order]).toEqual(expected([x], n, 0, 1));
      }
});

it("by several keys, in strided rows, again and again", () => {
  const [n, step] = [101, 3];
  const [a, b, c] = [values("int32", n * step, 1, 3), values("float64", n * step, 2, 2).map((v) => Math.round(v)) as TypedArray, values("float32", n * step, 3, 1e3)];
  const radix = new RadixOrder(n);
  for (let start = 0; start < step; start++) {
    radix.sort([{ data: a, dtype: "int32" }, { data: b, dtype: "float64" }, { data: c, dtype: "float32" }], start, step);
    expect([...radix.order]).toEqual(expected([a, b, c], n, start, step));
  }
});
