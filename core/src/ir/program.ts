import type { Aval, ConstantValue } from "./aval.js";
import type { AnyPrimitive, Params } from "./primitive.js";

/** A value of a Program, assigned once. */
export class Var {
  readonly kind = "var";
  constructor(readonly aval: Aval) {}
}

/** A scalar written into the text of a Program. */
export class Literal {
  readonly kind = "literal";
  constructor(readonly value: number | boolean, readonly aval: Aval) {}
}

export type Atom = Var | Literal;

export interface Equation {
  readonly primitive: AnyPrimitive;
  readonly inputs: readonly Atom[];
  readonly params: Params;
  readonly outputs: readonly Var[];
}

/** An array constant bound to a variable. Nested Programs have none: theirs are lifted to inputs. */
export interface Constant {
  readonly variable: Var;
  readonly value: ConstantValue;
}

/** Typed single-assignment program: `lambda inputs. let equations in outputs`. Immutable. */
export class Program {
  constructor(
    readonly inputs: readonly Var[],
    readonly constants: readonly Constant[],
    readonly equations: readonly Equation[],
    readonly outputs: readonly Atom[],
  ) {}
  get inputTypes(): Aval[] { return this.inputs.map((v) => v.aval); }
  get outputTypes(): Aval[] { return this.outputs.map((a) => a.aval); }
  toString(): string { return printer ? printer(this) : `Program of ${this.equations.length} equations`; }
  [Symbol.for("nodejs.util.inspect.custom")](): string { return this.toString(); }
}

let printer: ((program: Program) => string) | undefined;
/** The slot through which Programs print: `print.ts` stands above this file. */
export function installProgramPrinter(print: (program: Program) => string): void { printer = print; }

/** Programs among an equation's params (branches, bodies, called programs), with their keys. */
export function nestedPrograms(params: Params): [string, Program][] {
  const out: [string, Program][] = [];
  for (const [key, value] of Object.entries(params)) {
    if (value instanceof Program) out.push([key, value]);
    else if (Array.isArray(value)) value.forEach((v, i) => v instanceof Program && out.push([`${key}[${i}]`, v]));
  }
  return out;
}

/** Writes Programs equation by equation. */
export class ProgramBuilder {
  readonly inputs: Var[] = [];
  readonly constants: Constant[] = [];
  readonly equations: Equation[] = [];

  input(aval: Aval): Var {
    const v = new Var(aval);
    this.inputs.push(v);
    return v;
  }
  constant(value: ConstantValue): Var {
    const v = new Var({ shape: value.shape, dtype: value.dtype, weak: value.weak });
    this.constants.push({ variable: v, value });
    return v;
  }
  equation(primitive: AnyPrimitive, inputs: readonly Atom[], params: Params): Var[] {
    const outputs = primitive.abstractEval(inputs.map((a) => a.aval), params).map((a) => new Var(a));
    this.equations.push({ primitive, inputs, params, outputs });
    return outputs;
  }
  build(outputs: readonly Atom[]): Program {
    return new Program(this.inputs, this.constants, this.equations, outputs);
  }
}
