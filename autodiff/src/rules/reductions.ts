import type { NDArray } from "@hessia/core";
import { bind1, broadcastTo, type Primitive, primitiveFamilies, reshapeTo, shape, transposeTo } from "@hessia/core/extend";
import { type Derivative, type DerivativeRules, linear, nonDifferentiable, zero } from "../derivative.js";
import { constant, div, eq, expandAlong, iota, mask, mul, pad, select, slice, sum } from "../ops.js";
import type { Tangent } from "../zero.js";

const { range, sizeOf } = shape;
interface Axes { readonly axes: readonly number[] }

/** All elements that attain the extremum share its tangent equally. */
const extremum: Derivative<Axes> = (primitive) => ({
  jvp([x], [dx], { axes }) {
    const y = bind1(primitive, [x!], { axes });
    const hit = mask(eq(x!, expandAlong(y, x!.shape, axes)), x!);
    const share = div(hit, expandAlong(sum(hit, axes), x!.shape, axes));
    return { primals: [y], tangents: [sum(mul(dx as NDArray, share), axes)] };
  },
});

/** The first element that attains the extremum hands its tangent on. */
const first = (at: Primitive<Axes>): Derivative<Axes> => (primitive) => ({
  jvp([x], [dx], { axes }) {
    const window = axes.map((d) => x!.shape[d]!);
    const rank = broadcastTo(reshapeTo(iota([sizeOf(window)], 0), window), x!.shape, axes);
    const chosen = eq(expandAlong(bind1(at, [x!], { axes }), x!.shape, axes), rank);
    return { primals: [bind1(primitive, [x!], { axes })], tangents: [sum(select(chosen, dx as NDArray, constant(x!, 0)), axes)] };
  },
});

/** Products of all others: from the left times from the right, so that zeros need no division and every further derivative is right. */
const product: Derivative<Axes> = (primitive) => ({
  jvp([x], [dx], { axes }) {
    const y = bind1(primitive, [x!], { axes });
    const kept = range(x!.ndim).filter((d) => !axes.includes(d));
    const order = [...kept, ...axes];
    const flat = [...kept.map((d) => x!.shape[d]!), sizeOf(axes.map((d) => x!.shape[d]!))];
    const axis = kept.length;
    const n = flat[axis]!;
    const rows = (v: NDArray): NDArray => reshapeTo(transposeTo(v, order), flat);
    if (n === 0) return { primals: [y], tangents: [sum(rows(dx as NDArray), [axis])] };
    const v = rows(x!);
    const others = n === 1 ? undefined : mul(exclusiveProduct(v, axis, false), exclusiveProduct(v, axis, true));
    const dv = rows(dx as NDArray);
    return { primals: [y], tangents: [sum(others ? mul(dv, others) : dv, [axis])] as Tangent[] };
  },
});

/** Products of all elements before each (after each, if reversed). */
function exclusiveProduct(x: NDArray, axis: number, reverse: boolean): NDArray {
  const y = bind1(primitiveFamilies.cumulative.cumprod, [x], { axis, reverse });
  const n = x.shape[axis]!;
  const at = (d: number, v: number, other: number): number => (d === axis ? v : other);
  const kept = slice(y, x.shape.map((_, d) => at(d, reverse ? 1 : 0, 0)), x.shape.map((m, d) => at(d, reverse ? n : n - 1, m)));
  return pad(kept, x.shape.map((_, d) => at(d, reverse ? 0 : 1, 0)), x.shape.map((_, d) => at(d, reverse ? 1 : 0, 0)), x.shape.map(() => 0), 1);
}

export const reductionRules: DerivativeRules<typeof primitiveFamilies.reductions> = {
  reduceSum: linear((ct, [x], { axes }) => [expandAlong(ct, x!.aval.shape, axes)]),
  reduceProd: product,
  reduceMax: extremum,
  reduceMin: extremum,
  firstMax: first(primitiveFamilies.reductions.argmax),
  firstMin: first(primitiveFamilies.reductions.argmin),
  reduceAnd: nonDifferentiable("it acts on bits"),
  reduceOr: nonDifferentiable("it acts on bits"),
  reduceXor: nonDifferentiable("it acts on bits"),
  argmax: zero(),
  argmin: zero(),
};
