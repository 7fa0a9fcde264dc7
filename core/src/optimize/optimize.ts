import type { Params } from "../ir/primitive.js";
import { nestedPrograms, Program } from "../ir/program.js";
import { commonSubexpressions } from "./common-subexpressions.js";
import { deadCode } from "./dead-code.js";
import { hoistInvariants } from "./hoist.js";
import { inlineCalls } from "./inline.js";
import { simplify } from "./simplify.js";
import { splitLoops } from "./split.js";

export type Pass = (program: Program) => Program;

/** The passes between tracing and lowering, in order. */
export const passes: readonly (readonly [string, Pass])[] = [
  ["inline", inlineCalls],
  ["nested", optimizeNested],
  ["simplify", simplify],
  ["hoist", hoistInvariants],
  ["common subexpressions", commonSubexpressions],
  ["dead code", deadCode],
  ["split", splitAndTidy],
];

export const optimize: Pass = (program) => passes.reduce((p, [, pass]) => pass(p), program);

function splitAndTidy(program: Program): Program {
  const split = splitLoops(program);
  return split === program ? program : deadCode(commonSubexpressions(simplify(split)));
}

const optimized = new WeakMap<Program, Program>();

/** All passes within the bodies of loops and branches; a body that occurs twice stays one. */
function optimizeNested(program: Program): Program {
  const inner = (p: Program): Program => {
    let done = optimized.get(p);
    if (!done) {
      optimized.set(p, (done = optimize(p)));
      optimized.set(done, done);
    }
    return done;
  };
  if (program.equations.every((e) => nestedPrograms(e.params).every(([, p]) => inner(p) === p))) return program;
  const value = (v: unknown): unknown => (v instanceof Program ? inner(v) : Array.isArray(v) && v.some((x) => x instanceof Program) ? v.map(value) : v);
  const equations = program.equations.map((e) => (nestedPrograms(e.params).length === 0 ? e : { ...e, params: Object.fromEntries(Object.entries(e.params).map(([k, v]) => [k, value(v)])) as Params }));
  return new Program(program.inputs, program.constants, equations, program.outputs);
}
