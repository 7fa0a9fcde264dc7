import { erfcScaled, erfSmall } from "../../../kernel/functions/erf.js";
import { erfInvCentral } from "../../../kernel/functions/erf-inv.js";
import { erfInvShort, erfShort, erfSmallFloat32, erfTailShort } from "./coefficients.js";
import type { FunctionLibrary } from "./contract.js";
import { reduce, scale, shortExponential } from "./exponential.js";
import { fromHalves, halves } from "./float64-lanes.js";
import type { Body, Value } from "./graph.js";
import { Lanes } from "./lanes.js";
import { log, logShort } from "./logarithm.js";

/** erf on [-1, 1], as x + x (P - 1): the smaller the factor, the less its rounding. */
const inner = (l: Lanes, x: Value): Value => l.add(x, l.mul(x, l.polynomial(l.pick(lessOne(erfSmall), erfSmallFloat32), l.mul(x, x))));
const lessOne = ([first, ...others]: readonly number[]): number[] => [first! - 1, ...others];

/** erfc(a) for a >= 1/2, as in kernel/functions/erf.ts: the square is split so that its rounding does not enter the exponential. */
function tail(l: Lanes, magnitude: Value): Value {
  const a = l.pmin(magnitude, l.pick(28, 10.5));
  const t = l.div(l.sub(a, 3), l.add(a, 3));
  const f = l.div(l.polynomial(l.pick(erfcScaled, erfTailShort), t), l.add(l.add(a, a), 1));
  const z = l.high(a);
  const low = l.mul(l.sub(z, a), l.add(z, a));
  const { n, sum, s } = reduce(l, l.neg(l.mul(z, z)));
  // exp(low) - 1, |low| below 2^-16 (float32: 0.06).
  const small = l.mul(low, l.horner(l.pick([1, 1 / 2, 1 / 6], [1, 1 / 2, 1 / 6, 1 / 24, 1 / 120]), low));
  const g = l.madd(f, small, f);
  return scale(l, l.madd(g, s, g), n, sum);
}

export function erf(l: Lanes, x: Value): Value {
  const a = l.abs(x);
  return l.select(l.gt(a, 1), l.withSign(l.sub(l.number(1), tail(l, a)), x), inner(l, x));
}

/** The three ranges of erfc from its parts. */
const join = (l: Lanes, x: Value, outer: Value, inside: Value): Value => {
  const positive = l.select(l.lt(x, 0.5), l.sub(l.number(1), inside), outer);
  return l.select(l.lt(x, -0.5), l.sub(l.number(2), outer), l.select(l.isNaN(x), x, positive));
};

/** In float32 the tail is computed in float64, where the square and the product need no care. */
export function erfc(l: Lanes, library: FunctionLibrary, x: Value): Body {
  if (l.wide) return { value: join(l, x, tail(l, l.abs(x)), inner(l, x)) };
  const d = new Lanes("float64", library);
  const half = (v: Value): Value => {
    const a = d.pmin(d.abs(v), 10.5);
    const t = d.div(d.sub(a, 3), d.add(a, 3));
    const { k, power } = shortExponential(d, d.mul(d.mul(a, a), -Math.LOG2E));
    const outer = d.mul(d.mul(d.div(d.polynomial(erfTailShort, t), d.add(d.add(a, a), 1)), k), power);
    return join(d, v, outer, d.mul(v, d.polynomial(erfShort, d.mul(v, v))));
  };
  return { value: fromHalves(...(halves(x).map(half) as [Value, Value])) };
}

/** Where the central polynomial of kernel/functions/erf-inv.ts serves: w = -log(1 - x^2) up to here. Beyond are 1 in 1000 of uniform arguments. */
const erfInvReach = 6.25;

/** The tails, the ends and what lies outside go to JavaScript's function. */
export function erfInv(l: Lanes, library: FunctionLibrary, x: Value): Body {
  const call = library.host("erfInv", l.dtype);
  const product = (d: Lanes, v: Value): Value => d.mul(d.sub(d.number(1), v), d.add(v, 1));
  if (l.wide) {
    const w = l.neg(log(l, product(l, x)));
    return { value: l.mul(x, l.polynomial(erfInvCentral, l.sub(w, erfInvReach / 2))), otherwise: { when: l.not(l.lt(w, erfInvReach)), call } };
  }
  const d = new Lanes("float64", library);
  const half = (v: Value): Value => d.mul(v, d.polynomial(erfInvShort, d.sub(d.number(-erfInvReach / 2), logShort(d, product(d, v)))));
  const limit = Math.fround(Math.sqrt(-Math.expm1(-erfInvReach)) - 1e-6);
  return { value: fromHalves(...(halves(x).map(half) as [Value, Value])), otherwise: { when: l.not(l.lt(l.abs(x), limit)), call } };
}
