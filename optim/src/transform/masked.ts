import { ArgumentError, type ArrayLike, np, type NDArray, tree } from "@hessia/core";
import type { Extras } from "./extras.js";
import { type GradientTransformation, transformation } from "./transformation.js";
import { setToZero } from "./chain.js";
import { zerosLike } from "./tree-math.js";

/** Booleans in the structure of the parameters (or of a prefix of it), or a function that makes them from the parameters. */
export type Mask = unknown | ((params: never) => unknown);

/** Which leaves a mask selects, and the ways between full and reduced trees. A leaf that is left out becomes `null`. */
class Selection {
  readonly #flags: readonly boolean[];
  readonly #def: ReturnType<typeof tree.structure>;
  constructor(mask: Mask, reference: unknown, fn: string) {
    this.#def = tree.structure(reference);
    const flags = tree.broadcastPrefix(typeof mask === "function" ? (mask as (p: unknown) => unknown)(reference) : mask, this.#def, fn, "mask");
    const bad = flags.find((f) => typeof f !== "boolean");
    if (bad !== undefined) throw new ArgumentError({ fn, arg: "mask", expected: "booleans", got: String(bad), fix: "masks are fixed while tracing: use true and false" });
    this.#flags = flags as boolean[];
  }
  reduce(full: unknown): unknown {
    return tree.unflatten(this.#def, tree.leaves(full).map((x, i) => (this.#flags[i] ? x : null)));
  }
  /** The selected leaves from `part`, the others from `full`. */
  merge(part: unknown, full: unknown): unknown {
    const chosen = tree.leaves(part);
    let next = 0;
    return tree.unflatten(this.#def, tree.leaves(full).map((x, i) => (this.#flags[i] ? chosen[next++] : x)));
  }
  /** Positions of the selected elements in the flattened parameters. */
  positions(full: unknown): number[] {
    const out: number[] = [];
    let at = 0;
    tree.leaves<ArrayLike>(full).forEach((x, i) => {
      const n = np.asarray(x).size;
      if (this.#flags[i]) for (let k = 0; k < n; k++) out.push(at + k);
      at += n;
    });
    return out;
  }
  /** Extra arguments as a function of the selected parameters alone. */
  extras(extra: Extras, params: unknown): Extras {
    const lazy: Record<string, unknown> = {};
    const redefine = (name: string, make: (value: never) => unknown) => {
      if (name in extra) Object.defineProperty(lazy, name, { enumerable: true, configurable: true, get: () => (extra[name] === undefined ? undefined : make(extra[name] as never)) });
    };
    type Fn = (x: unknown) => unknown;
    for (const name in extra) redefine(name, (v) => v); // inherited ones too (withExtras)
    redefine("grad", (g) => this.reduce(g));
    redefine("valueFn", (f: Fn) => (p: unknown) => f(this.merge(p, params)));
    redefine("residualFn", (f: Fn) => (p: unknown) => f(this.merge(p, params)));
    redefine("gradFn", (f: Fn) => (p: unknown) => this.reduce(f(this.merge(p, params))));
    redefine("valueAndGradFn", (f: Fn) => (p: unknown) => {
      const [value, grad] = f(this.merge(p, params)) as [NDArray, unknown];
      return [value, this.reduce(grad)];
    });
    const product = (f: Fn) => (v: unknown) => this.reduce(f(this.merge(v, zerosLike(params))));
    redefine("hvpFn", product);
    redefine("ggnvpFn", product);
    redefine("hvpAtFn", (f: (p: unknown, v: unknown) => unknown) => (p: unknown, v: unknown) => this.reduce(f(this.merge(p, params), this.merge(v, zerosLike(params)))));
    redefine("hessianDiagFn", (f: Fn) => () => this.reduce(f(undefined)));
    redefine("hessianFn", (f: () => NDArray) => () => {
      const at = np.asarray(Int32Array.from(this.positions(params)));
      return np.take(np.take(f(), at, 0), at, 1);
    });
    return lazy as Extras;
  }
}

/**
 * Applies a transformation to the leaves that the mask selects; the others pass unchanged. Extra arguments are restricted alike, so that
 * second-order methods work on a part of the parameters.
 * @throws TreeError for a mask that is no prefix of the parameters; ArgumentError for entries that are not booleans.
 * @example masked(addDecayedWeights(1e-4), (params) => tree.map((p) => p.ndim > 1, params))
 */
export function masked(inner: GradientTransformation, mask: Mask): GradientTransformation<{ readonly inner: unknown }> {
  return transformation<{ readonly inner: unknown }>("masked", (params) => ({ inner: inner.init(new Selection(mask, params, "masked").reduce(params)) }), (grads, state, params, extra) => {
    const s = new Selection(mask, params ?? grads, "masked");
    const [updates, next] = inner.update(s.reduce(grads), state.inner, params === undefined ? undefined : s.reduce(params), params === undefined ? extra : s.extras(extra, params));
    return [s.merge(updates, grads), { inner: next }];
  });
}

/** Labels in the structure of the parameters (or a prefix), or a function that makes them. */
export type Labels = unknown | ((params: never) => unknown);

/**
 * One optimizer for each label; every leaf of the parameters is moved by the optimizer of its label.
 * @throws ArgumentError for a label without an optimizer.
 * @example partition({ body: adam(1e-3), head: sgd(0.1) }, { dense1: "body", dense2: "head" })
 */
export function partition(optimizers: Readonly<Record<string, GradientTransformation>>, labels: Labels): GradientTransformation<Readonly<Record<string, unknown>>> {
  const labelsOf = (params: unknown): { list: unknown[]; def: ReturnType<typeof tree.structure> } => {
    const def = tree.structure(params);
    const list = tree.broadcastPrefix(typeof labels === "function" ? (labels as (p: unknown) => unknown)(params) : labels, def, "partition", "labels");
    const bad = list.find((l) => !Object.hasOwn(optimizers, String(l)));
    if (bad !== undefined) throw new ArgumentError({ fn: "partition", arg: "labels", expected: `one of ${Object.keys(optimizers).join(", ")}`, got: String(bad), fix: "add an optimizer for it" });
    return { list, def };
  };
  const parts = (params: unknown): [string, GradientTransformation][] => {
    const { list, def } = labelsOf(params);
    return Object.entries(optimizers).map(([label, t]) => [label, masked(t, tree.unflatten(def, list.map((l) => String(l) === label)))]);
  };
  return transformation<Readonly<Record<string, unknown>>>("partition", (params) => Object.fromEntries(parts(params).map(([label, t]) => [label, t.init(params)])), (grads, state, params, extra) => {
    let updates = grads;
    const next = parts(params ?? grads).map(([label, t]) => {
      const [u, s] = t.update(updates, state[label], params, extra);
      updates = u;
      return [label, s] as const;
    });
    return [updates, Object.fromEntries(next)];
  });
}
export const multiTransform = partition;

/** Parameters under the mask get updates of zero. @example chain(adam(1e-3), freeze({ embedding: true, head: false })) */
export const freeze = (mask: Mask): GradientTransformation => masked(setToZero(), mask);

/** Applies `inner` where the mask is true and leaves everything else where it is. */
export function selectiveTransform(inner: GradientTransformation, mask: Mask): GradientTransformation {
  return partition({ train: inner, stay: setToZero() }, (params: never) => {
    const flags = tree.broadcastPrefix(typeof mask === "function" ? (mask as (p: unknown) => unknown)(params) : mask, tree.structure(params), "selectiveTransform", "mask");
    return tree.unflatten(tree.structure(params), flags.map((f) => (f ? "train" : "stay")));
  });
}
