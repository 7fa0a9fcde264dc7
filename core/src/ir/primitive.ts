import { RuleError } from "../base/errors.js";
import type { Aval } from "./aval.js";

/** Static parameters of an equation: plain data (numbers, strings, booleans, null, arrays, objects), Programs, or functions where nothing else will do. */
export type Params = object;
export interface NoParams { readonly [key: string]: never }

/** Facts about structure that passes, property tests and backends may use instead of switching on names. */
export interface PrimitiveFacts {
  /** Output i depends on input element i only; all inputs have the output's shape. */
  readonly elementwise?: boolean;
  readonly commutative?: boolean;
  readonly associative?: boolean;
  /** `f(x, identity) = x`. */
  readonly identity?: number;
  /** `f(f(x)) = x`, exactly, with equal params. */
  readonly involution?: boolean;
  /** Every element of the result is an element of the first input. */
  readonly view?: boolean;
  /** Linear in all its inputs jointly. */
  readonly linear?: boolean;
  /** Where a real elementwise function is defined and smooth; property tests draw from it. One interval an argument. */
  readonly domain?: readonly (readonly [number, number])[];
  /** Calls a Program given in `params.program`; passes may inline it. */
  readonly call?: boolean;
}

export interface PrimitiveSpec<P extends Params = Params> extends PrimitiveFacts {
  readonly name: string;
  /** Result types from input types; throws a HessiaError on bad input. */
  readonly abstractEval: (inputs: readonly Aval[], params: P) => Aval | readonly Aval[];
}

/** An operation: name, typed params, result types, and open slots for rules. */
export class Primitive<P extends Params = Params> {
  readonly name: string;
  readonly facts: PrimitiveFacts;
  readonly #abstractEval: PrimitiveSpec<P>["abstractEval"];
  /** @internal */
  readonly rules = new Map<symbol, unknown>();

  constructor(spec: PrimitiveSpec<P>) {
    this.name = spec.name;
    // Passes ask for facts all the time: all have one shape.
    const { elementwise, commutative, associative, identity, involution, view, linear, domain, call } = spec;
    this.facts = { elementwise, commutative, associative, identity, involution, view, linear, domain, call } as PrimitiveFacts;
    this.#abstractEval = spec.abstractEval;
  }

  abstractEval(inputs: readonly Aval[], params: P): readonly Aval[] {
    const out = this.#abstractEval(inputs, params);
    return Array.isArray(out) ? (out as readonly Aval[]) : [out as Aval];
  }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- params are contravariant; a heterogeneous collection of primitives needs the bottom type
export type AnyPrimitive = Primitive<any>;

/** A named slot for one kind of rule (batching, lowering, jvp, ...). Anyone may make one. */
export interface RuleKind<R> {
  readonly name: string;
  readonly id: symbol;
  readonly _type?: R;
}

export const ruleKind = <R>(name: string): RuleKind<R> => ({ name, id: Symbol(name) });

/**
 * Fills a primitive's slot.
 * @throws RuleError when the slot is full already and `override` is not set.
 * @example defineRule(softsign, jvpRule, ([x], [dx]) => [softsign(x), np.divide(dx, np.square(np.add(1, np.abs(x))))]);
 */
export function defineRule<R>(primitive: AnyPrimitive, kind: RuleKind<R>, rule: NoInfer<R>, options: { override?: boolean } = {}): void {
  if (primitive.rules.has(kind.id) && !options.override)
    throw new RuleError({ fn: "defineRule", arg: "kind", expected: `no ${kind.name} rule of ${primitive.name} yet`, got: "a second one", fix: "pass { override: true } if you mean to replace it" });
  primitive.rules.set(kind.id, rule);
}

export const findRule = <R>(primitive: AnyPrimitive, kind: RuleKind<R>): R | undefined => primitive.rules.get(kind.id) as R | undefined;

export function getRule<R>(primitive: AnyPrimitive, kind: RuleKind<R>): R {
  const rule = findRule(primitive, kind);
  if (rule === undefined)
    throw new RuleError({ fn: primitive.name, expected: `a ${kind.name} rule for the primitive "${primitive.name}"`, got: "none", fix: `fill the slot with defineRule(${primitive.name}, ${kind.name}, rule), or build the function from primitives that have one` });
  return rule;
}

/** Every primitive by name, for printing, parsing and the laws over the whole registry. */
const registry = new Map<string, AnyPrimitive>();

export function registerPrimitive(primitive: AnyPrimitive): void {
  if (registry.has(primitive.name))
    throw new RuleError({ fn: "definePrimitive", arg: "name", expected: "a name not taken yet", got: `"${primitive.name}"`, fix: "prefix the name with that of your package; if Hessia is loaded twice, keep one copy" });
  registry.set(primitive.name, primitive);
}
export const primitiveByName = (name: string): AnyPrimitive | undefined => registry.get(name);
export const allPrimitives = (): AnyPrimitive[] => [...registry.values()];
