import { ArgumentError, type NDArray, tree } from "@hessia/core";
import { convertTo, reshapeTo, runBatched, shape } from "@hessia/core/extend";
import { type Argnums, flattenTangents, leafOfTangent } from "./arguments.js";
import { assemble, type Chosen, requireScalar, setUp, type Setup } from "./grad.js";
import { deviceToUse, onDevice } from "./devices.js";
import { installDerivatives } from "./install.js";
import { requireTuple, runJvp, type TangentLike } from "./jvp.js";
import { linearizeFlat } from "./linearize.js";
import { slice } from "./ops.js";
import { ordinary, unitVectors } from "./jacobian.js";
import { fill, instantiate, type Tangent, Zero } from "./zero.js";

installDerivatives();

/** How a Hessian-vector product is composed; all agree to rounding. */
export type HvpMode = "fwd-over-rev" | "rev-over-rev" | "rev-over-fwd";

export interface HvpOptions<I extends Argnums = 0, Aux extends boolean = false> {
  /** Default "fwd-over-rev": one gradient's memory, no transpose of the gradient. */
  readonly mode?: HvpMode;
  /** Arguments to differentiate by (default 0). */
  readonly argnums?: I;
  /** `f` returns `[output, aux]`. */
  readonly hasAux?: Aux;
}

type TangentArgs<A extends readonly unknown[], I extends Argnums> = I extends readonly number[] ? { readonly [K in keyof I]: TangentLike<A[I[K] & keyof A]> } : readonly [I extends keyof A ? TangentLike<A[I]> : unknown];

const intFix = "convert it with astype, or leave the argument out of argnums";

function prepare(f: (...args: never) => unknown, primals: readonly unknown[], argnums: Argnums, fn: string): Setup {
  requireTuple(primals, fn, "primals");
  return setUp(f, primals, argnums, fn, intFix);
}
function tangentsOf(setup: Setup, tangents: unknown, fn: string): Tangent[] {
  requireTuple(tangents, fn, "tangents");
  return flattenTangents(tangents, setup.flat.tree, setup.flat.leaves.map((x) => x.aval), fn, "tangents", "tangent");
}

/** The gradient as a flat function; with aux as its last word. */
function gradient(setup: Setup, fn: string, hasAux: boolean | undefined): (xs: NDArray[]) => [NDArray[], unknown] {
  return (xs) => {
    const lin = linearizeFlat(setup.call, xs, fn, hasAux);
    const type = requireScalar(lin, fn);
    return [lin.pull([fill({ ...type, weak: false }, 1)]).map(instantiate), lin.aux ?? null];
  };
}

/**
 * Hessian-vector product of a scalar-valued function: `[gradient, H v]`, without ever forming H. `primals` lists all arguments, `tangents`
 * one vector for each differentiated one, with its structure, shapes and dtypes. The memory is that of a gradient.
 * Pearlmutter 1994, "Fast exact multiplication by the Hessian".
 * @throws As `grad` and `jvp`.
 * @example hvp((x: NDArray) => np.sum(x.pow(3)), [np.array([1, 2])], [np.array([1, 0])]); // [[3, 12], [6, 0]]
 */
export function hvp<A extends readonly unknown[], R, const I extends Argnums = 0>(f: (...args: A) => R, primals: readonly [...A], tangents: TangentArgs<A, I>, options?: HvpOptions<I, false>): [Chosen<A, I>, Chosen<A, I>];
export function hvp<A extends readonly unknown[], R, X, const I extends Argnums = 0>(f: (...args: A) => readonly [R, X], primals: readonly [...A], tangents: TangentArgs<A, I>, options: HvpOptions<I, true>): [Chosen<A, I>, Chosen<A, I>, X];
export function hvp(f: (...args: never) => unknown, primals: readonly unknown[], tangents: unknown, options: HvpOptions<Argnums, boolean> = {}): unknown {
  const setup = prepare(f, primals, options.argnums ?? 0, "hvp");
  return onDevice(deviceToUse(setup.flat.leaves), () => {
    const { g, hv, aux } = compose(setup, tangentsOf(setup, tangents, "hvp"), options);
    const result = [assemble(setup, g.map(leafOfTangent)), assemble(setup, hv.map(leafOfTangent))];
    return options.hasAux ? [...result, aux] : result;
  });
}

function compose(setup: Setup, v: readonly Tangent[], { mode = "fwd-over-rev", hasAux }: HvpOptions<Argnums, boolean>): { g: Tangent[]; hv: Tangent[]; aux: unknown } {
  const x = setup.flat.leaves;
  if (mode === "fwd-over-rev") {
    const out = runJvp(gradient(setup, "hvp", hasAux), x, v, "hvp", true);
    return { g: out.primals, hv: out.tangents, aux: out.aux };
  }
  if (mode === "rev-over-rev") {
    const lin = linearizeFlat(gradient(setup, "hvp", hasAux), x, "hvp", true);
    return { g: lin.primals, hv: lin.pull(v), aux: lin.aux };
  }
  if (mode === "rev-over-fwd") {
    const lin = linearizeFlat((xs) => {
      const out = runJvp(setup.call, xs, v, "hvp", hasAux);
      requireScalar(out, "hvp");
      return [[out.primals[0]!, instantiate(out.tangents[0]!)], out.aux ?? null];
    }, x, "hvp", true);
    // Symbolic zeros: written-out ones would meet infinities of the part that they switch off.
    const [value, slope] = lin.primals.map((y) => ({ ...y.aval, weak: false }));
    return { g: lin.pull([fill(value!, 1), new Zero(slope!)]), hv: lin.pull([new Zero(value!), fill(slope!, 1)]), aux: lin.aux };
  }
  throw new ArgumentError({ fn: "hvp", arg: "mode", expected: '"fwd-over-rev", "rev-over-rev" or "rev-over-fwd"', got: String(mode), fix: "choose one of them" });
}

/** `v -> H v` at a fixed point; v and the result have the structure of the gradient. */
export interface HessianProduct<D> {
  (v: D): D;
  /** The gradient at the point. */
  readonly gradient: D;
  /** Frees what was kept of the point. */
  dispose(): void;
}

/**
 * Hessian-vector products at one point: linearizes the gradient once, so that each product costs only its linear part. The inner loop of
 * Newton-CG and Lanczos.
 * @throws As `grad`.
 * @example const H = hvpFn((x: NDArray) => np.sum(x.pow(3)), [np.array([1, 2])]); H(np.array([1, 0])); // [6, 0]
 */
export function hvpFn<A extends readonly unknown[], const I extends Argnums = 0>(f: (...args: A) => unknown, primals: readonly [...A], options: { readonly argnums?: I; readonly hasAux?: boolean } = {}): HessianProduct<Chosen<A, I>> {
  const setup = prepare(f, primals, options.argnums ?? 0, "hvpFn");
  const lin = linearizeFlat(gradient(setup, "hvpFn", options.hasAux), setup.flat.leaves, "hvpFn", true);
  const product = (v: unknown): unknown => {
    const given = setup.chosen.single ? [v] : v;
    requireTuple(given, "hvpFn", "v");
    return onDevice(lin.device, () => assemble(setup, lin.push(tangentsOf(setup, given, "hvpFn")).map(leafOfTangent)));
  };
  return Object.assign(product, { gradient: assemble(setup, lin.primals), dispose: () => lin.dispose() }) as HessianProduct<Chosen<A, I>>;
}

/**
 * Vector-Hessian product: `[f(x), v^T H]`, by reverse over reverse mode.
 * @throws As `hvp`.
 * @example vhp((x: NDArray) => np.sum(x.pow(3)), [np.array([1, 2])], [np.array([1, 0])]); // [9, [6, 0]]
 */
export function vhp<A extends readonly unknown[], const I extends Argnums = 0>(f: (...args: A) => NDArray, primals: readonly [...A], tangents: TangentArgs<A, I>, options: { readonly argnums?: I } = {}): [NDArray, Chosen<A, I>] {
  const setup = prepare(f, primals, options.argnums ?? 0, "vhp");
  const v = tangentsOf(setup, tangents, "vhp");
  const lin = linearizeFlat((xs) => {
    const inner = linearizeFlat(setup.call, xs, "vhp");
    const type = requireScalar(inner, "vhp");
    return [inner.pull([fill({ ...type, weak: false }, 1)]).map(instantiate), inner.primals[0]!];
  }, setup.flat.leaves, "vhp", true);
  return [lin.aux as NDArray, onDevice(lin.device, () => assemble(setup, lin.pull(v).map(leafOfTangent))) as Chosen<A, I>];
}

/** Value, slope and curvature of `f` along `v`, at flat arguments. */
function along(setup: Setup, v: readonly Tangent[], fn: string): [NDArray, Tangent, Tangent] {
  const x = setup.flat.leaves;
  const outer = runJvp((xs) => {
    const inner = runJvp(setup.call, xs, v, fn);
    requireScalar(inner, fn);
    return [inner.primals[0]!, instantiate(inner.tangents[0]!)];
  }, x, v, fn);
  return [outer.primals[0]!, outer.primals[1]!, outer.tangents[1]!];
}

/**
 * Second directional derivative: `[f(x), v^T g, v^T H v]`, by nested forward mode without any backward pass.
 * @throws As `jvp`; ShapeError for an output that is not a scalar.
 * @example directionalSecond((x: NDArray) => np.sum(x.pow(3)), [np.array([1, 2])], [np.array([1, 0])]); // [9, 3, 6]
 */
export function directionalSecond<A extends readonly unknown[], const I extends Argnums = 0>(f: (...args: A) => NDArray, primals: readonly [...A], tangents: TangentArgs<A, I>, options: { readonly argnums?: I } = {}): [NDArray, NDArray, NDArray] {
  const setup = prepare(f, primals, options.argnums ?? 0, "directionalSecond");
  return onDevice(deviceToUse(setup.flat.leaves), () => {
    const [y, slope, curvature] = along(setup, tangentsOf(setup, tangents, "directionalSecond"), "directionalSecond");
    return [y, instantiate(slope), instantiate(curvature)];
  });
}

/**
 * Diagonal of the Hessian, exact, as a tree like the argument. Costs one second-order forward pass for each element, all at once:
 * for small problems (estimate it with random vectors for large ones).
 * @throws As `grad`.
 * @example hessianDiag((x: NDArray) => np.sum(x.pow(3)))(np.array([1, 2])); // [6, 12]
 */
export function hessianDiag<A extends readonly unknown[], const I extends Argnums = 0>(f: (...args: A) => NDArray, options: { readonly argnums?: I } = {}): (...args: A) => Chosen<A, I> {
  return (...args) => {
    const setup = prepare(f, args, options.argnums ?? 0, "hessianDiag");
    return onDevice(deviceToUse(setup.flat.leaves), () => diagonal(setup)) as Chosen<A, I>;
  };
}

function diagonal(setup: Setup): unknown {
  const types = setup.flat.leaves.map((x) => x.aval);
  const n = types.reduce((s, t) => s + shape.sizeOf(t.shape), 0);
  if (n === 0) return assemble(setup, types.map((t) => fill({ ...t, weak: false }, 0)));
  const basis = unitVectors(types);
  const { outputs, dims } = runBatched(n, basis, basis.map(() => 0), (vs) => [instantiate(along(setup, vs, "hessianDiag")[2])]);
  if (dims[0] === null) return assemble(setup, types.map((t) => fill({ ...t, weak: false }, 0)));
  const curvatures = ordinary(outputs[0]!);
  // Row k holds the curvature along element k of all leaves.
  let at = 0;
  const leaves = types.map((t) => reshapeTo(convertTo(slice(curvatures, [at], [(at += shape.sizeOf(t.shape))]), t.dtype), t.shape));
  return assemble(setup, leaves);
}

/**
 * Generalized Gauss-Newton product `J^T H_L J v` for `loss(model(params))`: J is the Jacobian of the model, H_L the Hessian of the loss by
 * the model's outputs. Positive semidefinite for convex losses. Schraudolph 2002, "Fast curvature matrix-vector products".
 * @throws As `jvp` and `grad`.
 * @example ggnvp((w: NDArray) => np.matmul(X, w), (z: NDArray) => np.sum(z.mul(z)), w, v); // 2 X^T X v
 */
export function ggnvp<P, Z>(model: (params: P) => Z, loss: (outputs: Z) => NDArray, params: P, v: TangentLike<P>): Chosen<[P], 0> {
  const setup = prepare(model as (...args: never) => unknown, [params], 0, "ggnvp");
  const tangents = tangentsOf(setup, [v], "ggnvp");
  const lin = linearizeFlat(setup.call, setup.flat.leaves, "ggnvp");
  const outer: Setup = {
    flat: { leaves: lin.primals, tree: lin.tree, describe: (i) => `output ${i}` },
    chosen: { positions: [0], single: true },
    call: (zs) => loss(tree.unflatten<Z>(lin.tree, zs)),
  };
  const { hv } = compose(outer, lin.push(tangents), {});
  return assemble(setup, lin.pull(hv).map(leafOfTangent)) as Chosen<[P], 0>;
}
