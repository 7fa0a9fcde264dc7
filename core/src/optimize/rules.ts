import type { Aval } from "../ir/aval.js";
import { type AnyPrimitive, type Params, ruleKind } from "../ir/primitive.js";
import type { Atom, Equation, Var } from "../ir/program.js";

/** What a simplification may look at and write. */
export interface Known {
  /** The equation whose only result a value is, if it is one. */
  definition(a: Atom): Equation | undefined;
  /** The number that every element of a value is, where that is known; bools are 0 and 1. */
  uniform(a: Atom): number | undefined;
  /** How often the program reads a value; undefined for values that rules have written. */
  uses(a: Atom): number | undefined;
  /** Writes an equation with one result. */
  emit(primitive: AnyPrimitive, inputs: readonly Atom[], params: Params): Var;
}

/**
 * A value equal to the equation's result, bit for bit (-0 and NaN included) but for the rounding of sums of products, or undefined.
 * Replacements of another type are not used. For primitives with one result.
 */
export type SimplifyRule<P> = (known: Known, inputs: readonly Atom[], params: P, output: Aval) => Atom | undefined;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- one slot for rules of every params type
export const simplifyRule = ruleKind<SimplifyRule<any>>("simplify");

/** A simplification for all elementwise primitives; `value` is the number that every element of the result is, where that is known. */
export type ElementwiseRule = (known: Known, equation: Equation, value: number | undefined) => Atom | undefined;
export let elementwiseRule: ElementwiseRule = () => undefined;
/** The slot for it: it writes views, which stand above this file. */
export function installElementwiseRule(rule: ElementwiseRule): void { elementwiseRule = rule; }

/** An equation without what nobody needs: new params, and which inputs and outputs it keeps. */
export interface Pruned<P> {
  readonly params: P;
  readonly inputs: readonly boolean[];
  readonly outputs: readonly boolean[];
}
/** How a primitive with nested Programs drops outputs that are not used (`used[i]` false) and inputs that then are not needed. */
export type PruneRule<P> = (params: P, used: readonly boolean[]) => Pruned<P> | undefined;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- one slot for rules of every params type
export const pruneRule = ruleKind<PruneRule<any>>("prune");

/** How a loop moves what is the same in every iteration in front of it: the equations written by `emit`, and the loop's new inputs and params. */
export type HoistRule<P> = (emit: (equation: Equation) => void, inputs: readonly Atom[], params: P) => { readonly inputs: readonly Atom[]; readonly params: P } | undefined;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- one slot for rules of every params type
export const hoistRule = ruleKind<HoistRule<any>>("hoist");

/** Writes equations. */
export interface Emit {
  /** The results, as new variables unless the equation brings its own. */
  equation(equation: Omit<Equation, "outputs"> & Partial<Pick<Equation, "outputs">>): readonly Var[];
  /** An equation of one result. */
  one(primitive: AnyPrimitive, inputs: readonly Atom[], params: Params): Var;
}
/** How a loop is taken apart: what can be done for all its steps at once stands before and after it. The values in place of its results, equal to them but for rounding of sums. */
export type SplitRule<P> = (emit: Emit, equation: { readonly primitive: AnyPrimitive; readonly inputs: readonly Atom[]; readonly params: P }) => readonly Atom[] | undefined;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- one slot for rules of every params type
export const splitRule = ruleKind<SplitRule<any>>("split");
