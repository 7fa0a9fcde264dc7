import { isFloat } from "../base/dtype.js";
import { avalsEqual } from "../ir/aval.js";
import { findRule } from "../ir/primitive.js";
import { paramsKey } from "../ir/params-key.js";
import { type Atom, type Equation, Literal, Program, Var } from "../ir/program.js";
import { foldElementwise } from "./fold.js";
import { elementwiseRule, type Known, simplifyRule } from "./rules.js";

/**
 * Algebra that changes no bit: identity elements, involutions, views of views, arithmetic of known numbers, and the primitives' own rules.
 * Only products of matrices may be taken in another order.
 */
export function simplify(program: Program): Program {
  const replaced = new Map<Var, Atom>();
  const definitions = new Map<Var, Equation>();
  const uniforms = new Map<Var, number | undefined>();
  const equations: Equation[] = [];
  const inputs = new Set<Atom>(program.inputs);
  const outputs = new Set<Atom>(program.outputs);
  const uses = new Map<Atom, number>();
  const count = (a: Atom) => uses.set(a, (uses.get(a) ?? 0) + 1);
  for (const e of program.equations) e.inputs.forEach(count);
  program.outputs.forEach(count);
  const read = (a: Atom): Atom => (a instanceof Var ? (replaced.get(a) ?? a) : a);
  const write = (e: Equation): void => {
    equations.push(e);
    if (e.outputs.length === 1) definitions.set(e.outputs[0]!, e);
  };
  const known: Known = {
    definition: (a) => (a instanceof Var ? definitions.get(a) : undefined),
    uses: (a) => uses.get(a),
    uniform(a) {
      if (a instanceof Literal) return Number(a.value);
      if (!uniforms.has(a)) uniforms.set(a, uniformResult(known, definitions.get(a)));
      return uniforms.get(a);
    },
    emit(primitive, from, params) {
      const e = { primitive, inputs: from, params, outputs: primitive.abstractEval(from.map((a) => a.aval), params).map((t) => new Var(t)) };
      const simple = simpler(known, e);
      if (simple instanceof Var && avalsEqual(simple.aval, e.outputs[0]!.aval)) return simple;
      write(e);
      return e.outputs[0]!;
    },
  };
  for (const e of program.equations) {
    const from = e.inputs.map(read);
    const equation = from.some((a, i) => a !== e.inputs[i]) ? { ...e, inputs: from } : e;
    const [out] = e.outputs;
    const simple = e.outputs.length === 1 ? simpler(known, equation) : undefined;
    // A result that were an argument itself would share its memory with it: results of operations are arrays of their own.
    if (simple && avalsEqual(simple.aval, out!.aval) && !(outputs.has(out!) && inputs.has(simple))) replaced.set(out!, simple);
    else write(equation);
  }
  return replaced.size === 0 ? program : new Program(program.inputs, program.constants, equations, program.outputs.map(read));
}

function uniformResult(known: Known, e: Equation | undefined): number | undefined {
  if (!e) return undefined;
  if (e.primitive.facts.view) return known.uniform(e.inputs[0]!);
  if (!e.primitive.facts.elementwise || e.inputs.length === 0) return undefined;
  const values: number[] = [];
  for (const a of e.inputs) {
    const v = known.uniform(a);
    if (v === undefined) return undefined;
    values.push(v);
  }
  return foldElementwise(e.primitive, values, e.inputs.map((a) => a.aval), e.params, e.outputs[0]!.aval);
}

function simpler(known: Known, e: Equation): Atom | undefined {
  const { facts } = e.primitive;
  const { aval } = e.outputs[0]!;
  const [x, y] = e.inputs;
  const value = facts.elementwise ? uniformResult(known, e) : undefined;
  if (aval.shape.length === 0) {
    if (value !== undefined) return new Literal(aval.dtype === "bool" ? value !== 0 : value, aval);
  }
  if (facts.identity !== undefined && x && y) {
    // x + 0 turns -0 into 0; x + (-0) is x.
    const neutral = facts.identity === 0 && isFloat(aval.dtype) ? -0 : facts.identity;
    const isNeutral = (a: Atom) => Object.is(known.uniform(a), neutral);
    if (isNeutral(y) && avalsEqual(x.aval, aval)) return x;
    if (facts.commutative && isNeutral(x) && avalsEqual(y.aval, aval)) return y;
  }
  if (facts.involution && x) {
    const inner = known.definition(x);
    if (inner && inner.primitive === e.primitive && paramsKey(inner.params) === paramsKey(e.params)) return inner.inputs[0];
  }
  return findRule(e.primitive, simplifyRule)?.(known, e.inputs, e.params, aval) ?? (facts.elementwise ? elementwiseRule(known, e, value) : undefined);
}
