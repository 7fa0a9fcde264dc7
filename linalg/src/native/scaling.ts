import type { Code, Real, RealVariable } from "@hessia/core/native";

/** The power of two that brings this magnitude near 1, so that squares neither overflow nor vanish and what is negligible is so beside 1. */
export function unitFactor(c: Code, largest: Real): RealVariable {
  const factor = c.real(1);
  c.when(largest.greater(0), () => {
    for (const bits of [64, 8, 1]) {
      c.while(largest.times(factor).greater(2 ** bits), () => factor.set(factor.times(2 ** -bits)));
      c.while(largest.times(factor).less(2 ** -bits).and(factor.less(2 ** 950)), () => factor.set(factor.times(2 ** bits)));
    }
  });
  return factor;
}
