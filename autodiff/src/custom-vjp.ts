import { ArgumentError, DerivativeError, NDArray, tree, type TreeDef } from "@hessia/core";
import { type Aval, batchProgram, bind, call, type CallParams, currentTrace, definePrimitive, eagerTrace, flattenResult, hasTangent, type Primitive, runBatched, stage, toBatch, withTrace, type BatchDim } from "@hessia/core/extend";
import { flattenCotangents, requireCallable } from "./arguments.js";
import { type CustomCall, type CustomOptions, noRule, splitCall } from "./custom-arguments.js";
import { defineDerivative } from "./derivative.js";
import { installDerivatives } from "./install.js";
import { JvpTrace } from "./jvp-trace.js";
import { LinearTrace } from "./linear-trace.js";
import { sum } from "./ops.js";
import { instantiate, isNonzero, type Tangent, Zero } from "./zero.js";

installDerivatives();

/** The forward run of a call: outputs, residuals, and what turns cotangents of the outputs into those of the inputs. */
interface FlatForward {
  readonly outputs: readonly NDArray[];
  readonly residuals: readonly NDArray[];
  readonly backward: (residuals: readonly NDArray[], cotangents: readonly NDArray[]) => readonly Tangent[];
}
type Forward = (primals: readonly NDArray[]) => FlatForward;
interface CustomVjpParams extends CallParams { readonly forward: Forward }

/** A staged call that keeps the backward rule given for it. To all but differentiation it is a `call`. */
export const customVjpCall: Primitive<CustomVjpParams> = definePrimitive({
  name: "customVjpCall",
  call: true,
  abstractEval: (_inputs, { program }) => program.outputTypes,
  batch(n, values, dims, { program, forward, name }) {
    const wide = batchProgram(program, n, dims, true).program;
    const outputs = currentTrace() === eagerTrace ? bind(call, values, { program: wide, name }) : bind(customVjpCall, values, { program: wide, forward: batchForward(forward, n, dims), name });
    return { outputs, dims: outputs.map(() => 0) };
  },
  lower: (ctx, inputs, { program }) => ctx.program(program, inputs),
});

/** The rule for a batch. The cotangent of an input that all examples share is the sum of theirs. */
const batchForward = (forward: Forward, n: number, dims: readonly BatchDim[]): Forward => (primals) => {
  let inner!: FlatForward;
  const { outputs, dims: outDims } = runBatched(n, primals, dims, (xs) => {
    inner = forward(xs);
    return [...inner.outputs, ...inner.residuals];
  });
  const count = inner.outputs.length;
  const residualDims = outDims.slice(count);
  const { backward } = inner;
  return {
    outputs: outputs.slice(0, count).map((y, i) => toBatch(n, y, outDims[i]!)),
    residuals: outputs.slice(count),
    backward(residuals, cotangents) {
      const kept: number[] = [];
      let types: Aval[] = [];
      const { outputs: cts, dims: ctDims } = runBatched(n, [...residuals, ...cotangents], [...residualDims, ...cotangents.map(() => 0)], (xs) => {
        const out = backward(xs.slice(0, residuals.length), xs.slice(residuals.length));
        types = out.map((t) => t.aval);
        return out.flatMap((t, i) => (isNonzero(t) ? (kept.push(i), [t]) : []));
      });
      return dims.map((d, i): Tangent => {
        const k = kept.indexOf(i);
        if (k < 0) return new Zero(d === null ? types[i]! : { ...types[i]!, shape: [...types[i]!.shape.slice(0, d), n, ...types[i]!.shape.slice(d)] });
        return d === null ? sum(toBatch(n, cts[k]!, ctDims[k]!), [0]) : toBatch(n, cts[k]!, ctDims[k]!, d);
      });
    },
  };
};

interface LinearParams { readonly residuals: number; readonly outTypes: readonly Aval[]; readonly backward: FlatForward["backward"]; readonly moves: readonly boolean[]; readonly name: string }

const forwardOnly = (name: string): DerivativeError =>
  new DerivativeError({ fn: name, expected: "reverse mode (grad, vjp, jacrev, hvp, hessian)", got: "forward mode (jvp, jacfwd, linearize) over a function with customVjp, which has no forward rule", fix: "use reverse mode, or define the derivative with customJvp, which serves both" });

/** The linear part of a customVjp function: residuals, then tangents. It is known only by its transpose. */
export const customVjpLinear: Primitive<LinearParams> = definePrimitive({
  name: "customVjpLinear",
  abstractEval: (_inputs, { outTypes }) => outTypes,
  batch: (_n, _values, _dims, { name }) => { throw forwardOnly(name); },
  lower: (_ctx, _inputs, { name }) => { throw forwardOnly(name); },
});
defineDerivative(customVjpLinear, () => ({
  jvp: (_primals, _tangents, { name }) => { throw forwardOnly(name); },
  transpose(cotangents, inputs, { residuals, backward, moves }) {
    const cts = backward(inputs.slice(0, residuals) as NDArray[], cotangents.map(instantiate));
    return [...inputs.slice(0, residuals).map(() => null), ...cts.filter((_, i) => moves[i])];
  },
}));

function pushThrough(forward: Forward, primals: readonly NDArray[], tangents: readonly Tangent[], name: string): { outputs: readonly NDArray[]; tangents: Tangent[] } {
  const { outputs, residuals, backward } = forward(primals);
  const moves = primals.map((p, i) => hasTangent(p.aval) && isNonzero(tangents[i]!));
  const outTypes = outputs.map((y) => ({ ...y.aval, weak: false }));
  const linear = bind(customVjpLinear, [...residuals, ...tangents.filter((_, i) => moves[i]).map(instantiate)], { residuals: residuals.length, outTypes, backward, moves, name });
  return { outputs, tangents: outputs.map((y, i) => (hasTangent(y.aval) ? linear[i]! : new Zero(y.aval))) };
}

defineDerivative(customVjpCall, () => ({
  jvp(primals, tangents, { forward, name }) {
    const out = pushThrough(forward, primals, tangents, name);
    return { primals: out.outputs, tangents: out.tangents };
  },
  partialEval: (recorder, inputs, { program, name }) => recorder.within(() => bind(call, inputs, { program, name })),
}));

/* eslint-disable @typescript-eslint/no-explicit-any -- rules take nondiff arguments and residuals of any type */
type Fwd = (...args: any[]) => readonly [unknown, unknown];
type Bwd = (...args: any[]) => readonly unknown[];
/* eslint-enable @typescript-eslint/no-explicit-any */

export interface CustomVjpOptions extends CustomOptions {
  /** `(...args) => [output, residuals]`. */
  readonly fwd?: Fwd;
  /** `(residuals, cotangent) => [cotangent of each argument]`, after the nondiff arguments if there are any; `null` stands for zero. */
  readonly bwd?: Bwd;
}
export interface CustomVjp<A extends readonly unknown[], R> {
  (...args: A): R;
  /** Gives both rules, where they are not given as options. */
  defVjp(fwd: Fwd, bwd: Bwd): CustomVjp<A, R>;
}

/**
 * Gives a function a backward rule of its own. Works under `jit`, `vmap`, in loops, and under forward-over-reverse (`hessian`, `hvp`), which
 * differentiates `fwd` and `bwd` themselves. Forward mode over it is an error: `customJvp` serves both modes.
 * @throws ArgumentError when differentiated without rules; TreeError, ShapeError, DTypeError when `bwd` gives other than one cotangent
 *   for each argument; DerivativeError in forward mode.
 * @example
 * const clipped = customVjp((x: NDArray) => x, {
 *   fwd: (x) => [x, null],
 *   bwd: (_, u) => [np.clip(u, -1, 1)],
 * });
 */
export function customVjp<A extends readonly unknown[], R>(f: (...args: A) => R, options: CustomVjpOptions = {}): CustomVjp<A, R> {
  requireCallable(f, "customVjp");
  const name = f.name || "customVjp";
  let { fwd, bwd } = options;

  const forwardOf = (split: CustomCall, onTree?: (def: TreeDef) => void): Forward => (primals) => {
    if (!fwd || !bwd) throw noRule(name, "fwd, bwd", `call ${name}.defVjp(fwd, bwd) once, or pass both as options`);
    const pair: unknown = fwd(...split.args(primals));
    if (!Array.isArray(pair) || pair.length !== 2) throw new ArgumentError({ fn: name, arg: "fwd", expected: "a pair [output, residuals]", got: Array.isArray(pair) ? `${pair.length} values` : typeof pair, fix: "return both; null for no residuals" });
    const [outputs, outTree] = flattenResult(pair[0], name);
    onTree?.(outTree);
    const [resLeaves, resTree] = tree.flatten(pair[1]);
    const isArray = resLeaves.map((r) => r instanceof NDArray);
    const types = primals.map((p) => p.aval);
    const back = bwd;
    return {
      outputs,
      residuals: resLeaves.filter((r) => r instanceof NDArray),
      backward(residuals, cotangents) {
        let next = 0;
        const res = tree.unflatten(resTree, resLeaves.map((r, i) => (isArray[i] ? residuals[next++] : r)));
        const given = cotangents.map((c, i) => (hasTangent(outputs[i]!.aval) ? c : null));
        const cts = back(...split.nondiff, res, tree.unflatten(outTree, given));
        return flattenCotangents(cts, split.tree, types, name);
      },
    };
  };

  const self = ((...args: A): R => {
    const trace = currentTrace();
    if (trace === eagerTrace) return f(...args);
    const split = splitCall(args, options, name);
    if (trace instanceof JvpTrace) {
      const pairs = split.leaves.map((x) => trace.unwrap(x));
      const primals = pairs.map(([p]) => p);
      if (!pairs.some(([, t]) => isNonzero(t))) return withTrace(trace.parent, () => self(...(split.args(primals) as unknown as A)));
      let outTree!: TreeDef;
      const out = withTrace(trace.parent, () => pushThrough(forwardOf(split, (def) => (outTree = def)), primals, pairs.map(([, t]) => t), name));
      return tree.unflatten<R>(outTree, out.outputs.map((y, i) => trace.wrap(y, out.tangents[i]!)));
    }
    if (trace instanceof LinearTrace) return split.leaves.some((x) => trace.isLinear(x)) ? f(...args) : withTrace(trace.parent, () => self(...args));
    let outTree!: TreeDef;
    const { program, captured } = stage((...xs) => {
      const [outs, def] = flattenResult(f(...(split.args(xs) as unknown as A)), name);
      outTree = def;
      return outs;
    }, split.leaves.map((x) => x.aval), name);
    const own = forwardOf(split);
    const forward: Forward = (primals) => {
      const inner = own(primals.slice(captured.length));
      return { ...inner, backward: (res, cts) => [...captured.map((c) => new Zero(c.aval)), ...inner.backward(res, cts)] };
    };
    return tree.unflatten<R>(outTree, bind(customVjpCall, [...captured, ...split.leaves], { program, forward, name }));
  }) as CustomVjp<A, R>;

  self.defVjp = (newFwd, newBwd) => {
    [fwd, bwd] = [newFwd, newBwd];
    return self;
  };
  return Object.defineProperty(self, "name", { value: name });
}
