import { ArgumentError, NDArray, np, tree, TreeError } from "@hessia/core";
import { isDict, type VariableTree } from "./modules/variables.js";

/** Picks parameters: by a pattern of the path `Dense_0/kernel`, a part of it, or a function of path and array. */
export type ParameterFilter = string | RegExp | ((path: string, value: NDArray) => boolean);

const matcher = (filter: ParameterFilter): ((path: string, value: NDArray) => boolean) => {
  if (typeof filter === "function") return filter;
  // A pattern with the flag g remembers where it stopped: test a fresh one.
  if (filter instanceof RegExp) return (path) => new RegExp(filter.source, filter.flags.replace("g", "")).test(path);
  if (typeof filter === "string") return (path) => path.split("/").includes(filter);
  throw new ArgumentError({ fn: "parameters", arg: "filter", expected: "a name, a regular expression or a function", got: typeof filter, fix: 'for example "bias" or /Dense_0/' });
};

/** Parameters by path: `{ "Dense_0/kernel": array }`. @example Object.keys(nn.flattenParams(variables.params)) */
export function flattenParams(params: VariableTree): Record<string, NDArray> {
  return Object.fromEntries(tree.flattenWithPath<NDArray>(params)[0].map(([path, x]) => [path.join("/"), x]));
}
/** Inverse of `flattenParams`. @throws TreeError when a path runs through an array. */
export function unflattenParams(flat: Readonly<Record<string, NDArray>>): VariableTree {
  const out: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const names = path.split("/");
    let node = out;
    for (const name of names.slice(0, -1)) {
      const next = Object.hasOwn(node, name) ? node[name] : (node[name] = {});
      if (!isDict(next)) throw new TreeError({ fn: "unflattenParams", arg: path, expected: `an object at ${name}`, got: "an array", fix: "no path may be the beginning of another" });
      node = next;
    }
    node[names.at(-1)!] = value;
  }
  return out;
}

/** Number of elements of all arrays. @example nn.countParams(variables.params) */
export const countParams = (params: unknown): number => tree.leaves<NDArray>(params).reduce((n, x) => n + x.size, 0);
/** Bytes of all arrays. */
export const paramBytes = (params: unknown): number => tree.leaves<NDArray>(params).reduce((n, x) => n + x.nbytes, 0);

/** The same variables with all floats in another dtype: float64 for exact curvature. @example nn.castVariables(net.init(key, x), "float64") */
export const castVariables = <T>(variables: T, dtype: "float32" | "float64"): T => tree.map((x: NDArray) => (x.dtype === "float32" || x.dtype === "float64" ? x.astype(dtype) : x), variables) as T;

/** True for the parameters that the filter picks, in the same structure: a mask for optimizers. @example nn.maskParams(params, "kernel") // decay kernels only */
export const maskParams = (params: VariableTree, filter: ParameterFilter): VariableTree => {
  const picks = matcher(filter);
  return tree.mapWithPath((path, x: NDArray) => picks(path.join("/"), x), params);
};

/**
 * Splits parameters in two trees: those that the filter picks, and the rest. Differentiate in the one, keep the other frozen, and put
 * them together with `mergeParams`.
 * @example const [head, frozen] = nn.partitionParams(params, /^head/);
 *   grad((p) => loss(net.apply({ params: nn.mergeParams(p, frozen) }, x)))(head);
 */
export function partitionParams(params: VariableTree, filter: ParameterFilter): [picked: VariableTree, rest: VariableTree] {
  const picks = matcher(filter);
  const entries = Object.entries(flattenParams(params));
  const part = (wanted: boolean): VariableTree => unflattenParams(Object.fromEntries(entries.filter(([path, x]) => picks(path, x) === wanted)));
  return [part(true), part(false)];
}
/** Parameters of several trees in one. @throws TreeError when two trees have a parameter of the same path. */
export function mergeParams(...parts: readonly VariableTree[]): VariableTree {
  const all: Record<string, NDArray> = {};
  for (const part of parts)
    for (const [path, x] of Object.entries(flattenParams(part))) {
      if (Object.hasOwn(all, path)) throw new TreeError({ fn: "mergeParams", arg: path, expected: "each parameter in one of the trees", got: "the same path twice", fix: "merge what partitionParams gave" });
      all[path] = x;
    }
  return unflattenParams(all);
}

/** Variables of several networks of one kind, stacked along a new leading axis: map over it with `vmap`. @example vmap((v) => net.apply(v, x))(nn.stackVariables([v1, v2])) */
export function stackVariables<T>(list: readonly T[]): T {
  if (list.length === 0) throw new ArgumentError({ fn: "stackVariables", arg: "list", expected: "at least one tree of variables", got: "none", fix: "pass [net.init(k1, x), net.init(k2, x)]" });
  return tree.map((...xs: NDArray[]) => np.stack(xs), list[0], ...list.slice(1)) as T;
}
/** Inverse of `stackVariables`. */
export function unstackVariables<T>(stacked: T): T[] {
  const first = tree.leaves<NDArray>(stacked)[0];
  if (!(first instanceof NDArray) || first.ndim === 0) throw new ArgumentError({ fn: "unstackVariables", arg: "stacked", expected: "arrays with a leading axis", got: first instanceof NDArray ? "scalars" : "no arrays", fix: "pass what stackVariables gave" });
  return Array.from({ length: first.shape[0]! }, (_, i) => tree.map((x: NDArray) => x.get(i), stacked) as T);
}
