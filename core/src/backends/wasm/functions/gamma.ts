import { digammaAsymptotic, digammaOne, digammaRoot, digammaRootLow, logGammaOne, logGammaTwo, stirling } from "../../../kernel/functions/gamma.js";
import { digammaOneShort, logGammaOneShort, logGammaTwoShort } from "./coefficients.js";
import type { FunctionLibrary } from "./contract.js";
import { fromHalves, halves } from "./float64-lanes.js";
import type { Body, Value } from "./graph.js";
import { Lanes } from "./lanes.js";
import { log, logShort } from "./logarithm.js";

/** From here on by the asymptotic series, whose first term left out is below a quarter of the last bit. */
const large = 8;

/** Polynomials and the logarithm, for results in float64 or for those that are rounded to float32. */
interface Precision {
  readonly log: (l: Lanes, x: Value) => Value;
  readonly logGammaOne: readonly number[];
  readonly logGammaTwo: readonly number[];
  readonly digammaOne: readonly number[];
  readonly asymptoticTerms: number;
}
const full: Precision = { log, logGammaOne, logGammaTwo, digammaOne, asymptoticTerms: 9 };
const short: Precision = { log: logShort, logGammaOne: logGammaOneShort, logGammaTwo: logGammaTwoShort, digammaOne: digammaOneShort, asymptoticTerms: 5 };

/** Positive finite arguments by vectors, the others, which may be near poles, by JavaScript's function. float32 is computed in float64. */
function positive(name: "lgamma" | "digamma", of: (l: Lanes, x: Value, p: Precision) => Value) {
  return (l: Lanes, library: FunctionLibrary, x: Value): Body => {
    const otherwise = { when: l.not(l.and(l.gt(x, 0), l.lt(x, Infinity))), call: library.host(name, l.dtype) };
    if (l.wide) return { value: of(l, x, full), otherwise };
    const d = new Lanes("float64", library);
    return { value: fromHalves(...(halves(x).map((half) => of(d, half, short)) as [Value, Value])), otherwise };
  };
}

/** `x - 1`, `x - 2`, … and where they are `least` at least. */
const lower = (l: Lanes, x: Value, least: number): { readonly value: Value; readonly counts: Value }[] =>
  Array.from({ length: large - least }, (_, k) => {
    const value = l.sub(x, k + 1);
    return { value, counts: l.ge(value, least) };
  });

/**
 * As kernel/functions/gamma.ts: below 1 `lgamma(1 + x) - log x` and below 2 a polynomial; below 8 the logarithm of `(x-1)(x-2)…` down to
 * [2, 3) and another polynomial; then Stirling's series. All share one logarithm.
 */
export const lgamma = positive("lgamma", (l, x, p) => {
  const [belowOne, belowTwo, asymptotic] = [l.lt(x, 1), l.lt(x, 2), l.ge(x, large)];
  let factors: Value = l.number(1);
  let y = x;
  for (const { value, counts } of lower(l, x, 2)) {
    factors = l.mul(factors, l.select(counts, value, 1));
    y = l.select(counts, value, y);
  }
  const u = l.sub(x, l.andnot(l.number(1), belowOne));
  const one = l.mul(l.mul(u, l.sub(u, 1)), l.polynomial(p.logGammaOne, l.sub(u, 0.5)));
  const two = l.mul(l.mul(l.sub(y, 1), l.sub(y, 2)), l.polynomial(p.logGammaTwo, l.sub(y, 2.5)));
  const logarithm = p.log(l, l.select(l.or(belowOne, asymptotic), x, factors));
  const near = l.add(l.select(belowTwo, one, two), l.xor(logarithm, l.and(belowOne, l.signBit)));
  const inverse = l.div(l.number(1), x);
  const correction = l.mul(l.polynomial(stirling.slice(0, p.asymptoticTerms), l.mul(inverse, inverse)), inverse);
  // (x - 1/2)(log x - 1) + (log(2 pi) - 1) / 2
  const far = l.madd(l.sub(x, 0.5), l.sub(logarithm, 1), l.add(correction, 0.4189385332046727));
  return l.select(asymptotic, far, near);
});

/** As kernel/functions/gamma.ts: `1/(x-1) + 1/(x-2) + …` and a polynomial on [1, 2) below 8, then the asymptotic series. */
export const digamma = positive("digamma", (l, x, p) => {
  const [belowOne, asymptotic] = [l.lt(x, 1), l.ge(x, large)];
  const inverse = l.div(l.number(1), x);
  let sum = l.neg(l.and(inverse, belowOne));
  let y = l.select(belowOne, l.add(x, 1), x);
  for (const { value, counts } of lower(l, x, 1)) {
    sum = l.add(sum, l.and(l.div(l.number(1), value), counts));
    y = l.select(counts, value, y);
  }
  const near = l.madd(l.sub(l.sub(y, digammaRoot), digammaRootLow), l.polynomial(p.digammaOne, l.sub(y, 1.5)), sum);
  const z = l.mul(inverse, inverse);
  const far = l.sub(p.log(l, x), l.madd(z, l.polynomial(digammaAsymptotic.slice(0, p.asymptoticTerms), z), l.mul(inverse, 0.5)));
  return l.select(asymptotic, far, near);
});
