import { ArgumentError, DerivativeError, type NDArray, tree, type TreeDef } from "@hessia/core";
import { bind, call, type CallParams, batchProgram, currentTrace, definePrimitive, eagerTrace, flattenResult, hasTangent, type Primitive, runBatched, stage, toBatch, withTrace, type BatchDim } from "@hessia/core/extend";
import { flattenTangents, requireCallable } from "./arguments.js";
import { type CustomCall, type CustomOptions, noRule, splitCall } from "./custom-arguments.js";
import { defineDerivative } from "./derivative.js";
import { installDerivatives } from "./install.js";
import { JvpTrace } from "./jvp-trace.js";
import type { TangentLike, TangentOf } from "./jvp.js";
import { LinearTrace } from "./linear-trace.js";
import { requireZeroTerm } from "./linearity.js";
import type { JvpResult } from "./rule-kinds.js";
import { instantiate, isNonzero, type Tangent, Zero } from "./zero.js";

installDerivatives();

type FlatRule = (primals: readonly NDArray[], tangents: readonly Tangent[]) => JvpResult;
interface CustomJvpParams extends CallParams { readonly rule: FlatRule }

/** A staged call that keeps the derivative given for it. To all but differentiation it is a `call`. */
export const customJvpCall: Primitive<CustomJvpParams> = definePrimitive({
  name: "customJvpCall",
  call: true,
  abstractEval: (_inputs, { program }) => program.outputTypes,
  batch(n, values, dims, { program, rule, name }) {
    const wide = batchProgram(program, n, dims, true).program;
    const outputs = currentTrace() === eagerTrace ? bind(call, values, { program: wide, name }) : bind(customJvpCall, values, { program: wide, rule: batchRuleOf(rule, n, dims), name });
    return { outputs, dims: outputs.map(() => 0) };
  },
  lower: (ctx, inputs, { program }) => ctx.program(program, inputs),
});

/** The rule for a batch: tangents have their batch axes where their values have them. */
const batchRuleOf = (rule: FlatRule, n: number, dims: readonly BatchDim[]): FlatRule => (primals, tangents) => {
  const moving = tangents.map(isNonzero);
  let nonzeroOut: boolean[] = [];
  const values = [...primals, ...tangents.filter(isNonzero)];
  const { outputs, dims: outDims } = runBatched(n, values, [...dims, ...dims.filter((_, i) => moving[i])], (xs) => {
    const ps = xs.slice(0, primals.length);
    let next = primals.length;
    const out = rule(ps, ps.map((p, i) => (moving[i] ? xs[next++]! : new Zero(p.aval))));
    nonzeroOut = out.tangents.map(isNonzero);
    return [...out.primals, ...out.tangents.filter(isNonzero)];
  });
  const wide = outputs.map((y, i) => toBatch(n, y, outDims[i]!));
  const count = nonzeroOut.length;
  let next = count;
  return { primals: wide.slice(0, count), tangents: nonzeroOut.map((nz, i) => (nz ? wide[next++]! : new Zero(wide[i]!.aval))) };
};

defineDerivative(customJvpCall, () => ({
  jvp: (primals, tangents, { rule }) => rule(primals, tangents),
  // What is linear in its inputs needs no rule for its derivative: its own operations are recorded.
  partialEval: (recorder, inputs, { program, name }) => recorder.within(() => bind(call, inputs, { program, name })),
}));

export interface CustomJvpOptions extends CustomOptions {
  /** The rule gets `null` for tangents that are known to be zero, instead of arrays of zeros (default false). */
  readonly symbolicZeros?: boolean;
}

/** A function with its own forward rule. */
export interface CustomJvp<A extends readonly unknown[], R> {
  (...args: A): R;
  /**
   * Gives the rule: `(primals, tangents) => [output, tangentOfOutput]`, after the nondiff arguments if there are any. It must be linear in
   * the tangents, which have the structure of the primals (zeros are written out; integers have `null`).
   */
  defJvp(rule: (primals: A, tangents: { readonly [K in keyof A]: TangentOf<A[K]> }) => readonly [R, TangentLike<R>]): CustomJvp<A, R>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- nondiff arguments of any type come first
  defJvp(rule: (...args: any[]) => readonly unknown[]): CustomJvp<A, R>;
}

/**
 * Gives a function a derivative of its own, for both modes and every order: reverse mode transposes the rule, higher orders differentiate
 * it. Works under `jit`, `vmap` and in loops; the rule may branch on concrete values.
 * @throws ArgumentError when differentiated without a rule; TreeError, ShapeError, DTypeError when the tangent does not match the output;
 *   DerivativeError when the rule is not linear in the tangents.
 * @example
 * const softplus = customJvp((x: NDArray) => np.log1p(np.exp(x)));
 * softplus.defJvp(([x], [dx]) => [softplus(x), special.expit(x).mul(dx)]);
 */
export function customJvp<A extends readonly unknown[], R>(f: (...args: A) => R, options: CustomJvpOptions = {}): CustomJvp<A, R> {
  requireCallable(f, "customJvp");
  const name = f.name || "customJvp";
  let rule: ((...args: unknown[]) => readonly [unknown, unknown]) | undefined;

  const self = ((...args: A): R => {
    const trace = currentTrace();
    if (trace === eagerTrace) return f(...args);
    const split = splitCall(args, options, name);
    if (trace instanceof JvpTrace) {
      const pairs = split.leaves.map((x) => trace.unwrap(x));
      const primals = pairs.map(([p]) => p);
      if (!pairs.some(([, t]) => isNonzero(t))) return withTrace(trace.parent, () => self(...(split.args(primals) as unknown as A)));
      const { def, result } = withTrace(trace.parent, () => applyRule(rule, split, primals, pairs.map(([, t]) => t), name, options));
      return tree.unflatten<R>(def, result.primals.map((y, i) => trace.wrap(y, result.tangents[i]!)));
    }
    if (trace instanceof LinearTrace) return split.leaves.some((x) => trace.isLinear(x)) ? f(...args) : withTrace(trace.parent, () => self(...args));
    return staged(split);
  }) as CustomJvp<A, R>;

  const staged = (split: CustomCall): R => {
    let outTree!: TreeDef;
    const { program, captured } = stage((...xs) => {
      const [outs, def] = flattenResult(f(...(split.args(xs) as unknown as A)), name);
      outTree = def;
      return outs;
    }, split.leaves.map((x) => x.aval), name);
    const flat: FlatRule = (primals, tangents) => {
      if (tangents.slice(0, captured.length).some(isNonzero)) throw closedOver(name, "customJvp");
      return applyRule(rule, split, primals.slice(captured.length), tangents.slice(captured.length), name, options).result;
    };
    return tree.unflatten<R>(outTree, bind(customJvpCall, [...captured, ...split.leaves], { program, rule: flat, name }));
  };

  self.defJvp = (given: unknown) => {
    if (typeof given !== "function") throw new ArgumentError({ fn: name, arg: "rule", expected: "a function (primals, tangents) => [output, tangent]", got: typeof given, fix: "pass the rule" });
    rule = given as typeof rule;
    return self;
  };
  return Object.defineProperty(self, "name", { value: name });
}

export const closedOver = (fn: string, kind: string): DerivativeError =>
  new DerivativeError({ fn, expected: `a ${kind} function that takes all differentiated values as arguments`, got: "one that closes over a value being differentiated", fix: "pass the value as an argument" });

function applyRule(rule: ((...args: unknown[]) => readonly [unknown, unknown]) | undefined, split: CustomCall, primals: readonly NDArray[], tangents: readonly Tangent[], name: string, { symbolicZeros = false }: CustomJvpOptions): { def: TreeDef; result: JvpResult } {
  if (!rule) throw noRule(name, "defJvp", `call ${name}.defJvp(rule) once`);
  const given = tangents.map((t, i) => (!hasTangent(primals[i]!.aval) || (symbolicZeros && t instanceof Zero) ? null : instantiate(t)));
  const pair = rule(...split.nondiff, split.diff(primals), split.diff(given));
  if (!Array.isArray(pair) || pair.length !== 2) throw new ArgumentError({ fn: name, arg: "rule", expected: "a pair [output, tangentOfOutput]", got: Array.isArray(pair) ? `${pair.length} values` : typeof pair, fix: "return both" });
  const [outs, def] = flattenResult(pair[0], name);
  const out = flattenTangents(pair[1], def, outs.map((y) => y.aval), name, "tangent of the output", "tangent");
  const trace = currentTrace();
  // A tangent of the output that holds no tangent of an input is a constant: only zero is linear.
  if (trace instanceof LinearTrace) for (const t of out) if (isNonzero(t) && !trace.isLinear(t)) requireZeroTerm(t, name);
  return { def, result: { primals: outs, tangents: out } };
}
