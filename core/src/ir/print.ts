import { formatAval } from "./aval.js";
import { functionId } from "./params-key.js";
import type { Params } from "./primitive.js";
import { type Atom, type Equation, Literal, Program, type Var } from "./program.js";

/** Words that are no names. */
export const keywords: ReadonlySet<string> = new Set(["lambda", "let", "in", "true", "false", "null", "undefined", "nan", "inf"]);
export const plainName = /^[A-Za-z_$][\w$]*(?:[./-][\w$]+)*$/;

/** The functions that have been printed as `<fn N>`, by which `parseProgram` finds them again while they live. */
const printed = new Map<number, WeakRef<object>>();
export const printedFunction = (id: number): object | undefined => printed.get(id)?.deref();

/** a, b, ..., z, aa, ab, ... without the keywords. */
function* names(): Generator<string, never> {
  for (let length = 1; ; length++)
    for (let i = 0; i < 26 ** length; i++) {
      let name = "";
      for (let k = 0, rest = i; k < length; k++, rest = Math.floor(rest / 26)) name = String.fromCharCode(97 + (rest % 26)) + name;
      if (!keywords.has(name)) yield name;
    }
}

export function numberText(v: number): string {
  if (Number.isNaN(v)) return "nan";
  if (!Number.isFinite(v)) return v < 0 ? "-inf" : "inf";
  return Object.is(v, -0) ? "-0" : String(v);
}

function valueText(v: unknown, indent: string): string {
  if (typeof v === "number") return numberText(v);
  if (typeof v === "string") return JSON.stringify(v);
  if (typeof v === "function") {
    const id = functionId(v);
    printed.set(id, new WeakRef(v));
    return `<fn ${id}>`;
  }
  if (v === null || typeof v !== "object") return String(v);
  if (v instanceof Program) return programText(v, indent);
  if (Array.isArray(v)) return v.some((x) => x instanceof Program) ? `[\n${indent}${v.map((x) => valueText(x, indent)).join(`,\n${indent}`)}]` : `[${v.map((x) => valueText(x, indent)).join(", ")}]`;
  return `{${Object.entries(v).map(([k, x]) => `${keyText(k)}: ${valueText(x, indent)}`).join(", ")}}`;
}
const keyText = (key: string): string => (plainName.test(key) && !keywords.has(key) ? key : JSON.stringify(key));

/** ` key=value ...` in brackets, or nothing. */
function paramsText(params: Params, indent: string): string {
  const entries = Object.entries(params);
  return entries.length === 0 ? "" : `[${entries.map(([k, v]) => `${keyText(k)}=${v instanceof Program ? `\n${indent}` : ""}${valueText(v, indent)}`).join(" ")}]`;
}

function programText(program: Program, indent: string): string {
  const supply = names();
  const known = new Map<Var, string>();
  const define = (v: Var): string => {
    const name = supply.next().value;
    known.set(v, name);
    return `${name}:${formatAval(v.aval)}`;
  };
  const use = (a: Atom): string => (a instanceof Literal ? `${typeof a.value === "boolean" ? String(a.value) : numberText(a.value)}:${formatAval(a.aval)}` : (known.get(a) ?? "?"));
  const equation = (e: Equation): string => {
    const inputs = e.inputs.map(use);
    const outputs = e.outputs.map(define);
    const name = plainName.test(e.primitive.name) && !keywords.has(e.primitive.name) ? e.primitive.name : JSON.stringify(e.primitive.name);
    return [...outputs, "=", name + paramsText(e.params, `${indent}        `), ...inputs].join(" ");
  };
  const head = ["lambda", ...program.inputs.map(define)];
  if (program.constants.length) head.push(";", ...program.constants.map((c) => `${define(c.variable)}=[${Array.from(c.value.data, numberText).join(", ")}]`));
  const body = program.equations.map(equation);
  return `{ ${head.join(" ")} .\n${indent}  let ${body.join(`\n${indent}      `)}\n${indent}  in (${program.outputs.map(use).join(", ")}) }`;
}

/**
 * A Program as text that `parseProgram` reads back: one equation a line, every value with its type at its definition, nested Programs
 * indented, constants with their elements in row-major order.
 *
 *     { lambda a:float64[3] b:float64*[] .
 *       let c:float64[3] = broadcast[shape=[3] dims=[]] b
 *           d:float64[3] = mul a c
 *       in (d) }
 *
 * A `*` marks weak types, `2:float64*[]` is a literal, `<fn 7>` a function among the params. A `?` stands for a variable that nothing
 * defines; `checkProgram` says where.
 * @example printProgram(makeProgram((x: NDArray) => np.sin(x))(np.ones([3])))
 */
export const printProgram = (program: Program): string => programText(program, "");
