import type { NDArray } from "@hessia/core";
import { bind1, type DotParams, primitiveFamilies, shape, transposeTo } from "@hessia/core/extend";
import { bilinear, type DerivativeRules } from "../derivative.js";

const { dot } = primitiveFamilies.dot;
const { range } = shape;
const ascending = (axes: readonly number[]): number[] => [...axes].sort((a, b) => a - b);
const freeAxes = (ndim: number, contract: readonly number[], batch: readonly number[]): number[] => range(ndim).filter((d) => !contract.includes(d) && !batch.includes(d));

/** Axis k of the operand is where `axes`, the operand's axes in the order of the product's, names k. */
const restore = (x: NDArray, axes: readonly number[]): NDArray => transposeTo(x, range(axes.length).map((k) => axes.indexOf(k)));

/** ct [batch, freeA, freeB] by b over freeB: [batch, freeA, contracted]. */
function byLeft(ct: NDArray, b: NDArray, ndimA: number, { contract: [ca, cb], batch: [ba, bb] }: DotParams): NDArray {
  const freeA = freeAxes(ndimA, ca, ba);
  const freeB = freeAxes(b.ndim, cb, bb);
  const out = bind1(dot, [ct, b], { contract: [range(freeB.length, ba.length + freeA.length), freeB], batch: [range(ba.length), bb] });
  return restore(out, [...ba, ...freeA, ...ascending(cb).map((d) => ca[cb.indexOf(d)]!)]);
}

/** a by ct over freeA: [batch, contracted, freeB], which for matrices is the layout of b already. */
function byRight(ct: NDArray, a: NDArray, ndimB: number, { contract: [ca, cb], batch: [ba, bb] }: DotParams): NDArray {
  const freeA = freeAxes(a.ndim, ca, ba);
  const freeB = freeAxes(ndimB, cb, bb);
  const out = bind1(dot, [a, ct], { contract: [freeA, range(freeA.length, ba.length)], batch: [ba, range(ba.length)] });
  return restore(out, [...bb, ...ascending(ca).map((d) => cb[ca.indexOf(d)]!), ...freeB]);
}

export const dotRules: DerivativeRules<typeof primitiveFamilies.dot> = {
  dot: bilinear((ct, b, a, params) => byLeft(ct, b, a.aval.shape.length, params), (ct, a, b, params) => byRight(ct, a, b.aval.shape.length, params)),
};
