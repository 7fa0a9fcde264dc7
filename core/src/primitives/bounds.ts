import type { AnyPrimitive } from "../ir/primitive.js";
import { type Atom, Literal, type Program } from "../ir/program.js";
import { add, max, min, mul, sub } from "./binary.js";
import { abs, cos, erf, logistic, neg, sign, sin, tanh } from "./unary.js";

/** Functions whose values are at most 1 in magnitude. */
const withinOne: ReadonlySet<AnyPrimitive> = new Set<AnyPrimitive>([tanh, logistic, sin, cos, erf, sign]);
const larger: ReadonlySet<AnyPrimitive> = new Set<AnyPrimitive>([max, min]);
const sums: ReadonlySet<AnyPrimitive> = new Set<AnyPrimitive>([add, sub]);
const same: ReadonlySet<AnyPrimitive> = new Set<AnyPrimitive>([neg, abs]);

/** Bounds on the magnitude of a program's values, whatever its inputs are (NaN apart); infinite where none is known. */
export function magnitudes(program: Program): (a: Atom) => number {
  const known = new Map<Atom, number>();
  const of = (a: Atom): number => (a instanceof Literal ? Math.abs(Number(a.value)) : known.get(a) ?? Infinity);
  for (const { primitive, inputs, outputs } of program.equations) {
    const bounds = inputs.map(of);
    const bound = withinOne.has(primitive) ? 1
      : primitive === mul ? bounds[0]! * bounds[1]!
      : sums.has(primitive) ? bounds[0]! + bounds[1]!
      : larger.has(primitive) ? Math.max(...bounds)
      : same.has(primitive) || (primitive.facts.view && inputs.length === 1) ? bounds[0]!
      : Infinity;
    // A product of 0 and what has no bound may be NaN.
    if (bound < Infinity) known.set(outputs[0]!, bound);
  }
  return of;
}
