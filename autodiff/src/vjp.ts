import { DerivativeError, DTypeError, type NDArray, ShapeDtype, tree } from "@hessia/core";
import { type Aval, currentTrace, flattenArgs, flattenResult, formatAval, hasTangent, leafToArray, runTrace } from "@hessia/core/extend";
import { flattenTangents, leafOfTangent, requireCallable } from "./arguments.js";
import { backwardPass } from "./backward-pass.js";
import { deviceToUse, onDevice } from "./devices.js";
import { installDerivatives } from "./install.js";
import type { TangentLike, TangentOf } from "./jvp.js";
import { type Linearized, linearizeFlat } from "./linearize.js";
import { LinearTrace } from "./linear-trace.js";
import { isNonzero } from "./zero.js";

installDerivatives();

type Tangents<A extends readonly unknown[]> = { -readonly [K in keyof A]: TangentOf<A[K]> };
type TangentsLike<A extends readonly unknown[]> = { readonly [K in keyof A]: TangentLike<A[K]> };

/** The linear function that pulls a cotangent of the output back to the arguments: `u -> J^T u`. */
export interface Pullback<A extends readonly unknown[], R> {
  (cotangent: TangentLike<R>): Tangents<A>;
  /** Frees the residuals of the forward pass; not needed, but early. */
  dispose(): void;
}
/** The derivative at a point as a function: `(...tangents) -> J v`. */
export interface Pushforward<A extends readonly unknown[], R> {
  (...tangents: TangentsLike<A>): TangentOf<R>;
  dispose(): void;
}

/** An example, or the type alone. */
export type SpecOf<T> = T extends NDArray | number ? NDArray | ShapeDtype | number : T extends (...args: never) => unknown ? T : T extends readonly unknown[] | object ? { readonly [K in keyof T]: SpecOf<T[K]> } : T;

function start(f: (...args: never) => unknown, primals: readonly unknown[], fn: string, hasAux: boolean) {
  requireCallable(f, fn);
  const [leaves, def] = flattenArgs(primals, fn);
  const lin = linearizeFlat((xs) => (f as (...a: unknown[]) => unknown)(...tree.unflatten<unknown[]>(def, xs)), leaves, fn, hasAux);
  return { lin, def, types: leaves.map((x) => x.aval), out: tree.unflatten(lin.tree, lin.primals) };
}

function pullback(lin: Linearized, def: ReturnType<typeof tree.structure>, fn: string): Pullback<readonly unknown[], unknown> {
  const outTypes = lin.primals.map((y) => y.aval);
  const outTree = lin.tree;
  const pull = (cotangent: unknown) => {
    const cts = flattenTangents(cotangent, outTree, outTypes, fn, "cotangent", "cotangent");
    return onDevice(lin.device, () => tree.unflatten<unknown[]>(def, lin.pull(cts).map(leafOfTangent)));
  };
  return Object.assign(pull, { dispose: () => lin.dispose() }) as Pullback<readonly unknown[], unknown>;
}

/**
 * Vector-Jacobian product: `[f(x), u -> J(x)^T u]`. The pullback may be called many times; it gives one cotangent for each argument, with
 * `null` for integers.
 * @throws TreeError, ShapeError, DTypeError (from the pullback) for a cotangent that does not match the output.
 * @example const [y, pull] = vjp((x: NDArray) => x.sin(), np.array([0, 1])); pull(np.ones([2]))[0]; // cos(x)
 */
export function vjp<A extends readonly unknown[], R>(f: (...args: A) => R, ...primals: A): [R, Pullback<A, R>] {
  const { lin, def, out } = start(f, primals, "vjp", false);
  return [out as R, pullback(lin, def, "vjp") as unknown as Pullback<A, R>];
}

/** `vjp` of a function that returns `[output, aux]`: `[output, pullback, aux]`. */
export function vjpWithAux<A extends readonly unknown[], R, X>(f: (...args: A) => readonly [R, X], ...primals: A): [R, Pullback<A, R>, X] {
  const { lin, def, out } = start(f, primals, "vjp", true);
  return [out as R, pullback(lin, def, "vjp") as unknown as Pullback<A, R>, lin.aux as X];
}

function pushforward(s: ReturnType<typeof start>): Pushforward<readonly unknown[], unknown> {
  const push = (...tangents: unknown[]) => {
    const flat = flattenTangents(tangents, s.def, s.types, "linearize", "tangents", "tangent");
    return onDevice(s.lin.device, () => tree.unflatten(s.lin.tree, s.lin.push(flat).map(leafOfTangent)));
  };
  return Object.assign(push, { dispose: () => s.lin.dispose() }) as Pushforward<readonly unknown[], unknown>;
}

/**
 * Value of a function and its derivative as a linear function `(...tangents) -> J v`, which runs no nonlinear part again.
 * @example const [y, df] = linearize((x: NDArray) => x.sin(), np.array(0.5)); df(1); // cos(0.5)
 */
export function linearize<A extends readonly unknown[], R>(f: (...args: A) => R, ...primals: A): [R, Pushforward<A, R>] {
  const s = start(f, primals, "linearize", false);
  return [s.out as R, pushforward(s) as unknown as Pushforward<A, R>];
}
/** `linearize` of a function that returns `[output, aux]`: `[output, pushforward, aux]`. */
export function linearizeWithAux<A extends readonly unknown[], R, X>(f: (...args: A) => readonly [R, X], ...primals: A): [R, Pushforward<A, R>, X] {
  const s = start(f, primals, "linearize", true);
  return [s.out as R, pushforward(s) as unknown as Pushforward<A, R>, s.lin.aux as X];
}

/**
 * Transpose of a linear function: `u -> A^T u`, a list with one result for each argument. Arguments are given by examples or by
 * `ShapeDtype`s; only their types matter.
 * @throws DerivativeError when `f` is not linear in all its arguments; DTypeError for integer ones.
 * @example linearTranspose((x: NDArray) => np.matmul(A, x), new ShapeDtype([3], "float64"))(np.ones([2]))[0]; // A^T 1
 */
export function linearTranspose<A extends readonly unknown[], R>(f: (...args: A) => R, ...specs: { readonly [K in keyof A]: SpecOf<A[K]> }): (cotangent: TangentLike<R>) => Tangents<A> {
  const fn = "linearTranspose";
  requireCallable(f, fn);
  const [leaves, def] = tree.flatten(specs);
  const types = leaves.map((x, i): Aval => (x instanceof ShapeDtype ? { shape: x.shape, dtype: x.dtype, weak: x.weak } : leafToArray(x, fn, () => `argument ${i}`).aval));
  types.forEach((t, i) => {
    if (!hasTangent(t)) throw new DTypeError({ fn, arg: tree.formatPath(tree.pathsOf(def)[i]!), expected: "a floating-point argument", got: formatAval(t), fix: "close over integers instead of passing them" });
  });
  const named = <T>(run: () => T): T => {
    try {
      return run();
    } catch (e) {
      if (!(e instanceof DerivativeError)) throw e;
      throw new DerivativeError({ fn, arg: "f", expected: "a function that is linear in all its arguments", got: e.parts.got, fix: "use vjp for functions that are not linear" }, { cause: e });
    }
  };
  const linear = new LinearTrace(currentTrace());
  const { map, outTree, outTypes, depends } = named(() => runTrace(linear, () => {
    const [outs, outDef] = flattenResult(f(...(tree.unflatten<unknown[]>(def, types.map((t) => linear.input(t))) as unknown as A)), fn);
    return { map: linear.finish(outs.filter((y) => linear.isLinear(y))), outTree: outDef, outTypes: outs.map((y) => y.aval), depends: outs.map((y) => linear.isLinear(y)) };
  }));
  return (cotangent) => {
    const cts = flattenTangents(cotangent, outTree, outTypes, fn, "cotangent", "cotangent");
    return onDevice(deviceToUse(cts.filter(isNonzero)), () => {
      const out = named(() => backwardPass(map.program, map.residuals, cts.filter((_, i) => depends[i])));
      return tree.unflatten<Tangents<A>>(def, out.map(leafOfTangent));
    });
  };
}
