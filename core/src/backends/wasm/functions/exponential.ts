import { exponential, hyperbolicTangent, hyperbolicTangentNearby, logisticNearby, powerExponential, shortestExponential, tabulatedExponential } from "./coefficients.js";
import type { Body, Value } from "./graph.js";
import type { Lanes } from "./lanes.js";
import { logisticRange, logistics, powers, tangents, tanhLimit } from "./tables.js";

/** exp(x) = 2^n (1 + s): the common part of this family. `sum` is n + magic, for `powerOfTwo`. */
export interface Exponential {
  readonly n: Value;
  readonly sum: Value;
  readonly s: Value;
  /** What rounding took from s. */
  readonly low: Value;
}

/** ln 2 in two parts; n times the first is exact for the n of every finite exp(x). */
export const ln2 = { float64: [0.6931471804855391, 7.440617110012397e-11], float32: [0.693359375, -2.1219444e-4] } as const;

/** The same of ln(2)/256. */
const ln2Over256 = [0.0027076061737716373, 2.9064910585985925e-13] as const;

/** Cody and Waite's reduction x = n unit + r, n an integer; `sum` is n + magic. */
function reduced(l: Lanes, x: Value, perUnit: number, [high, low]: readonly [number, number], magic: number): { n: Value; r: Value; sum: Value } {
  const sum = l.madd(x, l.number(perUnit), magic);
  const n = l.sub(sum, magic);
  return { n, sum, r: l.nmadd(n, l.number(low), l.nmadd(n, l.number(high), x)) };
}

/** That reduction, then exp(r) - 1 = r + r^2 Q(r). */
export function reduce(l: Lanes, x: Value): Exponential {
  const { n, r, sum } = reduced(l, x, 1 / Math.LN2, ln2[l.dtype], l.magic);
  const tail = l.mul(l.mul(r, r), l.polynomial(exponential[l.dtype], r));
  const s = l.add(r, tail);
  return { n, sum, s, low: l.add(l.sub(r, s), tail) };
}

/** `x 2^n` for any n of twice the range of exponents: the two factors are normal, and only the last product rounds. */
export function scale(l: Lanes, x: Value, n: Value, sum: Value): Value {
  const half = l.madd(n, l.number(0.5), l.magic);
  const rest = l.isub(sum, half);
  return l.mul(l.mul(x, l.powerOfTwo(half)), l.powerOfTwo(rest));
}

/**
 * For results well within the range of normal numbers the power of two is added to the exponent. Others, and NaN, take it in two steps: 2^(n-1) times 2
 * for positive x, 2^(n+63) times 2^-63 (float32: n+31) for negative. Either way gives the same bits where both are right.
 */
export function exp(l: Lanes, x: Value): Body {
  const clamped = l.pmax(l.pmin(x, l.pick(710, 89)), l.pick(-746, -104));
  const first = l.shrU(l.sign(x), l.pick(5, 3));
  const second = l.isub(l.number(2), first);
  const { plain, inSteps, within } = l.wide ? expByTable(l, x, clamped, first) : expByPolynomial(l, x, clamped, first);
  return { value: plain, rare: { within, mask: l.pick("i64x2.bitmask", "i32x4.bitmask"), value: l.mul(inSteps, second) } };
}

interface Steps {
  readonly plain: Value;
  /** Of the clamped argument, with `first` added to the exponent, halved. */
  readonly inSteps: Value;
  readonly within: Value;
}

/** 2^n exp(r), |r| at most ln(2)/2. */
function expByPolynomial(l: Lanes, x: Value, clamped: Value, first: Value): Steps {
  const parts = (v: Value, magic: number) => {
    const { n, r, sum } = reduced(l, v, 1 / Math.LN2, ln2[l.dtype], magic);
    const z = l.mul(r, r);
    return { n, bits: l.shl(sum, l.fraction), significand: l.add(l.madd(z, l.paired(shortestExponential, r, z), r), 1) };
  };
  const { n, bits, significand } = parts(x, l.magic);
  const steps = parts(clamped, l.magic + l.bias - 1);
  return { plain: l.iadd(significand, bits), inSteps: l.mul(steps.significand, l.iadd(steps.bits, first)), within: l.lt(l.mul(n, n), 124 ** 2) };
}

/** exp(x) = power (1 + small), power = 2^(n/256) from a table: Tang, "Table-driven implementation of the exponential function in IEEE floating-point arithmetic", 1989. */
function tabulated(l: Lanes, x: Value, magic: number): { n: Value; power: Value; small: Value } {
  const { n, r, sum } = reduced(l, x, 256 / Math.LN2, ln2Over256, magic);
  const power = l.iadd(l.lookup(powers, l.shl(l.and(sum, l.bits(255n)), 3)), l.shl(sum, 44));
  return { n, power, small: l.madd(l.mul(r, r), l.horner(tabulatedExponential, r), r) };
}

function expByTable(l: Lanes, x: Value, clamped: Value, first: Value): Steps {
  const { n, power, small } = tabulated(l, x, l.magic);
  const steps = tabulated(l, clamped, l.magic - 256);
  const lifted = l.iadd(steps.power, first);
  return { plain: l.madd(power, small, power), inSteps: l.madd(lifted, steps.small, lifted), within: l.lt(l.mul(n, n), (1020 * 256) ** 2) };
}

/** 2^x: n and x - n are exact. */
export function exp2(l: Lanes, x: Value): Value {
  const clamped = l.pmax(l.pmin(x, l.pick(1025, 129)), l.pick(-1076, -151));
  const sum = l.add(clamped, l.magic);
  const n = l.sub(sum, l.magic);
  const r = l.mul(l.sub(clamped, n), Math.LN2);
  return scale(l, l.add(l.madd(l.mul(r, r), l.polynomial(exponential[l.dtype], r), r), 1), n, sum);
}

/** `2^-n` from n and small enough not to overflow. */
const inverseScale = (l: Lanes, n: Value): Value => l.powerOfTwo(l.sub(l.number(l.magic), n));

/** 2^n (s + (1 - 2^-n)): the difference is exact where it matters, and what the sum rounds away is added again. */
export function expm1(l: Lanes, x: Value): Value {
  const { n, sum, s, low } = reduce(l, l.pmax(l.pmin(x, l.pick(710, 89)), l.pick(-45, -25)));
  const c = l.sub(l.number(1), inverseScale(l, l.pmin(n, 100)));
  const u = l.add(c, s);
  const rest = l.add(l.add(l.sub(c, u), s), low);
  return l.withSign(l.abs(scale(l, l.add(u, rest), n, sum)), x);
}

/**
 * With |x| = i/32 + d, T = tanh(i/32) from a table and tanh(d) = d A / (A - C): tanh|x| = T + d + d (C - A T (T + d)) / (A - C + A T d), by the addition
 * theorem. What is added to T is small, and what is added to d smaller still, so that hardly more is rounded than the last two sums.
 */
export function tanh(l: Lanes, x: Value): Value {
  const a = l.andnot(x, l.signBit);
  const limit = l.number(tanhLimit[l.dtype]);
  const magic = l.magic / 32;
  // The table's index must not be NaN, but d must.
  const sum = l.add(l.pmin(limit, a), magic);
  const d = l.sub(l.pmin(a, limit), l.sub(sum, magic));
  const known = l.lookup(tangents[l.dtype], l.wide ? l.shl(sum, 3) : l.shl(l.and(sum, l.bits(0xfffn)), 2));
  const z = l.mul(d, d);
  const [a0, c1, c2] = hyperbolicTangentNearby[l.dtype];
  const A = l.wide ? l.add(z, a0) : l.number(a0);
  const C = l.mul(z, l.wide ? l.madd(z, l.number(c2), c1) : c1);
  const scaled = l.wide ? l.mul(A, known) : known;
  const numerator = l.nmadd(scaled, l.add(known, d), C);
  const denominator = l.madd(scaled, d, l.sub(A, C));
  return l.withSign(l.add(known, l.madd(l.div(d, denominator), numerator, d)), x);
}

/**
 * With x = i/8 + d and p = logistic(i/8) from a table: p + p (1 - p) u / (1 + (p - 1/2) u), u = 2 tanh(d/2) = d / (1 - C), by the addition theorem.
 */
function logisticByTable(l: Lanes, x: Value): Value {
  const a = l.pmax(l.pmin(x, logisticRange[1]), logisticRange[0]);
  const magic = l.magic / 8 - logisticRange[0];
  const sum = l.add(a, magic);
  const d = l.sub(a, l.sub(sum, magic));
  const p = l.lookup(logistics, l.shl(l.and(sum, l.bits(0x3ffn)), 2));
  const denominator = l.madd(l.sub(p, 0.5), d, l.madd(l.mul(d, d), l.number(logisticNearby), 1));
  return l.madd(l.mul(p, l.sub(l.number(1), p)), l.div(d, denominator), p);
}

/**
 * exp(2x) = 2^n (1 + t) / (1 - t) with t = tanh(h), h = x - n ln(2)/2: odd, and small enough for a short polynomial. n is the integer nearest
 * to 2 x / ln(2).
 */
function reduceTwice(l: Lanes, x: Value): { n: Value; t: Value } {
  const [high, low] = ln2.float64;
  const n = l.sub(l.madd(x, l.number(2 / Math.LN2), l.magic), l.magic);
  const h = l.nmadd(n, l.number(low / 2), l.nmadd(n, l.number(high / 2), x));
  const z = l.mul(h, h);
  return { n, t: l.madd(l.mul(h, z), l.polynomial(hyperbolicTangent, z), h) };
}

/**
 * With exp(x) as above and c = 2^-n: (1 + t) / ((1 + c) + (1 - c) t), and where c would overflow the rest of the power times the quotient.
 */
export function logistic(l: Lanes, x: Value): Value {
  if (!l.wide) return logisticByTable(l, x);
  const { n, t } = reduceTwice(l, l.mul(l.pmax(l.pmin(x, 100), -746), 0.5));
  const near = l.pmax(n, -1000);
  const c = inverseScale(l, near);
  const [minus, plus] = [l.sub(l.number(1), c), l.add(c, 1)];
  const [a, b] = [l.add(t, 1), l.madd(minus, t, plus)];
  const q = l.div(a, b);
  // As in tanh; here q itself is near enough to 1/b.
  const lost = l.sub(l.number(1), l.sub(plus, c));
  const rest = l.nmadd(q, l.add(l.madd(minus, t, l.sub(plus, b)), lost), l.add(l.sub(l.number(1), a), t));
  return l.mul(l.madd(rest, q, q), l.powerOfTwo(l.add(l.sub(n, near), l.magic)));
}

/** logistic(x) and logistic(-x), float32, from what they have in common: the smaller one, 1 less which is the other. */
export function logisticPair(l: Lanes, x: Value): readonly [of: Value, ofNegative: Value] {
  const smaller = logisticByTable(l, l.or(x, l.signBit));
  const value = (isLarger: Value): Value => l.abs(l.sub(l.and(isLarger, l.number(1)), smaller));
  return [value(l.ge(x, 0)), value(l.le(x, 0))];
}

/** (e - 1/e) / 2 with e = exp(|x|): by t = expm1, (t + t/(t+1)) / 2, where 1/e counts, by exp alone beyond. */
export function sinh(l: Lanes, x: Value): Value {
  const { n, sum, s, low } = reduce(l, l.pmin(l.abs(x), l.pick(711, 90)));
  const near = l.pmin(n, 60);
  const power = l.powerOfTwo(l.add(near, l.magic));
  const c = l.sub(l.number(1), inverseScale(l, near));
  const u = l.add(c, s);
  const t = l.mul(u, power);
  // d(t + t/(t+1))/dt is 2 where the low part matters most, near 0.
  const tLow = l.mul(l.add(l.add(l.sub(c, u), s), low), l.add(power, power));
  const small = l.mul(l.add(t, l.add(l.div(t, l.add(t, 1)), tLow)), 0.5);
  const large = scale(l, l.mul(l.add(s, 1), 0.5), n, sum);
  return l.withSign(l.select(l.gt(n, l.pick(40, 20)), large, small), x);
}

/** With h = exp(|x|) / 2: h + 1 / (4h). */
export function cosh(l: Lanes, x: Value): Value {
  const { n, sum, s } = reduce(l, l.pmin(l.abs(x), l.pick(711, 90)));
  const h = scale(l, l.mul(l.add(s, 1), 0.5), n, sum);
  return l.add(h, l.div(l.number(0.25), h));
}

/** 2^x as `k power` to 36 bits, in float64 lanes, for a float32 result: -1000 < x < 1000. */
export function shortExponential(d: Lanes, x: Value): { k: Value; power: Value } {
  const sum = d.add(x, d.magic);
  const r = d.mul(d.sub(x, d.sub(sum, d.magic)), Math.LN2);
  return { k: d.add(d.madd(d.mul(r, r), d.polynomial(powerExponential, r), r), 1), power: d.powerOfTwo(sum) };
}
