import type { Program } from "../ir/program.js";
import { commonSubexpressions } from "./common-subexpressions.js";
import { deadCode } from "./dead-code.js";
import { inlineCalls } from "./inline.js";

export type Pass = (program: Program) => Program;

/** The passes between tracing and lowering, in order. */
export const passes: readonly (readonly [string, Pass])[] = [
  ["inline", inlineCalls],
  ["common subexpressions", commonSubexpressions],
  ["dead code", deadCode],
];

export const optimize: Pass = (program) => passes.reduce((p, [, pass]) => pass(p), program);
