import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import "../index.js";
import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import * as special from "./special.js";

type Num = number | string;
interface Point { x: (Num | Num[])[]; b?: number[]; y: Num; cond?: number; src?: string; jax?: Num; scipy?: Num }
interface Entry { fn: string; points: Point[] }
const { entries } = JSON.parse(readFileSync(new URL("./fixtures/special.json", import.meta.url), "utf8")) as { entries: Entry[] };

const number = (v: Num) => (v === "inf" ? Infinity : v === "-inf" ? -Infinity : v === "nan" ? NaN : (v as number));
const vector = (v: readonly Num[]): NDArray => ConcreteArray.fromHost(Float64Array.from(v, number), { shape: [v.length], dtype: "float64", weak: false });
const functions: Record<string, (...x: NDArray[]) => NDArray> = {
  gammaln: special.gammaln, digamma: special.digamma, polygamma: special.polygamma, erf: special.erf, erfc: special.erfc, erfinv: special.erfinv,
  i0: special.i0, i0e: special.i0e, i1: special.i1, i1e: special.i1e, gammainc: special.gammainc, gammaincc: special.gammaincc, ndtr: special.ndtr,
  log_ndtr: special.logNdtr, ndtri: special.ndtri, expit: special.expit, logit: special.logit, xlogy: special.xlogy, xlog1py: special.xlog1py, zeta: special.zeta, betainc: special.betainc, expi: special.expi, exp1: special.exp1, j0: special.j0, j1: special.j1,
};
/** In the golden file, not in the library yet. */
const waiting: string[] = [];

const same = (a: number, b: number) => Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b));
function wrong(p: Point, got: number): boolean {
  const y = number(p.y);
  if (same(got, y)) return false;
  if (p.src === "convention" && p.jax !== undefined && same(got, number(p.jax))) return false;
  // Subnormal results may be flushed, and reals that round to the largest double or beyond may be infinite.
  if (Math.abs(y) < 2.3e-308 && Math.abs(got) < 2.3e-308) return false;
  return !(Math.abs(got - y) <= 1e-13 * (1 + (p.cond ?? 0)) * Math.abs(y) + 1e-320);
}

describe("special functions against 25 digits", () => {
  for (const { fn, points } of entries) {
    if (waiting.includes(fn)) continue;
    it(`${fn}, ${points.length} points`, () => {
      const got = fn === "logsumexp"
        ? points.map((p) => Number(special.logsumexp(vector(p.x[0] as Num[]), null, p.b ? { b: p.b } : {}).item()))
        : [...functions[fn]!(...points[0]!.x.map((_, i) => vector(points.map((p) => p.x[i] as Num)))).data];
      const bad = points.flatMap((p, i) => (wrong(p, got[i]!) ? [`${fn}(${p.x.join(", ")}) = ${got[i]}, should be ${p.y} (cond ${p.cond ?? 1})`] : []));
      expect(bad).toEqual([]);
    });
  }
  it("covers what it says", () => {
    const ran = entries.filter((e) => !waiting.includes(e.fn));
    console.log(`special: ${ran.length} functions, ${ran.reduce((n, e) => n + e.points.length, 0)} points ran; waiting: ${waiting.join(", ")}`);
    expect(ran.length + waiting.length).toBe(entries.length);
  });
});

interface More { fn: string; tol: number; points: { x: Num[]; y: Num }[] }
const more = (JSON.parse(readFileSync(new URL("./fixtures/special-more.json", import.meta.url), "utf8")) as { entries: More[] }).entries;
describe("the others against 40 digits", () => {
  it.each(more.map((e) => [e.fn, e] as const))("%s", (fn, { tol, points }) => {
    const f = (special as unknown as Record<string, (...x: NDArray[]) => NDArray>)[fn]!;
    const got = [...f(...points[0]!.x.map((_, i) => vector(points.map((p) => p.x[i]!)))).data];
    const bad = points.flatMap((p, i) => (same(got[i]!, number(p.y)) || Math.abs(got[i]! - number(p.y)) <= tol * Math.abs(number(p.y)) ? [] : [`${fn}(${p.x.join(", ")}) = ${got[i]}, should be ${p.y}`]));
    expect(bad).toEqual([]);
  });
});

describe("what SciPy users expect", () => {
  it("reduces along axes", () => {
    const x = [[1, 2], [3, 1000]];
    [2.313261687518223, 1000].forEach((v, i) => expect(special.logsumexp(x, 1).data[i]).toBeCloseTo(v, 15));
    expect(special.logsumexp(x, [0, 1], { keepdims: true }).toArray()).toEqual([[1000]]);
    const [value, sign] = special.logsumexp([1, 2], null, { b: [1, -1], returnSign: true });
    expect(value.item()).toBeCloseTo(Math.log(Math.E ** 2 - Math.E), 14);
    expect(sign.item()).toBe(-1);
    expect(special.logsumexp([1, 2], null, { b: [1, -1] }).item()).toBeNaN();
    expect(special.logsumexp(vector([]), 0).item()).toBe(-Infinity);
    expect(special.logsumexp([5, 7], null, { b: [0, 0] }).item()).toBe(-Infinity);
    [-1.3132616875182228, -0.3132616875182228, -997, 0].forEach((v, i) => expect(special.logSoftmax(x, 1).data[i]).toBeCloseTo(v, 14));
    const p = special.softmax([1, 2, 3]).toArray() as number[];
    [0.09003057317038046, 0.24472847105479764, 0.6652409557748218].forEach((v, i) => expect(p[i]).toBeCloseTo(v, 15));
  });

  it("keeps float32 and takes integers and numbers", () => {
    const x = ConcreteArray.fromHost(Float32Array.of(0.5, 2), { shape: [2], dtype: "float32", weak: false });
    for (const f of [special.gamma, special.i0, special.ndtri, special.logNdtr, special.entr, special.logit]) expect(f(x).dtype).toBe("float32");
    expect(special.xlogy(x, 2).dtype).toBe("float32");
    expect(special.gamma(5).item()).toBe(24);
    expect(special.factorial(ConcreteArray.fromHost(Int32Array.of(0, 3, 10), { shape: [3], dtype: "int32", weak: false })).toArray()).toEqual([1, 6, 3628800]);
    expect(special.multigammaln(5.5, 3).item()).toBeCloseTo(11.306699197583207, 13);
    expect(special.binom([[5], [6]], [0, 1, 2]).toArray()).toEqual([[1, 5, 10], [1, 6, 15]]);
    expect(special.binom(5, [-1, 6]).toArray()).toEqual([0, 0]);
  });
});
