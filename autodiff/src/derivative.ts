import { DerivativeError, type NDArray } from "@hessia/core";
import { bind, bind1, call, type CallParams, currentTrace, defineRule, eagerTrace, formatAval, hasTangent, type Params, type Primitive, stage } from "@hessia/core/extend";
import { LinearTrace } from "./linear-trace.js";
import { addTangents, mul } from "./ops.js";
import { bilinearPrimitives, notLinear } from "./linearity.js";
import { isLinear, type JvpRule, jvpRule, type LinearInput, type PartialEvalRule, partialEvalRule, type TransposeRule, transposeRule } from "./rule-kinds.js";
import { instantiate, isNonzero, type Tangent, Zero } from "./zero.js";

export interface DerivativeSpec<P> {
  readonly jvp: JvpRule<P>;
  /** For primitives that are linear in some of their inputs. */
  readonly transpose?: TransposeRule<P>;
  /** For primitives that hold Programs. */
  readonly partialEval?: PartialEvalRule<P>;
}

/** The rules of a primitive, made for it. */
export type Derivative<P extends Params = Params> = (primitive: Primitive<P>) => DerivativeSpec<P>;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- params stand in a contravariant place; `any` is the bound of every primitive
type ParamsOf<T> = T extends Primitive<infer P> ? P : any;
/** One derivative for each primitive of a family: one that is missing does not compile. */
export type DerivativeRules<F> = { readonly [K in keyof F]: Derivative<ParamsOf<F[K]>> };

/**
 * Fills the derivative slots of a primitive.
 * @throws RuleError when they are filled already.
 * @example defineDerivative(softsign, elementwise((x) => square(div(one, add(one, abs(x))))));
 */
export function defineDerivative<P extends Params>(primitive: Primitive<P>, derivative: Derivative<P>, options: { override?: boolean } = {}): void {
  const { jvp, transpose, partialEval } = derivative(primitive);
  defineRule(primitive, jvpRule, jvp, options);
  if (transpose) defineRule(primitive, transposeRule, transpose, options);
  if (partialEval) defineRule(primitive, partialEvalRule, partialEval, options);
}

/** Fills the slots of a whole family. */
export function defineDerivatives<F extends { readonly [name: string]: Primitive<never> }>(family: F, rules: DerivativeRules<F>): void {
  for (const name of Object.keys(family)) defineDerivative(family[name] as unknown as Primitive, rules[name] as unknown as Derivative);
}

/**
 * Elementwise functions. `partials[i]` gives the derivative by input i from all inputs and the output, of one shape; a text
 * in its place says why the derivative by that input does not exist. `dy = sum_i partials[i](...x, y) dx_i`.
 */
export const elementwise = <P extends Params>(...partials: readonly (((...inputsAndOutput: NDArray[]) => NDArray) | string)[]): Derivative<P> => (primitive) => ({
  jvp(primals, tangents, params) {
    const y = bind1(primitive, primals, params);
    let dy: Tangent = new Zero(y.aval);
    tangents.forEach((dx, i) => {
      if (dx instanceof Zero) return;
      const partial = partials[i]!;
      if (typeof partial === "string") throw noDerivative(primitive.name, `input ${i}`, partial);
      dy = addTangents(dy, mul(dx, evaluatePartial(partial, [...primals, y])));
    });
    return { primals: [y], tangents: [dy] };
  },
});

type Partial = (...inputsAndOutput: NDArray[]) => NDArray;
/** The Program of a partial derivative by input types; "plain" where it is one operation or none. */
const partialPrograms = new WeakMap<Partial, Map<string, CallParams | "plain">>();
const maxTypes = 256;

/** Where values are known and nothing else watches, the operations of a partial derivative run as one kernel. */
function evaluatePartial(partial: Partial, args: readonly NDArray[]): NDArray {
  const trace = currentTrace();
  if (trace !== eagerTrace && !(trace instanceof LinearTrace && trace.parent === eagerTrace)) return partial(...args);
  let known = partialPrograms.get(partial);
  if (!known || known.size > maxTypes) partialPrograms.set(partial, (known = new Map()));
  const key = args.map((x) => formatAval(x.aval)).join();
  let params = known.get(key);
  if (!params) {
    const { program, captured } = stage((...xs) => [partial(...xs)], args.map((x) => x.aval), "derivative");
    known.set(key, (params = captured.length > 0 || program.equations.length < 2 ? "plain" : { program, name: "derivative" }));
  }
  return params === "plain" ? partial(...args) : bind1(call, args, params);
}

const noDerivative = (fn: string, arg: string | undefined, reason: string): DerivativeError =>
  new DerivativeError({ fn, arg, expected: "a value that is not differentiated", got: `a tangent, but there is no derivative: ${reason}`, fix: "apply stopGradient to the argument, or wrap the function in customJvp" });

/** Functions linear in all inputs jointly: tangents go through the function itself. */
export const linear = <P extends Params>(transpose: (ct: NDArray, inputs: readonly (NDArray | LinearInput)[], params: P) => readonly (Tangent | null)[]): Derivative<P> => (primitive) => ({
  jvp: (primals, tangents, params) => ({ primals: bind(primitive, primals, params), tangents: bind(primitive, tangents.map(instantiate), params) }),
  transpose: ([ct], inputs, params) => transpose(ct as NDArray, inputs, params),
});

/** Functions linear in the inputs at `positions` jointly; the others (indices, say) have no tangents. */
export const linearIn = <P extends Params>(positions: readonly number[], transpose: (ct: NDArray, inputs: readonly (NDArray | LinearInput)[], params: P) => readonly (Tangent | null)[]): Derivative<P> => (primitive) => ({
  jvp: (primals, tangents, params) => ({ primals: bind(primitive, primals, params), tangents: bind(primitive, primals.map((x, i) => (positions.includes(i) ? instantiate(tangents[i]!) : x)), params) }),
  transpose: ([ct], inputs, params) => transpose(ct as NDArray, inputs, params),
});

/** Products: linear in each of two inputs. `left(ct, b)` and `right(ct, a)` are the transposes by the first and the second. */
export const bilinear = <P extends Params>(
  left: (ct: NDArray, b: NDArray, a: LinearInput, params: P) => Tangent,
  right: (ct: NDArray, a: NDArray, b: LinearInput, params: P) => Tangent,
): Derivative<P> => (primitive) => (bilinearPrimitives.add(primitive), {
  jvp(primals, tangents, params) {
    const [a, b] = primals as [NDArray, NDArray];
    const [da, db] = tangents as [Tangent, Tangent];
    const byA = isNonzero(da) ? bind1(primitive, [da, b], params) : da;
    const byB = isNonzero(db) ? bind1(primitive, [a, db], params) : db;
    const y = bind1(primitive, primals, params);
    return { primals: [y], tangents: [byA instanceof Zero ? byB : byB instanceof Zero ? byA : addTangents(byA, byB)] };
  },
  transpose([ct], inputs, params) {
    const [a, b] = inputs as [NDArray | LinearInput, NDArray | LinearInput];
    if (isLinear(a) && isLinear(b)) throw notLinear(primitive.name, "a product of two tangents");
    if (isLinear(a)) return [left(ct as NDArray, b as NDArray, a, params), null];
    return [null, isLinear(b) ? right(ct as NDArray, a, b, params) : null];
  },
});

/** Piecewise constant functions, and functions that give integers or bools. */
export const zero = <P extends Params>(): Derivative<P> => (primitive) => ({
  jvp(primals, _tangents, params) {
    const outputs = bind(primitive, primals, params);
    return { primals: outputs, tangents: outputs.map((y) => new Zero(y.aval)) };
  },
});

/** A primitive without a derivative: differentiating it is an error that gives the reason. */
export const nonDifferentiable = <P extends Params>(reason: string): Derivative<P> => (primitive) => ({
  jvp(primals, tangents, params) {
    const i = tangents.findIndex((t, k) => isNonzero(t) && hasTangent(primals[k]!.aval));
    if (i >= 0) throw noDerivative(primitive.name, `input ${i}, ${formatAval(primals[i]!.aval)}`, reason);
    const outputs = bind(primitive, primals, params);
    return { primals: outputs, tangents: outputs.map((y) => new Zero(y.aval)) };
  },
});
