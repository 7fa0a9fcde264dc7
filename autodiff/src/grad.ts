import { DTypeError, type NDArray, ShapeError, tree } from "@hessia/core";
import { type Aval, formatAval, hasTangent, shape } from "@hessia/core/extend";
import { type Argnums, chooseArgs, type ChosenArgs, type FlatArgs, flattenArguments, leafOfTangent, requireFloats, requireCallable } from "./arguments.js";
import { onDevice } from "./devices.js";
import { installDerivatives } from "./install.js";
import type { TangentOf } from "./jvp.js";
import { type Linearized, linearizeFlat } from "./linearize.js";
import { fill } from "./zero.js";

installDerivatives();

/** The argument at position I, counted from the end if negative. */
export type ArgAt<A extends readonly unknown[], I> = I extends keyof A ? A[I] : I extends number ? (`${I}` extends `-${string}` ? FromEnd<A, I> : number extends I ? A[number] : A[I]) : never;
type FromEnd<A extends readonly unknown[], I extends number> = I extends -1 ? (A extends readonly [...unknown[], infer L] ? L : A[number]) : I extends -2 ? (A extends readonly [...unknown[], infer L, unknown] ? L : A[number]) : A[number];
/** Derivatives by the chosen arguments: one, or a tuple. */
export type Chosen<A extends readonly unknown[], I extends Argnums> = I extends readonly number[] ? { -readonly [K in keyof I]: TangentOf<ArgAt<A, I[K]>> } : I extends number ? TangentOf<ArgAt<A, I>> : never;

export interface GradOptions<I extends Argnums = 0, Aux extends boolean = false> {
  /** Which arguments to differentiate by (default 0): a position, or a list of them for a tuple of derivatives. */
  readonly argnums?: I;
  /** `f` returns `[output, aux]`; aux is passed on. */
  readonly hasAux?: Aux;
  /** Integer and bool leaves are let through; their gradient is `null`. */
  readonly allowInt?: boolean;
}

export interface Setup {
  readonly flat: FlatArgs;
  readonly chosen: ChosenArgs;
  /** `f` of the chosen leaves, the other arguments fixed. */
  readonly call: (xs: NDArray[]) => unknown;
}

/** Splits the arguments of one call into what is differentiated and the rest, which passes untouched. */
export function setUp(f: (...args: never) => unknown, args: readonly unknown[], argnums: Argnums, fn: string, fix: string | undefined): Setup {
  requireCallable(f, fn);
  const chosen = chooseArgs(argnums, args.length, fn);
  const flat = flattenArguments(chosen.positions.map((p) => args[p]), chosen.positions, fn);
  if (fix !== undefined) requireFloats(flat, fn, fix);
  const call = (xs: NDArray[]): unknown => {
    const full = [...args];
    tree.unflatten<unknown[]>(flat.tree, xs).forEach((a, i) => (full[chosen.positions[i]!] = a));
    return (f as (...a: unknown[]) => unknown)(...full);
  };
  return { flat, chosen, call };
}
/** The derivative tree of a list of leaves: bare for one argument, a tuple for several. */
export function assemble({ flat, chosen }: Setup, leaves: readonly unknown[]): unknown {
  const parts = tree.unflatten<unknown[]>(flat.tree, leaves);
  return chosen.single ? parts[0] : parts;
}

const notScalar = (fn: string, got: string): ShapeError =>
  new ShapeError({ fn, arg: "f", expected: "a scalar output of shape [] (gradients exist for scalar-output functions only)", got, fix: "reduce it, for example with np.sum, or use jacobian or vjp for outputs with more elements" });

/** @throws ShapeError, DTypeError unless the output is one real floating-point scalar. */
export function requireScalar(lin: { readonly primals: readonly NDArray[]; readonly tree: Linearized["tree"] }, fn: string): Aval {
  const [y] = lin.primals;
  if (lin.tree.node !== null || !y) throw notScalar(fn, `a tree of ${lin.primals.length} arrays, ${tree.formatTree(lin.tree)}`);
  if (y.ndim !== 0) throw notScalar(fn, `output shape ${shape.formatShape(y.shape)}`);
  if (!hasTangent(y.aval)) throw new DTypeError({ fn, arg: "f", expected: "a floating-point output", got: formatAval(y.aval), fix: 'convert inside the function with astype("float64"); integers have no derivative' });
  return y.aval;
}

const intFix = "convert it with astype, leave the argument out of argnums, or set allowInt for null gradients";

function valueAndGradOf(f: (...args: never) => unknown, args: readonly unknown[], options: GradOptions<Argnums, boolean>, fn: string): { value: NDArray; gradient: unknown; aux: unknown } {
  const setup = setUp(f, args, options.argnums ?? 0, fn, options.allowInt ? undefined : intFix);
  const lin = linearizeFlat(setup.call, setup.flat.leaves, fn, options.hasAux);
  const type = requireScalar(lin, fn);
  const gradient = onDevice(lin.device, () => assemble(setup, lin.pull([fill({ ...type, weak: false }, 1)]).map(leafOfTangent)));
  return { value: lin.primals[0]!, gradient, aux: lin.aux };
}

/**
 * Gradient of a scalar-valued function, by one backward pass. The result takes the arguments of `f` and gives a pytree like the argument
 * differentiated, with its shapes and dtypes. Works under `jit`, `vmap` and itself; JavaScript `if` and `for` may depend on values.
 * @throws ShapeError for an output that is not a scalar; DTypeError for integer arguments or output; ArgumentError for argnums out of range.
 * @example grad((x: NDArray) => np.sum(np.square(x)))(np.array([1, 2])); // [2, 4]
 */
export function grad<A extends readonly unknown[], R, const I extends Argnums = 0>(f: (...args: A) => R, options?: GradOptions<I, false>): (...args: A) => Chosen<A, I>;
export function grad<A extends readonly unknown[], R, X, const I extends Argnums = 0>(f: (...args: A) => readonly [R, X], options: GradOptions<I, true>): (...args: A) => [Chosen<A, I>, X];
export function grad(f: (...args: never) => unknown, options: GradOptions<Argnums, boolean> = {}): (...args: readonly unknown[]) => unknown {
  return named((...args) => {
    const { gradient, aux } = valueAndGradOf(f, args, options, "grad");
    return options.hasAux ? [gradient, aux] : gradient;
  }, "grad", f);
}

/**
 * Value and gradient from one forward and one backward pass: `[f(x), grad f(x)]`, or `[[f(x), aux], grad f(x)]` with `hasAux`.
 * @throws As `grad`.
 * @example valueAndGrad((x: NDArray) => np.sum(np.square(x)))(np.array([1, 2])); // [5, [2, 4]]
 */
export function valueAndGrad<A extends readonly unknown[], R, const I extends Argnums = 0>(f: (...args: A) => R, options?: GradOptions<I, false>): (...args: A) => [R, Chosen<A, I>];
export function valueAndGrad<A extends readonly unknown[], R, X, const I extends Argnums = 0>(f: (...args: A) => readonly [R, X], options: GradOptions<I, true>): (...args: A) => [[R, X], Chosen<A, I>];
export function valueAndGrad(f: (...args: never) => unknown, options: GradOptions<Argnums, boolean> = {}): (...args: readonly unknown[]) => unknown {
  return named((...args) => {
    const { value, gradient, aux } = valueAndGradOf(f, args, options, "valueAndGrad");
    return [options.hasAux ? [value, aux] : value, gradient];
  }, "valueAndGrad", f);
}

/** Functions made by transforms carry a name for error texts and printed Programs. */
export function named<F extends (...args: readonly unknown[]) => unknown>(g: F, transform: string, f: { readonly name: string }): F {
  requireCallable(f, transform);
  return Object.defineProperty(g, "name", { value: `${transform}(${f.name || "f"})` });
}
