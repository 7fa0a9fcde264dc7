import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import type { Aval } from "../ir/aval.js";
import { type Atom, Literal, type Program, ProgramBuilder, type Var } from "../ir/program.js";
import type { AnyPrimitive, Params } from "../ir/primitive.js";
import { runTrace, Trace, Tracer } from "./trace.js";
import { ArgumentError } from "../base/errors.js";
import { NDArray as NDArrayClass } from "../array/ndarray.js";

export class StageTracer extends Tracer {
  constructor(trace: StageTrace, readonly variable: Var) {
    super(trace, variable.aval, true);
  }
  concrete(): undefined { return undefined; }
}

/** Records equations instead of computing. */
export class StageTrace extends Trace {
  readonly builder = new ProgramBuilder();
  /** Arrays from outside that the function closed over, with the variables that stand for them. */
  readonly captured = new Map<NDArray, Var>();
  readonly captureVars: Var[] = [];
  constructor(readonly name = "jit") { super(); }

  input(aval: Aval): StageTracer { return new StageTracer(this, this.builder.input(aval)); }

  atom(x: NDArray): Atom {
    if (x instanceof StageTracer && x.trace === this) return x.variable;
    if (x instanceof Tracer) x.requireAlive(this.name);
    if (x instanceof ConcreteArray && x.ndim === 0 && x.hostData) {
      const v = x.hostData[0]!;
      return new Literal(x.dtype === "bool" ? v !== 0 : v, x.aval);
    }
    let v = this.captured.get(x);
    if (!v) {
      v = this.builder.input(x.aval);
      this.builder.inputs.pop();
      this.captured.set(x, v);
      this.captureVars.push(v);
    }
    return v;
  }

  process(primitive: AnyPrimitive, inputs: readonly NDArray[], params: Params): NDArray[] {
    return this.builder.equation(primitive, inputs.map((x) => this.atom(x)), params).map((v) => new StageTracer(this, v));
  }
}

export interface Staged {
  /** Inputs: first one for each captured array, then the arguments. No constants. */
  readonly program: Program;
  readonly captured: NDArray[];
}

/** Runs `f` on abstract arguments and records the Program. */
export function stage(f: (...args: NDArray[]) => readonly NDArray[], types: readonly Aval[], name = "jit"): Staged {
  const trace = new StageTrace(name);
  return runTrace(trace, () => {
    const args = types.map((t) => trace.input(t));
    const outputs = f(...args).map((x) => {
      if (!(x instanceof NDArrayClass)) throw new ArgumentError({ fn: name, arg: "return value", expected: "arrays", got: String(x), fix: "return NDArrays" });
      return trace.atom(x);
    });
    const inputs = [...trace.captureVars, ...trace.builder.inputs];
    trace.builder.inputs.splice(0, trace.builder.inputs.length, ...inputs);
    return { program: trace.builder.build(outputs), captured: [...trace.captured.keys()] };
  });
}
