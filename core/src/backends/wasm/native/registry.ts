import { RuleError } from "../../../base/errors.js";
import type { Routine } from "../../../kernel/routine.js";
import type { Operand } from "../../../kernel/schedule.js";
import type { FloatDType } from "../functions/contract.js";
import type { NativeRoutine, RoutineRequest } from "./contract.js";
import { Code } from "./code.js";
import { gemmScratchBytes } from "./gemm.js";
import { type Pointer, PointerVariable } from "./pointers.js";
import type { NumberType } from "./values.js";

/** What code is asked for: one routine with its params, on operands of these shapes and dtypes. */
export interface NativeRequest<P> {
  readonly params: P;
  readonly inputs: readonly Pick<Operand, "shape" | "dtype">[];
  readonly outputs: readonly Pick<Operand, "shape" | "dtype">[];
  /** Scratch that `gemm` takes for a float type. */
  readonly gemmScratchBytes: (dtype: FloatDType) => number;
}

/** Addresses of the operands and of the scratch room (aligned to 16 bytes, arbitrary content). */
export interface NativeOperands {
  readonly inputs: readonly Pointer[];
  readonly outputs: readonly Pointer[];
  readonly scratch: Pointer;
}

export interface NativeCode {
  /** Type of numbers in the body. */
  readonly dtype: NumberType;
  readonly scratchBytes: number;
  /** Writes the code. It must write every element of the outputs; inputs and outputs do not overlap. */
  readonly body: (c: Code, operands: NativeOperands) => void;
}

/** Gives undefined for params, shapes or dtypes that it does not cover: the reference runs then. */
export type NativeGenerator<P> = (request: NativeRequest<P>) => NativeCode | undefined;

const generators = new Map<string, NativeGenerator<object>>();

/**
 * Gives a routine WebAssembly code. It has to do what `reference` does, up to rounding. Engines without SIMD, other backends, and
 * requests for which the generator gives undefined keep using the reference.
 * @returns the routine, so that a module which uses the result keeps the registration in bundles
 * @throws RuleError when the routine has native code already
 */
export function defineNativeRoutine<P extends object>(routine: Routine<P>, generator: NativeGenerator<P>): Routine<P> {
  if (generators.has(routine.name))
    throw new RuleError({ fn: "defineNativeRoutine", arg: "routine", expected: "a routine without native code", got: `"${routine.name}", which has some`, fix: "define it once" });
  generators.set(routine.name, generator as NativeGenerator<object>);
  return routine;
}

/** The code of a registered routine for one request of the module. */
export function nativeRoutine(name: string, { params, inputs, outputs, module, library, tasks, simd }: RoutineRequest): NativeRoutine | undefined {
  const generator = generators.get(name);
  const operands = [...inputs, ...outputs];
  if (!generator || !simd) return undefined;
  const code = generator({ params, inputs, outputs, gemmScratchBytes: (dtype) => gemmScratchBytes({ module, library, tasks }, dtype) });
  if (!code) return undefined;
  const key = `native.${name}.${JSON.stringify(params)}.${operands.map((o) => `${o.dtype}[${o.shape.join(",")}]`).join(".")}`;
  const target = library.helper(key, { params: [...operands, "scratch"].map(() => "i32" as const), results: [] }, (f) => {
    const c = new Code(f, { module, library, tasks }, code.dtype);
    const pointers = operands.map((o, i) => new PointerVariable(c, i, o.dtype));
    code.body(c, { inputs: pointers.slice(0, inputs.length), outputs: pointers.slice(inputs.length), scratch: new PointerVariable(c, operands.length, code.dtype) });
  });
  return { target, scratchBytes: code.scratchBytes };
}
