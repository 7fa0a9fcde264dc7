import type { DType, TypedArray } from "../base/dtype.js";
import type { Shape } from "../base/shape.js";
import type { Affine, BufferId, Expr } from "./expr.js";

/** Reductions. `argmax`/`argmin` give the int32 position (row-major over the reduced dimensions) of the first extremum; a NaN wins. `max`/`min` propagate NaN. */
export type ReduceOp = "add" | "mul" | "max" | "min" | "and" | "or" | "xor" | "argmax" | "argmin";

/** Loop indices, and positions of extrema, are int32. */
export const longestLoop = 2147483647;

export interface Accumulate {
  readonly op: ReduceOp;
  /** Of the result; int32 for argmax and argmin. */
  readonly dtype: DType;
  /** Over output and reduced dimensions. */
  readonly value: Expr;
}

/** `buffer[index + base] = value` for each output index. */
export interface KernelOutput {
  readonly buffer: BufferId;
  readonly index: Affine;
  readonly base?: Expr | undefined;
  readonly value: Expr;
}

/**
 * A loop nest: for every index of `dims`, run the accumulators over every index of `reduceDims`, then write the outputs.
 * Without accumulators `reduceDims` is empty. A reduction over an empty range gives the operation's identity.
 * Outputs never overlap each other, and what the kernel loads only where an element is read at the place where it is written and nowhere
 * else, or where there is one element to write: all of it is read first, whatever the order of the outputs.
 */
export interface Kernel {
  readonly dims: readonly number[];
  readonly reduceDims: readonly number[];
  readonly accumulators: readonly Accumulate[];
  readonly outputs: readonly KernelOutput[];
  /** Written beside the accumulation: index and value are over output and reduced dimensions, for every index of both. Only in kernels that reduce. */
  readonly stores?: readonly KernelOutput[] | undefined;
}

/** A dense row-major array in a buffer. */
export interface Operand {
  readonly buffer: BufferId;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Structured steps over ONE table of buffers: loop and branch bodies use the same ids. */
export type Step =
  | { readonly kind: "kernel"; readonly kernel: Kernel }
  | { readonly kind: "routine"; readonly name: string; readonly params: object; readonly inputs: readonly Operand[]; readonly outputs: readonly Operand[] }
  /** Copies `count` elements; bases are scalar int32 expressions in elements. */
  | { readonly kind: "copy"; readonly from: BufferId; readonly fromBase?: Expr | undefined; readonly to: BufferId; readonly toBase?: Expr | undefined; readonly count: number }
  /** Runs the body `count` times; the int32 buffer `counter` holds 0..count-1, or count-1..0 when reversed. */
  | { readonly kind: "for"; readonly count: number; readonly reverse: boolean; readonly counter: BufferId; readonly body: readonly Step[] }
  /** `condition` steps write the bool buffer `predicate`; while it is true, `body` runs. */
  | { readonly kind: "while"; readonly condition: readonly Step[]; readonly predicate: BufferId; readonly body: readonly Step[] }
  /** Runs `branches[clamp(index)]`; `index` is an int32 buffer. */
  | { readonly kind: "branch"; readonly index: BufferId; readonly branches: readonly (readonly Step[])[] };

export interface BufferInfo {
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
}

export interface Donation {
  readonly input: BufferId;
  readonly output: BufferId;
}

/** What a backend compiles: no primitives, only loops, routines and control flow over buffers of known size. */
export interface Schedule {
  readonly buffers: readonly BufferInfo[];
  /** Buffers the caller provides; read only, unless donated. */
  readonly inputs: readonly BufferId[];
  readonly constants: readonly { readonly buffer: BufferId; readonly data: TypedArray }[];
  /** Buffers the caller takes away: distinct, none of them an input or a constant. */
  readonly outputs: readonly BufferId[];
  /**
   * Results that may be written into the memory of an input that is given away: the steps are right whether the two are one or not, where a
   * copy from one to the other is nothing if they are. Each input and output at most once.
   */
  readonly donations?: readonly Donation[];
  readonly steps: readonly Step[];
  /** Byte offsets of the temporaries in one arena (64-byte aligned), by buffer id; absent for inputs, outputs and constants. */
  readonly arena: { readonly bytes: number; readonly offsets: ReadonlyMap<BufferId, number> };
}
