import { type Atom, type Equation, Program, Var } from "../ir/program.js";

/** A call whose equations may stand among others. Those with `preventCse` set are computed apart, also where the same is computed elsewhere. */
const isInlined = (e: Equation): boolean => e.primitive.facts.call === true && !(e.params as { preventCse?: boolean }).preventCse;

/** Replaces calls (`jit`, custom rules) by the equations of the Program they call. */
export function inlineCalls(program: Program): Program {
  if (!program.equations.some(isInlined)) return program;
  const constants = [...program.constants];
  const equations: Equation[] = [];
  const emit = (p: Program, env: Map<Var, Atom>): Atom[] => {
    const read = (a: Atom): Atom => (a instanceof Var ? (env.get(a) ?? a) : a);
    for (const e of p.equations) {
      const inputs = e.inputs.map(read);
      if (isInlined(e)) {
        const called = (e.params as { program: Program }).program;
        constants.push(...called.constants);
        const outputs = emit(called, new Map(called.inputs.map((v, i) => [v, inputs[i]!])));
        e.outputs.forEach((v, i) => env.set(v, outputs[i]!));
        continue;
      }
      // A called Program may be inlined twice: each copy defines variables of its own.
      const outputs = p === program ? e.outputs : e.outputs.map((v) => new Var(v.aval));
      e.outputs.forEach((v, i) => outputs[i] !== v && env.set(v, outputs[i]!));
      equations.push({ primitive: e.primitive, inputs, params: e.params, outputs });
    }
    return p.outputs.map(read);
  };
  const outputs = emit(program, new Map());
  return new Program(program.inputs, constants, equations, outputs);
}
