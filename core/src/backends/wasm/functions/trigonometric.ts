import { cosine, sine } from "./coefficients.js";
import { fromHalves, halves } from "./float64-lanes.js";
import type { Body, Value } from "./graph.js";
import { Lanes } from "./lanes.js";
import type { FunctionLibrary } from "./contract.js";

/**
 * pi/2 in parts of 36, 36 and 53 bits: multiples up to 2^17 of the first two are exact, so that up to |x| = 2^17 the remainder is good to
 * its last bit however close x is to a multiple (Cody and Waite). Beyond, JavaScript's functions take over.
 */
const halfPi = [1.5707963267923333, 2.5633441515839558e-12, 1.0562999066987428e-23] as const;
const limit = 2 ** 17;

/** x = n pi/2 + y + low; `sum` has n in its low bits. */
interface Reduced {
  readonly y: Value;
  readonly low: Value;
  /** Masks: n is odd; and the sign bits of (-1)^(n/2) as for sine, and for cosine. */
  readonly odd: Value;
  readonly sineSign: Value;
  readonly cosineSign: Value;
}

function quadrants(l: Lanes, n: Value): Pick<Reduced, "odd" | "sineSign" | "cosineSign"> {
  const one = l.bits(1n);
  const toSign = l.wide ? 62 : 30;
  return {
    odd: l.ieq(l.and(n, one), one),
    sineSign: l.sign(l.shl(n, toSign)),
    cosineSign: l.sign(l.shl(l.iadd(n, one), toSign)),
  };
}

function reduceFloat64(l: Lanes, x: Value): Reduced {
  const sum = l.madd(x, l.number(2 / Math.PI), l.magic);
  const n = l.sub(sum, l.magic);
  const first = l.nmadd(n, l.number(halfPi[0]), x);
  const [high, error] = l.twoSum(first, l.mul(n, -halfPi[1]));
  const rest = l.nmadd(n, l.number(halfPi[2]), error);
  const y = l.add(high, rest);
  return { y, low: l.add(l.sub(high, y), rest), ...quadrants(l, sum) };
}

/** In float64 lanes: pi/2 in 33 + 53 bits leaves the remainder of every float32 below the limit exact to more than float32. */
function reduceFloat32(l: Lanes, d: Lanes, x: Value): Reduced {
  const part = (v: Value): [Value, Value] => {
    const sum = d.madd(v, d.number(2 / Math.PI), d.magic);
    const n = d.sub(sum, d.magic);
    return [sum, d.nmadd(n, d.number(6.077100506506192e-11), d.nmadd(n, d.number(1.5707963267341256), v))];
  };
  const [a, b] = halves(x).map(part) as [[Value, Value], [Value, Value]];
  return { y: fromHalves(a[1], b[1]), low: l.number(0), ...quadrants(l, { kind: "shuffle", operands: [a[0], b[0]], words: [0, 2, 4, 6] }) };
}

/** sin(y + low) as y minus a correction (fdlibm's k_sin.c). */
function sineCorrection(l: Lanes, y: Value, low: Value): Value {
  const [first, ...others] = sine[l.dtype];
  const z = l.mul(y, y);
  const v = l.mul(z, y);
  const r = l.polynomial(others, z);
  if (!l.wide) return l.mul(v, l.nmadd(z, r, -first!));
  return l.sub(l.sub(l.mul(z, l.sub(l.mul(low, 0.5), l.mul(v, r))), low), l.mul(v, first!));
}

/** cos(y + low) as a rounded 1 - y^2/2 plus a correction (fdlibm's k_cos.c). */
function cosineParts(l: Lanes, y: Value, low: Value): [Value, Value] {
  const z = l.mul(y, y);
  const half = l.mul(z, 0.5);
  const w = l.sub(l.number(1), half);
  const tail = l.mul(l.mul(z, z), l.polynomial(cosine[l.dtype], z));
  return [w, l.add(l.sub(l.sub(l.number(1), w), half), l.wide ? l.nmadd(y, low, tail) : tail)];
}

const outside = (l: Lanes, x: Value): Value => l.not(l.le(l.abs(x), limit));

function sineOrCosine(l: Lanes, library: FunctionLibrary, which: "sin" | "cos", x: Value): Body {
  const { y, low, odd, sineSign, cosineSign } = l.wide ? reduceFloat64(l, x) : reduceFloat32(l, new Lanes("float64", library), x);
  const sin = l.sub(y, sineCorrection(l, y, low));
  const cos = l.add(...cosineParts(l, y, low));
  const value = which === "sin" ? l.xor(l.select(odd, cos, sin), sineSign) : l.xor(l.select(odd, sin, cos), cosineSign);
  // The remainder of -0 has lost its sign.
  return { value: which === "sin" ? l.select(l.eq(x, 0), x, value) : value, otherwise: { when: outside(l, x), call: library.host(which, l.dtype) } };
}

export const sin = (l: Lanes, library: FunctionLibrary, x: Value): Body => sineOrCosine(l, library, "sin", x);
export const cos = (l: Lanes, library: FunctionLibrary, x: Value): Body => sineOrCosine(l, library, "cos", x);

/** sin/cos or -cos/sin; in float64 the rounding errors of both are carried into the quotient, in float32 all is done in float64. */
export function tan(l: Lanes, library: FunctionLibrary, x: Value): Body {
  const otherwise = { when: outside(l, x), call: library.host("tan", l.dtype) };
  const quotient = (d: Lanes, v: Value): Value => {
    const { y, low, odd } = reduceFloat64(d, v);
    const correction = sineCorrection(d, y, low);
    const sin = d.sub(y, correction);
    const [w, rest] = cosineParts(d, y, low);
    const cos = d.add(w, rest);
    const numerator = d.select(odd, cos, sin);
    const denominator = d.select(odd, sin, cos);
    const q = d.div(numerator, denominator);
    const sign = d.and(odd, d.signBit);
    if (!l.wide) return d.xor(q, sign);
    const sinLow = d.sub(d.sub(y, sin), correction);
    const cosLow = d.add(d.sub(w, cos), rest);
    const fix = d.div(d.sub(d.select(odd, cosLow, sinLow), d.mul(q, d.select(odd, sinLow, cosLow))), denominator);
    return d.xor(d.add(q, fix), sign);
  };
  const d = l.wide ? l : new Lanes("float64", library);
  const value = l.wide ? quotient(l, x) : fromHalves(...(halves(x).map((v) => quotient(d, v)) as [Value, Value]));
  return { value: l.select(l.eq(x, 0), x, value), otherwise };
}
