import type { NDArray } from "../array/ndarray.js";
import { checkProgram } from "../ir/check.js";
import { parseProgram } from "../ir/parse.js";
import { printProgram } from "../ir/print.js";
import type { Program } from "../ir/program.js";
import { optimize, type Pass, passes } from "../optimize/optimize.js";
import { evaluateProgram } from "../trace/evaluate.js";
import { type Nearness, requireNear, violated } from "./law.js";

/** A Program survives `parseProgram(printProgram(p))`: the same text, the same types, the same results; it and its copy keep the rules. */
export function textLaw(program: Program, inputs: readonly NDArray[], what: string): void {
  checkProgram(program);
  const text = printProgram(program);
  const again = parseProgram(text);
  checkProgram(again);
  if (printProgram(again) !== text) violated(`${what}: the parsed Program prints as\n${printProgram(again)}\ninstead of\n${text}`);
  const expected = evaluateProgram(program, inputs);
  evaluateProgram(again, inputs).forEach((y, i) => requireNear(y, expected[i]!, {}, `${what}: result ${i} of the parsed Program`));
}

/** Each pass alone, all of them in order, and all of them twice. */
export function passLaw(program: Program, inputs: readonly NDArray[], what: string, near: Nearness = { ofScale: 1e-14 }): void {
  const expected = evaluateProgram(program, inputs);
  const together: readonly (readonly [string, Pass])[] = [["all passes", optimize], ["all passes twice", (p) => optimize(optimize(p))]];
  for (const [name, pass] of [...passes, ...together]) {
    const result = pass(program);
    checkProgram(result);
    if (result.inputs.length !== program.inputs.length) violated(`${what}: ${name} changes the number of inputs`);
    evaluateProgram(result, inputs).forEach((y, i) => requireNear(y, expected[i]!, near, `${what}: result ${i} after ${name}`));
  }
}
