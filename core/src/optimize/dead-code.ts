import { Program, Var } from "../ir/program.js";

/** Drops equations whose results nothing needs. */
export function deadCode(program: Program): Program {
  const live = new Set<Var>(program.outputs.filter((a) => a instanceof Var));
  const kept = [];
  for (let i = program.equations.length - 1; i >= 0; i--) {
    const e = program.equations[i]!;
    if (!e.outputs.some((v) => live.has(v))) continue;
    kept.push(e);
    for (const a of e.inputs) if (a instanceof Var) live.add(a);
  }
  if (kept.length === program.equations.length) return program;
  return new Program(program.inputs, program.constants.filter((c) => live.has(c.variable)), kept.reverse(), program.outputs);
}
