import { formatAval } from "../ir/aval.js";
import { paramsKey } from "../ir/params-key.js";
import { type Atom, type Equation, Literal, Program, type Var } from "../ir/program.js";

/** Computes equal equations once. */
export function commonSubexpressions(program: Program): Program {
  const ids = new Map<Var, number>();
  const replaced = new Map<Var, Var>();
  /** By primitive and operands, and by params where that alone does not tell. */
  const seen = new Map<string, Equation | Map<string, Equation>>();
  const idOf = (v: Var) => {
    let id = ids.get(v);
    if (id === undefined) ids.set(v, (id = ids.size));
    return id;
  };
  const read = (a: Atom): Atom => (a instanceof Literal ? a : (replaced.get(a) ?? a));
  const atomKey = (a: Atom) => (a instanceof Literal ? `${Object.is(a.value, -0) ? "-0" : String(a.value)}:${formatAval(a.aval)}` : `%${idOf(a)}`);
  const operandsKey = (e: Equation, inputs: readonly Atom[]): string => {
    const keys = inputs.map(atomKey);
    return (e.primitive.facts.commutative ? keys.sort() : keys).join(",");
  };
  const equations: Equation[] = [];
  for (const e of program.equations) {
    const inputs = e.inputs.map(read);
    const key = `${e.primitive.name} ${operandsKey(e, inputs)}`;
    const alike = seen.get(key);
    const equation = { ...e, inputs };
    if (alike === undefined) seen.set(key, equation);
    else {
      const byParams = alike instanceof Map ? alike : new Map([[paramsKey(alike.params), alike]]);
      seen.set(key, byParams);
      const params = paramsKey(e.params);
      const same = byParams.get(params);
      if (same) {
        e.outputs.forEach((v, i) => replaced.set(v, same.outputs[i]!));
        continue;
      }
      byParams.set(params, equation);
    }
    equations.push(equation);
  }
  if (equations.length === program.equations.length) return program;
  return new Program(program.inputs, program.constants, equations, program.outputs.map(read));
}
