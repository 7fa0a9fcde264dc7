import type { NDArray } from "../array/ndarray.js";
import { lowerRule, type LowerRule } from "../lower/lowering.js";
import { defineRule, type Params, Primitive, type PrimitiveSpec, registerPrimitive } from "../ir/primitive.js";
import { batchRule, type BatchRule } from "./batching.js";

export interface PrimitiveDefinition<P extends Params> extends PrimitiveSpec<P> {
  readonly batch?: BatchRule<P>;
  readonly lower?: LowerRule<P>;
}

/**
 * Makes and registers a primitive with its batching and lowering rules; other slots (`jvp`, `transpose`, ...) are filled with `defineRule`.
 * @throws RuleError when the name is taken.
 */
export function definePrimitive<P extends Params = Params>(definition: PrimitiveDefinition<P>): Primitive<P> {
  const { batch, lower, ...spec } = definition;
  const primitive = new Primitive<P>(spec);
  registerPrimitive(primitive);
  if (batch) defineRule(primitive, batchRule, batch);
  if (lower) defineRule(primitive, lowerRule, lower);
  return primitive;
}

export type { NDArray };
