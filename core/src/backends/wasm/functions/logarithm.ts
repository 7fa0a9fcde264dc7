import { logarithm, shortLogarithm } from "./coefficients.js";
import { ln2 } from "./exponential.js";
import type { Value } from "./graph.js";
import type { Lanes } from "./lanes.js";

/** x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for x > 0. */
export function split(l: Lanes, x: Value): { k: Value; m: Value } {
  // Subnormals are scaled up first.
  const up = l.pick(54, 25);
  const tiny = l.lt(x, l.minNormal);
  const normal = l.select(tiny, l.mul(x, 2 ** up), x);
  const rootHalf = l.pick(0x3fe6a09e667f3bcdn, 0x3f3504f3n);
  const fraction = BigInt(l.fraction);
  const biased = l.iadd(normal, l.bits((BigInt(l.bias) << fraction) - rootHalf));
  const k = l.sub(l.or(l.shrU(biased, l.fraction), l.number(2 ** l.fraction)), 2 ** l.fraction + l.bias);
  const m = l.iadd(l.and(biased, l.bits((1n << fraction) - 1n)), l.bits(rootHalf));
  return { k: l.sub(k, l.and(tiny, l.number(up))), m };
}

/**
 * log(1+f) = f - (h - s (h + R)), h = f^2/2, s = f/(2+f), R = z L(z), z = s^2: the algorithm of fdlibm's e_log.c.
 * Returns h and s (h + R).
 */
function parts(l: Lanes, f: Value): { half: Value; rest: Value } {
  const s = l.div(f, l.add(f, 2));
  const z = l.mul(s, s);
  const half = l.mul(l.mul(f, f), 0.5);
  return { half, rest: l.mul(s, l.madd(z, l.polynomial(logarithm[l.dtype], z), half)) };
}

/** log x = k log 2 + logarithm, for positive normal x; the second to 36 bits, for float32 results. */
export function splitLogShort(d: Lanes, x: Value): { k: Value; logarithm: Value } {
  const { k, m } = split(d, x);
  const f = d.sub(m, 1);
  const s = d.div(f, d.add(f, 2));
  const z = d.mul(s, s);
  return { k, logarithm: d.madd(d.mul(s, z), d.polynomial(shortLogarithm, z), d.add(s, s)) };
}

export function logShort(d: Lanes, x: Value): Value {
  const { k, logarithm } = splitLogShort(d, x);
  return d.madd(k, d.number(Math.LN2), logarithm);
}

/** -Infinity at 0, NaN below, and what goes through unchanged. */
function edges(l: Lanes, x: Value, value: Value, argument: Value): Value {
  const regular = l.and(l.gt(argument, 0), l.lt(argument, Infinity));
  return l.select(regular, value, l.select(l.eq(argument, 0), -Infinity, l.select(l.lt(argument, 0), NaN, x)));
}

export function log(l: Lanes, x: Value): Value {
  const { k, m } = split(l, x);
  const f = l.sub(m, 1);
  const { half, rest } = parts(l, f);
  const [high, low] = ln2[l.dtype];
  const value = l.madd(k, l.number(high), l.sub(f, l.sub(half, l.madd(k, l.number(low), rest))));
  return edges(l, x, value, x);
}

/** log(u) + (what rounding 1 + x to u lost) / u, as in fdlibm's s_log1p.c; of x + low if there is a low part. */
export function log1p(l: Lanes, x: Value, low?: Value): Value {
  const u = l.add(x, 1);
  const { k, m } = split(l, u);
  const rounding = l.select(l.ge(x, 1), l.sub(l.number(1), l.sub(u, x)), l.sub(x, l.sub(u, 1)));
  const lost = low ? l.add(rounding, low) : rounding;
  const f = l.sub(m, 1);
  const { half, rest } = parts(l, f);
  const [ln2High, ln2Low] = ln2[l.dtype];
  const correction = l.madd(k, l.number(ln2Low), l.div(lost, u));
  const value = l.madd(k, l.number(ln2High), l.sub(f, l.sub(half, l.add(rest, correction))));
  return edges(l, x, l.or(value, l.and(l.sign(x), l.eq(x, 0))), u);
}

/** log(1+f) as a sum of a short high part and a low part (FreeBSD's e_log2.c, e_log10.c). */
function twoParts(l: Lanes, f: Value): [Value, Value] {
  const { half, rest } = parts(l, f);
  const high = l.high(l.sub(f, half));
  return [high, l.add(l.sub(l.sub(f, high), half), rest)];
}

const inverseLn2 = { float64: [1.4426950216293335, 1.9259629911266175e-8], float32: [1.4423828125, 3.1222839606925845e-4] } as const;
export function log2(l: Lanes, x: Value): Value {
  const { k, m } = split(l, x);
  const [high, low] = twoParts(l, l.sub(m, 1));
  const [ch, cl] = inverseLn2[l.dtype];
  const main = l.mul(high, ch);
  const small = l.madd(l.add(low, high), l.number(cl), l.mul(low, ch));
  const sum = l.add(k, main);
  return edges(l, x, l.add(sum, l.add(small, l.add(l.sub(k, sum), main))), x);
}

const inverseLn10 = { float64: [0.4342944771051407, 4.798111141615973e-9], float32: [0.4342041015625, 9.038033749675378e-5] } as const;
const log10Of2 = { float64: [0.3010299950838089, 5.801722962879576e-10], float32: [0.301025390625, 4.605039066518657e-6] } as const;
export function log10(l: Lanes, x: Value): Value {
  const { k, m } = split(l, x);
  const [high, low] = twoParts(l, l.sub(m, 1));
  const [ch, cl] = inverseLn10[l.dtype];
  const [kh, kl] = log10Of2[l.dtype];
  const main = l.mul(high, ch);
  const exponent = l.mul(k, kh);
  const small = l.madd(k, l.number(kl), l.madd(l.add(low, high), l.number(cl), l.mul(low, ch)));
  const sum = l.add(exponent, main);
  return edges(l, x, l.add(sum, l.add(small, l.add(l.sub(exponent, sum), main))), x);
}

/** log(|x| + sqrt(x^2 + 1)) as log1p of a sum of positive terms; |x| alone, times 2, where its square is out of range or of no account. */
export function asinh(l: Lanes, x: Value): Value {
  const a = l.abs(x);
  const large = l.gt(a, l.pick(2 ** 28, 2 ** 13));
  const square = l.mul(a, a);
  const term = l.div(square, l.add(l.sqrt(l.add(square, 1)), 1));
  const argument = l.add(a, term);
  const low = l.andnot(l.add(l.sub(a, argument), term), large);
  const value = l.add(log1p(l, l.select(large, l.sub(a, 1), argument), low), l.and(large, l.number(Math.LN2)));
  return l.withSign(l.abs(value), x);
}

/** log(x + sqrt(x^2 - 1)) as log1p(t + sqrt(2t + t^2)), t = x - 1. */
export function acosh(l: Lanes, x: Value): Value {
  const t = l.sub(x, 1);
  const large = l.gt(x, l.pick(2 ** 28, 2 ** 13));
  const root = l.sqrt(l.add(l.mul(t, t), l.add(t, t)));
  const argument = l.add(root, t);
  const low = l.andnot(l.add(l.sub(root, argument), t), large);
  return l.select(l.lt(x, 1), NaN, l.add(log1p(l, l.select(large, t, argument), low), l.and(large, l.number(Math.LN2))));
}

/** log1p(2|x| / (1 - |x|)) / 2. */
export function atanh(l: Lanes, x: Value): Value {
  const a = l.abs(x);
  const d = l.sub(l.number(1), a);
  const q = l.div(l.add(a, a), d);
  // What rounding 1 - a did to the quotient, where that matters: for small a.
  const low = l.mul(q, l.sub(a, l.sub(l.number(1), d)));
  const value = l.mul(log1p(l, q, l.and(low, l.lt(a, 0.5))), 0.5);
  // Below, the quotient is a and halving what log1p gives must not cost subnormals a bit.
  return l.withSign(l.abs(l.select(l.gt(a, 1), NaN, l.select(l.lt(a, l.pick(2 ** -28, 2 ** -13)), a, value))), x);
}
