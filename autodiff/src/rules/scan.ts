import type { NDArray } from "@hessia/core";
import { bind, evaluateProgram, Literal, primitiveFamilies, Program, type ScanParams, Var } from "@hessia/core/extend";
import type { Derivative } from "../derivative.js";
import { jvpProgram, pick, splitProgram, transposeProgram, withInputs, withOutputs } from "../programs.js";
import { requireZeroTerm } from "../linearity.js";
import { isLinear } from "../rule-kinds.js";
import { instantiate, isNonzero, type Tangent, Zero } from "../zero.js";

const { add } = primitiveFamilies.binary;
const positions = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => i + from);

/** The three groups of a scan's inputs. */
function groups<T>(list: readonly T[], { constants, carry }: ScanParams): { consts: T[]; carry: T[]; xs: T[] } {
  return { consts: list.slice(0, constants), carry: list.slice(constants, constants + carry), xs: list.slice(constants + carry) };
}

/** Grows a mask over the carry until the body gives no more: what is marked at the end of an iteration is marked at its start. */
export function carryFixedPoint(start: readonly boolean[], body: (carry: readonly boolean[]) => readonly boolean[]): boolean[] {
  let mask = [...start];
  for (;;) {
    const out = body(mask);
    const next = mask.map((b, i) => b || out[i]!);
    if (next.every((b, i) => b === mask[i])) return mask;
    mask = next;
  }
}

export const scanRule: Derivative<ScanParams> = (primitive) => ({
  jvp(primals, tangents, params) {
    const { program, constants, carry } = params;
    const nz = groups(tangents.map(isNonzero), params);
    const masks = (c: readonly boolean[]) => [...nz.consts, ...c, ...nz.xs];
    const moving = carryFixedPoint(nz.carry, (c) => jvpProgram(program, masks(c)).nonzeroOut);
    const all = masks(moving);
    const both = jvpProgram(program, all, program.outputs.map((_, i) => i < carry && moving[i]!));
    const n = program.inputs.length;
    const x = groups(primals, params);
    const given = tangents.map((t, i) => (all[i] ? instantiate(t) : t));
    const dx = groups(given, params);
    // Body inputs now: captured, inputs, tangents of the marked inputs.
    const captured = both.captured.length;
    const tangentAt = new Map<number, number>();
    all.forEach((m, i) => m && tangentAt.set(i, captured + n + tangentAt.size));
    const tangentPositions = (from: number, count: number) => positions(count, from).flatMap((i) => tangentAt.get(i) ?? []);
    const order = [
      ...positions(captured + constants), ...tangentPositions(0, constants),
      ...positions(carry, captured + constants), ...tangentPositions(constants, carry),
      ...positions(n - constants - carry, captured + constants + carry), ...tangentPositions(constants + carry, n - constants - carry),
    ];
    const outs = program.outputs.length;
    const outTangent = new Map<number, number>();
    both.nonzeroOut.forEach((m, i) => m && outTangent.set(i, outs + outTangent.size));
    const outTangents = (from: number, to: number) => positions(to - from, from).flatMap((i) => outTangent.get(i) ?? []);
    const outOrder = [...positions(carry), ...outTangents(0, carry), ...positions(outs - carry, carry), ...outTangents(carry, outs)];
    const body = withOutputs(withInputs(both.program, order), outOrder);
    const dConsts = dx.consts.filter(isNonzero);
    const dCarry = dx.carry.filter(isNonzero);
    const results = bind(primitive, [...both.captured, ...x.consts, ...dConsts, ...x.carry, ...dCarry, ...x.xs, ...dx.xs.filter(isNonzero)], {
      ...params, program: body, constants: captured + constants + dConsts.length, carry: carry + dCarry.length,
    });
    const find = (bodyOutput: number): NDArray => results[outOrder.indexOf(bodyOutput)]!;
    return {
      primals: positions(outs).map(find),
      tangents: positions(outs).map((i): Tangent => {
        const at = outTangent.get(i);
        const y = find(i);
        return at === undefined ? new Zero(y.aval) : find(at);
      }),
    };
  },

  partialEval(recorder, inputs, params) {
    const { program, carry } = params;
    const linear = groups(inputs.map((x) => recorder.isLinear(x)), params);
    const masks = (c: readonly boolean[]) => [...linear.consts, ...c, ...linear.xs];
    const unknown = carryFixedPoint(linear.carry, (c) => splitProgram(program, masks(c)).linearOut);
    const all = masks(unknown);
    const split = splitProgram(program, all, program.outputs.map((_, i) => i < carry && unknown[i]!));
    const v = groups(inputs, params);
    const known = { consts: pick(v.consts, linear.consts, false), carry: pick(v.carry, unknown, false), xs: pick(v.xs, linear.xs, false) };
    const fixed = [...split.captured, ...known.consts];

    const knownOuts = split.known.outputs.length - split.residualTypes.length;
    const residuals = sortResiduals(split.known, knownOuts, fixed, known.carry.length, known.xs);
    const stackedCount = residuals.stacked.length;
    const knownProgram = withOutputs(split.known, [...positions(knownOuts), ...residuals.stacked]);
    const outputs = bind(primitive, [...fixed, ...known.carry, ...known.xs], { ...params, program: knownProgram, constants: fixed.length, carry: known.carry.length });
    const stacks = outputs.slice(outputs.length - stackedCount);

    // Linear body inputs: residuals, then the linear consts, carry and xs. As a scan: fixed residuals and linear consts, linear carry, stacked residuals and linear xs.
    const r = split.residualTypes.length;
    const count = (mask: readonly boolean[]) => mask.filter((b) => b).length;
    const [lc, lk, lx] = [count(linear.consts), count(unknown), count(linear.xs)];
    const order = [...residuals.fixed.map((f) => f.residual), ...positions(lc, r), ...positions(lk, r + lc), ...residuals.perStep.map((s) => s.residual), ...positions(lx, r + lc + lk)];
    const body = withInputs(split.linear, order);
    const linearInputs = [
      ...residuals.fixed.map((f) => f.value), ...pick(v.consts, linear.consts),
      ...pick(v.carry, unknown),
      ...residuals.perStep.map((s) => s.value ?? stacks[s.stack]!), ...pick(v.xs, linear.xs),
    ];
    const recorded = split.linear.outputs.length === 0 ? [] : recorder.record(primitive, linearInputs, { ...params, program: body, constants: residuals.fixed.length + lc, carry: lk });
    let [k, l] = [0, 0];
    return split.linearOut.map((isLinearOut) => (isLinearOut ? recorded[l++]! : outputs[k++]!));
  },

  transpose(cts, inputs, params) {
    const { program, constants, carry } = params;
    const g = groups(inputs, params);
    const linearMask = groups(inputs.map(isLinear), params);
    const rows = { consts: pick(g.consts, linearMask.consts, false) as NDArray[], xs: pick(g.xs, linearMask.xs, false) as NDArray[] };
    const linearConsts = pick(g.consts, linearMask.consts);
    const ctCarry = cts.slice(0, carry);
    const ctYs = cts.slice(carry);
    const nzYs = ctYs.map(isNonzero);
    // A start that is not a tangent must be zero; its carry is linear all the same.
    g.carry.forEach((c) => requireZeroTerm(c, primitive.name));
    const all = inputs.map((x, i) => isLinear(x) || (i >= constants && i < constants + carry));
    // Every linear const and carry has its cotangent in the carry of the transposed loop; of the xs only what is not zero.
    const nonzeroCt = [...ctCarry.map(() => true), ...nzYs];
    const linearTypes = [...linearConsts, ...g.carry];
    const force = linearTypes.map(() => true);
    const t = transposeProgram(program, all, nonzeroCt, force);
    const [nc, nx] = [rows.consts.length, rows.xs.length];
    const cap = t.captured.length;
    const back = accumulating(t.program, { fixed: cap + nc, xs: nx, accumulators: linearConsts.map((c) => c.aval), carry, ys: nzYs.filter((b) => b).length });
    const zeros = linearConsts.map((c) => instantiate(new Zero({ ...c.aval, weak: false })));
    const outputs = bind(primitive, [...t.captured, ...rows.consts, ...zeros, ...ctCarry.map(instantiate), ...rows.xs, ...ctYs.filter(isNonzero)], {
      program: back, constants: cap + nc, carry: linearConsts.length + carry, length: params.length, reverse: !params.reverse,
    });
    let [c, k] = [0, 0];
    let next = linearConsts.length + carry;
    let at = linearTypes.length;
    return inputs.map((_, i) => {
      if (i < constants) return linearMask.consts[i] ? outputs[c++]! : null;
      if (i < constants + carry) return outputs[linearConsts.length + k++]!;
      if (!linearMask.xs[i - constants - carry]) return null;
      return t.nonzeroOut[at++] ? outputs[next++]! : null;
    });
  },
});

interface Residuals {
  /** The same in every iteration, with the array itself. */
  readonly fixed: { readonly residual: number; readonly value: NDArray }[];
  /** Different in each: an array that is walked along already, or a stack that the known loop makes. */
  readonly perStep: { readonly residual: number; readonly value: NDArray | undefined; readonly stack: number }[];
  /** Body outputs to stack. */
  readonly stacked: number[];
}

/** Residuals that need no stack: constants, rows of arrays that are scanned anyway, and what follows from constants alone, which is computed once here. */
function sortResiduals(known: Program, first: number, fixed: readonly NDArray[], carry: number, xs: readonly NDArray[]): Residuals {
  const invariant = new Set<Var>(known.inputs.slice(0, fixed.length));
  for (const e of known.equations) if (e.inputs.every((a) => a instanceof Literal || invariant.has(a))) e.outputs.forEach((v) => invariant.add(v));
  const out: Residuals = { fixed: [], perStep: [], stacked: [] };
  const hoisted: number[] = [];
  known.outputs.slice(first).forEach((atom, residual) => {
    const position = atom instanceof Var ? known.inputs.indexOf(atom) : -1;
    if (atom instanceof Literal || invariant.has(atom)) {
      out.fixed.push({ residual, value: fixed[position] as NDArray });
      if (position < 0) hoisted.push(residual);
    } else if (position >= fixed.length + carry) out.perStep.push({ residual, value: xs[position - fixed.length - carry]!, stack: -1 });
    else out.perStep.push({ residual, value: undefined, stack: out.stacked.push(first + residual) - 1 });
  });
  if (hoisted.length === 0) return out;
  const alone = withOutputs(known, hoisted.map((r) => first + r));
  const values = evaluateProgram(withInputs(alone, positions(fixed.length)), fixed);
  return { ...out, fixed: out.fixed.map((f) => (hoisted.includes(f.residual) ? { ...f, value: values[hoisted.indexOf(f.residual)]! } : f)) };
}

interface Layout { readonly fixed: number; readonly xs: number; readonly accumulators: readonly NDArray["aval"][]; readonly carry: number; readonly ys: number }
const made = new WeakMap<Program, Map<string, Program>>();

/**
 * The body of the transposed loop. `program` takes [fixed, xs, cotangents of the carry, of the ys] and gives the cotangents of
 * [constants, carry, xs]; the body takes [fixed, sums so far, cotangents of the carry, xs, cotangents of the ys] and adds to the sums.
 */
function accumulating(program: Program, { fixed, xs, accumulators, carry, ys }: Layout): Program {
  const key = `${fixed} ${xs} ${accumulators.length} ${carry} ${ys}`;
  const found = made.get(program)?.get(key);
  if (found) return found;
  const order = [...positions(fixed), ...accumulators, ...positions(carry, fixed + xs), ...positions(xs, fixed), ...positions(ys, fixed + xs + carry)];
  const wide = withInputs(program, order);
  const equations = [...wide.equations];
  const sums = accumulators.map((t, i) => {
    const v = new Var({ ...t, weak: false });
    equations.push({ primitive: add, inputs: [wide.inputs[fixed + i]!, program.outputs[i]!], params: {}, outputs: [v] });
    return v;
  });
  const result = new Program(wide.inputs, wide.constants, equations, [...sums, ...program.outputs.slice(accumulators.length)]);
  if (!made.has(program)) made.set(program, new Map());
  made.get(program)!.set(key, result);
  return result;
}
