import type { NDArray } from "../array/ndarray.js";
import { type AnyPrimitive, getRule, type Params, ruleKind } from "../ir/primitive.js";
import { Trace, Tracer, runRule } from "./trace.js";

/** Position of the batch axis in a value, or null where all examples share it. */
export type BatchDim = number | null;

/**
 * How a primitive acts on batches: `values[i]` has its batch axis at `dims[i]`. At least one is batched. Runs with the outer trace
 * current, so it is written with ordinary operations.
 */
export type BatchRule<P> = (axisSize: number, values: readonly NDArray[], dims: readonly BatchDim[], params: P) => { readonly outputs: readonly NDArray[]; readonly dims: readonly BatchDim[] };
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- one slot for rules of every params type
export const batchRule = ruleKind<BatchRule<any>>("batch");

export class BatchTracer extends Tracer {
  constructor(trace: BatchTrace, readonly value: NDArray, readonly dim: number) {
    super(trace, { ...value.aval, shape: value.shape.filter((_, d) => d !== dim) });
  }
  /** One concrete value stands for no single example. */
  concrete(): undefined { return undefined; }
}

/** Carries a batch axis through every operation. */
export class BatchTrace extends Trace {
  readonly name = "vmap";
  constructor(readonly parent: Trace, readonly axisSize: number) { super(); }

  wrap(value: NDArray, dim: BatchDim): NDArray { return dim === null ? value : new BatchTracer(this, value, dim); }
  unwrap(x: NDArray): [NDArray, BatchDim] {
    if (x instanceof BatchTracer && x.trace === this) return [x.value, x.dim];
    return [x, null];
  }

  process(primitive: AnyPrimitive, inputs: readonly NDArray[], params: Params): NDArray[] {
    const pairs = inputs.map((x) => this.unwrap(x));
    const values = pairs.map((p) => p[0]);
    const dims = pairs.map((p) => p[1]);
    if (dims.every((d) => d === null)) return this.parent.process(primitive, values, params);
    const { outputs, dims: outDims } = runRule(this.parent, () => getRule(primitive, batchRule)(this.axisSize, values, dims, params));
    return outputs.map((y, i) => this.wrap(y, outDims[i]!));
  }
}
