import type { NDArray } from "../array/ndarray.js";
import { ShapeError } from "../base/errors.js";
import { argumentAt, pathsOf, requireSameTree, type TreeDef } from "../base/tree.js";
import { type Aval, formatAval, sameType } from "../ir/aval.js";
import { convertTo } from "../primitives/types.js";

/** Loop state must keep its structure and types from one iteration to the next. */
export function requireSameCarry(fn: string, tree: TreeDef, types: readonly Aval[], outTree: TreeDef, outTypes: readonly Aval[]): void {
  requireSameTree(tree, outTree, fn, "carry", "return the carry in the structure it came in");
  const bad = types.findIndex((t, i) => !sameType(t, outTypes[i]!));
  if (bad >= 0)
    throw new ShapeError({ fn, arg: argumentAt("carry", pathsOf(tree)[bad]!), expected: `${formatAval(types[bad]!)} as at the start`, got: `${formatAval(outTypes[bad]!)} after one iteration`, fix: "keep shapes fixed, and give the start the dtype that the body makes (astype)" });
}

/**
 * Starts that come from JavaScript numbers take the dtype that the body gives them. Returns the adapted starts, or undefined when they
 * already fit.
 */
export function adaptWeakCarry(init: readonly NDArray[], outTypes: readonly Aval[]): NDArray[] | undefined {
  let changed = false;
  const adapted = init.map((x, i) => {
    const t = outTypes[i];
    if (!t || !x.weak || (x.dtype === t.dtype && t.weak)) return x;
    changed = true;
    return convertTo(x, t.dtype, t.weak);
  });
  return changed ? adapted : undefined;
}
