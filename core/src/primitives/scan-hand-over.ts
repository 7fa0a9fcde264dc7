import { isFloat, itemsize } from "../base/dtype.js";
import { avalsEqual } from "../ir/aval.js";
import type { Params } from "../ir/primitive.js";
import { type Atom, type Equation, Literal, Program, Var } from "../ir/program.js";
import type { HandOverRule } from "../optimize/rules.js";
import { mul } from "./binary.js";
import { magnitudes } from "./bounds.js";
import type { ScanParams } from "./control-flow-params.js";

/** Products of factors no larger than this in all neither overflow nor turn 0 into NaN. */
const small = 1024;

const paramsOf = (e: Equation): ScanParams => e.params as ScanParams;

/** How often the body of a loop reads each value. */
function readersOf({ equations, outputs }: Program): Map<Atom, number> {
  const uses = new Map<Atom, number>();
  for (const a of [...equations.flatMap((e) => e.inputs), ...outputs]) uses.set(a, (uses.get(a) ?? 0) + 1);
  return uses;
}

/** An equation of one result by its inputs. */
function product(a: Atom, b: Atom): Equation {
  return { primitive: mul, inputs: [a, b], params: {}, outputs: mul.abstractEval([a.aval, b.aval], {}).map((t) => new Var(t)) };
}

/**
 * `(x a) b = x (a b)` for rows a and b that nothing else needs and whose magnitudes are bounded: the loop then walks along one array in place
 * of two. So the slopes of a chain of functions, which derivatives multiply by, become one number.
 */
function joinFactors(body: Program, single: ReadonlySet<Atom>, magnitude: (a: Atom) => number): Equation[] {
  const uses = readersOf(body);
  const bounds = new Map<Atom, number>();
  for (const a of single) if (magnitude(a) <= small && isFloat(a.aval.dtype)) bounds.set(a, magnitude(a));
  const out: Equation[] = [];
  const made = new Map<Atom, Equation>();
  for (const e of body.equations) {
    let next = e;
    if (e.primitive === mul)
      for (const side of [0, 1] as const) {
        const [b, x] = [e.inputs[side]!, e.inputs[1 - side]!];
        const inner = made.get(x);
        if (!bounds.has(b) || inner?.primitive !== mul || uses.get(x) !== 1) continue;
        const at = inner.inputs.findIndex((a) => bounds.has(a));
        if (at < 0 || bounds.has(inner.inputs[1 - at]!)) continue;
        const a = inner.inputs[at]!;
        const bound = bounds.get(a)! * bounds.get(b)!;
        const joined = product(a, b);
        const whole = product(inner.inputs[1 - at]!, joined.outputs[0]!);
        if (bound > small || !avalsEqual(whole.outputs[0]!.aval, e.outputs[0]!.aval)) continue;
        out.splice(out.indexOf(inner), 1);
        out.push(joined);
        bounds.set(joined.outputs[0]!, bound);
        uses.set(joined.outputs[0]!, 1);
        next = { ...whole, outputs: e.outputs };
        break;
      }
    out.push(next);
    for (const v of next.outputs) made.set(v, next);
  }
  return out;
}

/**
 * Elementwise functions of rows alone that need more memory than their results are computed where the rows are, before they are stacked.
 * For loops of equally many steps.
 */
export const handOverScan: HandOverRule = (maker, user, usedElsewhere) => {
  const [from, to] = [paramsOf(maker), paramsOf(user)];
  if (from.length !== to.length || to.length < 2) return undefined;
  const first = to.constants + to.carry;
  /** The rows of the user that the maker stacks, as values in the maker's body. */
  const rows = new Map<Atom, Atom>();
  const single = new Set<Atom>();
  const uses = readersOf(to.program);
  user.inputs.forEach((a, i) => {
    const k = a instanceof Var ? maker.outputs.indexOf(a) : -1;
    if (i < first || k < from.carry) return;
    const row = to.program.inputs[i]!;
    const value = from.program.outputs[k]!;
    if (!avalsEqual(row.aval, value.aval)) return;
    rows.set(row, value);
    if (!usedElsewhere(a) && uses.get(row) === 1 && user.inputs.indexOf(a) === user.inputs.lastIndexOf(a)) single.add(row);
  });
  if (single.size < 2) return undefined;
  const magnitude = magnitudes(from.program);
  const equations = joinFactors(to.program, single, (a) => magnitude(rows.get(a)!));
  const moved: Equation[] = [];
  const left: Equation[] = [];
  for (const e of equations) {
    const [out] = e.outputs;
    const inputs = new Set(e.inputs.filter((a) => !(a instanceof Literal)));
    const fits = e.primitive.facts.elementwise === true && e.outputs.length === 1 && [...inputs].every((a) => rows.has(a));
    const saved = [...inputs].filter((a) => single.has(a)).reduce((n, a) => n + itemsize(a.aval.dtype), 0);
    if (!fits || saved <= itemsize(out!.aval.dtype)) {
      left.push(e);
      continue;
    }
    const value = new Var(out!.aval);
    moved.push({ ...e, inputs: e.inputs.map((a) => rows.get(a) ?? a), outputs: [value] });
    rows.set(out!, value);
    if (readersOf(new Program([], [], equations, to.program.outputs)).get(out!) === 1) single.add(out!);
  }
  if (moved.length === 0) return undefined;
  const needed = readersOf(new Program([], [], left, to.program.outputs));
  const handed = [...rows.keys()].filter((a): a is Var => a instanceof Var && needed.has(a) && !to.program.inputs.includes(a));
  const stacks = handed.map((v) => new Var({ ...v.aval, shape: [from.length, ...v.aval.shape] }));
  const body = new Program(from.program.inputs, [], [...from.program.equations, ...moved], [...from.program.outputs, ...handed.map((v) => rows.get(v)!)]);
  return [
    { ...maker, params: { ...from, program: body } as Params, outputs: [...maker.outputs, ...stacks] },
    { ...user, params: { ...to, program: new Program([...to.program.inputs, ...handed], [], left, to.program.outputs) } as Params, inputs: [...user.inputs, ...stacks] },
  ];
};
