import { findRule } from "../ir/primitive.js";
import { type Atom, type Equation, Program } from "../ir/program.js";
import { deadCode } from "./dead-code.js";
import { handOverRule } from "./rules.js";

/** Between loops of which one walks along what another has stacked: what the second can make of these rows alone the first may make at once. */
export function handOver(program: Program): Program {
  const equations = [...program.equations];
  const makers = new Map<Atom, number>();
  let changed = false;
  equations.forEach((e, at) => {
    const rule = findRule(e.primitive, handOverRule);
    if (!rule) return;
    for (const maker of new Set(e.inputs.map((a) => makers.get(a)))) {
      if (maker === undefined) continue;
      const others = new Set<Atom>([...equations.flatMap((x, i) => (i === at ? [] : x.inputs)), ...program.outputs]);
      const pair = rule(equations[maker]!, equations[at]!, (a) => others.has(a));
      if (!pair) continue;
      [equations[maker], equations[at]] = pair as readonly [Equation, Equation];
      changed = true;
    }
    e.outputs.forEach((v) => makers.set(v, at));
  });
  return changed ? deadCode(new Program(program.inputs, program.constants, equations, program.outputs)) : program;
}
