import type { ArithmeticFn, UnaryFn } from "../../../kernel/expr.js";
import { arithmeticFunctions } from "../../../kernel/functions/index.js";
import type { FunctionBuilder, Local } from "../assembler/index.js";
import type { FloatDType, FunctionEmitter, FunctionKey, FunctionLibrary, FunctionTable } from "./contract.js";
import { bodyOf, vectorizedNames } from "./definitions.js";
import { emitBody } from "./graph.js";
import { emitLockstep } from "./lockstep.js";

const emitter = (name: UnaryFn | ArithmeticFn, dtype: FloatDType): FunctionEmitter => (f, library) => {
  emitBody(f, library, f.type.params.map((_, i) => i), bodyOf(name, dtype, library)!);
};

/** The elementary functions that have code of their own, all in vector form. */
export const functionTable: FunctionTable = Object.fromEntries(
  vectorizedNames.flatMap((name) => (["float32", "float64"] as const).map((dtype): [FunctionKey, FunctionEmitter] => [`${name}.${dtype}.v128`, emitter(name, dtype)])),
);

/**
 * Writes a function in place instead of a call: its arguments are vectors in these locals, the result is left on the stack. The bits are
 * those of the called form.
 * @returns false, and writes nothing, for a function without vector code.
 */
export function inlineFunction(f: FunctionBuilder, library: FunctionLibrary, name: UnaryFn | ArithmeticFn, dtype: FloatDType, args: readonly Local[]): boolean {
  const body = bodyOf(name, dtype, library);
  if (body) emitBody(f, library, args, body);
  return body !== undefined;
}

/**
 * The same for several arguments at once, side by side; gives locals with the results.
 * @param straight without branches for rare arguments, where that is possible: more is computed, but beside whatever else the loop computes.
 */
export function inlineLockstep(f: FunctionBuilder, library: FunctionLibrary, name: UnaryFn | ArithmeticFn, dtype: FloatDType, args: readonly (readonly Local[])[], straight: boolean): Local[] {
  const body = bodyOf(name, dtype, library)!;
  return emitLockstep(f, library, args, straight && body.rare ? { value: body.rare.value } : body);
}

/** Whether a function is written in place at this point of `f`. */
export const goesInPlace = (f: FunctionBuilder, name: UnaryFn | ArithmeticFn): boolean => vectorizedNames.includes(name) && f.body.length <= maxInlineBytes;

/** In a function longer than this, more elementary functions are called instead of written in place. */
const maxInlineBytes = 16384;

/** The function of the one or two vectors on the stack, in place or called. */
export function emitElementary(f: FunctionBuilder, library: FunctionLibrary, name: UnaryFn | ArithmeticFn, dtype: FloatDType): void {
  if (!goesInPlace(f, name)) {
    f.call(library.elementary(name, dtype, "v128"));
    return;
  }
  const args = Array.from({ length: name in arithmeticFunctions ? 2 : 1 }, () => f.local("v128"));
  for (const a of [...args].reverse()) f.set(a);
  inlineFunction(f, library, name, dtype, args);
  for (const a of args) f.release(a);
}
