import type { NDArray } from "@hessia/core";
import { bind, bind1, primitiveFamilies, reshapeTo, shape, transposeTo } from "@hessia/core/extend";
import { type Derivative, type DerivativeRules, linear, zero } from "../derivative.js";
import { neg, pad, slice, sum, add } from "../ops.js";
import { isLinear } from "../rule-kinds.js";
import { fill, instantiate, Zero } from "../zero.js";

const { range, sizeOf } = shape;
const { windows, overlapAdd } = primitiveFamilies.structural;
const inverse = (permutation: readonly number[]): number[] => permutation.map((_, d) => permutation.indexOf(d));

/** Sums over the axes that broadcasting made, and over those it stretched. */
function unbroadcast(ct: NDArray, from: readonly number[], dims: readonly number[]): NDArray {
  const axes = range(ct.ndim).filter((d) => !dims.includes(d) || (from[dims.indexOf(d)] === 1 && ct.shape[d] !== 1));
  return reshapeTo(sum(ct, axes), from);
}

interface PadParams { low: readonly number[]; high: readonly number[]; interior: readonly number[] }
const padRule: Derivative<PadParams> = (primitive) => ({
  jvp: (primals, tangents, params) => ({ primals: bind(primitive, primals, params), tangents: bind(primitive, tangents.map(instantiate), params) }),
  transpose([ct], [x, value], { low, high, interior }) {
    const from = x!.aval.shape;
    // Take back what was added at the ends (negative padding gives zeros back), then every (interior + 1)-th element.
    const ends = (n: number): number[] => range(from.length).map(() => n);
    const whole = pad(ct as NDArray, low.map((p) => -p), high.map((p) => -p), ends(0));
    const back = sizeOf(from) === 0 ? fill(x!.aval, 0) : slice(whole, ends(0), whole.shape, interior.map((k) => k + 1));
    const all = range(from.length);
    const rest = isLinear(value!) ? add(sum(ct as NDArray, all), neg(sum(back, all))) : null;
    return [isLinear(x!) ? back : null, rest];
  },
});

export const structuralRules: DerivativeRules<typeof primitiveFamilies.structural> = {
  transpose: linear((ct, _x, { permutation }) => [transposeTo(ct, inverse(permutation))]),
  broadcast: linear((ct, [x], { dims }) => [unbroadcast(ct, x!.aval.shape, dims)]),
  reshape: linear((ct, [x]) => [reshapeTo(ct, x!.aval.shape)]),
  slice: linear((ct, [x], { start, strides }) => {
    const from = x!.aval.shape;
    if (ct.size === 0) return [new Zero(x!.aval)];
    const high = from.map((n, d) => n - (start[d]! + (ct.shape[d]! - 1) * strides[d]! + 1));
    return [pad(ct, start, high, strides.map((s) => s - 1))];
  }),
  pad: padRule,
  reverse: linear((ct, _x, params) => [bind1(primitiveFamilies.structural.reverse, [ct], params)]),
  concatenate: linear((ct, inputs, { axis }) => {
    let at = 0;
    return inputs.map((x) => {
      const start = at;
      at += x.aval.shape[axis]!;
      if (!isLinear(x)) return null;
      return slice(ct, ct.shape.map((_, d) => (d === axis ? start : 0)), ct.shape.map((n, d) => (d === axis ? start + x.aval.shape[axis]! : n)));
    });
  }),
  iota: zero(),
  unitVectors: zero(),
  windows: linear((ct, [x], params) => [bind1(overlapAdd, [ct], { ...params, shape: x!.aval.shape })]),
  overlapAdd: linear((ct, _x, { window, strides, dilation }) => [bind1(windows, [ct], { window, strides, dilation })]),
};
