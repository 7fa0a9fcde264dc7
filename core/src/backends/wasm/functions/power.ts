import { cubeRoot, exponential, powerLogarithm } from "./coefficients.js";
import type { FunctionLibrary } from "./contract.js";
import { scale, shortExponential } from "./exponential.js";
import { fromHalves, halves } from "./float64-lanes.js";
import type { Body, Value } from "./graph.js";
import { Lanes } from "./lanes.js";
import { split, splitLogShort } from "./logarithm.js";

/** Arguments other than a finite base that is not 0 and a finite exponent go to JavaScript's function. */
const unusual = (l: Lanes, magnitude: Value, y: Value): Value => l.not(l.and(l.and(l.gt(magnitude, 0), l.lt(magnitude, Infinity)), l.lt(l.abs(y), Infinity)));

/** |x|^y as x^y: negative for a negative base and an odd exponent, NaN for one that is no integer. */
function signed(l: Lanes, value: Value, x: Value, y: Value): Value {
  const half = l.mul(y, 0.5);
  const negative = l.lt(x, 0);
  const odd = l.and(l.ne(l.trunc(half), half), l.signBit);
  const broken = l.ne(l.trunc(y), y);
  return l.or(l.xor(value, l.and(odd, negative)), l.and(broken, negative));
}

/** x^y = 2^(y log2 x), the logarithm and the product in two parts: fdlibm's e_pow.c, without its table. */
function powFloat64(l: Lanes, x: Value, y: Value): Value {
  const { k, m } = split(l, x);
  const f = l.sub(m, 1);
  // s = f / (2 + f) in two parts.
  const denominator = l.add(m, 1);
  const inverse = l.div(l.number(1), denominator);
  const s = l.mul(f, inverse);
  const sHigh = l.high(s);
  const dHigh = l.high(denominator);
  const dLow = l.sub(m, l.sub(dHigh, 1));
  const sLow = l.mul(inverse, l.sub(l.sub(f, l.mul(sHigh, dHigh)), l.mul(sHigh, dLow)));
  // 3 + z + r in two parts, times s: 3/2 log m.
  const z = l.mul(s, s);
  const zHigh = l.mul(sHigh, sHigh);
  const r = l.madd(l.mul(z, z), l.polynomial(powerLogarithm, z), l.mul(sLow, l.add(sHigh, s)));
  const tHigh = l.high(l.add(l.add(zHigh, 3), r));
  const tLow = l.sub(r, l.sub(l.sub(tHigh, 3), zHigh));
  const u = l.mul(sHigh, tHigh);
  const v = l.madd(sLow, tHigh, l.mul(tLow, s));
  const pHigh = l.high(l.add(u, v));
  const pLow = l.sub(v, l.sub(pHigh, u));
  // Times 2 / (3 ln 2), plus k.
  const qHigh = l.mul(pHigh, 0.9617966860532761);
  const qLow = l.madd(pHigh, l.number(7.872699542894897e-9), l.mul(pLow, 0.9617966939259756));
  const logHigh = l.high(l.add(l.add(qHigh, qLow), k));
  const logLow = l.sub(qLow, l.sub(l.sub(logHigh, k), qHigh));
  // Times y; what is out of range stays so under the clamps.
  const exponent = l.pmax(l.pmin(y, 2 ** 70), -(2 ** 70));
  const yHigh = l.high(exponent);
  const low = l.madd(l.sub(exponent, yHigh), logHigh, l.mul(exponent, logLow));
  const high = l.mul(yHigh, logHigh);
  const total = l.add(low, high);
  const beyond = l.gt(l.abs(total), 1100);
  const eHigh = l.select(beyond, l.withSign(l.number(1100), total), high);
  const eLow = l.andnot(low, beyond);
  // 2^(n + e): e ln 2 in two parts.
  const sum = l.add(l.add(eHigh, eLow), l.magic);
  const n = l.sub(sum, l.magic);
  const e = l.sub(eHigh, n);
  const t = l.high(l.add(e, eLow));
  const w = l.mul(t, 0.6931471675634384);
  const rest = l.madd(l.sub(eLow, l.sub(t, e)), l.number(Math.LN2), l.mul(t, 1.2996506893889889e-8));
  const a = l.add(w, rest);
  const aLow = l.sub(rest, l.sub(a, w));
  const value = l.add(l.add(a, l.madd(l.mul(a, a), l.polynomial(exponential.float64, a), aLow)), 1);
  return scale(l, value, n, sum);
}

/** The same in plain float64, which is enough for a float32 result. */
function powFloat32(d: Lanes, x: Value, y: Value): Value {
  const { k, logarithm } = splitLogShort(d, x);
  const exponent = d.mul(y, d.madd(logarithm, d.number(Math.LOG2E), k));
  const { k: fractionPower, power } = shortExponential(d, d.pmax(d.pmin(exponent, 160), -200));
  return d.mul(fractionPower, power);
}

export function pow(l: Lanes, library: FunctionLibrary, x: Value, y: Value): Body {
  const magnitude = l.abs(x);
  const otherwise = { when: unusual(l, magnitude, y), call: library.host("pow", l.dtype) };
  if (l.wide) return { value: signed(l, powFloat64(l, magnitude, y), x, y), otherwise };
  const d = new Lanes("float64", library);
  const [xs, ys] = [halves(magnitude), halves(y)];
  return { value: signed(l, fromHalves(powFloat32(d, xs[0], ys[0]), powFloat32(d, xs[1], ys[1])), x, y), otherwise };
}

/** A polynomial to 19 bits, cut to half length so that its square is exact, and one step of third order (as in fdlibm's s_cbrt.c). */
export function cbrt(l: Lanes, x: Value): Value {
  const a = l.abs(x);
  const { k, m } = split(l, a);
  const sum = l.madd(k, l.number(1 / 3), l.magic);
  const third = l.sub(sum, l.magic);
  const remainder = l.sub(k, l.mul(third, 3));
  // m 2^remainder and the root of the power: remainder is -1, 0 or 1.
  const up = l.gt(remainder, 0);
  const down = l.lt(remainder, 0);
  const c = l.mul(m, l.select(up, 2, l.select(down, 0.5, 1)));
  const root = l.select(up, 1.2599210498948732, l.select(down, 0.7937005259840998, 1));
  const t = l.high(l.mul(l.polynomial(cubeRoot[l.dtype], m), root));
  const r = l.div(c, l.mul(t, t));
  const better = l.madd(t, l.div(l.sub(r, t), l.add(l.add(t, t), r)), t);
  const value = l.withSign(l.mul(better, l.powerOfTwo(sum)), x);
  return l.select(l.and(l.gt(a, 0), l.lt(a, Infinity)), value, x);
}
