import { arcsine, arctangent } from "./coefficients.js";
import type { Value } from "./graph.js";
import type { Lanes } from "./lanes.js";

const quarterPi = { float64: [0.7853981633974483, 3.061616997868383e-17], float32: [0.7853981852531433, -2.1855694143368964e-8] } as const;
const halfPi = { float64: [1.5707963267948966, 6.123233995736766e-17], float32: [1.5707963705062866, -4.371138828673793e-8] } as const;
const threeQuarterPi = { float64: [2.356194490192345, 9.184850993605148e-17], float32: [2.356194496154785, -5.962440319251527e-9] } as const;
const pi = { float64: [3.141592653589793, 1.2246467991473532e-16], float32: [3.1415927410125732, -8.742277657347586e-8] } as const;

type TwoParts = Readonly<Record<"float64" | "float32", readonly [number, number]>>;

/** t + t z P(z) added to an angle in two parts (given as masks over 0): the reduction of Cephes' atan.c. */
const tail = (l: Lanes, t: Value): Value => {
  const z = l.mul(t, t);
  return l.mul(l.mul(t, z), l.polynomial(arctangent[l.dtype], z));
};

/** atan of a/b >= 0 by one division: of a/b below 0.66, of (a-b)/(a+b) beside pi/4, of -b/a beside pi/2. */
function quotient(l: Lanes, a: Value, b: Value): { t: Value; middle: Value; large: Value } {
  const large = l.gt(a, l.mul(b, 1 + Math.SQRT2));
  const middle = l.andnot(l.gt(a, l.mul(b, 0.66)), large);
  const numerator = l.select(large, l.neg(b), l.select(middle, l.sub(a, b), a));
  const denominator = l.select(large, a, l.select(middle, l.add(a, b), b));
  return { t: l.div(numerator, denominator), middle, large };
}

const either = (l: Lanes, large: Value, middle: Value, forLarge: TwoParts, forMiddle: TwoParts, part: 0 | 1): Value =>
  l.or(l.and(large, l.number(forLarge[l.dtype][part])), l.and(middle, l.number(forMiddle[l.dtype][part])));

export function atan(l: Lanes, x: Value): Value {
  const { t, middle, large } = quotient(l, l.abs(x), l.number(1));
  const high = either(l, large, middle, halfPi, quarterPi, 0);
  const low = either(l, large, middle, halfPi, quarterPi, 1);
  return l.withSign(l.abs(l.add(high, l.add(t, l.add(tail(l, t), low)))), x);
}

export function atan2(l: Lanes, y: Value, x: Value): Value {
  const ones = l.number(1);
  const bothInfinite = l.and(l.eq(l.abs(x), Infinity), l.eq(l.abs(y), Infinity));
  // Sums must not overflow, nor products lose bits. What the smaller argument loses by the scaling is below the result's last bit.
  const largest = l.pmax(l.abs(x), l.abs(y));
  const factor = l.select(l.gt(largest, l.pick(2 ** 1020, 2 ** 124)), 0.125, l.select(l.lt(largest, l.pick(2 ** -960, 2 ** -96)), l.pick(2 ** 60, 2 ** 30), 1));
  const a = l.select(bothInfinite, ones, l.mul(l.abs(y), factor));
  const magnitude = l.select(bothInfinite, ones, l.mul(l.abs(x), factor));
  const b = l.select(l.and(l.eq(a, 0), l.eq(magnitude, 0)), ones, magnitude);
  const { t, middle, large } = quotient(l, a, b);
  // Left of the y axis the angle is pi minus that of the mirror image.
  const left = l.eq(l.or(l.and(x, l.signBit), ones), -1);
  const angle = l.xor(t, l.and(left, l.signBit));
  const small = l.not(l.or(large, middle));
  const leftOnly = (part: 0 | 1): Value => l.and(l.and(left, small), l.number(pi[l.dtype][part]));
  const middleHigh = (part: 0 | 1): Value => l.select(left, threeQuarterPi[l.dtype][part], quarterPi[l.dtype][part]);
  const base = (part: 0 | 1): Value => l.or(leftOnly(part), l.or(l.and(middle, middleHigh(part)), l.and(large, l.number(halfPi[l.dtype][part]))));
  const value = l.add(base(0), l.add(angle, l.add(tail(l, angle), base(1))));
  const nan = l.or(l.isNaN(x), l.isNaN(y));
  return l.select(nan, NaN, l.withSign(l.abs(value), y));
}

/** asin(t)/t - 1. */
const arcsineTail = (l: Lanes, z: Value): Value => l.mul(z, l.polynomial(arcsine[l.dtype], z));

/** For |x| > 1/2: z = (1 - |x|)/2, its root, the root's high half and the error of that half (fdlibm's e_asin.c). */
function rootParts(l: Lanes, a: Value): { z: Value; root: Value; high: Value; low: Value } {
  const z = l.mul(l.sub(l.number(1), a), 0.5);
  const root = l.sqrt(z);
  const high = l.high(root);
  // At |x| = 1 the quotient would be 0/0.
  const low = l.div(l.sub(z, l.mul(high, high)), l.add(root, l.select(l.eq(root, 0), 1, high)));
  return { z, root, high, low };
}

export function asin(l: Lanes, x: Value): Value {
  const a = l.abs(x);
  const inner = l.lt(a, 0.5);
  const { z, root, high, low } = rootParts(l, a);
  const w = l.select(inner, l.mul(a, a), z);
  const tail = arcsineTail(l, w);
  const near = l.madd(a, tail, a);
  // pi/2 - 2 (root + root tail), summed from pi/4's two parts.
  const p = l.sub(l.mul(l.add(root, root), tail), l.sub(l.number(halfPi[l.dtype][1]), l.add(low, low)));
  const q = l.sub(l.number(quarterPi[l.dtype][0]), l.add(high, high));
  const far = l.sub(l.number(quarterPi[l.dtype][0]), l.sub(p, q));
  return l.withSign(l.abs(l.select(inner, near, far)), x);
}

export function acos(l: Lanes, x: Value): Value {
  const a = l.abs(x);
  const inner = l.lt(a, 0.5);
  const { z, root, high, low } = rootParts(l, a);
  const w = l.select(inner, l.mul(a, a), z);
  const tail = arcsineTail(l, w);
  const near = l.sub(l.number(halfPi[l.dtype][0]), l.sub(x, l.sub(l.number(halfPi[l.dtype][1]), l.mul(x, tail))));
  const right = l.add(high, l.madd(tail, root, low));
  const left = l.add(root, l.sub(l.mul(tail, root), l.number(halfPi[l.dtype][1])));
  const far = l.select(l.lt(x, 0), l.sub(l.number(pi[l.dtype][0]), l.add(left, left)), l.add(right, right));
  return l.select(inner, near, far);
}
