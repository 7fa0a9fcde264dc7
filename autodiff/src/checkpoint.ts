import { type NDArray, tree, type TreeDef } from "@hessia/core";
import { batchProgram, bind, type CallParams, currentTrace, definePrimitive, eagerTrace, flattenArgs, flattenResult, type Primitive, stage } from "@hessia/core/extend";
import { defineDerivative } from "./derivative.js";
import { installDerivatives } from "./install.js";
import { jvpProgram, pick, splitProgram, transposeProgram, withOutputs } from "./programs.js";
import { isLinear } from "./rule-kinds.js";
import { isNonzero, type Tangent, Zero } from "./zero.js";
import { requireCallable } from "./arguments.js";

installDerivatives();

/**
 * A call whose derivative keeps nothing but its inputs. The linear part that is recorded is the whole Program again: what it needs of the
 * forward pass is computed a second time when cotangents come back. To merge equal equations across the two computations would undo the
 * saving (never the result); with `preventCse` the optimizer leaves the call apart.
 */
export interface CheckpointParams extends CallParams { readonly preventCse: boolean }

export const checkpointCall: Primitive<CheckpointParams> = definePrimitive({
  name: "checkpoint",
  call: true,
  abstractEval: (_inputs, { program }) => program.outputTypes,
  batch(n, values, dims, { program, ...rest }) {
    const { program: wide, outDims } = batchProgram(program, n, dims, false);
    return { outputs: bind(checkpointCall, values, { program: wide, ...rest }), dims: outDims };
  },
  lower: (ctx, inputs, { program }) => ctx.program(program, inputs),
});

defineDerivative(checkpointCall, (primitive) => ({
  jvp(primals, tangents, { program, ...rest }) {
    const nonzero = tangents.map(isNonzero);
    const both = jvpProgram(program, nonzero);
    const outputs = bind(primitive, [...both.captured, ...primals, ...tangents.filter(isNonzero)], { program: both.program, ...rest });
    let next = program.outputs.length;
    return { primals: outputs.slice(0, next), tangents: program.outputs.map((a, i): Tangent => (both.nonzeroOut[i] ? outputs[next++]! : new Zero(a.aval))) };
  },
  partialEval(recorder, inputs, { program, ...rest }) {
    const linearIn = inputs.map((x) => recorder.isLinear(x));
    const split = splitProgram(program, linearIn);
    const positions = program.outputs.map((_, i) => i);
    const knownAt = pick(positions, split.linearOut, false);
    const known = knownAt.length === 0 ? [] : bind(primitive, [...split.captured, ...pick(inputs, linearIn, false)], { program: withOutputs(split.known, knownAt.map((_, k) => k)), ...rest });
    const linearAt = pick(positions, split.linearOut);
    const linear = linearAt.length === 0 ? [] : recorder.record(primitive, inputs, { program: withOutputs(program, linearAt), ...rest });
    let [k, l] = [0, 0];
    return split.linearOut.map((isLinearOut) => (isLinearOut ? linear[l++]! : known[k++]!));
  },
  transpose(cts, inputs, { program, ...rest }) {
    const linearIn = inputs.map(isLinear);
    const nonzero = cts.map(isNonzero);
    const t = transposeProgram(program, linearIn, nonzero);
    const outputs = bind(primitive, [...t.captured, ...(pick(inputs, linearIn, false) as NDArray[]), ...cts.filter(isNonzero)], { program: t.program, ...rest });
    let [at, next] = [0, 0];
    return inputs.map((_, i) => (linearIn[i] && t.nonzeroOut[at++] ? outputs[next++]! : null));
  },
}));

export interface CheckpointOptions {
  /** Keep the optimizer from merging the recomputation with the first computation (default true). */
  readonly preventCse?: boolean;
}

/**
 * A function whose intermediate values are not kept for the backward pass but computed again (rematerialization): memory for time. Values
 * and derivatives of every order are those of `f`. `f` is traced, so it may not branch on values.
 * Under `jit` the two computations stand in one Program and stay apart, unless `preventCse` is false.
 * Griewank and Walther 2000, "Revolve"; Chen and others 2016, "Training deep nets with sublinear memory cost".
 * @example const layer = checkpoint((w: NDArray, x: NDArray) => np.tanh(np.matmul(w, x)));
 */
export function checkpoint<A extends readonly unknown[], R>(f: (...args: A) => R, options: CheckpointOptions = {}): (...args: A) => R {
  requireCallable(f, "checkpoint");
  const name = f.name || "checkpoint";
  return (...args) => {
    if (currentTrace() === eagerTrace) return f(...args);
    const [leaves, def] = flattenArgs(args, name);
    let outTree!: TreeDef;
    const { program, captured } = stage((...xs) => {
      const [outs, d] = flattenResult(f(...(tree.unflatten<unknown[]>(def, xs) as unknown as A)), name);
      outTree = d;
      return outs;
    }, leaves.map((x) => x.aval), name);
    return tree.unflatten<R>(outTree, bind(checkpointCall, [...captured, ...leaves], { program, name, preventCse: options.preventCse ?? true }));
  };
}
/** The name of `checkpoint` in older libraries. */
export const remat = checkpoint;
