import { findRule } from "../ir/primitive.js";
import { type Atom, type Equation, Program, Var } from "../ir/program.js";
import { type Emit, splitRule } from "./rules.js";

/** Takes out of loops what can be done for all their steps at once. */
export function splitLoops(program: Program): Program {
  const replaced = new Map<Atom, Atom>();
  const equations: Equation[] = [];
  const read = (a: Atom): Atom => replaced.get(a) ?? a;
  const emit: Emit = {
    equation(e) {
      const outputs = e.outputs ?? e.primitive.abstractEval(e.inputs.map((a) => a.aval), e.params).map((t) => new Var(t));
      equations.push({ ...e, outputs });
      return outputs;
    },
    one: (primitive, inputs, params) => emit.equation({ primitive, inputs, params })[0]!,
  };
  for (const e of program.equations) {
    const inputs = e.inputs.map(read);
    const results = findRule(e.primitive, splitRule)?.(emit, { primitive: e.primitive, inputs, params: e.params });
    if (results) e.outputs.forEach((v, i) => replaced.set(v, results[i]!));
    else equations.push({ ...e, inputs });
  }
  return replaced.size === 0 ? program : new Program(program.inputs, program.constants, equations, program.outputs.map(read));
}
