import { sizeOf } from "../base/shape.js";
import { type Atom, type Equation, Literal, nestedPrograms, Program, Var } from "../ir/program.js";
import { neededInputs, restricted } from "../optimize/dead-code.js";
import type { HoistRule, PruneRule } from "../optimize/rules.js";
import type { CondParams, ScanParams, WhileParams } from "./control-flow-params.js";

const or = (a: readonly boolean[], b: readonly boolean[]): boolean[] => a.map((x, i) => x || b[i]!);
const count = (flags: readonly boolean[]): number => flags.filter(Boolean).length;

/** Branches without unused results, and without operands that then no branch reads. */
export const pruneCond: PruneRule<CondParams> = ({ branches }, used) => {
  const needed = branches.map((b) => neededInputs(b, used)).reduce(or);
  return { params: { branches: branches.map((b) => restricted(b, needed, used)) }, inputs: [true, ...needed], outputs: used };
};

/** A carry is needed if its result is, or if a needed carry or stacked result is made from it. */
export const pruneScan: PruneRule<ScanParams> = (params, used) => {
  const { program, constants, carry } = params;
  let outputs = used;
  for (;;) {
    const needed = neededInputs(program, outputs);
    const next = outputs.map((u, i) => u || (i < carry && needed[constants + i]!));
    if (next.every((u, i) => u === outputs[i])) {
      // A carry goes in if and only if it comes out.
      const inputs = needed.map((n, i) => (i >= constants && i < constants + carry ? outputs[i - constants]! : n));
      return { params: { ...params, program: restricted(program, inputs, outputs), constants: count(inputs.slice(0, constants)), carry: count(outputs.slice(0, carry)) }, inputs, outputs };
    }
    outputs = next;
  }
};

/** As for scan, with what the condition reads. */
export const pruneWhile: PruneRule<WhileParams> = ({ condition, body, conditionConstants: nc, bodyConstants: nb }, used) => {
  const test = neededInputs(condition, [true]);
  let carry = or(used, test.slice(nc));
  for (;;) {
    const needed = neededInputs(body, carry);
    const next = or(carry, needed.slice(nb));
    if (next.every((u, i) => u === carry[i])) {
      const [testInputs, bodyInputs] = [[...test.slice(0, nc), ...carry], [...needed.slice(0, nb), ...carry]];
      return {
        params: { condition: restricted(condition, testInputs, [true]), body: restricted(body, bodyInputs, carry), conditionConstants: count(testInputs.slice(0, nc)), bodyConstants: count(bodyInputs.slice(0, nb)) },
        inputs: [...testInputs.slice(0, nc), ...bodyInputs],
        outputs: carry,
      };
    }
    carry = next;
  }
};

const elements = (atoms: readonly Atom[]): number => atoms.reduce((n, a) => n + sizeOf(a.aval.shape), 0);

/** Work worth doing once: no views, which cost nothing, nothing that fills much more memory than it reads, no loop that might not end. */
const worthMoving = (e: Equation): boolean =>
  !e.primitive.facts.view && e.inputs.length > 0 && elements(e.outputs) <= Math.max(4096, 2 * elements(e.inputs)) && nestedPrograms(e.params).length === 0;

/** Moves what depends on the loop's constants alone out of its body. */
function moveInvariants(program: Program, constants: number, outer: readonly Atom[], emit: (e: Equation) => void): { program: Program; added: Atom[] } | undefined {
  const invariant = new Set<Atom>(program.inputs.slice(0, constants));
  const definitions = new Map<Atom, Equation>();
  const moved = new Set<Equation>();
  for (const e of program.equations) {
    if (!e.inputs.every((a) => a instanceof Literal || invariant.has(a)) || nestedPrograms(e.params).length > 0) continue;
    e.outputs.forEach((v) => {
      invariant.add(v);
      definitions.set(v, e);
    });
    if (worthMoving(e)) moved.add(e);
  }
  if (moved.size === 0) return undefined;
  const outside = new Map<Atom, Atom>(program.inputs.slice(0, constants).map((v, i) => [v, outer[i]!]));
  const written = new Set<Equation>();
  const copy = (e: Equation): void => {
    if (written.has(e)) return;
    written.add(e);
    for (const a of e.inputs) if (definitions.has(a)) copy(definitions.get(a)!);
    const outputs = e.outputs.map((v) => new Var(v.aval));
    emit({ ...e, inputs: e.inputs.map((a) => outside.get(a) ?? a), outputs });
    e.outputs.forEach((v, i) => outside.set(v, outputs[i]!));
  };
  moved.forEach(copy);
  const rest = program.equations.filter((e) => !moved.has(e));
  const read = new Set<Atom>([...rest.flatMap((e) => e.inputs), ...program.outputs]);
  const added = [...moved].flatMap((e) => e.outputs).filter((v) => read.has(v));
  // What was a result of a moved equation is an input of the body from now on.
  return { program: new Program([...program.inputs.slice(0, constants), ...added, ...program.inputs.slice(constants)], [], rest, program.outputs), added: added.map((v) => outside.get(v)!) };
}

export const hoistScan: HoistRule<ScanParams> = (emit, inputs, params) => {
  if (params.length < 2) return undefined;
  const moved = moveInvariants(params.program, params.constants, inputs, emit);
  return moved && { inputs: [...inputs.slice(0, params.constants), ...moved.added, ...inputs.slice(params.constants)], params: { ...params, program: moved.program, constants: params.constants + moved.added.length } };
};

export const hoistWhile: HoistRule<WhileParams> = (emit, inputs, params) => {
  const { conditionConstants: nc, bodyConstants: nb } = params;
  const moved = moveInvariants(params.body, nb, inputs.slice(nc), emit);
  return moved && { inputs: [...inputs.slice(0, nc + nb), ...moved.added, ...inputs.slice(nc + nb)], params: { ...params, body: moved.program, bodyConstants: nb + moved.added.length } };
};
