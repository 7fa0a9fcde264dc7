import { DTypeError, type NDArray, tree, type TreeDef } from "@hessia/core";
import { type Aval, bind1, formatAval, hasTangent, moveBatch, primitiveFamilies, reshapeTo, runBatched, shape, toBatch, Tracer } from "@hessia/core/extend";
import type { Argnums } from "./arguments.js";
import { assemble, type Chosen, type GradOptions, named, type Setup, setUp } from "./grad.js";
import { deviceToUse, onDevice } from "./devices.js";
import { installDerivatives } from "./install.js";
import { runJvp } from "./jvp.js";
import { linearizeFlat } from "./linearize.js";
import { slice } from "./ops.js";
import { fill, isNonzero, type Tangent, Zero } from "./zero.js";

installDerivatives();

const { sizeOf } = shape;

/** The derivative of a tree of outputs by a tree of inputs: each output leaf becomes the tree of inputs, with blocks of shape `out ++ in`. */
export type JacobianOf<R, D> = R extends NDArray | number ? D : R extends (...args: never) => unknown ? R : R extends readonly unknown[] | object ? { -readonly [K in keyof R]: JacobianOf<R[K], D> } : R;

export type JacobianOptions<I extends Argnums = 0, Aux extends boolean = false> = Omit<GradOptions<I, Aux>, "allowInt">;

const count = (types: readonly Aval[]): number => types.reduce((n, t) => n + sizeOf(t.shape), 0);

/** Unit vectors of a list of arrays: for each an array [n, ...shape], where n counts all their elements. */
export function unitVectors(types: readonly Aval[]): NDArray[] {
  const n = count(types);
  let offset = 0;
  return types.map((t) => {
    const vectors = bind1(primitiveFamilies.structural.unitVectors, [], { shape: t.shape, dtype: t.dtype, count: n, offset });
    offset += sizeOf(t.shape);
    return vectors;
  });
}

/** Structural zeros are a matter of derivatives: results have ordinary ones. Values that are known already have no others. */
export const ordinary = (x: NDArray): NDArray => (x instanceof Tracer ? bind1(primitiveFamilies.types.ordinaryZeros, [x], {}) : x);

/** Applies a linear function to all unit vectors at once: for each result an array [n, ...shape]. Result types are asked for once `f` has run. */
export function alongUnitVectors(types: readonly Aval[], outTypes: () => readonly Aval[], f: (v: NDArray[]) => readonly Tangent[]): NDArray[] {
  const n = count(types);
  const wide = (t: Aval): NDArray => fill({ shape: [n, ...t.shape], dtype: t.dtype, weak: false }, 0);
  if (n === 0) return outTypes().map(wide);
  // One direction needs no axis of its own.
  if (n === 1) return f(types.map((t) => fill({ ...t, weak: false }, 1))).map((y) => (y instanceof Zero ? wide(y.aval) : reshapeTo(y, [1, ...y.shape])));
  const basis = unitVectors(types);
  let results: readonly Tangent[] = [];
  const { outputs, dims } = runBatched(n, basis, basis.map(() => 0), (vs) => (results = f(vs)).filter(isNonzero));
  let next = 0;
  return results.map((t) => {
    if (t instanceof Zero) return wide(t.aval);
    const k = next++;
    return ordinary(toBatch(n, outputs[k]!, dims[k]!));
  });
}

/** Cuts the rows of `x` [n, ...rest] into blocks with the shapes of `types`: [...shape, ...rest], or [...rest, ...shape] if `last`. */
function rowBlocks(x: NDArray, types: readonly Aval[], last: boolean): NDArray[] {
  const rest = x.shape.slice(1);
  let at = 0;
  return types.map((t) => {
    const size = sizeOf(t.shape);
    const rows = slice(x, x.shape.map((_, d) => (d === 0 ? at : 0)), x.shape.map((m, d) => (d === 0 ? at + size : m)));
    at += size;
    return last ? reshapeTo(moveBatch(rows, 0, rest.length), [...rest, ...t.shape]) : reshapeTo(rows, [...t.shape, ...rest]);
  });
}

function requireFloatOutputs(outs: readonly Aval[], def: TreeDef, fn: string): void {
  outs.forEach((t, i) => {
    if (!hasTangent(t)) throw new DTypeError({ fn, arg: `output${tree.formatPath(tree.pathsOf(def)[i]!)}`, expected: "a floating-point output", got: formatAval(t), fix: "return it as aux (hasAux), or convert it with astype" });
  });
}

/** `blocks[i][j]`: derivative of output leaf i by input leaf j. */
const assembleBlocks = (setup: Setup, outTree: TreeDef, blocks: readonly (readonly NDArray[])[]): unknown => tree.unflatten(outTree, blocks.map((row) => assemble(setup, row)));

type Mode = "forward" | "reverse" | "auto";
const intFix = "convert it with astype, or leave the argument out of argnums";

function jacobianOf(f: (...args: never) => unknown, args: readonly unknown[], options: JacobianOptions<Argnums, boolean>, mode: Mode, fn: string): unknown {
  const setup = setUp(f, args, options.argnums ?? 0, fn, intFix);
  return onDevice(deviceToUse(setup.flat.leaves), () => jacobianAt(setup, options, mode, fn));
}

function jacobianAt(setup: Setup, options: JacobianOptions<Argnums, boolean>, mode: Mode, fn: string): unknown {
  const { leaves } = setup.flat;
  const inTypes = leaves.map((x) => x.aval);
  let outTree!: TreeDef;
  let aux: unknown;
  let blocks: NDArray[][];
  const transposeBlocks = (byInput: readonly (readonly NDArray[])[], outs: number): NDArray[][] => Array.from({ length: outs }, (_, i) => byInput.map((column) => column[i]!));
  if (mode === "forward" && count(inTypes) > 0) {
    let outTypes: Aval[] = [];
    const columns = alongUnitVectors(inTypes, () => outTypes, (vs) => {
      const out = runJvp(setup.call, leaves, vs, fn, options.hasAux);
      outTypes = out.primals.map((y) => y.aval);
      requireFloatOutputs(outTypes, out.tree, fn);
      [outTree, aux] = [out.tree, out.aux];
      return out.tangents;
    });
    blocks = columns.map((y) => rowBlocks(y, inTypes, true));
  } else {
    const lin = linearizeFlat(setup.call, leaves, fn, options.hasAux);
    const outTypes = lin.primals.map((y) => y.aval);
    requireFloatOutputs(outTypes, lin.tree, fn);
    [outTree, aux] = [lin.tree, lin.aux];
    if (mode === "forward" || (mode === "auto" && count(inTypes) <= count(outTypes))) blocks = alongUnitVectors(inTypes, () => outTypes, (vs) => lin.push(vs)).map((y) => rowBlocks(y, inTypes, true));
    else blocks = transposeBlocks(alongUnitVectors(outTypes, () => inTypes, (us) => lin.pull(us)).map((x) => rowBlocks(x, outTypes, false)), outTypes.length);
  }
  const result = assembleBlocks(setup, outTree, blocks);
  return options.hasAux ? [result, aux] : result;
}

/**
 * Jacobian by forward mode, one pass for all columns together: best for functions with few inputs. Each output leaf becomes the tree of the
 * argument, with blocks of shape `output ++ input`; zero sizes are allowed. Under `jit` an entry that the input does not reach is 0, also where
 * step by step it is 0 times an infinite derivative.
 * @throws DTypeError for integer arguments or outputs; ArgumentError for argnums out of range.
 * @example jacfwd((x: NDArray) => x.mul(x))(np.array([1, 2])); // [[2, 0], [0, 4]]
 */
export function jacfwd<A extends readonly unknown[], R, const I extends Argnums = 0>(f: (...args: A) => R, options?: JacobianOptions<I, false>): (...args: A) => JacobianOf<R, Chosen<A, I>>;
export function jacfwd<A extends readonly unknown[], R, X, const I extends Argnums = 0>(f: (...args: A) => readonly [R, X], options: JacobianOptions<I, true>): (...args: A) => [JacobianOf<R, Chosen<A, I>>, X];
export function jacfwd(f: (...args: never) => unknown, options: JacobianOptions<Argnums, boolean> = {}): (...args: readonly unknown[]) => unknown {
  return named((...args) => jacobianOf(f, args, options, "forward", "jacfwd"), "jacfwd", f);
}

/**
 * Jacobian by reverse mode, all rows together: best for functions with few outputs. Blocks as in `jacfwd`.
 * @throws As `jacfwd`.
 * @example jacrev((x: NDArray) => np.sum(x.mul(x)))(np.array([1, 2])); // [2, 4]
 */
export function jacrev<A extends readonly unknown[], R, const I extends Argnums = 0>(f: (...args: A) => R, options?: JacobianOptions<I, false>): (...args: A) => JacobianOf<R, Chosen<A, I>>;
export function jacrev<A extends readonly unknown[], R, X, const I extends Argnums = 0>(f: (...args: A) => readonly [R, X], options: JacobianOptions<I, true>): (...args: A) => [JacobianOf<R, Chosen<A, I>>, X];
export function jacrev(f: (...args: never) => unknown, options: JacobianOptions<Argnums, boolean> = {}): (...args: readonly unknown[]) => unknown {
  return named((...args) => jacobianOf(f, args, options, "reverse", "jacrev"), "jacrev", f);
}

/**
 * Jacobian by forward mode where there are no more inputs than outputs, else by reverse mode. Blocks as in `jacfwd`.
 * @throws As `jacfwd`.
 * @example jacobian((x: NDArray) => x.mul(x))(np.array([1, 2])); // [[2, 0], [0, 4]]
 */
export function jacobian<A extends readonly unknown[], R, const I extends Argnums = 0>(f: (...args: A) => R, options?: JacobianOptions<I, false>): (...args: A) => JacobianOf<R, Chosen<A, I>>;
export function jacobian<A extends readonly unknown[], R, X, const I extends Argnums = 0>(f: (...args: A) => readonly [R, X], options: JacobianOptions<I, true>): (...args: A) => [JacobianOf<R, Chosen<A, I>>, X];
export function jacobian(f: (...args: never) => unknown, options: JacobianOptions<Argnums, boolean> = {}): (...args: readonly unknown[]) => unknown {
  return named((...args) => jacobianOf(f, args, options, "auto", "jacobian"), "jacobian", f);
}

/**
 * Hessian, as the forward-mode Jacobian of the reverse-mode one. For a tree of arguments a tree of trees of blocks with shape
 * `output ++ a ++ b`; a list of argnums gives nested tuples.
 * @throws As `jacfwd`.
 * @example hessian((x: NDArray) => np.prod(x))(np.array([1, 2, 3])); // [[0, 3, 2], [3, 0, 1], [2, 1, 0]]
 */
export function hessian<A extends readonly unknown[], R, const I extends Argnums = 0>(f: (...args: A) => R, options?: JacobianOptions<I, false>): (...args: A) => JacobianOf<JacobianOf<R, Chosen<A, I>>, Chosen<A, I>>;
export function hessian<A extends readonly unknown[], R, X, const I extends Argnums = 0>(f: (...args: A) => readonly [R, X], options: JacobianOptions<I, true>): (...args: A) => [JacobianOf<JacobianOf<R, Chosen<A, I>>, Chosen<A, I>>, X];
export function hessian(f: (...args: never) => unknown, options: JacobianOptions<Argnums, boolean> = {}): (...args: readonly unknown[]) => unknown {
  return named((...args) => {
    const inner = (...xs: readonly unknown[]): unknown => jacobianOf(f, xs, options, "reverse", "hessian");
    return jacobianOf(inner, args, options, "forward", "hessian");
  }, "hessian", f);
}
