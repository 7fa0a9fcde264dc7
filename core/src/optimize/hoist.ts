import { findRule } from "../ir/primitive.js";
import { type Equation, Program } from "../ir/program.js";
import { hoistRule } from "./rules.js";

/** Computes before a loop what is the same in each of its iterations. */
export function hoistInvariants(program: Program): Program {
  let changed = false;
  const equations: Equation[] = [];
  for (const e of program.equations) {
    const moved = findRule(e.primitive, hoistRule)?.((before) => equations.push(before), e.inputs, e.params);
    changed ||= moved !== undefined;
    equations.push(moved ? { ...e, ...moved } : e);
  }
  return changed ? new Program(program.inputs, program.constants, equations, program.outputs) : program;
}
