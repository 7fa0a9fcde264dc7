import { makeProgram, type NDArray } from "@hessia/core";
import { type AnyPrimitive, type Equation, evaluateProgram, Program, Var } from "@hessia/core/extend";
import type { Sample, SampleInput } from "@hessia/core/testing";

/**
 * A sample of a primitive whose params only a function of the library makes (Programs, rules): traces `f` and takes the equation from its
 * Program. What comes before the equation prepares its operands.
 */
export function sampleFromProgram(primitive: AnyPrimitive, f: (...x: NDArray[]) => unknown, inputs: readonly SampleInput[], example: readonly NDArray[]): Sample {
  const program = makeProgram(f)(...example);
  const at = program.equations.findIndex((e) => e.primitive === primitive);
  if (at < 0) throw new Error(`the traced function has no equation of ${primitive.name}`);
  const equation: Equation = program.equations[at]!;
  const before = new Program(program.inputs, program.constants, program.equations.slice(0, at), equation.inputs);
  if (program.inputs.length !== inputs.length) throw new Error(`${primitive.name}: the function closes over arrays`);
  const same = equation.inputs.length === inputs.length && equation.inputs.every((a, i) => a instanceof Var && a === program.inputs[i]);
  return { inputs, params: equation.params, ...(same ? {} : { prepare: (xs: readonly NDArray[]) => evaluateProgram(before, xs) }) };
}
