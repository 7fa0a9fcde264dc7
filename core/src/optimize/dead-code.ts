import { findRule, type Params } from "../ir/primitive.js";
import { type Atom, type Equation, Program, Var } from "../ir/program.js";
import { pruneRule } from "./rules.js";

/** Drops equations whose results nothing needs, and from loops and branches the results that nothing needs. */
export function deadCode(program: Program): Program {
  const live = new Set<Var>(program.outputs.filter((a) => a instanceof Var));
  const kept: Equation[] = [];
  let changed = false;
  for (let i = program.equations.length - 1; i >= 0; i--) {
    const whole = program.equations[i]!;
    const used = whole.outputs.map((v) => live.has(v));
    if (!used.includes(true)) {
      changed = true;
      continue;
    }
    const e = pruned(whole, used);
    changed ||= e !== whole;
    kept.push(e);
    for (const a of e.inputs) if (a instanceof Var) live.add(a);
  }
  if (!changed) return program;
  return new Program(program.inputs, program.constants.filter((c) => live.has(c.variable)), kept.reverse(), program.outputs);
}

function pruned(e: Equation, used: readonly boolean[]): Equation {
  const p = findRule(e.primitive, pruneRule)?.(e.params, used);
  if (!p || (p.inputs.every(Boolean) && p.outputs.every(Boolean))) return e;
  return { primitive: e.primitive, inputs: e.inputs.filter((_, i) => p.inputs[i]), params: p.params as Params, outputs: e.outputs.filter((_, i) => p.outputs[i]) };
}

/** Which inputs of a Program the chosen outputs depend on. */
export function neededInputs(program: Program, outputs: readonly boolean[]): boolean[] {
  const live = new Set<Atom>(program.outputs.filter((_, i) => outputs[i]));
  for (let i = program.equations.length - 1; i >= 0; i--) {
    const e = program.equations[i]!;
    if (e.outputs.some((v) => live.has(v))) for (const a of e.inputs) live.add(a);
  }
  return program.inputs.map((v) => live.has(v));
}

/** The Program with the chosen inputs and outputs alone. The inputs dropped must not be needed. */
export const restricted = (program: Program, inputs: readonly boolean[], outputs: readonly boolean[]): Program =>
  deadCode(new Program(program.inputs.filter((_, i) => inputs[i]), program.constants, program.equations, program.outputs.filter((_, i) => outputs[i])));
