import { afterAll, describe, expect, it } from "vitest";
import type { ArithmeticFn, UnaryFn } from "../../../kernel/expr.js";
import { binary, load, unary } from "../../../kernel/expr.js";
import { arithmeticFunctions, unaryFunctions } from "../../../kernel/functions/index.js";
import { along, execute, map, schedule, ulps, suiteOn, webgpuForTests } from "../testing.js";

const gpu = await webgpuForTests("accuracy of the WGSL functions");
afterAll(() => gpu?.idle());
const onGpu = suiteOn(gpu, describe, it);
const count = 20000;
const spread = (i: number) => (i * 0.6180339887498949) % 1;
const linear = (lo: number, hi: number) => Float32Array.from({ length: count }, (_, i) => lo + (hi - lo) * spread(i));
/** Mantissas and exponents from lo to hi, of both signs unless positive. */
const logarithmic = (lo: number, hi: number, positive = false) =>
  Float32Array.from({ length: count }, (_, i) => 2 ** (Math.log2(lo) + Math.log2(hi / lo) * spread(i)) * (positive || i % 2 === 0 ? 1 : -1));
const tiny = 2 ** -126;
const huge = 2 ** 127;
const whole = logarithmic(tiny, huge);
const positive = logarithmic(tiny, huge, true);
const aroundOne = linear(0.5, 2);

/** Greatest error in ulp over the ranges of normal numbers. */
const unaryCases: readonly [UnaryFn, number, Float32Array[]][] = [
  ["sqrt", 1, [positive]], ["rsqrt", 3, [positive]], ["cbrt", 2, [whole]],
  ["exp", 2, [whole, linear(-87, 88.7)]], ["exp2", 2, [whole, linear(-125.9, 127.9)]], ["expm1", 2, [whole, linear(-20, 88.7), linear(-1, 1)]],
  ["log", 2, [positive, aroundOne]], ["log2", 3, [positive, aroundOne]], ["log10", 3, [positive, aroundOne]], ["log1p", 3, [positive, linear(-0.99999, 3)]],
  ["sin", 4, [linear(-10, 10), linear(-600, 600), whole]], ["cos", 4, [linear(-10, 10), linear(-600, 600), whole]], ["tan", 4, [linear(-10, 10), linear(-600, 600), whole]],
  ["asin", 4, [linear(-1, 1), logarithmic(1e-30, 1)]], ["acos", 4, [linear(-1, 1), logarithmic(1e-30, 1)]], ["atan", 2, [whole, linear(-5, 5)]],
  ["sinh", 4, [whole, linear(-89, 89), linear(-2, 2)]], ["cosh", 4, [whole, linear(-89, 89)]], ["tanh", 4, [whole, linear(-10, 10)]],
  ["asinh", 4, [whole, linear(-5, 5)]], ["acosh", 4, [linear(1, 5), logarithmic(1, huge, true)]], ["atanh", 4, [linear(-1, 1), logarithmic(1e-30, 1)]],
  ["logistic", 4, [whole, linear(-87, 87)]], ["erf", 3, [whole, linear(-4, 4)]], ["erfc", 6, [linear(-4, 9)]], ["erfInv", 6, [linear(-1, 1), logarithmic(1e-30, 1)]],
  ["lgamma", 6, [linear(0.001, 4), linear(4, 50), logarithmic(1e-30, 1e30, true)]], ["digamma", 6, [linear(0.001, 4), linear(4, 50), logarithmic(1e-30, 1e30, true)]],
  ["neg", 0, [whole]], ["abs", 0, [whole]], ["sign", 0, [whole]], ["floor", 0, [whole, linear(-9, 9)]], ["ceil", 0, [whole, linear(-9, 9)]], ["round", 0, [whole, linear(-9, 9)]], ["trunc", 0, [whole, linear(-9, 9)]],
];
const special = new Float32Array([0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, 3.5, Infinity, -Infinity, NaN, 3e38, -3e38]);

const apply = async (fn: UnaryFn, x: Float32Array): Promise<Float32Array> =>
  (await execute(gpu!, schedule({ buffers: [0, 1].map(() => ({ dtype: "float32", size: x.length })), inputs: [0], outputs: [1], steps: [map(x.length, 1, unary(fn, load("float32", 0, along)))] }), [x]))[0] as Float32Array;
const apply2 = async (fn: ArithmeticFn, x: Float32Array, y: Float32Array): Promise<Float32Array> =>
  (await execute(gpu!, schedule({ buffers: [0, 1, 2].map(() => ({ dtype: "float32", size: x.length })), inputs: [0, 1], outputs: [2], steps: [map(x.length, 2, binary(fn, load("float32", 0, along), load("float32", 1, along)))] }), [x, y]))[0] as Float32Array;

function worst(inputs: readonly Float32Array[], got: Float32Array, exact: (...x: number[]) => number): { ulps: number; at: string } {
  let most = { ulps: 0, at: "" };
  got.forEach((y, i) => {
    const x = inputs.map((a) => a[i]!);
    const distance = ulps(y, exact(...x));
    if (!(distance <= most.ulps)) most = { ulps: distance, at: `${x.join(", ")}: got ${y}, expected ${exact(...x)}` };
  });
  return most;
}

onGpu("WGSL functions of one argument, float32", () => {
  it.each(unaryCases)("%s within %d ulp", async (fn, bound, ranges) => {
    for (const x of ranges) {
      const w = worst([x], await apply(fn, x), unaryFunctions[fn]);
      expect(w.ulps, w.at).toBeLessThanOrEqual(bound);
    }
  });

  it.each(unaryCases.map(([fn]) => fn))("%s of zeros, ones, infinities and NaN", async (fn) => {
    const y = await apply(fn, special);
    special.forEach((x, i) => {
      const want = Math.fround(unaryFunctions[fn](x));
      expect(ulps(y[i]!, want), `${fn}(${x}) = ${y[i]}, expected ${want}`).toBeLessThanOrEqual(6);
      if (want === 0) expect(y[i], `${fn}(${Object.is(x, -0) ? "-0" : x})`).toBe(want);
    });
  });

  it("logarithms see subnormal arguments", async () => {
    const y = await apply("log", new Float32Array([2 ** -149, 3 * 2 ** -140]));
    expect(ulps(y[0]!, Math.log(2 ** -149))).toBeLessThanOrEqual(2);
    expect(ulps(y[1]!, Math.log(3 * 2 ** -140))).toBeLessThanOrEqual(2);
  });

  it("lgamma and digamma of negative arguments, to absolute accuracy near their zeros", async () => {
    const x = linear(-9.97, -0.01);
    for (const fn of ["lgamma", "digamma"] as const) {
      const y = await apply(fn, x);
      x.forEach((v, i) => {
        const want = unaryFunctions[fn](v);
        // Rounding the argument's distance to the pole alone costs |f'| ulp(x); compare where the function is well-conditioned.
        const condition = Math.abs(unaryFunctions[fn](v * (1 + 2 ** -24)) - want) * 8 + 4e-6 * Math.max(1, Math.abs(want));
        expect(Math.abs(y[i]! - want), `${fn}(${v}) = ${y[i]}, expected ${want}`).toBeLessThanOrEqual(condition);
      });
    }
  });
});

onGpu("WGSL functions of two arguments, float32", () => {
  const shuffled = (x: Float32Array) => x.map((_, i) => x[(i * 7919 + 13) % x.length]!);
  const cases: readonly [ArithmeticFn, number, Float32Array, Float32Array][] = [
    ["pow", 2, positive, shuffled(linear(-5, 5))], ["pow", 2, linear(0.9, 1.1), shuffled(linear(-900, 900))],
    ["pow", 2, linear(-50, 50), Float32Array.from({ length: count }, (_, i) => (i % 25) - 12)],
    ["atan2", 3, whole, shuffled(whole)], ["atan2", 3, linear(-2, 2), shuffled(linear(-2, 2))],
    ["rem", 0, whole, shuffled(whole)], ["rem", 0, linear(-100, 100), shuffled(linear(-3, 3))],
    ["max", 0, whole, shuffled(whole)], ["min", 0, whole, shuffled(whole)], ["add", 1, linear(-9, 9), shuffled(linear(-9, 9))], ["div", 3, linear(-9, 9), shuffled(linear(-9, 9))],
  ];
  it.each(cases)("%s within %d ulp", async (fn, bound, x, y) => {
    const w = worst([x, y], await apply2(fn, x, y), arithmeticFunctions[fn]);
    expect(w.ulps, w.at).toBeLessThanOrEqual(bound);
  });

  it.each(["pow", "atan2", "rem", "max", "min", "add", "sub", "mul", "div"] as const)("%s of zeros, ones, infinities and NaN", async (fn) => {
    const pairs = [...special].flatMap((a) => [...special, -2, -3].map((b) => [a, b] as const));
    const x = Float32Array.from(pairs, (p) => p[0]);
    const y = Float32Array.from(pairs, (p) => p[1]);
    const got = await apply2(fn, x, y);
    x.forEach((a, i) => {
      const want = Math.fround(arithmeticFunctions[fn](a, y[i]!));
      expect(ulps(got[i]!, want), `${fn}(${a}, ${y[i]}) = ${got[i]}, expected ${want}`).toBeLessThanOrEqual(3);
    });
  });

  it("nextafter moves one unit, subnormals and zeros included", async () => {
    const pairs = [[1, 2], [1, 0], [-1, 0], [0, 1], [0, -1], [2 ** -126, 0], [2 ** -149, 0], [-(2 ** -149), -1], [5, 5], [NaN, 1], [1, NaN], [3.4028234663852886e38, Infinity]] as const;
    const got = await apply2("nextafter", Float32Array.from(pairs, (p) => p[0]), Float32Array.from(pairs, (p) => p[1]));
    expect([...got]).toEqual([1 + 2 ** -23, 1 - 2 ** -24, -1 + 2 ** -24, 2 ** -149, -(2 ** -149), 2 ** -126 - 2 ** -149, 0, -(2 ** -148), 5, NaN, NaN, Infinity]);
  });
});
