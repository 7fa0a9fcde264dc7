import { formatAval } from "../ir/aval.js";
import { paramsKey } from "../ir/params-key.js";
import { type Atom, type Equation, Literal, Program, type Var } from "../ir/program.js";

/** Computes equal equations once. */
export function commonSubexpressions(program: Program): Program {
  const ids = new Map<Var, number>();
  const replaced = new Map<Var, Var>();
  const seen = new Map<string, Equation>();
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
    const key = `${e.primitive.name}${paramsKey(e.params)}(${operandsKey(e, inputs)})>${e.outputs.map((o) => formatAval(o.aval)).join(",")}`;
    const same = seen.get(key);
    if (same) e.outputs.forEach((v, i) => replaced.set(v, same.outputs[i]!));
    else {
      const equation = { ...e, inputs };
      seen.set(key, equation);
      equations.push(equation);
    }
  }
  if (equations.length === program.equations.length) return program;
  return new Program(program.inputs, program.constants, equations, program.outputs.map(read));
}
