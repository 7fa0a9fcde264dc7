import { ArgumentError } from "@hessia/core";
import { type EmptyState, type GradientTransformation, transformation, withoutState } from "./transformation.js";
import { mapTree, zerosLike } from "./tree-math.js";
import type { NDArray } from "@hessia/core";

/**
 * Applies transformations one after the other; each sees the updates of the one before, and all the extra arguments. The state is the list
 * of theirs.
 * @example chain(clipByGlobalNorm(1), adam(1e-3))
 */
export function chain(...parts: readonly GradientTransformation[]): GradientTransformation<readonly unknown[]> {
  return transformation<readonly unknown[]>("chain", (params) => parts.map((t) => t.init(params)), (grads, state, params, extra) => {
    requireStates(state.length, parts.length);
    let updates = grads;
    const next = parts.map((t, i) => {
      const [u, s] = t.update(updates, state[i], params, extra);
      updates = u;
      return s;
    });
    return [updates, next];
  });
}

function requireStates(got: number, expected: number): void {
  if (got !== expected) throw new ArgumentError({ fn: "chain.update", arg: "state", expected: `${expected} states`, got: String(got), fix: "pass the state of this chain's own init or update" });
}

/** `chain` whose state is an object under the given names. @example namedChain({ clip: clip(1), step: sgd(0.1) }) */
export function namedChain(parts: Readonly<Record<string, GradientTransformation>>): GradientTransformation<Readonly<Record<string, unknown>>> {
  const names = Object.keys(parts);
  return transformation<Readonly<Record<string, unknown>>>("namedChain", (params) => Object.fromEntries(names.map((k) => [k, parts[k]!.init(params)])), (grads, state, params, extra) => {
    let updates = grads;
    const next = names.map((k) => {
      const [u, s] = parts[k]!.update(updates, state[k], params, extra);
      updates = u;
      return [k, s] as const;
    });
    return [updates, Object.fromEntries(next)];
  });
}

/** Leaves gradients as they are. */
export const identity = (): GradientTransformation<EmptyState> => withoutState("identity", (g) => g);
/** Updates of zero: parameters stay. */
export const setToZero = (): GradientTransformation<EmptyState> => withoutState("setToZero", (g) => zerosLike(g));
/** A transformation from a pure function of gradients and parameters. @example stateless((g) => scaleTree(2, g)) */
export const stateless = (f: (grads: never, params: never) => unknown): GradientTransformation<EmptyState> => withoutState("stateless", (g, p) => f(g as never, p as never));
/** `stateless` of a function of each leaf. @example statelessWithTreeMap((g) => g.mul(2)) */
export const statelessWithTreeMap = (f: (grad: NDArray, param?: NDArray) => NDArray): GradientTransformation<EmptyState> =>
  withoutState("stateless", (g, p) => (p === undefined ? mapTree((x) => f(x), g) : mapTree((x, y) => f(x!, y), g, p)));
