import { DerivativeError, type NDArray } from "@hessia/core";
import { type AnyPrimitive, ConcreteArray } from "@hessia/core/extend";
import { LinearInput } from "./rule-kinds.js";

/** Primitives that are linear in each of two inputs, but not in both together. */
export const bilinearPrimitives = new WeakSet<AnyPrimitive>();

export const notLinear = (fn: string, got: string): DerivativeError =>
  new DerivativeError({
    fn, expected: "an operation that is linear in the tangents", got,
    fix: "in a custom rule use tangents only in sums and in products with known values; a primitive that is linear needs a transpose rule (defineDerivative)",
  });

/** A known term beside a tangent must be zero; where its elements can be read, this is checked. */
export function requireZeroTerm(x: NDArray | LinearInput, fn: string): void {
  if (x instanceof LinearInput || !(x instanceof ConcreteArray) || !x.backend.readSync || x.data.every((v) => v === 0)) return;
  throw notLinear(fn, "a tangent plus a known value that is not zero, which is affine");
}
