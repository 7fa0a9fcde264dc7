import { ArgumentError, cond, type NDArray, np, random, tree } from "@hessia/core";
import { type Extras, requireExtra, type TreeFn } from "../transform/extras.js";
import { type GradientTransformation, requireParams, transformation } from "../transform/transformation.js";
import { addTrees, castLike, increment, mapTree, scaleTree, zeroCount, zerosLike } from "../transform/tree-math.js";

/** A seed, or a key of `random.key`. */
export type KeyLike = number | NDArray;
export const asKey = (key: KeyLike): NDArray => (typeof key === "number" ? random.key(key) : key);

/** A tree of independent signs like `params`. */
export function rademacherLike<T>(key: NDArray, params: T): T {
  const [leaves, def] = tree.flatten<NDArray>(params);
  const keys = random.split(key, Math.max(1, leaves.length));
  return tree.unflatten<T>(def, leaves.map((x, i) => random.rademacher(keys.get(i), x.shape, { dtype: x.dtype })));
}

/**
 * `mean of z * (H z)` over random signs z: an unbiased estimate of the Hessian's diagonal (Bekas, Kokiopoulou & Saad 2007; Hutchinson 1989).
 * `extra.probes` (one tree, or a list of them) replaces the random vectors.
 */
export function estimateDiagonal(key: NDArray, params: unknown, extra: Extras, nSamples: number, optimizer: string, hvp: TreeFn): unknown {
  const given = extra["probes"];
  const probes: unknown[] = given === undefined ? [...random.split(key, nSamples)].map((k) => rademacherLike(k, params)) : Array.isArray(given) && !Array.isArray(params) ? given : [given];
  if (probes.length === 0) throw new ArgumentError({ fn: `${optimizer}.update`, arg: "extra.probes", expected: "at least one tree of signs", got: "none", fix: "leave it out to draw them" });
  const products = probes.map((z) => mapTree((a, b) => np.multiply(a, b), castLike(hvp(castLike(z, params)), params), castLike(z, params)));
  return scaleTree(1 / products.length, products.reduce((a, b) => addTrees(a, b)));
}

/** Hessian products that may be computed in a branch: nothing of them is shared with code outside of it. */
export function freshHvp(extra: Extras, params: unknown, optimizer: string): TreeFn {
  const at = extra["hvpAtFn"] as ((p: unknown, v: unknown) => unknown) | undefined;
  return at ? (v) => at(params, v) : (requireExtra(extra, "hvpFn", optimizer) as TreeFn);
}

export interface HutchinsonState { readonly key: NDArray; readonly count: NDArray; readonly diagonal: unknown }
export interface HutchinsonOptions {
  readonly key?: KeyLike;
  /** Random vectors averaged in one estimate (default 1). */
  readonly nSamples?: number;
  /** A new estimate every so many steps; the last one in between (default 1). */
  readonly updateEvery?: number;
}

/**
 * Replaces the updates by an estimate of the Hessian's diagonal. Needs the extra argument hvpFn.
 * @throws MissingExtraError without it.
 * @example const [diagonal, next] = hutchinson({ nSamples: 4 }).update(g, state, params, oracle(loss)(params));
 */
export const hutchinson = (options: HutchinsonOptions = {}): GradientTransformation<HutchinsonState> => hutchinsonFor("hutchinson", options);

/** `hutchinson` as a part of another optimizer, which its errors name. */
export function hutchinsonFor(name: string, options: HutchinsonOptions): GradientTransformation<HutchinsonState> {
  const { key = 0, nSamples = 1, updateEvery = 1 } = options;
  for (const [arg, n] of [["nSamples", nSamples], ["updateEvery", updateEvery]] as const)
    if (!Number.isInteger(n) || n < 1) throw new ArgumentError({ fn: name, arg, expected: "an integer of at least 1", got: String(n), fix: "use 1" });
  const init = (params: unknown): HutchinsonState => ({ key: asKey(key), count: zeroCount(), diagonal: zerosLike(params) });
  return transformation<HutchinsonState>(name, init, (_grads, state, given, extra) => {
    const params = requireParams(given, name);
    const keys = random.split(state.key, 2);
    const estimate = (hvp: TreeFn) => castLike(estimateDiagonal(keys.get(1), params, extra, nSamples, name, hvp), state.diagonal);
    const diagonal = updateEvery === 1
      ? estimate(requireExtra<TreeFn>(extra, "hvpFn", name))
      : ((hvp: TreeFn) => cond(np.equal(np.mod(state.count, updateEvery), 0), () => estimate(hvp), () => state.diagonal))(freshHvp(extra, params, name));
    return [diagonal, { key: keys.get(0), count: increment(state.count), diagonal }];
  });
}
