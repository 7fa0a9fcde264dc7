import { isDType, newTypedArray } from "../base/dtype.js";
import { HessiaError, ProgramError } from "../base/errors.js";
import { sizeOf } from "../base/shape.js";
import type { Aval } from "./aval.js";
import { checkEquation } from "./check.js";
import { primitiveByName } from "./primitive.js";
import { keywords, printedFunction } from "./print.js";
import { type Atom, type Constant, type Equation, Literal, Program, Var } from "./program.js";

export interface ParseOptions {
  /** What `<fn N>` stands for; functions printed earlier in this process are known. */
  readonly functions?: ReadonlyMap<number, object>;
}

interface Token { readonly kind: "name" | "number" | "string" | "mark" | "end"; readonly text: string; readonly line: number; readonly column: number }

const pattern = /(?<space>\s+|#[^\n]*)|(?<number>[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf\b))|(?<name>[A-Za-z_$][\w$]*(?:[./-][\w$]+)*)|(?<string>"(?:[^"\\]|\\.)*")|(?<mark>[{}[\]():;=,.*<>])/uy;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let start = 0;
  pattern.lastIndex = 0;
  for (let at = 0; at < text.length; at = pattern.lastIndex) {
    const match = (pattern.lastIndex = at, pattern.exec(text));
    const column = at - start + 1;
    if (!match?.groups) throw unexpected("a Program", JSON.stringify(text[at]), line, column);
    const kind = (["number", "name", "string", "mark"] as const).find((k) => match.groups![k] !== undefined);
    if (kind) tokens.push({ kind, text: match[0], line, column });
    for (let k = 0; k < match[0].length; k++)
      if (match[0][k] === "\n") {
        line++;
        start = at + k + 1;
      }
  }
  tokens.push({ kind: "end", text: "the end of the text", line, column: text.length - start + 1 });
  return tokens;
}

function unexpected(expected: string, got: string, line: number, column: number, fix = "the form is { lambda a:float64[3] . let b:float64[3] = sin a in (b) }", cause?: unknown): ProgramError {
  return new ProgramError({ fn: "parseProgram", arg: "text", expected: `${expected} at line ${line}, column ${column}`, got, fix }, { cause });
}

class Parser {
  #at = 0;
  readonly #tokens: readonly Token[];
  constructor(text: string, readonly options: ParseOptions) { this.#tokens = tokenize(text); }

  get #next(): Token { return this.#tokens[this.#at]!; }
  #take(): Token { return this.#tokens[this.#at === this.#tokens.length - 1 ? this.#at : this.#at++]!; }
  #fail(expected: string, token = this.#next, fix?: string): ProgramError {
    return unexpected(expected, token.kind === "end" ? token.text : `"${token.text}"`, token.line, token.column, fix);
  }
  #is(text: string, ahead = 0): boolean {
    const t = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
    return t.text === text && (t.kind === "mark" || t.kind === "name");
  }
  #expect(text: string): Token {
    if (!this.#is(text)) throw this.#fail(`"${text}"`);
    return this.#take();
  }
  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }
  #name(what: string): Token {
    const t = this.#next;
    if (t.kind !== "name" || keywords.has(t.text)) throw this.#fail(what);
    return this.#take();
  }

  whole(): Program {
    const program = this.#program();
    if (this.#next.kind !== "end") throw this.#fail("the end of the text");
    return program;
  }

  #program(): Program {
    const scope = new Map<string, Var>();
    const inputs: Var[] = [];
    const constants: Constant[] = [];
    const equations: Equation[] = [];
    this.#expect("{");
    this.#expect("lambda");
    while (!this.#is(".") && !this.#is(";")) inputs.push(this.#binding(scope));
    if (this.#accept(";")) while (!this.#is(".")) constants.push(this.#constant(scope));
    this.#expect(".");
    this.#expect("let");
    while (!this.#is("in")) equations.push(this.#equation(scope));
    this.#expect("in");
    this.#expect("(");
    const outputs = this.#list(")", () => this.#atom(scope));
    this.#expect("}");
    return new Program(inputs, constants, equations, outputs);
  }

  #list<T>(close: string, item: () => T): T[] {
    const out: T[] = [];
    if (this.#accept(close)) return out;
    do out.push(item()); while (this.#accept(","));
    this.#expect(close);
    return out;
  }

  #newVar(): { name: Token; variable: Var } {
    const name = this.#name("a variable");
    this.#expect(":");
    return { name, variable: new Var(this.#type()) };
  }
  #define({ name, variable }: { name: Token; variable: Var }, scope: Map<string, Var>): Var {
    if (scope.has(name.text)) throw this.#fail("a name not taken yet", name, "every variable is assigned once");
    scope.set(name.text, variable);
    return variable;
  }
  #binding(scope: Map<string, Var>): Var { return this.#define(this.#newVar(), scope); }

  #type(): Aval {
    const t = this.#take();
    if (t.kind !== "name" || !isDType(t.text)) throw this.#fail("a dtype", t);
    const weak = this.#accept("*");
    this.#expect("[");
    const shape = this.#list("]", () => {
      const n = this.#next;
      if (n.kind !== "number" || !/^\d+$/.test(n.text)) throw this.#fail("a size");
      return Number(this.#take().text);
    });
    return { shape, dtype: t.text, weak };
  }

  #constant(scope: Map<string, Var>): Constant {
    const variable = this.#binding(scope);
    const { shape, dtype, weak } = variable.aval;
    this.#expect("=");
    const open = this.#expect("[");
    const values = this.#list("]", () => this.#number());
    if (values.length !== sizeOf(shape)) throw unexpected(`${sizeOf(shape)} elements`, String(values.length), open.line, open.column);
    const data = newTypedArray(dtype, values.length);
    data.set(values);
    return { variable, value: { shape, dtype, weak, data } };
  }

  #number(): number {
    const t = this.#next;
    if (t.kind === "name" && (t.text === "nan" || t.text === "inf")) return toNumber(this.#take().text);
    if (t.kind !== "number") throw this.#fail("a number");
    return toNumber(this.#take().text);
  }

  #equation(scope: Map<string, Var>): Equation {
    const start = this.#next;
    const outputs: { name: Token; variable: Var }[] = [];
    while (!this.#is("=")) outputs.push(this.#newVar());
    this.#expect("=");
    const name = this.#next;
    if (name.kind !== "name" && name.kind !== "string") throw this.#fail("a primitive");
    this.#take();
    const primitive = primitiveByName(name.kind === "string" ? (JSON.parse(name.text) as string) : name.text);
    if (!primitive) throw this.#fail("a known primitive", name, "import the module that defines it");
    const params = this.#accept("[") ? this.#params() : {};
    const inputs: Atom[] = [];
    while (!this.#is("in") && !this.#is("=") && !(this.#next.kind === "name" && this.#is(":", 1) && !keywords.has(this.#next.text))) inputs.push(this.#atom(scope));
    const equation: Equation = { primitive, inputs, params, outputs: outputs.map((o) => o.variable) };
    try {
      checkEquation(equation, `equation at line ${start.line}`);
    } catch (cause) {
      if (!(cause instanceof HessiaError)) throw cause;
      throw unexpected("an equation whose types fit", cause.parts.expected === "inputs and params that the primitive takes" ? cause.parts.got : `${cause.parts.got}, where the primitive gives ${cause.parts.expected}`, start.line, start.column, "correct the types or the params", cause);
    }
    outputs.forEach((o) => this.#define(o, scope));
    return equation;
  }

  #atom(scope: Map<string, Var>): Atom {
    const t = this.#next;
    if (t.kind === "name" && !keywords.has(t.text)) {
      const v = scope.get(t.text);
      if (!v) throw this.#fail("a variable defined above");
      this.#take();
      return v;
    }
    const flag = t.text === "true" || t.text === "false";
    const value = flag ? this.#take().text === "true" : this.#number();
    this.#expect(":");
    const type = this.#type();
    if (type.shape.length !== 0 || flag !== (type.dtype === "bool")) throw this.#fail("a literal of its own type", t, "literals are scalars; true and false are bool");
    return new Literal(value, type);
  }

  #key(): string {
    const t = this.#take();
    if (t.kind === "string") return JSON.parse(t.text) as string;
    if (t.kind !== "name") throw this.#fail("a key", t);
    return t.text;
  }
  #params(): object {
    const out: [string, unknown][] = [];
    while (!this.#accept("]")) {
      const key = this.#key();
      this.#expect("=");
      out.push([key, this.#value()]);
    }
    return Object.fromEntries(out);
  }

  #value(): unknown {
    const t = this.#next;
    if (t.kind === "string") return JSON.parse(this.#take().text);
    if (this.#is("{")) {
      if (this.#is("lambda", 1) && !this.#is(":", 2)) return this.#program();
      this.#take();
      return Object.fromEntries(this.#list("}", (): [string, unknown] => {
        const key = this.#key();
        this.#expect(":");
        return [key, this.#value()];
      }));
    }
    if (this.#accept("[")) return this.#list("]", () => this.#value());
    if (this.#accept("<")) {
      if (this.#name('"fn"').text !== "fn") throw this.#fail('"fn"', t);
      const id = this.#number();
      this.#expect(">");
      const f = this.options.functions?.get(id) ?? printedFunction(id);
      if (!f) throw this.#fail(`function ${id} to be known`, t, "pass { functions: new Map([[id, f]]) }");
      return f;
    }
    const words: Record<string, unknown> = { true: true, false: false, null: null, undefined };
    if (t.kind === "name" && Object.hasOwn(words, t.text)) return words[this.#take().text];
    return this.#number();
  }
}
const toNumber = (text: string): number => (text.endsWith("nan") ? NaN : text.endsWith("inf") ? (text.startsWith("-") ? -Infinity : Infinity) : Number(text));

/**
 * Reads what `printProgram` writes: `printProgram(parseProgram(text))` is the text again, and the Program is structurally equal to the
 * printed one. `#` begins a comment.
 * @throws ProgramError with line and column: syntax, unknown primitives, dtypes, variables and functions, names assigned twice, types that do not fit.
 * @example parseProgram("{ lambda a:float64[3] . let b:float64[3] = sin a in (b) }")
 */
export const parseProgram = (text: string, options: ParseOptions = {}): Program => new Parser(text, options).whole();
