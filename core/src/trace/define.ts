import type { NDArray } from "../array/ndarray.js";
import { lowerRule, type LowerRule } from "../lower/lowering.js";
import { type HoistRule, hoistRule, type PruneRule, pruneRule, type SimplifyRule, simplifyRule, type SplitRule, splitRule } from "../optimize/rules.js";
import { defineRule, type Params, Primitive, type PrimitiveSpec, registerPrimitive } from "../ir/primitive.js";
import { batchRule, type BatchRule } from "./batching.js";

export interface PrimitiveDefinition<P extends Params> extends PrimitiveSpec<P> {
  readonly batch?: BatchRule<P>;
  readonly lower?: LowerRule<P>;
  readonly simplify?: SimplifyRule<P>;
  readonly prune?: PruneRule<P>;
  readonly hoist?: HoistRule<P>;
  readonly split?: SplitRule<P>;
}

/**
 * Makes and registers a primitive with its batching and lowering rules and those of the optimizer (all optional); other slots (`jvp`, `transpose`, ...) are filled with `defineRule`.
 * @throws RuleError when the name is taken.
 */
export function definePrimitive<P extends Params = Params>(definition: PrimitiveDefinition<P>): Primitive<P> {
  const { batch, lower, simplify, prune, hoist, split } = definition;
  const primitive = new Primitive<P>(definition);
  registerPrimitive(primitive);
  if (batch) defineRule(primitive, batchRule, batch);
  if (lower) defineRule(primitive, lowerRule, lower);
  if (simplify) defineRule(primitive, simplifyRule, simplify);
  if (prune) defineRule(primitive, pruneRule, prune);
  if (hoist) defineRule(primitive, hoistRule, hoist);
  if (split) defineRule(primitive, splitRule, split);
  return primitive;
}

export type { NDArray };
