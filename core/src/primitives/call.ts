import type { NDArray } from "../array/ndarray.js";
import { ProgramError } from "../base/errors.js";
import { formatAval } from "../ir/aval.js";
import { type Program } from "../ir/program.js";
import type { Primitive } from "../ir/primitive.js";
import { BatchTrace, type BatchDim } from "../trace/batching.js";
import { definePrimitive } from "../trace/define.js";
import { evaluateProgram } from "../trace/evaluate.js";
import { stage } from "../trace/stage.js";
import { bind, currentTrace, runTrace } from "../trace/trace.js";
import { toBatch } from "./batch-axes.js";

/** A Program that does to batches what `program` does to one example. Outputs marked in `force` are batched at axis 0 whether they need it or not. */
export function batchProgram(program: Program, axisSize: number, dims: readonly BatchDim[], force: boolean | readonly boolean[]): { program: Program; outDims: BatchDim[] } {
  const key = `${axisSize};${dims.join()};${String(force)}`;
  const known = batched.get(program)?.get(key);
  if (known) return known;
  const types = program.inputTypes.map((t, i) => (dims[i] === null ? t : { ...t, shape: insertAxis(t.shape, dims[i]!, axisSize) }));
  let outDims: BatchDim[] = [];
  const staged = stage((...args) => {
    const { outputs, dims: out } = runBatched(axisSize, args, dims, (xs) => evaluateProgram(program, xs));
    const forced = outputs.map((y, i) => ((force === true || (force !== false && force[i])) ? toBatch(axisSize, y, out[i]!) : y));
    outDims = out.map((d, i) => ((force === true || (force !== false && force[i])) ? 0 : d));
    return forced;
  }, types, "vmap");
  if (staged.captured.length > 0)
    throw new ProgramError({ fn: "vmap", expected: "batching rules that make their constants by operations (iota, broadcast)", got: `an array constant ${formatAval(staged.captured[0]!.aval)} made inside a nested Program`, fix: "build it with np.arange, np.full or np.eye in the rule, or pass it as an input of the primitive" });
  const result = { program: staged.program, outDims };
  if (!batched.has(program)) batched.set(program, new Map());
  batched.get(program)!.set(key, result);
  return result;
}
const batched = new WeakMap<Program, Map<string, { program: Program; outDims: BatchDim[] }>>();
const insertAxis = (shape: readonly number[], at: number, n: number) => [...shape.slice(0, at), n, ...shape.slice(at)];

/** Runs `f` under a new batch trace and unwraps what it returns. */
export function runBatched(axisSize: number, values: readonly NDArray[], dims: readonly BatchDim[], f: (xs: NDArray[]) => readonly NDArray[]): { outputs: NDArray[]; dims: BatchDim[] } {
  const trace = new BatchTrace(currentTrace(), axisSize);
  const outputs = runTrace(trace, () => f(values.map((x, i) => trace.wrap(x, dims[i]!))));
  const pairs = outputs.map((y) => trace.unwrap(y));
  return { outputs: pairs.map((p) => p[0]), dims: pairs.map((p) => p[1]) };
}

export interface CallParams { readonly program: Program; readonly name: string }

/** Calls a Program: what `jit` leaves in the Program around it. Passes inline it. */
export const call: Primitive<CallParams> = definePrimitive({
  name: "call",
  call: true,
  abstractEval: (_inputs, { program }) => program.outputTypes,
  batch(n, values, dims, { program, name }) {
    const { program: wide, outDims } = batchProgram(program, n, dims, false);
    return { outputs: bind(call, values, { program: wide, name }), dims: outDims };
  },
  lower: (ctx, inputs, { program }) => ctx.program(program, inputs),
});
export const callPrimitives = { call };
