import type { ArithmeticFn, UnaryFn } from "../../../kernel/expr.js";
import type { FunctionBuilder, FunctionRef, FunctionType } from "../assembler/index.js";

/**
 * A function in a module takes and gives scalars (f32, f64) or vectors (v128: f32x4, f64x2). In kernels of mixed width only the
 * low two lanes of an f32x4 mean anything; the others may hold any bits, so a function must not trap or loop on them.
 */
export type LaneForm = "scalar" | "v128";
export type FloatDType = "float32" | "float64";
export type FunctionKey = `${UnaryFn | ArithmeticFn}.${FloatDType}.${LaneForm}`;

/** What the body of a function may ask of its module. */
export interface FunctionLibrary {
  /** Whether WebAssembly's relaxed SIMD (fused multiply-add) may be used. */
  readonly relaxed: boolean;
  /** Another elementary function, added to the module when first asked for. Always there: where no emitter exists it calls JavaScript lane by lane. */
  elementary(name: UnaryFn | ArithmeticFn, dtype: FloatDType, form: LaneForm): FunctionRef;
  /** The v128 form that calls JavaScript lane by lane, for arguments that a fast path does not cover. */
  host(name: UnaryFn | ArithmeticFn, dtype: FloatDType): FunctionRef;
  /** A function of your own (a common kernel of several functions), added once per module under this name. */
  helper(name: string, type: FunctionType, emit: FunctionEmitter): FunctionRef;
  /** Address in memory of constant bytes (16-byte aligned, never freed), written once under this key. Read them with `f.i32(address).memory(...)`. */
  table(key: string, bytes: () => Uint8Array): number;
}

/**
 * Writes the body: parameters are locals 0 (and 1), the result is left on the stack. A table that has only the v128 form serves
 * scalars too, by splat and lane 0, so that a remainder loop gives the same bits as the vector loop.
 */
export type FunctionEmitter = (f: FunctionBuilder, library: FunctionLibrary) => void;

/** Emitters by `name.dtype.form`; what is missing is called in JavaScript, lane by lane. */
export type FunctionTable = Readonly<Partial<Record<FunctionKey, FunctionEmitter>>>;
