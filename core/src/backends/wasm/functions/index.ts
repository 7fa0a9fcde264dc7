import type { ArithmeticFn, UnaryFn } from "../../../kernel/expr.js";
import { arithmeticFunctions } from "../../../kernel/functions/index.js";
import type { FunctionBuilder, Local } from "../assembler/index.js";
import type { FloatDType, FunctionEmitter, FunctionKey, FunctionLibrary, FunctionTable } from "./contract.js";
import { type Application, bodyOf, vectorizedNames } from "./definitions.js";
import { emitBody } from "./graph.js";
import { Lanes } from "./lanes.js";
import { emitLockstep } from "./lockstep.js";

const emitter = (name: UnaryFn | ArithmeticFn, dtype: FloatDType): FunctionEmitter => (f, library) => {
  emitBody(f, library, f.type.params.map((_, i) => i), bodyOf({ name }, new Lanes(dtype, library), library)!);
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
  const body = bodyOf({ name }, new Lanes(dtype, library), library);
  if (body) emitBody(f, library, args, body);
  return body !== undefined;
}

/**
 * Several functions of the same arguments in place, for several of these at once, side by side; gives locals with the results, by function.
 * @param straight without branches for rare arguments, where that is possible: more is computed, but beside whatever else the loop computes.
 */
export function inlineLockstep(f: FunctionBuilder, library: FunctionLibrary, list: readonly Application[], dtype: FloatDType, args: readonly (readonly Local[])[], straight: boolean): Local[][] {
  const l = new Lanes(dtype, library);
  return emitLockstep(f, library, args, list.map((application) => {
    const body = bodyOf(application, l, library)!;
    return (straight || list.length > 1) && body.rare ? { value: body.rare.value } : body;
  }));
}

/** Calls f(x) or f(-x), the vector x being on the stack, with the bits that it has where both are computed at once. */
export function callOfPair(f: FunctionBuilder, library: FunctionLibrary, application: Application, dtype: FloatDType): void {
  f.call(library.helper(`${application.name}.${dtype}.${application.pair}`, { params: ["v128"], results: ["v128"] }, (g) => {
    emitBody(g, library, [0], bodyOf(application, new Lanes(dtype, library), library)!);
  }));
}

export { type Application, comesInPairs } from "./definitions.js";

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
