import { ArgumentError, type ArrayLike, ConcretizationError, HessiaError, type NDArray, np, tree } from "@hessia/core";
import type { Extras } from "./extras.js";
import { mapTree } from "./tree-math.js";

/**
 * A step of an optimizer: pure functions from gradients to updates.
 *
 * `init` makes the state, a pytree of arrays (so it can pass through `jit`, `scan`, `vmap` and be saved); `update` turns gradients into
 * updates to be added to the parameters. `extra` carries what second-order methods ask for (`oracle`); others ignore it.
 * @example
 * let state = opt.init(params);
 * const [updates, next] = opt.update(grads, state, params, oracle(loss)(params, batch));
 * params = applyUpdates(params, updates); state = next;
 */
export interface GradientTransformation<S = unknown> {
  init(params: unknown): S;
  update<G>(grads: G, state: S, params?: unknown, extra?: Extras): [G, S];
}

/** A constant, or a function of the step count, which may be traced. */
export type Schedule = (step: ArrayLike) => ArrayLike;
export type ScalarOrSchedule = ArrayLike | Schedule;
/** State of transformations that keep none. */
export type EmptyState = null;

type Update<S> = (grads: unknown, state: S, params: unknown, extra: Extras) => [unknown, S];

/** Defines a transformation; `update` may take for granted that gradients and parameters have one structure. */
export function transformation<S>(name: string, init: (params: unknown) => S, update: Update<S>): GradientTransformation<S> {
  return {
    init: (params) => init(params),
    update<G>(grads: G, state: S, params?: unknown, extra: Extras = {}): [G, S] {
      if (params !== undefined && tree.structure(params).key !== tree.structure(grads).key)
        tree.requireSameTree(tree.structure(params), tree.structure(grads), `${name}.update`, "grads", "pass gradients with the structure of the parameters");
      return update(grads, state, params, extra) as [G, S];
    },
  };
}

/** Defines a transformation without state. @example withoutState("double", (g) => mapTree((x) => x.mul(2), g)) */
export const withoutState = (name: string, f: (grads: unknown, params: unknown, extra: Extras) => unknown): GradientTransformation<EmptyState> =>
  transformation(name, () => null, (grads, state, params, extra) => [f(grads, params, extra), state]);

/** @throws ArgumentError when `update` was called without parameters. */
export function requireParams(params: unknown, fn: string): unknown {
  if (params === undefined) throw new ArgumentError({ fn: `${fn}.update`, arg: "params", expected: "the current parameters", got: "none", fix: "call update(grads, state, params)" });
  return params;
}

/** The value of an array outside of transforms; undefined where it is traced. */
export function concrete(x: NDArray): number | boolean | undefined {
  try {
    return x.item();
  } catch (e) {
    if (e instanceof ConcretizationError || (e instanceof HessiaError && e.code === "backend")) return undefined;
    throw e;
  }
}

/**
 * Parameters after a step: `p + u`, in the dtype of p.
 * @throws TreeError when the structures differ.
 * @example params = applyUpdates(params, updates);
 */
export function applyUpdates<P>(params: P, updates: unknown): P {
  tree.requireSameTree(tree.structure(params), tree.structure(updates), "applyUpdates", "updates", "pass updates with the structure of the parameters");
  return mapTree((p, u) => np.add(p, u.astype(p.dtype)), params, updates);
}
