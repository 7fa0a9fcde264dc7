import type { ArrayLike, AxisArg, NDArray } from "../array/ndarray.js";
import { canonicalAxes } from "../base/shape.js";
import { abs, add, bitwiseAnd, bitwiseNot, bitwiseOr, div, eq, exp, expm1, ge, gt, isFinite, log, log1p, logistic, lt, mul, ne, neg, sign, sin, sub } from "../lax/elementwise.js";
import { keepDims, reduceMax, reduceSum } from "../lax/reductions.js";
import { fullLike, select, stopGradient } from "../lax/types.js";
import { broadcastToShape, floatOperandsOf } from "../numpy/convert.js";
import { jit } from "../transforms/jit.js";
import { composite, polynomial } from "./composite.js";

/** `1 / (1 + exp(-x))`. */
export const expit: (x: ArrayLike) => NDArray = logistic;

/** `log(p / (1 - p))`, accurate also near 1/2; infinite at 0 and 1, NaN outside. */
export const logit: (p: ArrayLike) => NDArray = composite("logit", (p: NDArray) => {
  const middle = lt(abs(sub(p, 0.5)), 0.2);
  const s = mul(sub(select(middle, p, fullLike(p, 0.5)), 0.5), 2);
  const q = select(middle, fullLike(p, 0.25), p);
  return select(middle, sub(log1p(s), log1p(neg(s))), sub(log(q), log1p(neg(q))));
});

/** `log expit(x) = -log(1 + exp(-x))`. */
export const logExpit: (x: ArrayLike) => NDArray = composite("logExpit", (x: NDArray) => neg(softplusBody(neg(x))));

/** `log(1 + exp(x))`: `max(x, 0) + log1p(exp(-|x|))`, written so that its derivative at 0 is 1/2. */
function softplusBody(x: NDArray): NDArray {
  const positive = gt(x, 0);
  const e = exp(select(positive, neg(x), x));
  return add(select(positive, x, fullLike(x, 0)), log1p(e));
}
/** `log(1 + exp(x))` without overflow. */
export const softplus: (x: ArrayLike) => NDArray = composite("softplus", softplusBody);
/** `log(1 + exp(x))`, the same as `softplus`. */
export const log1pexp: (x: ArrayLike) => NDArray = softplus;
/** `log(1 - exp(-x))` for x > 0 (Maechler, "Accurately computing log(1 - exp(-|a|))", 2012). */
export const log1mexp: (x: ArrayLike) => NDArray = composite("log1mexp", (x: NDArray) => {
  const small = lt(x, Math.LN2);
  return select(small, log(neg(expm1(neg(select(small, x, fullLike(x, 0.5)))))), log1p(neg(exp(neg(select(small, fullLike(x, 1), x))))));
});

/** `x f(y)` where x is not 0 or f(y) is finite; else 0 (NaN if y is NaN). The derivative in x is f(y) wherever that is finite. */
function timesLog(x: NDArray, y: NDArray, inDomain: NDArray, harmless: number, f: (y: NDArray) => NDArray): NDArray {
  const dead = bitwiseAnd(eq(x, 0), bitwiseAnd(bitwiseNot(inDomain), eq(y, y)));
  return mul(x, f(select(dead, fullLike(y, harmless), y)));
}
const positiveFinite = (y: NDArray) => bitwiseAnd(gt(y, 0), lt(y, Infinity));
const xlogyBody = (x: NDArray, y: NDArray) => timesLog(x, y, positiveFinite(y), 1, log);
/** `x log y`, 0 where x = 0 (whatever y but NaN). */
export const xlogy: (x: ArrayLike, y: ArrayLike) => NDArray = composite("xlogy", xlogyBody);
/** `x log(1 + y)`, 0 where x = 0 (whatever y but NaN). */
export const xlog1py: (x: ArrayLike, y: ArrayLike) => NDArray = composite("xlog1py", (x: NDArray, y: NDArray) => timesLog(x, y, bitwiseAnd(gt(y, -1), lt(y, Infinity)), 0, log1p));

/** Entropy `-x log x`: 0 at 0 (where its derivative is taken as 0), -inf for x < 0. */
export const entr: (x: ArrayLike) => NDArray = composite("entr", (x: NDArray) => {
  const negative = lt(x, 0);
  const xs = select(negative, fullLike(x, 1), x);
  return select(negative, fullLike(x, -Infinity), neg(xlogyBody(xs, xs)));
});

function relEntrBody(x: NDArray, y: NDArray): NDArray {
  const both = bitwiseAnd(gt(x, 0), gt(y, 0));
  const zero = bitwiseAnd(eq(x, 0), ge(y, 0));
  const value = mul(x, sub(log(select(both, x, fullLike(x, 1))), log(select(both, y, fullLike(y, 1)))));
  const unknown = bitwiseOr(ne(x, x), ne(y, y));
  return select(both, value, select(zero, fullLike(x, 0), select(unknown, fullLike(x, NaN), fullLike(x, Infinity))));
}
/** Relative entropy `x log(x / y)`: 0 for x = 0 <= y, infinite outside the domain. */
export const relEntr: (x: ArrayLike, y: ArrayLike) => NDArray = composite("relEntr", relEntrBody);
/** `x log(x / y) - x + y`. */
export const klDiv: (x: ArrayLike, y: ArrayLike) => NDArray = composite("klDiv", (x: NDArray, y: NDArray) => add(sub(relEntrBody(x, y), x), y));

const sineSeries = Array.from({ length: 10 }, (_, k) => Array.from({ length: 2 * k + 1 }, (_v, i) => i + 1).reduce((p, v) => p / v, k % 2 ? -1 : 1));
/** `sin(pi x) / (pi x)`, 1 at 0, with derivatives of every order. */
export const sinc: (x: ArrayLike) => NDArray = composite("sinc", (x: NDArray) => {
  const z = mul(x, Math.PI);
  const small = lt(abs(z), 1);
  const zs = select(small, z, fullLike(z, 0));
  const zl = select(small, fullLike(z, 1), z);
  return select(small, polynomial(mul(zs, zs), sineSeries), div(sin(zl), zl));
});

const exprelSeries = Array.from({ length: 16 }, (_, k) => Array.from({ length: k + 1 }, (_v, i) => i + 1).reduce((p, v) => p / v, 1));
/** `(exp(x) - 1) / x`, 1 at 0, with derivatives of every order. */
export const exprel: (x: ArrayLike) => NDArray = composite("exprel", (x: NDArray) => {
  const small = lt(abs(x), 0.6);
  const xl = select(small, fullLike(x, 1), x);
  const infinite = eq(xl, Infinity);
  return select(small, polynomial(select(small, x, fullLike(x, 0)), exprelSeries), select(infinite, fullLike(x, Infinity), div(expm1(xl), select(infinite, fullLike(x, 1), xl))));
});

export interface LogSumExpOptions {
  /** Weights, also negative or zero. */
  readonly b?: ArrayLike;
  readonly keepdims?: boolean;
}

/** `log|sum|` and its sign: the largest terms are split off, so that `log1p` keeps what the rest adds. */
const sumOfExp = jit((a: NDArray, b: NDArray | null, axes: readonly number[], keepdims: boolean): [NDArray, NDArray] => {
  const x = b ? select(eq(b, 0), fullLike(a, -Infinity), a) : a;
  const empty = axes.some((d) => a.shape[d] === 0);
  const over = (v: NDArray) => broadcastToShape(keepDims(v, a.shape, axes), a.shape, "special.logsumexp");
  const top = empty ? fullLike(reduceSum(x, axes), -Infinity) : stopGradient(reduceMax(x, axes));
  const shift = select(isFinite(top), top, fullLike(top, 0));
  const isTop = eq(x, over(top));
  const e = exp(sub(x, over(shift)));
  const term = b ? mul(b, e) : e;
  const infinite = eq(top, Infinity);
  const zero = fullLike(term, 0);
  const [most, rest] = [reduceSum(select(isTop, term, zero), axes), reduceSum(select(isTop, zero, term), axes)];
  const total = add(most, rest);
  const near = bitwiseAnd(lt(abs(rest), mul(abs(most), 0.5)), ne(most, 0));
  const m = select(near, most, fullLike(most, 1));
  const ratio = select(near, div(rest, m), fullLike(m, 0));
  const none = eq(total, 0);
  const other = select(bitwiseOr(near, none), fullLike(total, 1), total);
  const size = select(near, add(log1p(ratio), log(abs(m))), select(none, fullLike(total, -Infinity), log(abs(other))));
  const result = add(size, shift);
  const value = select(bitwiseAnd(infinite, eq(result, result)), fullLike(result, Infinity), result);
  const shaped = (v: NDArray) => (keepdims ? keepDims(v, a.shape, axes) : v);
  return [shaped(value), shaped(stopGradient(sign(total)))];
}, { staticArgnums: [2, 3], name: "special.logsumexp" });

/**
 * `log(sum(b exp(a)))` along axes without over- or underflow: -inf for empty sums and for entries that are all -inf, with finite
 * derivatives (entries of -inf get 0). With `returnSign`, `[log|sum|, sign]`; without it a negative sum gives NaN.
 * Source: Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax functions" (IMA J. Numer. Anal. 41, 2021).
 * @example special.logsumexp([1000, 1000]) // 1000 + log 2
 */
export function logsumexp(a: ArrayLike, axis: AxisArg | undefined, o: LogSumExpOptions & { readonly returnSign: true }): [NDArray, NDArray];
export function logsumexp(a: ArrayLike, axis?: AxisArg, o?: LogSumExpOptions): NDArray;
export function logsumexp(a: ArrayLike, axis: AxisArg = null, o: LogSumExpOptions & { readonly returnSign?: boolean } = {}): NDArray | [NDArray, NDArray] {
  const fn = "special.logsumexp";
  const [x, b] = floatOperandsOf(o.b === undefined ? [a] : [a, o.b], fn, ["a", "b"]);
  const [value, s] = sumOfExp(x!, b ?? null, canonicalAxes(axis, x!.ndim, fn), o.keepdims ?? false);
  if (o.returnSign) return [value, s];
  return b ? select(lt(s, 0), fullLike(value, NaN), value) : value;
}

const softmaxParts = (x: NDArray, axes: readonly number[]) => {
  const over = (v: NDArray) => broadcastToShape(keepDims(v, x.shape, axes), x.shape, "special.softmax");
  const top = stopGradient(reduceMax(x, axes));
  const shifted = sub(x, over(select(isFinite(top), top, fullLike(top, 0))));
  return { over, shifted };
};
const softmaxJit = jit((x: NDArray, axes: readonly number[]): NDArray => {
  if (x.size === 0) return x;
  const { over, shifted } = softmaxParts(x, axes);
  const e = exp(shifted);
  return div(e, over(reduceSum(e, axes)));
}, { staticArgnums: 1, name: "special.softmax" });
const logSoftmaxJit = jit((x: NDArray, axes: readonly number[]): NDArray => {
  if (x.size === 0) return x;
  const { over, shifted } = softmaxParts(x, axes);
  return sub(shifted, over(log(reduceSum(exp(shifted), axes))));
}, { staticArgnums: 1, name: "special.logSoftmax" });

/** `exp(x_i) / sum_j exp(x_j)` along axes (all when not given, as in SciPy). */
export function softmax(x: ArrayLike, axis: AxisArg = null): NDArray {
  const [a] = floatOperandsOf([x], "special.softmax");
  return softmaxJit(a!, canonicalAxes(axis, a!.ndim, "special.softmax"));
}
/** `x_i - logsumexp(x)`, the log of `softmax`. */
export function logSoftmax(x: ArrayLike, axis: AxisArg = null): NDArray {
  const [a] = floatOperandsOf([x], "special.logSoftmax");
  return logSoftmaxJit(a!, canonicalAxes(axis, a!.ndim, "special.logSoftmax"));
}
