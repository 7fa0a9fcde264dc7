import { exponential, hyperbolicTangent, powerExponential, shortestExponential } from "./coefficients.js";
import type { Body, Value } from "./graph.js";
import type { Lanes } from "./lanes.js";

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

/** Cody and Waite's reduction, then exp(r) - 1 = r + r^2 Q(r). */
export function reduce(l: Lanes, x: Value): Exponential {
  const [high, low] = ln2[l.dtype];
  const sum = l.madd(x, l.number(1 / Math.LN2), l.magic);
  const n = l.sub(sum, l.magic);
  const r = l.nmadd(n, l.number(low), l.nmadd(n, l.number(high), x));
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

/** For results well within the range of normal numbers the power of two is added to the exponent; others are scaled in two steps. */
export function exp(l: Lanes, x: Value): Body {
  const mantissa = (v: Value): { n: Value; sum: Value; k: Value } => {
    const [high, low] = ln2[l.dtype];
    const sum = l.madd(v, l.number(1 / Math.LN2), l.magic);
    const n = l.sub(sum, l.magic);
    const r = l.nmadd(n, l.number(low), l.nmadd(n, l.number(high), v));
    const z = l.mul(r, r);
    return { n, sum, k: l.add(l.madd(z, l.paired(shortestExponential[l.dtype], r, z), r), 1) };
  };
  const { n, sum, k } = mantissa(x);
  const clamped = mantissa(l.pmax(l.pmin(x, l.pick(710, 89)), l.pick(-746, -104)));
  return {
    value: l.iadd(k, l.shl(sum, l.fraction)),
    rare: { within: l.lt(l.mul(n, n), l.pick(1020 ** 2, 124 ** 2)), mask: l.pick("i64x2.bitmask", "i32x4.bitmask"), value: scale(l, clamped.k, clamped.n, clamped.sum) },
  };
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
 * exp(2x) = 2^n (1 + t) / (1 - t) with t = tanh(h), h = x - n ln(2)/2: odd, and small enough for a short polynomial. n is the integer nearest
 * to 2 (x - shift) / ln(2), for shifts up to 0.07 ln(2).
 */
function reduceTwice(l: Lanes, x: Value, shift: number): { n: Value; t: Value } {
  const [high, low] = ln2[l.dtype];
  const n = l.sub(l.madd(shift === 0 ? x : l.sub(x, shift), l.number(2 / Math.LN2), l.magic), l.magic);
  const h = l.nmadd(n, l.number(low / 2), l.nmadd(n, l.number(high / 2), x));
  const z = l.mul(h, h);
  return { n, t: l.madd(l.mul(h, z), l.polynomial(hyperbolicTangent[l.dtype], z), h) };
}

/**
 * (e - 1) / (e + 1) with e = exp(2|x|) = 2^n (1 + 2s) and c = 2^-n / 2: (s + (1/2 - c)) / (s + (1/2 + c)).
 */
function tanhShort(l: Lanes, x: Value): Value {
  const sign = l.sign(x);
  const a = l.pmin(l.xor(x, sign), 9.5);
  const sum = l.madd(a, l.number(-2 / Math.LN2), l.magic);
  // The larger n, the less an error of r counts.
  const r = l.madd(l.sub(sum, l.magic), l.number(Math.LN2 / 2), a);
  const z = l.mul(r, r);
  const tail = l.mul(z, l.paired(shortestExponential[l.dtype].map((q, i) => q * 2 ** (i + 1)), r, z));
  const s = l.add(r, tail);
  const c = l.iadd(l.shl(sum, l.fraction), l.number(0.5));
  const [minus, plus] = [l.sub(l.number(0.5), c), l.add(c, 0.5)];
  const [a1, b] = [l.add(s, minus), l.add(s, plus)];
  const q = l.div(a1, b);
  // What rounding took from numerator and denominator, over the denominator: 1 + q is near enough to its reciprocal.
  const rest = l.nmadd(q, l.sub(s, l.sub(b, plus)), l.add(l.sub(r, l.sub(a1, minus)), tail));
  return l.or(l.madd(rest, l.add(q, 1), q), sign);
}

/** (e - 1) / (e + 1) with e = exp(2|x|) as above and c = 2^-n: ((1 - c) + (1 + c) t) / ((1 + c) + (1 - c) t). */
export function tanh(l: Lanes, x: Value): Value {
  if (!l.wide) return tanhShort(l, x);
  // The shift gives n = 0, which is the most accurate, more than its share.
  const { n, t } = reduceTwice(l, l.pmin(l.abs(x), l.pick(22, 10)), 0.05);
  const c = inverseScale(l, n);
  const [minus, plus] = [l.sub(l.number(1), c), l.add(c, 1)];
  const [a, b] = [l.madd(plus, t, minus), l.madd(minus, t, plus)];
  const q = l.div(a, b);
  // What rounding took from a (c t is exact), less q times what it took from b, over b; for 1/b 3/4 is near enough: it is 2/3 to 1.2, or both
  // are exact.
  const aLow = l.add(l.add(l.sub(minus, a), t), l.mul(c, t));
  const rest = l.nmadd(q, l.madd(minus, t, l.sub(plus, b)), aLow);
  return l.withSign(l.madd(rest, l.number(0.75), q), x);
}

/**
 * With exp(x) as above and c = 2^-n: (1 + t) / ((1 + c) + (1 - c) t), and where c would overflow the rest of the power times the quotient.
 */
export function logistic(l: Lanes, x: Value): Value {
  const { n, t } = reduceTwice(l, l.mul(l.pmax(l.pmin(x, l.pick(100, 60)), l.pick(-746, -104)), 0.5), 0);
  const near = l.pmax(n, l.pick(-1000, -120));
  const c = inverseScale(l, near);
  const [minus, plus] = [l.sub(l.number(1), c), l.add(c, 1)];
  const [a, b] = [l.add(t, 1), l.madd(minus, t, plus)];
  const q = l.div(a, b);
  // As in tanh; here q itself is near enough to 1/b.
  const lost = l.sub(l.number(1), l.sub(plus, c));
  const rest = l.nmadd(q, l.add(l.madd(minus, t, l.sub(plus, b)), lost), l.add(l.sub(l.number(1), a), t));
  return l.mul(l.madd(rest, q, q), l.powerOfTwo(l.add(l.sub(n, near), l.magic)));
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
