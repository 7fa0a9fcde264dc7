import type { NDArray } from "../array/ndarray.js";
import { ConcreteArray, scalar } from "../array/concrete.js";
import { type Atom, Literal, type Program, type Var } from "../ir/program.js";
import { bind } from "./trace.js";

/** Runs a Program under the current trace, equation by equation. */
export function evaluateProgram(program: Program, inputs: readonly NDArray[]): NDArray[] {
  const env = new Map<Var, NDArray>();
  program.inputs.forEach((v, i) => env.set(v, inputs[i]!));
  for (const c of program.constants) env.set(c.variable, c.value instanceof ConcreteArray ? c.value : ConcreteArray.fromHost(c.value.data, c.variable.aval));
  const read = (a: Atom): NDArray => (a instanceof Literal ? literalArray(a) : env.get(a)!);
  for (const e of program.equations) bind(e.primitive, e.inputs.map(read), e.params).forEach((y, i) => env.set(e.outputs[i]!, y));
  return program.outputs.map(read);
}

export const literalArray = (a: Literal): NDArray => scalar(a.value, a.aval.dtype, a.aval.weak);
