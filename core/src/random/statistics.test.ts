import { describe, expect, it } from "vitest";
import "../index.js";
import type { NDArray } from "../array/ndarray.js";
import { jit } from "../transforms/jit.js";
import { vmap } from "../transforms/vmap.js";
import { unaryFunctions, arithmeticFunctions } from "../kernel/functions/index.js";
import * as random from "./index.js";

const key = random.key(20240607);
const n = 4000;
const values = (x: NDArray) => [...x.data];
const phi = (x: number) => unaryFunctions.erfc(-x * Math.SQRT1_2) / 2;

/** Kolmogorov-Smirnov distance; above 1.95 / sqrt(n) with probability 0.001 if the distribution is right. Seeds are fixed. */
function distance(x: number[], cdf: (v: number) => number): number {
  return Math.max(...x.toSorted((a, b) => a - b).map((v, i) => Math.max(Math.abs(cdf(v) - i / x.length), Math.abs(cdf(v) - (i + 1) / x.length))));
}

const gammaCdf = (a: number) => (x: number) => (x <= 0 ? 0 : arithmeticFunctions.igamma(a, x));
const continuous: [string, (o: random.FloatOptions) => NDArray, (x: number) => number][] = [
  ["uniform(-2, 3)", (o) => random.uniform(key, [n], { ...o, minval: -2, maxval: 3 }), (x) => (x + 2) / 5],
  ["normal", (o) => random.normal(key, [n], o), phi],
  ["truncatedNormal(-1, 2)", (o) => random.truncatedNormal(key, -1, 2, [n], o), (x) => (phi(x) - phi(-1)) / (phi(2) - phi(-1))],
  ["lognormal(0.5)", (o) => random.lognormal(key, 0.5, [n], o), (x) => phi(Math.log(x) / 0.5)],
  ["exponential", (o) => random.exponential(key, [n], o), (x) => -Math.expm1(-x)],
  ["gumbel", (o) => random.gumbel(key, [n], o), (x) => Math.exp(-Math.exp(-x))],
  ["gumbel high", (o) => random.gumbel(key, [n], { ...o, mode: "high" }), (x) => Math.exp(-Math.exp(-x))],
  ["laplace", (o) => random.laplace(key, [n], o), (x) => (x < 0 ? Math.exp(x) / 2 : 1 - Math.exp(-x) / 2)],
  ["logistic", (o) => random.logistic(key, [n], o), (x) => 1 / (1 + Math.exp(-x))],
  ["cauchy", (o) => random.cauchy(key, [n], o), (x) => 0.5 + Math.atan(x) / Math.PI],
  ["gamma(0.4)", (o) => random.gamma(key, 0.4, [n], o), gammaCdf(0.4)],
  ["gamma(3)", (o) => random.gamma(key, 3, [n], o), gammaCdf(3)],
  ["chisquare(5)", (o) => random.chisquare(key, 5, [n], o), (x) => gammaCdf(2.5)(x / 2)],
  ["beta(1, 3)", (o) => random.beta(key, 1, 3, [n], o), (x) => 1 - (1 - x) ** 3],
  ["t(2)", (o) => random.t(key, 2, [n], o), (x) => 0.5 + x / (2 * Math.sqrt(2 + x * x))],
  ["maxwell", (o) => random.maxwell(key, [n], o), (x) => gammaCdf(1.5)((x * x) / 2)],
  ["rayleigh(2)", (o) => random.rayleigh(key, 2, [n], o), (x) => -Math.expm1((-x * x) / 8)],
  ["pareto(3)", (o) => random.pareto(key, 3, [n], o), (x) => 1 - x ** -3],
  ["weibullMin(2, 1.5)", (o) => random.weibullMin(key, 2, 1.5, [n], o), (x) => -Math.expm1(-((x / 2) ** 1.5))],
  ["triangular(0, 1, 3)", (o) => random.triangular(key, 0, 1, 3, [n], o), (x) => (x < 1 ? (x * x) / 3 : 1 - (3 - x) ** 2 / 6)],
  ["generalizedNormal(2)", (o) => random.generalizedNormal(key, 2, [n], o), (x) => phi(x * Math.SQRT2)],
];

describe("distributions", () => {
  it.each(continuous)("%s", (_name, draw, cdf) => {
    for (const dtype of ["float32", "float64"] as const) expect(distance(values(draw({ dtype })), cdf)).toBeLessThan(1.95 / Math.sqrt(n));
  });

  it("wald(2) has mean 2 and variance 8", () => {
    const x = values(random.wald(key, 2, [n]));
    const mean = x.reduce((s, v) => s + v, 0) / n;
    expect(Math.abs(mean - 2)).toBeLessThan(4 * Math.sqrt(8 / n));
    expect(Math.min(...x)).toBeGreaterThan(0);
  });

  it("discrete ones have their probabilities", () => {
    const share = (x: NDArray, v: number) => values(x).filter((y) => y === v).length / n;
    const within = (got: number, p: number) => expect(Math.abs(got - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / n));
    const die = random.randint(key, [n], 0, 6);
    for (let v = 0; v < 6; v++) within(share(die, v), 1 / 6);
    within(share(random.bernoulli(key, 0.3, [n]), 1), 0.3);
    within(share(random.rademacher(key, [n]), -1), 0.5);
    const p = [0.1, 0.2, 0.3, 0.4];
    const picked = random.choice(key, 4, [n], { p });
    const drawn = random.categorical(key, p.map(Math.log), -1, { shape: [n] });
    p.forEach((q, v) => { within(share(picked, v), q); within(share(drawn, v), q); });
    const [few, many] = [random.poisson(key, 2, [n]), random.poisson(key, 12, [n])];
    for (const [x, rate] of [[few, 2], [many, 12]] as const)
      for (let k = 0, q = Math.exp(-rate); k < 2 * rate; q *= rate / ++k) within(share(x, k), q);
    for (let k = 1; k < 5; k++) within(share(random.geometric(key, 0.4, [n]), k), 0.4 * 0.6 ** (k - 1));
  });

  it("dirichlet lies in the simplex with the right mean, ball in the ball", () => {
    const d = random.dirichlet(key, [1, 2, 5], [500]);
    const rows = d.toArray() as number[][];
    for (const r of rows) expect(r.reduce((s, v) => s + v, 0)).toBeCloseTo(1, 12);
    [1, 2, 5].forEach((alpha, i) => expect(Math.abs(rows.reduce((s, r) => s + r[i]!, 0) / 500 - alpha / 8)).toBeLessThan(4 * Math.sqrt((alpha / 8) * (1 - alpha / 8) / 9 / 500)));
    const radii = (random.ball(key, 3, 2, [500]).toArray() as number[][]).map((x) => Math.hypot(...x));
    expect(distance(radii, (r) => r ** 3)).toBeLessThan(1.95 / Math.sqrt(500));
  });
});

describe("what is promised", () => {
  it("permutations and draws without replacement hold each item at most once", () => {
    expect(values(random.permutation(key, 300)).toSorted((x, y) => x - y)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(new Set(values(random.choice(key, 50, [20], { replace: false }))).size).toBe(20);
    expect(new Set(values(random.choice(key, 5, [5], { replace: false, p: [0.1, 0.2, 0.3, 0.3, 0.1] }))).size).toBe(5);
  });

  it("jit and vmap draw what eager calls draw", () => {
    expect(values(jit((k: NDArray) => random.normal(k, [7]))(key))).toEqual(values(random.normal(key, [7])));
    const keys = random.split(key, 3);
    const rows = vmap((k: NDArray) => random.gamma(k, 0.7, [2]))(keys).toArray() as number[][];
    [...keys].forEach((k, i) => expect(values(random.gamma(k, 0.7, [2]))).toEqual(rows[i]));
  });

  it("a traced seed and a number give one key", () => {
    const seed = random.randint(key, [], 0, 1000);
    expect(values(random.key(seed))).toEqual(values(random.key(Number(seed.item()))));
  });

  it("errors name what is wrong", () => {
    expect(() => random.normal(3 as unknown as NDArray, [2])).toThrow(/random.normal\(key\): expected a key, got the number 3/);
    expect(() => random.normal(random.split(key), [2])).toThrow(/vmap/);
    expect(() => random.normal(key, [2], { dtype: "int32" })).toThrow(/dtype/);
    expect(() => random.randint(key, [2], 0, 5, { dtype: "float32" })).toThrow(/integer/);
    expect(() => random.uniform(key, [2], { minval: [1, 2, 3] })).toThrow(/shape/);
    expect(() => random.choice(key, 3, [4], { replace: false })).toThrow(/at most 3/);
    expect(() => random.choice(key, 3, [4], { p: [0.5, 0.5] })).toThrow(/random.choice\(p\)/);
    expect(() => random.key(0.5)).toThrow(/random.key\(seed\)/);
    expect(() => random.key(2 ** 53)).toThrow(/bigint/);
    expect(() => random.foldIn(key, 0.5)).toThrow(/random.foldIn\(data\)/);
    expect(() => random.permutation(key, -1)).toThrow(/random.permutation/);
    expect(() => random.bernoulli(key, random.key(0))).toThrow(/float/);
  });
});
