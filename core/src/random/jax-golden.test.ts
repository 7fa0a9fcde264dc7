import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import "../index.js";
import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import { type DType, newTypedArray } from "../base/dtype.js";
import { vmap } from "../transforms/vmap.js";
import * as random from "./index.js";

interface Encoded { dtype: DType; shape: number[]; data: (number | string)[] }
interface Case { fn: string; key?: number[]; keys?: Encoded; args: unknown[]; y: Encoded }
const { cases, truth } = JSON.parse(readFileSync(new URL("./fixtures/jax-random.json", import.meta.url), "utf8")) as { cases: Case[]; truth: { dtype: DType; key: number[]; y: number[] }[] };

const number = (v: number | string) => (v === "inf" ? Infinity : v === "-inf" ? -Infinity : v === "nan" ? NaN : (v as number));
function array(e: Encoded): NDArray {
  const data = newTypedArray(e.dtype, e.data.length);
  e.data.forEach((v, i) => (data[i] = number(v)));
  return ConcreteArray.fromHost(data, { shape: e.shape, dtype: e.dtype, weak: false });
}
function decode(v: unknown): unknown {
  if (v === null || typeof v !== "object" || Array.isArray(v)) return v;
  if ("bigint" in v) return BigInt(v.bigint as string);
  if ("data" in v) return array(v as unknown as Encoded);
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, decode(x)]));
}

/** Computed with the same float operations everywhere, so every bit must agree; all else goes through exp, log, erfInv, ... */
const exact = new Set(["key", "split", "foldIn", "bits", "randint", "permutation", "rademacher", "bernoulli", "choice", "categorical", "poisson", "geometric"]);
/**
 * In units of eps * max(|y|, floor). Uniform draws between bounds: XLA fuses multiply and add, we round twice. Normal draws: JAX's erf_inv
 * is off by up to 2 units in float32 and 13 in float64 (against 40 digits), ours by 1 and 3 (last test). The rest go through float32
 * log, log1p, tan, ... of a few ulp, and near their zeros carry the error of values near 1.
 */
function tolerance(fn: string, dtype: DType): { ulps: number; floor: number } {
  if (fn === "uniform") return { ulps: 1, floor: 3 };
  if (fn === "normal") return { ulps: dtype === "float32" ? 3 : 16, floor: 0 };
  return { ulps: 64, floor: 0.1 };
}
const isExact = (c: Case) => exact.has(c.fn) || (c.fn === "uniform" && !("minval" in ((c.args[1] ?? {}) as object)));
const functions = random as unknown as Record<string, (...args: unknown[]) => NDArray>;

describe("draws against JAX", () => {
  it.each(cases.map((c, i) => [i, `${c.fn}(${JSON.stringify(c.args).slice(0, 70)}) ${c.key ?? "vmap"}`, c] as const))("%i %s", (_i, _name, c) => {
    const f = functions[c.fn]!;
    const args = c.args.map(decode);
    const y = c.keys ? vmap((k: NDArray) => f(k, ...args))(array(c.keys)) : c.key ? f(ConcreteArray.fromHost(Uint32Array.from(c.key), { shape: [2], dtype: "uint32", weak: false }), ...args) : f(...args);
    expect(y.shape).toEqual(c.y.shape);
    expect(y.dtype).toBe(c.y.dtype);
    const expected = array(c.y).data;
    if (isExact(c)) return expect(y.data).toEqual(expected);
    const { ulps, floor } = tolerance(c.fn, c.y.dtype);
    const eps = c.y.dtype === "float32" ? 2 ** -23 : 2 ** -52;
    y.data.forEach((v, i) => {
      const e = expected[i]!;
      if (!(Math.abs(v - e) <= ulps * eps * Math.max(Math.abs(e), floor))) expect.fail(`element ${i}: ${v}, JAX has ${e}: ${(Math.abs(v - e) / eps / Math.max(Math.abs(e), floor)).toFixed(1)} units, allowed ${ulps}`);
    });
  });

  it.each(truth)("normal draws of $dtype are right to a few ulp", ({ dtype, key, y }) => {
    const got = random.normal(random.wrapKeyData(Uint32Array.from(key)), [y.length], { dtype }).data;
    const eps = dtype === "float32" ? 2 ** -23 : 2 ** -52;
    const worst = Math.max(...y.map((e, i) => Math.abs(got[i]! - e) / Math.abs(e) / eps));
    expect(worst).toBeLessThan(dtype === "float32" ? 1.5 : 4);
  });
});
