import { NDArray, tree } from "@hessia/core";
import { bind1, primitiveFamilies, Tracer } from "@hessia/core/extend";
import { installDerivatives } from "./install.js";

installDerivatives();

/**
 * The value itself, to which no derivative flows: forward tangents stop and so do backward cotangents. For pytrees, leaf by leaf;
 * integers and leaves that are no arrays pass.
 * @example grad((x: NDArray) => x.mul(stopGradient(x)))(3); // 3
 */
export function stopGradient<T>(x: T): T {
  const [leaves, def] = tree.flatten(x);
  return tree.unflatten<T>(def, leaves.map((leaf) => (leaf instanceof NDArray && leaf instanceof Tracer ? bind1(primitiveFamilies.types.stopGradient, [leaf], {}) : leaf)));
}
