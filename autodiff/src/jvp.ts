import { ArgumentError, type ArrayLike, NDArray, tree, type TreeDef } from "@hessia/core";
import { currentTrace, flattenArgs, flattenResult, runTrace } from "@hessia/core/extend";
import { flattenTangents, leafOfTangent, splitAux, requireCallable } from "./arguments.js";
import { deviceToUse, onDevice } from "./devices.js";
import { installDerivatives } from "./install.js";
import { JvpTrace } from "./jvp-trace.js";
import type { Tangent } from "./zero.js";

installDerivatives();

/** @internal What `jvp` computes, flat. */
export interface FlatJvp {
  readonly primals: NDArray[];
  readonly tangents: Tangent[];
  readonly tree: TreeDef;
  readonly aux: unknown;
}

/** @internal Runs `f` on values with tangents. */
export function runJvp(f: (xs: NDArray[]) => unknown, primals: readonly NDArray[], tangents: readonly Tangent[], fn: string, hasAux?: boolean): FlatJvp {
  const trace = new JvpTrace(currentTrace(), fn);
  const { outs, def, aux } = onDevice(deviceToUse(primals), () => runTrace(trace, () => {
    const [out, rest] = splitAux(f(primals.map((x, i) => trace.wrap(x, tangents[i]!))), hasAux, fn);
    const [leaves, d] = flattenResult(out, fn);
    return { outs: leaves.map((y) => trace.unwrap(y)), def: d, aux: dropTangents(rest, trace) };
  }));
  return { primals: outs.map(([y]) => y), tangents: outs.map(([, t]) => t), tree: def, aux };
}

/** Auxiliary results leave the transform as plain values. */
export function dropTangents(aux: unknown, trace: JvpTrace): unknown {
  if (aux === undefined) return undefined;
  const [leaves, def] = tree.flatten(aux);
  return tree.unflatten(def, leaves.map((x) => (x instanceof NDArray ? trace.unwrap(x)[0] : x)));
}

/** What NumPy's functions take, as a whole: its tangent is an array. (Leaf by leaf this recursive type would have no end.) */
type IsArrayLike<T> = unknown extends T ? false : [ArrayLike] extends [T] ? true : false;
/** The type of the tangent of a `T`: arrays for arrays and numbers, leaf by leaf. */
export type TangentOf<T> = IsArrayLike<T> extends true ? NDArray : TangentOfTree<T>;
type TangentOfTree<T> = T extends NDArray | number | boolean | ArrayBufferView
  ? NDArray
  : T extends (...args: never) => unknown
    ? T
    : T extends readonly unknown[] | object
      ? { -readonly [K in keyof T]: TangentOf<T[K]> }
      : T;
/** What may be given as the tangent of a `T`: numbers for scalars too, null for integers. */
export type TangentLike<T> = IsArrayLike<T> extends true ? NDArray | number | ArrayBufferView | null : TangentLikeTree<T>;
type TangentLikeTree<T> = T extends NDArray | number | boolean | ArrayBufferView
  ? NDArray | number | ArrayBufferView | null
  : T extends (...args: never) => unknown
    ? T
    : T extends readonly unknown[] | object
      ? { readonly [K in keyof T]: TangentLike<T[K]> }
      : T | null;

export interface AuxOption<Aux extends boolean> {
  /** `f` returns `[output, aux]`; aux is passed on as it is. */
  readonly hasAux?: Aux;
}

export function requireTuple(x: unknown, fn: string, arg: string): asserts x is readonly unknown[] {
  if (!Array.isArray(x)) throw new ArgumentError({ fn, arg, expected: `an array with one entry for each argument, as in ${fn}(f, [x], [v])`, got: x instanceof NDArray ? "an NDArray" : typeof x, fix: "wrap it in [ ]" });
}

/**
 * Jacobian-vector product: `[f(x), J(x) v]`, computed in one forward pass. Primals and tangents are lists with one entry for each
 * argument of `f`; a tangent has the structure, shapes and dtypes of its primal, with `null` for integers.
 * @throws TreeError, ShapeError, DTypeError for tangents that do not match.
 * @example jvp((x: NDArray) => x.sin(), [np.array([0, 1])], [np.array([1, 1])])[1]; // cos(x)
 */
export function jvp<A extends readonly unknown[], R>(f: (...args: A) => R, primals: readonly [...A], tangents: { readonly [K in keyof A]: TangentLike<A[K]> }, options?: AuxOption<false>): [R, TangentOf<R>];
export function jvp<A extends readonly unknown[], R, X>(f: (...args: A) => readonly [R, X], primals: readonly [...A], tangents: { readonly [K in keyof A]: TangentLike<A[K]> }, options: AuxOption<true>): [R, TangentOf<R>, X];
export function jvp(f: (...args: never) => unknown, primals: readonly unknown[], tangents: readonly unknown[], options: AuxOption<boolean> = {}): unknown {
  requireCallable(f, "jvp");
  requireTuple(primals, "jvp", "primals");
  requireTuple(tangents, "jvp", "tangents");
  const [leaves, def] = flattenArgs(primals, "jvp");
  const flat = flattenTangents(tangents, def, leaves.map((x) => x.aval), "jvp", "tangents", "tangent");
  const out = runJvp((xs) => (f as (...a: unknown[]) => unknown)(...tree.unflatten<unknown[]>(def, xs)), leaves, flat, "jvp", options.hasAux);
  const result = [tree.unflatten(out.tree, out.primals), onDevice(deviceToUse(leaves), () => tree.unflatten(out.tree, out.tangents.map(leafOfTangent)))];
  return options.hasAux ? [...result, out.aux] : result;
}

