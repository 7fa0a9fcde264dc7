import type { NDArray } from "@hessia/core";
import { type Atom, currentTrace, findRule, literalArray, type Program, runRule, Var } from "@hessia/core/extend";
import { add } from "./ops.js";
import { notLinear } from "./linearity.js";
import { LinearInput, transposeRule } from "./rule-kinds.js";
import { type Tangent, Zero } from "./zero.js";

/**
 * Pulls cotangents back through a linear Program whose first inputs are the residuals. Gives the cotangents of the linear inputs.
 * Equation by equation from the last to the first; cotangents of a value used more than once add up.
 */
export function backwardPass(program: Program, residuals: readonly NDArray[], cotangents: readonly Tangent[]): Tangent[] {
  return runRule(currentTrace(), () => pullBack(program, residuals, cotangents));
}

function pullBack(program: Program, residuals: readonly NDArray[], cotangents: readonly Tangent[]): Tangent[] {
  const known = new Map<Var, NDArray>();
  residuals.forEach((x, i) => known.set(program.inputs[i]!, x));
  const ct = new Map<Var, NDArray>();
  const accumulate = (a: Atom, t: Tangent | null | undefined): void => {
    if (t === null || t === undefined || t instanceof Zero || !(a instanceof Var) || known.has(a)) return;
    const before = ct.get(a);
    ct.set(a, before ? add(before, t) : t);
  };
  program.outputs.forEach((a, i) => accumulate(a, cotangents[i]));
  for (let i = program.equations.length - 1; i >= 0; i--) {
    const e = program.equations[i]!;
    if (!e.outputs.some((v) => ct.has(v))) continue;
    const outs = e.outputs.map((v): Tangent => {
      const t = ct.get(v);
      ct.delete(v);
      return t ?? new Zero(v.aval);
    });
    const rule = findRule(e.primitive, transposeRule);
    if (!rule) throw notLinear(e.primitive.name, `the primitive "${e.primitive.name}", which has no transpose rule`);
    const inputs = e.inputs.map((a) => (a instanceof Var ? (known.get(a) ?? new LinearInput(a.aval)) : literalArray(a)));
    rule(outs, inputs, e.params).forEach((t, k) => inputs[k] instanceof LinearInput && accumulate(e.inputs[k]!, t));
  }
  return program.inputs.slice(residuals.length).map((v) => ct.get(v) ?? new Zero(v.aval));
}
