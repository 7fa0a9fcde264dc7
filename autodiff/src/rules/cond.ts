import type { NDArray } from "@hessia/core";
import { type Aval, bind, type CondParams, Literal, primitiveFamilies, Program, sameType, Var } from "@hessia/core/extend";
import type { Derivative } from "../derivative.js";
import { jvpProgram, pick, type SplitProgram, splitProgram, transposeProgram, withInputs } from "../programs.js";
import { isLinear } from "../rule-kinds.js";
import { isNonzero, type Tangent, Zero } from "../zero.js";

const { broadcast } = primitiveFamilies.structural;
const anyOf = (masks: readonly (readonly boolean[])[]): boolean[] => masks[0]!.map((_, i) => masks.some((m) => m[i]));

/** Branches with inputs [their captured arrays, common inputs] as branches with inputs [all captured arrays, common inputs]. */
function shareCaptured(branches: readonly { readonly program: Program; readonly captured: readonly NDArray[] }[]): { programs: Program[]; captured: NDArray[] } {
  const captured = branches.flatMap((b) => [...b.captured]);
  const types = captured.map((c) => c.aval);
  let at = 0;
  const programs = branches.map(({ program, captured: own }) => {
    const first = at;
    at += own.length;
    const order: (number | Aval)[] = types.map((t, i) => (i >= first && i < first + own.length ? i - first : t));
    for (let i = own.length; i < program.inputs.length; i++) order.push(i);
    return captured.length === 0 ? program : withInputs(program, order);
  });
  return { programs, captured };
}

export const condRule: Derivative<CondParams> = (primitive) => ({
  jvp([index, ...operands], [, ...tangents], { branches }) {
    const nonzero = tangents.map(isNonzero);
    const out = anyOf(branches.map((b) => jvpProgram(b, nonzero).nonzeroOut));
    const { programs, captured } = shareCaptured(branches.map((b) => jvpProgram(b, nonzero, out)));
    const outputs = bind(primitive, [index!, ...captured, ...operands, ...tangents.filter(isNonzero)], { branches: programs });
    let next = out.length;
    return { primals: outputs.slice(0, next), tangents: branches[0]!.outputs.map((a, i): Tangent => (out[i] ? outputs[next++]! : new Zero(a.aval))) };
  },

  partialEval(recorder, [index, ...operands], { branches }) {
    const linearIn = operands.map((x) => recorder.isLinear(x));
    const out = anyOf(branches.map((b) => splitProgram(b, linearIn).linearOut));
    const splits = branches.map((b) => splitProgram(b, linearIn, out));
    const known = pick(operands, linearIn, false);
    const shared = shareResiduals(splits);
    const { programs, captured } = shareCaptured(splits.map((s, k) => ({ program: shared.known[k]!, captured: s.captured })));
    const outputs = bind(primitive, [index!, ...captured, ...known], { branches: programs });
    const count = out.filter((o) => !o).length;
    const residuals = [...outputs.slice(count), ...shared.passed.map((i) => known[i]!)];
    const linear = out.some((o) => o) ? recorder.record(primitive, [index!, ...residuals, ...pick(operands, linearIn)], { branches: shared.linear }) : [];
    let [k, l] = [0, 0];
    return out.map((isLinearOut) => (isLinearOut ? linear[l++]! : outputs[k++]!));
  },

  transpose(cts, [index, ...operands], { branches }) {
    const linearIn = operands.map(isLinear);
    const nonzero = cts.map(isNonzero);
    const out = anyOf(branches.map((b) => transposeProgram(b, linearIn, nonzero).nonzeroOut));
    const { programs, captured } = shareCaptured(branches.map((b) => transposeProgram(b, linearIn, nonzero, out)));
    const outputs = bind(primitive, [index as NDArray, ...captured, ...(pick(operands, linearIn, false) as NDArray[]), ...cts.filter(isNonzero)], { branches: programs });
    let [at, next] = [0, 0];
    return [null, ...operands.map((_, i) => (linearIn[i] && out[at++] ? outputs[next++]! : null))];
  },
});

/**
 * The residuals of all branches in common slots, one for each type as often as some branch needs it: the branch that runs fills its own
 * and writes zeros to the others. Residuals that are operands already are passed on instead of being copied.
 */
function shareResiduals(splits: readonly SplitProgram[]): { known: Program[]; linear: Program[]; passed: number[] } {
  const slots: Aval[] = [];
  const passed: number[] = [];
  const places = splits.map((s) => {
    const used = new Set<number>();
    const first = s.known.outputs.length - s.residualTypes.length;
    return s.residualTypes.map((t, i) => {
      const atom = s.known.outputs[first + i]!;
      const input = atom instanceof Var ? s.known.inputs.indexOf(atom) - s.captured.length : -1;
      if (input >= 0) {
        if (!passed.includes(input)) passed.push(input);
        return { operand: input, slot: -1 };
      }
      let slot = slots.findIndex((u, k) => !used.has(k) && sameType(u, t));
      if (slot < 0) slot = slots.push({ ...t, weak: false }) - 1;
      used.add(slot);
      return { operand: -1, slot };
    });
  });
  const known = splits.map((s, b) => {
    const first = s.known.outputs.length - s.residualTypes.length;
    const filled = slots.map((t, k) => {
      const i = places[b]!.findIndex((p) => p.slot === k);
      return i >= 0 ? { atom: s.known.outputs[first + i]! } : { zero: t };
    });
    return withFilledOutputs(s.known, first, filled);
  });
  const linear = splits.map((s, b) => {
    const order: (number | Aval)[] = slots.map((t, k) => {
      const i = places[b]!.findIndex((p) => p.slot === k);
      return i >= 0 ? i : t;
    });
    passed.forEach((operand) => {
      const i = places[b]!.findIndex((p) => p.operand === operand);
      order.push(i >= 0 ? i : s.known.inputs[operand + s.captured.length]!.aval);
    });
    for (let i = s.residualTypes.length; i < s.linear.inputs.length; i++) order.push(i);
    return withInputs(s.linear, order);
  });
  return { known, linear, passed };
}

type Filled = { readonly atom: Program["outputs"][number] } | { readonly zero: Aval };
function withFilledOutputs(program: Program, first: number, filled: readonly Filled[]): Program {
  const equations = [...program.equations];
  const outputs = filled.map((f) => {
    if ("atom" in f) return f.atom;
    const zero = new Literal(f.zero.dtype === "bool" ? false : 0, { ...f.zero, shape: [] });
    if (f.zero.shape.length === 0) return zero;
    const v = new Var(f.zero);
    equations.push({ primitive: broadcast, inputs: [zero], params: { shape: f.zero.shape, dims: [] }, outputs: [v] });
    return v;
  });
  return new Program(program.inputs, program.constants, equations, [...program.outputs.slice(0, first), ...outputs]);
}
