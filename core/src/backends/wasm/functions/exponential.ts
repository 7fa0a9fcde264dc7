import { exponential } from "./coefficients.js";
import type { Value } from "./graph.js";
import type { Lanes } from "./lanes.js";

/** exp(x) = 2^n (1 + s): the common part of this family. `sum` is n + magic, for `powerOfTwo`. */
export interface Exponential {
  readonly n: Value;
  readonly sum: Value;
  readonly s: Value;
}

/** ln 2 in two parts; n times the first is exact for the n of every finite exp(x). */
export const ln2 = { float64: [0.6931471804855391, 7.440617110012397e-11], float32: [0.693359375, -2.1219444e-4] } as const;

/** Cody and Waite's reduction, then exp(r) - 1 = r + r^2 Q(r). */
export function reduce(l: Lanes, x: Value): Exponential {
  const [high, low] = ln2[l.dtype];
  const sum = l.madd(x, l.number(1 / Math.LN2), l.magic);
  const n = l.sub(sum, l.magic);
  const r = l.nmadd(n, l.number(low), l.nmadd(n, l.number(high), x));
  return { n, sum, s: l.madd(l.mul(r, r), l.polynomial(exponential[l.dtype], r), r) };
}

/** `x 2^n` for any n of twice the range of exponents: the two factors are normal, and only the last product rounds. */
export function scale(l: Lanes, x: Value, n: Value, sum: Value): Value {
  const half = l.madd(n, l.number(0.5), l.magic);
  const rest = l.isub(sum, half);
  return l.mul(l.mul(x, l.powerOfTwo(half)), l.powerOfTwo(rest));
}

export function exp(l: Lanes, x: Value): Value {
  const { n, sum, s } = reduce(l, l.pmax(l.pmin(x, l.pick(710, 89)), l.pick(-746, -104)));
  return scale(l, l.add(s, 1), n, sum);
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

/** 2^n (s + (1 - 2^-n)): the difference is exact where it matters. */
export function expm1(l: Lanes, x: Value): Value {
  const { n, sum, s } = reduce(l, l.pmax(l.pmin(x, l.pick(710, 89)), l.pick(-45, -25)));
  const c = inverseScale(l, l.pmin(n, 100));
  return l.withSign(l.abs(scale(l, l.add(s, l.sub(l.number(1), c)), n, sum)), x);
}

/** With exp(2|x|) = 2^n (1 + s): tanh = ((1 - 2^-n) + s) / ((1 + 2^-n) + s). */
export function tanh(l: Lanes, x: Value): Value {
  const { n, s } = reduce(l, l.mul(l.pmin(l.abs(x), l.pick(22, 10)), 2));
  const c = inverseScale(l, n);
  return l.withSign(l.div(l.add(s, l.sub(l.number(1), c)), l.add(s, l.add(c, 1))), x);
}

/** With exp(x) = 2^n (1 + s): (1 + s) / ((1 + s) + 2^-n); below the range of 2^-n the rest of the power multiplies the quotient. */
export function logistic(l: Lanes, x: Value): Value {
  const { n, s } = reduce(l, l.pmax(l.pmin(x, l.pick(100, 60)), l.pick(-746, -104)));
  const near = l.pmax(n, l.pick(-1000, -120));
  const numerator = l.add(s, 1);
  const quotient = l.div(numerator, l.add(numerator, inverseScale(l, near)));
  return l.mul(quotient, l.powerOfTwo(l.add(l.sub(n, near), l.magic)));
}

/** (e - 1/e) / 2 with e = exp(|x|): by expm1 where 1/e counts, by exp alone beyond. */
export function sinh(l: Lanes, x: Value): Value {
  const { n, sum, s } = reduce(l, l.pmin(l.abs(x), l.pick(711, 90)));
  const near = l.pmin(n, 60);
  const c = inverseScale(l, near);
  const t = l.mul(l.add(s, l.sub(l.number(1), c)), l.powerOfTwo(l.add(near, l.magic)));
  const small = l.mul(l.add(t, l.div(t, l.add(t, 1))), 0.5);
  const large = scale(l, l.mul(l.add(s, 1), 0.5), n, sum);
  return l.withSign(l.select(l.gt(n, l.pick(40, 20)), large, small), x);
}

/** With h = exp(|x|) / 2: h + 1 / (4h). */
export function cosh(l: Lanes, x: Value): Value {
  const { n, sum, s } = reduce(l, l.pmin(l.abs(x), l.pick(711, 90)));
  const h = scale(l, l.mul(l.add(s, 1), 0.5), n, sum);
  return l.add(h, l.div(l.number(0.25), h));
}
