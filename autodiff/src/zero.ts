import type { NDArray } from "@hessia/core";
import { type Aval, broadcastTo, formatAval, scalarArray, shape } from "@hessia/core/extend";

/** A tangent or cotangent known to be zero: no elements are stored, and operations on it are skipped. */
export class Zero {
  constructor(readonly aval: Aval) {}
  toString(): string { return `Zero<${formatAval(this.aval)}>`; }
}

export type Tangent = NDArray | Zero;

/** An array of one repeated number. */
export const fill = (aval: Aval, value: number): NDArray => broadcastTo(scalarArray(value, aval.dtype, aval.weak), aval.shape, []);
export const instantiate = (t: Tangent): NDArray => (t instanceof Zero ? fill(t.aval, 0) : t);
export const isNonzero = (t: Tangent): t is NDArray => !(t instanceof Zero);
export const emptyShape = (aval: Aval): boolean => shape.sizeOf(aval.shape) === 0;
