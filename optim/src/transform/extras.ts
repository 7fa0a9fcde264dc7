import type { ArrayLike, NDArray } from "@hessia/core";
import { MissingExtraError } from "./errors.js";

/**
 * Extra arguments of `update`. `oracle` makes them from a loss, each computed when first read; functions of your own may stand in for any
 * of them. Unknown names are ignored.
 */
export interface Extras {
  /** The loss at the parameters. */
  readonly value?: ArrayLike | undefined;
  /** Its gradient at the parameters. */
  readonly grad?: unknown;
  /** The loss at other parameters. */
  readonly valueFn?: ((params: never) => NDArray) | undefined;
  readonly gradFn?: ((params: never) => unknown) | undefined;
  /** Loss and gradient at other parameters. */
  readonly valueAndGradFn?: ((params: never) => readonly [NDArray, unknown]) | undefined;
  /** `v -> H v` at the parameters, on trees like them. */
  readonly hvpFn?: ((v: never) => unknown) | undefined;
  /** `(params, v) -> H v` at any parameters, for use in branches. */
  readonly hvpAtFn?: ((params: never, v: never) => unknown) | undefined;
  /** Random vectors for estimates of the diagonal, in place of those drawn from the key. */
  readonly probes?: unknown;
  /** `v -> G v` with the generalized Gauss-Newton matrix. */
  readonly ggnvpFn?: ((v: never) => unknown) | undefined;
  /** Diagonal of the Hessian, a tree like the parameters. */
  readonly hessianDiagFn?: (() => unknown) | undefined;
  /** Hessian over the flattened parameters, [n, n]. */
  readonly hessianFn?: (() => NDArray) | undefined;
  /** Residuals at other parameters, of a loss that is half the sum of their squares. */
  readonly residualFn?: ((params: never) => unknown) | undefined;
  readonly aux?: unknown;
  readonly [name: string]: unknown;
}

const sources: Record<string, string> = {
  ggnvpFn: "oracle({ model, loss })(params, batch)",
  residualFn: "oracle({ residuals })(params, batch)",
};

/** @throws MissingExtraError naming the optimizer, what it needs, and where that comes from. */
export function requireExtra<T>(extra: Extras, name: string, optimizer: string): T {
  const value = extra[name];
  if (value === undefined)
    throw new MissingExtraError({ fn: `${optimizer}.update`, arg: `extra.${name}`, expected: `the extra argument \`${name}\``, got: Object.keys(extra).length ? `only ${Object.keys(extra).join(", ")}` : "no extra arguments", fix: `call update(grads, state, params, ${sources[name] ?? "oracle(lossFn)(params, batch)"})` });
  return value as T;
}

export type ValueFn = (params: unknown) => NDArray;
export type ValueAndGradFn = (params: unknown) => readonly [NDArray, unknown];
export type TreeFn = (v: unknown) => unknown;
