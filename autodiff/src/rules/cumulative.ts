import type { NDArray } from "@hessia/core";
import { bind1, primitiveFamilies } from "@hessia/core/extend";
import { type Derivative, type DerivativeRules, linear } from "../derivative.js";
import { add, div, ge, mask, mul, pad, slice } from "../ops.js";

interface Cumulative { readonly axis: number; readonly reverse: boolean }
const { cumsum } = primitiveFamilies.cumulative;

/** Moves elements by `by` places along the axis, away from where the cumulation begins; `value` comes in. */
function delayed(x: NDArray, by: number, { axis, reverse }: Cumulative, value: number): NDArray {
  const only = (v: number) => x.shape.map((_, d) => (d === axis ? v : 0));
  const kept = reverse ? slice(x, only(by), x.shape) : slice(x, only(0), x.shape.map((n, d) => (d === axis ? n - by : n)));
  return pad(kept, only(reverse ? 0 : by), only(reverse ? by : 0), x.shape.map(() => 0), value);
}

/**
 * Cumulative products of dual numbers by recursive doubling (Hillis and Steele 1986): after step s each element holds the product of the
 * last 2^s. No division, so zeros are no exception in any derivative.
 */
const cumulativeProduct: Derivative<Cumulative> = (primitive) => ({
  jvp([x], [dx], params) {
    let [v, dv] = [x!, dx as NDArray];
    const n = x!.shape[params.axis]!;
    for (let by = 1; by < n; by *= 2) {
      const before = delayed(v, by, params, 1);
      dv = add(mul(dv, before), mul(delayed(dv, by, params, 0), v));
      v = mul(v, before);
    }
    return { primals: [bind1(primitive, [x!], params)], tangents: [dv] };
  },
});

/** All elements so far that attain the extremum share its tangent equally: pairs (sum of their tangents, how many), by recursive doubling. */
const cumulativeExtremum = (identity: number): Derivative<Cumulative> => (primitive) => ({
  jvp([x], [dx], params) {
    let v = x!;
    let total = dx as NDArray;
    let count = mask(ge(v, v), v);
    const n = x!.shape[params.axis]!;
    const better = identity < 0 ? ge : (a: NDArray, b: NDArray) => ge(b, a);
    const pick = identity < 0 ? primitiveFamilies.binary.max : primitiveFamilies.binary.min;
    for (let by = 1; by < n; by *= 2) {
      const before = delayed(v, by, params, identity);
      const own = mask(better(v, before), v);
      const other = mask(better(before, v), v);
      total = add(mul(total, own), mul(delayed(total, by, params, 0), other));
      count = add(mul(count, own), mul(delayed(count, by, params, 0), other));
      v = bind1(pick, [v, before], {});
    }
    return { primals: [bind1(primitive, [x!], params)], tangents: [mul(total, div(mask(ge(count, count), count), count))] };
  },
});

export const cumulativeRules: DerivativeRules<typeof primitiveFamilies.cumulative> = {
  cumsum: linear((ct, _x, { axis, reverse }) => [bind1(cumsum, [ct], { axis, reverse: !reverse })]),
  cumprod: cumulativeProduct,
  cummax: cumulativeExtremum(-Infinity),
  cummin: cumulativeExtremum(Infinity),
};
