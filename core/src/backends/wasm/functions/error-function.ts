import { erfcScaled, erfSmall } from "../../../kernel/functions/erf.js";
import { errorSmallFloat32, errorTailFloat32 } from "./coefficients.js";
import { reduce, scale } from "./exponential.js";
import type { Value } from "./graph.js";
import type { Lanes } from "./lanes.js";

/** erf on [-1, 1]. */
const inner = (l: Lanes, x: Value): Value => l.mul(x, l.polynomial(l.pick(erfSmall, errorSmallFloat32), l.mul(x, x)));

/** erfc(a) for a >= 1/2, as in kernel/functions/erf.ts: the square is split so that its rounding does not enter the exponential. */
function tail(l: Lanes, magnitude: Value): Value {
  const a = l.pmin(magnitude, l.pick(28, 10.5));
  const t = l.div(l.sub(a, 3), l.add(a, 3));
  const f = l.div(l.polynomial(l.pick(erfcScaled, errorTailFloat32), t), l.add(l.add(a, a), 1));
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

export function erfc(l: Lanes, x: Value): Value {
  const outer = tail(l, l.abs(x));
  const positive = l.select(l.lt(x, 0.5), l.sub(l.number(1), inner(l, x)), outer);
  return l.select(l.lt(x, -0.5), l.sub(l.number(2), outer), l.select(l.isNaN(x), x, positive));
}
