import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { add, bitwiseAnd, bitwiseNot, bitwiseOr, div, eq, exp, floor, ge, gt, le, lgamma, log, log1p, lt, max, min, mul, neg, pow, round, sin, sub } from "../lax/elementwise.js";
import * as lax from "../lax/elementwise.js";
import { indexTake } from "../lax/slicing.js";
import { convertElementType, fullLike, select, stopGradient } from "../lax/types.js";
import { floatOperandsOf } from "../numpy/convert.js";
import { ConcreteArray } from "../array/concrete.js";
import { composite, polynomial } from "./composite.js";

/** `log |Gamma(x)|` (DLMF 5.2). @example special.gammaln(10) // log 9! */
export const gammaln: (x: ArrayLike) => NDArray = lgamma;
/** `psi(x) = d/dx log Gamma(x)` (DLMF 5.2.2); NaN at 0 and the negative integers' poles. */
export const digamma: (x: ArrayLike) => NDArray = lax.digamma;
/** Derivative n of `digamma` (DLMF 5.15), n a non-negative integer. */
export const polygamma: (n: ArrayLike, x: ArrayLike) => NDArray = lax.polygamma;
/** Regularized lower incomplete gamma function `P(a, x) = 1/Gamma(a) int_0^x t^(a-1) exp(-t) dt` (DLMF 8.2.4). */
export const gammainc: (a: ArrayLike, x: ArrayLike) => NDArray = lax.igamma;
/** Regularized upper incomplete gamma function `Q(a, x) = 1 - P(a, x)`, without cancellation. */
export const gammaincc: (a: ArrayLike, x: ArrayLike) => NDArray = lax.igammac;

const signOfGamma = (x: NDArray): NDArray => {
  const even = eq(lax.rem(floor(x), 2), 0);
  const pole = bitwiseAnd(le(x, 0), eq(x, floor(x)));
  return select(bitwiseOr(gt(x, 0), eq(x, 0)), fullLike(x, 1), select(pole, fullLike(x, NaN), select(even, fullLike(x, 1), fullLike(x, -1))));
};
/** Sign of `Gamma(x)`: 1 at 0, NaN at the negative integers. */
export const gammasgn: (x: ArrayLike) => NDArray = composite("gammasgn", (x: NDArray) => stopGradient(signOfGamma(x)));

// Lanczos' approximation with g = 607/128 and 15 terms (Godfrey 2001), relative error below 1e-15 for x >= 1/2.
const g = 607 / 128;
const lanczos = [
  0.99999999999999709182, 57.156235665862923517, -59.597960355475491248, 14.136097974741747174, -0.49191381609762019978, 0.33994649984811888699e-4,
  0.46523628927048575665e-4, -0.98374475304879564677e-4, 0.15808870322491248884e-3, -0.21026444172410488319e-3, 0.2174396181152126432e-3,
  -0.16431810653676389022e-3, 0.84418223983852743293e-4, -0.2619083840158140867e-4, 0.36899182659531622704e-5,
];

/** Gamma for x >= 1/2. */
function gammaRight(x: NDArray): NDArray {
  const z = sub(x, 1);
  const sum = lanczos.slice(1).reduce<NDArray>((s, c, i) => add(s, div(c, add(z, i + 1))), fullLike(x, lanczos[0]!));
  const base = add(z, g + 0.5);
  // The power in two halves: it overflows before the product does.
  const half = pow(base, mul(add(z, 0.5), 0.5));
  return mul(mul(mul(half, exp(neg(base))), half), mul(sum, Math.sqrt(2 * Math.PI)));
}
let factorials: Float64Array | undefined;
/** 0!, 1!, ... 170!, exactly rounded, by exact integers. */
function exactFactorials(): Float64Array {
  if (factorials === undefined) {
    let f = 1n;
    factorials = Float64Array.from({ length: 171 }, (_, n) => Number((f *= BigInt(Math.max(1, n)))));
  }
  return factorials.slice();
}

function gammaBody(x: NDArray): NDArray {
  const left = lt(x, 0.5);
  const right = gammaRight(select(left, select(gt(x, -171), sub(1, x), fullLike(x, 172)), min(x, 172)));
  const nearest = round(x);
  const sinPi = mul(sin(mul(sub(x, nearest), Math.PI)), select(eq(lax.rem(nearest, 2), 0), fullLike(x, 1), fullLike(x, -1)));
  const pole = bitwiseAnd(left, eq(x, nearest));
  const reflected = div(Math.PI, mul(select(pole, fullLike(x, 1), sinPi), right));
  const value = select(left, select(pole, select(eq(x, 0), fullLike(x, Infinity), fullLike(x, NaN)), reflected), select(gt(x, 171.7), fullLike(x, Infinity), right));
  const whole = bitwiseAnd(bitwiseAnd(eq(x, nearest), ge(x, 1)), le(x, 171));
  const table = ConcreteArray.fromHost(exactFactorials(), { shape: [171], dtype: "float64", weak: false });
  const exact = convertElementType(indexTake(table, convertElementType(select(whole, sub(x, 1), fullLike(x, 0)), "int32")), x.dtype);
  return select(whole, add(exact, sub(value, stopGradient(value))), value);
}
/**
 * `Gamma(x)` (DLMF 5.2.1): exact factorials at positive integers, infinite at 0, NaN at the negative integers.
 * @example special.gamma(5) // 24
 */
export const gamma: (x: ArrayLike) => NDArray = composite("gamma", gammaBody);

/** `n! = Gamma(n + 1)`, 0 for negative n. */
export const factorial: (n: ArrayLike) => NDArray = composite("factorial", (n: NDArray) => {
  const negative = lt(n, 0);
  return select(negative, fullLike(n, 0), gammaBody(add(select(negative, fullLike(n, 0), n), 1)));
});

// Series of Delta(x) = log Gamma(x) - Stirling(x) in 1/x^2 (DLMF 5.11.1: B_2k / (2k (2k-1))).
const stirlingSeries = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400];
const stirlingRest = (x: NDArray): NDArray => div(polynomial(div(1, mul(x, x)), stirlingSeries), x);

/** `log Gamma(b) - log Gamma(a + b)` for b >= 10, a >= 0, without the cancellation of its terms. */
function logGammaRatio(a: NDArray, b: NDArray): NDArray {
  const whole = add(a, b);
  const logs = sub(neg(mul(sub(b, 0.5), log1p(div(a, b)))), mul(a, sub(log(whole), 1)));
  return add(logs, sub(stirlingRest(b), stirlingRest(whole)));
}
/** @internal */
export function betalnBody(x: NDArray, y: NDArray): NDArray {
  const [a, b] = [min(x, y), max(x, y)];
  const big = bitwiseAnd(ge(b, 10), gt(a, 0));
  const [as, bs] = [select(big, a, fullLike(a, 1)), select(big, b, fullLike(b, 10))];
  const bothBig = bitwiseAnd(big, ge(a, 10));
  const ab = select(bothBig, a, fullLike(a, 10));
  // Both large: all leading terms by hand (DLMF 5.12.1 with 5.11.1).
  const ratio = div(ab, add(ab, bs));
  const large = add(add(add(mul(sub(ab, 0.5), log(ratio)), neg(mul(bs, log1p(div(ab, bs))))), mul(log(bs), -0.5)), add(0.5 * Math.log(2 * Math.PI), add(stirlingRest(ab), sub(stirlingRest(bs), stirlingRest(add(ab, bs))))));
  const [al, bl] = [select(big, fullLike(a, 1), a), select(big, fullLike(b, 1), b)];
  const small = sub(add(lgamma(al), lgamma(bl)), lgamma(add(al, bl)));
  return select(bothBig, large, select(big, add(lgamma(as), logGammaRatio(as, bs)), small));
}
/** `log |B(a, b)| = log |Gamma(a) Gamma(b) / Gamma(a + b)|` (DLMF 5.12.1), accurate also where the terms cancel. */
export const betaln: (a: ArrayLike, b: ArrayLike) => NDArray = composite("betaln", betalnBody);

/** `B(a, b) = Gamma(a) Gamma(b) / Gamma(a + b)`. */
export const beta: (a: ArrayLike, b: ArrayLike) => NDArray = composite("beta", (a: NDArray, b: NDArray) => {
  const sign = stopGradient(mul(mul(signOfGamma(a), signOfGamma(b)), signOfGamma(add(a, b))));
  return mul(sign, exp(betalnBody(a, b)));
});

function binomBody(n: NDArray, k: NDArray): NDArray {
  const m = sub(n, k);
  const outside = bitwiseAnd(bitwiseAnd(eq(k, floor(k)), eq(n, floor(n))), bitwiseOr(lt(k, 0), bitwiseAnd(gt(k, n), ge(n, 0))));
  const [p, q] = [add(select(outside, fullLike(m, 0), m), 1), add(select(outside, fullLike(k, 0), k), 1)];
  const top = add(select(outside, fullLike(n, 1), n), 1);
  const sign = stopGradient(mul(mul(signOfGamma(p), signOfGamma(q)), signOfGamma(add(p, q))));
  const value = div(mul(sign, exp(neg(betalnBody(p, q)))), top);
  const whole = bitwiseAnd(bitwiseAnd(eq(n, floor(n)), eq(k, floor(k))), lt(value, 1e12));
  const exact = select(whole, add(value, stopGradient(sub(round(value), value))), value);
  return select(outside, fullLike(value, 0), exact);
}
/** Binomial coefficient `n! / (k! (n-k)!)` of real arguments; exact below 1e12 for integers, 0 for k < 0 and for k > n. */
export const binom: (n: ArrayLike, k: ArrayLike) => NDArray = composite("binom", binomBody);

/** `log Gamma_d(a) = d (d-1)/4 log pi + sum_i log Gamma(a - i/2)`, i = 0..d-1. */
export function multigammaln(a: ArrayLike, d: number): NDArray {
  const [x] = floatOperandsOf([a], "special.multigammaln");
  return Array.from({ length: d }, (_, i) => lgamma(sub(x!, i / 2))).reduce((s, v) => add(s, v), fullLike(x!, ((d * (d - 1)) / 4) * Math.log(Math.PI)));
}

// B_2j / (2j)! for Euler and Maclaurin's sum.
const bernoulliTerms = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600, -3617 / 10670622842880000, 43867 / 5109094217170944000, -174611 / 802857662698291200000];

/**
 * Hurwitz zeta function `sum_{k>=0} (k + q)^-s` for s > 1, q > 0, by Euler-Maclaurin summation from the twelfth term on (DLMF 25.11.28);
 * Riemann's with q = 1.
 */
export const zeta: (s: ArrayLike, q?: ArrayLike) => NDArray = (s, q = 1) => zetaBoth(s, q);
const zetaBoth = composite("zeta", (s: NDArray, q: NDArray): NDArray => {
  const ok = bitwiseAnd(gt(s, 1), gt(q, 0));
  const finite = bitwiseAnd(ok, lt(s, Infinity));
  const [t, u] = [select(finite, s, fullLike(s, 2)), select(finite, q, fullLike(q, 1))];
  const terms = 12;
  let sum = pow(u, neg(t));
  for (let k = 1; k < terms; k++) sum = add(sum, pow(add(u, k), neg(t)));
  const w = add(u, terms);
  const power = pow(w, neg(t));
  sum = add(add(sum, div(mul(power, w), sub(t, 1))), mul(power, 0.5));
  let factor = div(mul(t, power), w);
  bernoulliTerms.forEach((c, j) => {
    sum = add(sum, mul(factor, c));
    const n = 2 * j + 1;
    factor = div(div(mul(mul(factor, add(t, n)), add(t, n + 1)), w), w);
  });
  const atInfinity = select(eq(q, 1), fullLike(s, 1), select(lt(q, 1), fullLike(s, Infinity), fullLike(s, 0)));
  const edge = select(eq(s, 1), fullLike(s, Infinity), select(bitwiseAnd(ok, bitwiseNot(finite)), atInfinity, fullLike(s, NaN)));
  return select(finite, sum, edge);
});
