import { newTypedArray } from "../base/dtype.js";
import { HessiaError, ProgramError } from "../base/errors.js";
import { sizeOf } from "../base/shape.js";
import { formatAval, sameType } from "./aval.js";
import { type Atom, type Equation, Literal, nestedPrograms, type Program, Var } from "./program.js";

/** An equation as error texts name it. */
const describe = (e: Equation): string => `${e.outputs.map((v) => formatAval(v.aval)).join(" ")} = ${e.primitive.name} ${e.inputs.map((a) => formatAval(a.aval)).join(" ")}`.trim();

function fail(where: string, expected: string, got: string, cause?: unknown): ProgramError {
  return new ProgramError({ fn: "checkProgram", arg: where, expected, got, fix: "the pass or rule that wrote this Program is at fault" }, { cause });
}

/** Verifies one equation's types: `abstractEval` of its inputs gives its outputs. @throws ProgramError otherwise. */
export function checkEquation(e: Equation, where: string): void {
  let types;
  try {
    types = e.primitive.abstractEval(e.inputs.map((a) => a.aval), e.params);
  } catch (cause) {
    if (!(cause instanceof HessiaError)) throw cause;
    throw fail(where, "inputs and params that the primitive takes", `${describe(e)}: ${cause.message}`, cause);
  }
  if (types.length !== e.outputs.length || types.some((t, i) => !sameType(t, e.outputs[i]!.aval)))
    throw fail(where, `outputs ${types.map(formatAval).join(" ")}`, describe(e));
}

function checkAtom(a: Atom, defined: ReadonlySet<Var>, where: string): void {
  if (a instanceof Literal) {
    if (a.aval.shape.length !== 0) throw fail(where, "scalar literals", formatAval(a.aval));
    if ((typeof a.value === "boolean") !== (a.aval.dtype === "bool")) throw fail(where, `a literal of its dtype ${a.aval.dtype}`, `${typeof a.value} ${String(a.value)}`);
  } else if (!(a instanceof Var) || !defined.has(a)) throw fail(where, "variables that an input, a constant or an earlier equation defines", `one of type ${a instanceof Var ? formatAval(a.aval) : String(a)} that none does`);
}

/**
 * Verifies that a Program keeps its rules: every variable is assigned once and before its use, every equation's outputs have the types
 * that its primitive gives (dtype and shape; weakness may differ, since calls accept either), constants have their elements, nested
 * Programs keep the rules too and have no constants of their own.
 * @throws ProgramError that names the equation.
 * @example checkProgram(optimize(program));
 */
export function checkProgram(program: Program): void {
  check(program, "", new Set());
}

function check(program: Program, path: string, seen: Set<Program>): void {
  if (seen.has(program)) return;
  seen.add(program);
  const defined = new Set<Var>();
  const define = (v: Var, where: string): void => {
    if (defined.has(v)) throw fail(where, "every variable assigned once", `one of type ${formatAval(v.aval)} assigned again`);
    defined.add(v);
  };
  program.inputs.forEach((v, i) => define(v, `${path}input ${i}`));
  program.constants.forEach((c, i) => {
    const where = `${path}constant ${i}`;
    define(c.variable, where);
    const { value, variable } = c;
    if (!sameType(variable.aval, value)) throw fail(where, formatAval(variable.aval), formatAval(value));
    const kind = newTypedArray(value.dtype, 0).constructor;
    if (value.data.length !== sizeOf(value.shape) || value.data.constructor !== kind) throw fail(where, `${sizeOf(value.shape)} elements in a ${kind.name}`, `${value.data.length} in a ${value.data.constructor.name}`);
  });
  program.equations.forEach((e, i) => {
    const where = `${path}equation ${i} (${e.primitive.name})`;
    e.inputs.forEach((a) => checkAtom(a, defined, where));
    for (const [key, nested] of nestedPrograms(e.params)) {
      if (nested.constants.length) throw fail(`${where}, ${key}`, "a nested Program without constants of its own", String(nested.constants.length));
      check(nested, `${where}, ${key}: `, seen);
    }
    checkEquation(e, where);
    e.outputs.forEach((v) => define(v, where));
  });
  program.outputs.forEach((a, i) => checkAtom(a, defined, `${path}output ${i}`));
}
