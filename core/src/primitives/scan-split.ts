import { isFloat } from "../base/dtype.js";
import { range, type Shape, sizeOf } from "../base/shape.js";
import { type Atom, type Equation, Literal, nestedPrograms, Program, Var } from "../ir/program.js";
import type { Params } from "../ir/primitive.js";
import type { Emit, SplitRule } from "../optimize/rules.js";
import { add } from "./binary.js";
import { batchProgram } from "./call.js";
import type { ScanParams } from "./control-flow-params.js";
import { dot, type DotParams } from "./dot.js";
import { reduceSum } from "./reductions.js";

/** Elements of arrays over all steps that the passes may make. */
const largest = 2 ** 24;
/** A product of more rows than this keeps the processor busy by itself. */
const fewRows = 64;
/** A sum over fewer terms than this costs less than the trip of its result through memory. */
const fewTerms = 64;

const elements = (shape: Shape, axes?: readonly number[]): number => sizeOf(axes ? axes.map((d) => shape[d]!) : shape);

type Loop = { readonly inputs: readonly Atom[]; readonly params: ScanParams };

/** Equations of the body that need neither carry nor other steps, by what they need: the loop's constants alone, or rows too. */
function withoutCarry({ params: { program, constants, carry } }: Loop): Map<Atom, "fixed" | "row"> {
  const kinds = new Map<Atom, "fixed" | "row">();
  program.inputs.forEach((v, i) => {
    if (i < constants) kinds.set(v, "fixed");
    else if (i >= constants + carry) kinds.set(v, "row");
  });
  for (const e of program.equations) {
    if (nestedPrograms(e.params).length > 0 || !e.inputs.every((a) => a instanceof Literal || kinds.has(a))) continue;
    const kind = e.inputs.some((a) => kinds.get(a) === "row") ? "row" : "fixed";
    for (const v of e.outputs) kinds.set(v, kind);
  }
  return kinds;
}

/** A product of a few rows with a matrix that is the same in each step. */
function isRowProduct(e: Equation, kinds: ReadonlyMap<Atom, "fixed" | "row">, length: number): boolean {
  if (e.primitive !== dot || kinds.get(e.outputs[0]!) !== "row" || !isFloat(e.outputs[0]!.aval.dtype)) return false;
  const { contract, batch } = e.params as DotParams;
  const side = kinds.get(e.inputs[0]!) === "row" ? 0 : 1;
  if (kinds.get(e.inputs[1 - side]!) !== "fixed" || contract[0].length === 0) return false;
  const row = e.inputs[side]!.aval.shape;
  const rows = elements(row) / Math.max(1, elements(row, [...contract[side], ...batch[side]]));
  return rows <= fewRows && length * elements(e.outputs[0]!.aval.shape) <= largest;
}

/**
 * Products of rows that do not depend on the carry, for all steps in one product before the loop: `x_t W` for all t is `X W`, which reads
 * W once instead of once a step.
 */
function productsBefore(emit: Emit, loop: Loop): Loop {
  const { inputs, params } = loop;
  const { program, constants, carry, length } = params;
  const kinds = withoutCarry(loop);
  const moved = program.equations.filter((e) => isRowProduct(e, kinds, length));
  if (moved.length === 0) return loop;
  const results = moved.map((e) => e.outputs[0]!);
  const given = program.inputs.filter((v) => kinds.has(v));
  const needed = new Set<Atom>(results);
  const equations = program.equations.filter((e) => e.outputs.every((v) => kinds.has(v)));
  const used = [...equations].reverse().filter((e) => {
    if (!e.outputs.some((v) => needed.has(v))) return false;
    e.inputs.forEach((a) => needed.add(a));
    return true;
  }).reverse();
  const { program: wide } = batchProgram(new Program(given, [], used, results), length, given.map((v) => (kinds.get(v) === "row" ? 0 : null)), true);
  const outer = new Map<Atom, Atom>(wide.inputs.map((v, i) => [v, inputs[program.inputs.indexOf(given[i]!)]!]));
  const read = (a: Atom): Atom => outer.get(a) ?? a;
  for (const e of wide.equations) emit.equation({ ...e, inputs: e.inputs.map(read) });
  const rest = program.equations.filter((e) => !moved.includes(e));
  return { inputs: [...inputs, ...wide.outputs.map(read)], params: { ...params, program: new Program([...program.inputs, ...results], [], rest, program.outputs), constants, carry } };
}

/** What a carry gains in each step, if that is all that happens to it: `next = carry + gain`. */
interface Gain {
  readonly carry: number;
  readonly product?: Equation;
  readonly value: Var;
}

function gains({ params: { program, constants, carry } }: Loop): Gain[] {
  const uses = new Map<Atom, number>();
  const definitions = new Map<Atom, Equation>();
  for (const e of program.equations) {
    e.inputs.forEach((a) => uses.set(a, (uses.get(a) ?? 0) + 1));
    e.outputs.forEach((v) => definitions.set(v, e));
  }
  program.outputs.forEach((a) => uses.set(a, (uses.get(a) ?? 0) + 1));
  return range(carry).flatMap((k) => {
    const old = program.inputs[constants + k]!;
    const next = program.outputs[k]!;
    const sum = definitions.get(next);
    if (!sum || sum.primitive !== add || uses.get(next) !== 1 || uses.get(old) !== 1 || !isFloat(old.aval.dtype)) return [];
    const value = sum.inputs[0] === old ? sum.inputs[1] : sum.inputs[1] === old ? sum.inputs[0] : undefined;
    if (!(value instanceof Var)) return [];
    const product = definitions.get(value);
    return [{ carry: k, value, ...(product && uses.get(value) === 1 ? { product } : {}) }];
  });
}

/**
 * Carries that are only ever added to: what is added is kept for each step, and summed up after the loop. Sums of products over steps
 * are one product that contracts the steps too: `sum_t a_t b_t^T = A^T B`, where A and B have the rows a_t and b_t.
 */
function sumsAfter(emit: Emit, primitive: Equation["primitive"], loop: Loop): readonly Atom[] | undefined {
  const { inputs, params } = loop;
  const { program, constants, carry, length } = params;
  const stacked = new Map<Atom, number>();
  const rows = new Map<Atom, Atom>(program.inputs.slice(constants + carry).map((v, i) => [v, inputs[constants + carry + i]!]));
  program.outputs.slice(carry).forEach((v, i) => stacked.set(v, i));
  const known = program.outputs.length - carry;
  const added: Var[] = [];
  const fixed = new Set<Atom>(program.inputs.slice(0, constants));
  const isStacked = (a: Atom): boolean => rows.has(a) || stacked.has(a);
  const cost = (a: Atom): number => (isStacked(a) ? 0 : elements(a.aval.shape));
  const stack = (a: Atom): void => {
    if (isStacked(a)) return;
    stacked.set(a, known + added.length);
    added.push(a as Var);
  };

  const all = gains(loop);
  const products = all.filter(({ product }) => {
    if (product?.primitive !== dot || !product.inputs.every((a) => a instanceof Var && !fixed.has(a))) return false;
    const [a, b] = product.inputs as [Var, Var];
    const terms = elements(a.aval.shape, (product.params as DotParams).contract[0]);
    if (terms >= fewTerms || elements(product.outputs[0]!.aval.shape) < elements(a.aval.shape) + elements(b.aval.shape)) return false;
    if (length * (cost(a) + cost(b)) > largest) return false;
    stack(a);
    stack(b);
    return true;
  });
  if (products.length === 0) return undefined;
  const sums = all.filter((g) => !products.includes(g) && (isStacked(g.value) || (g.product?.primitive === reduceSum && isStacked(g.product.inputs[0]!))));

  const results = emit.equation({ primitive, inputs, params: { ...params, program: new Program(program.inputs, [], program.equations, [...program.outputs, ...added]) } as Params });
  const steps = (a: Atom): Atom => rows.get(a) ?? results[carry + stacked.get(a)!]!;
  const shift = (axes: readonly number[]): number[] => [0, ...axes.map((d) => d + 1)];
  const outputs = results.slice(0, program.outputs.length);
  for (const g of products) {
    const { contract, batch } = g.product!.params as DotParams;
    const [a, b] = g.product!.inputs;
    const more = (axes: readonly number[]) => axes.map((d) => d + 1);
    const total = emit.one(dot, [steps(a!), steps(b!)], { contract: [shift(contract[0]), shift(contract[1])], batch: [more(batch[0]), more(batch[1])] });
    outputs[g.carry] = emit.one(add, [inputs[constants + g.carry]!, total], {}) as Var;
  }
  for (const g of sums) {
    const total = isStacked(g.value) ? emit.one(reduceSum, [steps(g.value)], { axes: [0] }) : emit.one(reduceSum, [steps(g.product!.inputs[0]!)], { axes: shift((g.product!.params as { axes: readonly number[] }).axes) });
    outputs[g.carry] = emit.one(add, [inputs[constants + g.carry]!, total], {}) as Var;
  }
  return outputs;
}

export const splitScan: SplitRule<ScanParams> = (emit, { primitive, inputs, params }) => {
  if (params.length < 2) return undefined;
  const start = { inputs, params };
  const loop = productsBefore(emit, start);
  return sumsAfter(emit, primitive, loop) ?? (loop === start ? undefined : emit.equation({ primitive, inputs: loop.inputs, params: loop.params as Params }));
};
