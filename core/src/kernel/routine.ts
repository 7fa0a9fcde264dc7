import { RuleError } from "../base/errors.js";
import type { DType, TypedArray } from "../base/dtype.js";
import type { Shape } from "../base/shape.js";

/** A dense row-major array as a routine sees it. */
export interface RoutineArray {
  readonly data: TypedArray;
  readonly shape: Shape;
  readonly dtype: DType;
}

/**
 * An opaque operation with static params. `reference` defines what it means, over plain typed arrays; it must write every element of
 * the outputs and may not keep hold of the arrays. CPU backends without a routine of their own call it in place, on their own memory;
 * devices without one throw a BackendError.
 */
export interface Routine<P extends object = object> {
  readonly name: string;
  readonly reference: (inputs: readonly RoutineArray[], outputs: readonly RoutineArray[], params: P) => void;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- params are contravariant; the table holds routines of every params type
const routines = new Map<string, Routine<any>>();

/** Adds a routine to the vocabulary. @throws RuleError when the name is taken. */
export function defineRoutine<P extends object>(routine: Routine<P>): Routine<P> {
  if (routines.has(routine.name))
    throw new RuleError({ fn: "defineRoutine", arg: "name", expected: "a name not taken yet", got: `"${routine.name}"`, fix: "prefix the name with that of your package" });
  routines.set(routine.name, routine);
  return routine;
}

export const findRoutine = (name: string): Routine | undefined => routines.get(name);
