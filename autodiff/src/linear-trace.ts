import type { NDArray } from "@hessia/core";
import { type AnyPrimitive, type Atom, type Aval, ConcreteArray, type Equation, findRule, Literal, type Params, Program, ProgramBuilder, runRule, Trace, Tracer, Var, withTrace } from "@hessia/core/extend";
import { bilinearPrimitives, notLinear } from "./linearity.js";
import { type LinearRecorder, partialEvalRule, transposeRule } from "./rule-kinds.js";

/** Stands for a value that is linear in the inputs of the trace. */
export class LinearTracer extends Tracer {
  constructor(trace: LinearTrace, readonly variable: Var) { super(trace, variable.aval); }
  concrete(): undefined { return undefined; }
}

/** A linear function: `program` takes first the residuals, then its linear inputs. */
export interface LinearMap {
  readonly program: Program;
  readonly residuals: NDArray[];
}

/**
 * Records what depends on its linear inputs, and hands everything else to its parent, which computes it at once: so a function and its
 * linearization come out of one run.
 */
export class LinearTrace extends Trace implements LinearRecorder {
  readonly name = "linearize";
  readonly #builder = new ProgramBuilder();
  readonly #residuals = new Map<NDArray, Var>();
  constructor(readonly parent: Trace) { super(); }

  input(aval: Aval): LinearTracer { return new LinearTracer(this, this.#builder.input(aval)); }
  isLinear(x: NDArray): x is LinearTracer { return x instanceof LinearTracer && x.trace === this; }
  within<T>(f: () => T): T { return withTrace(this, f); }

  atom(x: NDArray): Atom {
    if (this.isLinear(x)) return x.variable;
    if (x instanceof ConcreteArray && x.ndim === 0 && x.hostData) {
      const v = x.hostData[0]!;
      return new Literal(x.dtype === "bool" ? v !== 0 : v, x.aval);
    }
    let v = this.#residuals.get(x);
    if (!v) this.#residuals.set(x, (v = new Var(x.aval)));
    return v;
  }

  process(primitive: AnyPrimitive, inputs: readonly NDArray[], params: Params): NDArray[] {
    if (!inputs.some((x) => this.isLinear(x))) return withTrace(this.parent, () => this.parent.process(primitive, inputs, params));
    const rule = findRule(primitive, partialEvalRule);
    return rule ? runRule(this.parent, () => rule(this, inputs, params)) : this.record(primitive, inputs, params);
  }

  record(primitive: AnyPrimitive, inputs: readonly NDArray[], params: Params): NDArray[] {
    if (!findRule(primitive, transposeRule)) throw notLinear(primitive.name, `the primitive "${primitive.name}", which is not linear`);
    if (bilinearPrimitives.has(primitive) && inputs.filter((x) => this.isLinear(x)).length > 1) throw notLinear(primitive.name, "a product of two tangents");
    return this.#builder.equation(primitive, inputs.map((x) => this.atom(x)), params).map((v) => new LinearTracer(this, v));
  }

  /** The recorded function, without equations and residuals that its outputs do not need. */
  finish(outputs: readonly NDArray[]): LinearMap {
    const atoms = outputs.map((x) => this.atom(x));
    const equations = neededEquations(this.#builder.equations, atoms);
    const live = new Set<Atom>([...atoms, ...equations.flatMap((e) => e.inputs)]);
    const needed = [...this.#residuals].filter(([, v]) => live.has(v));
    return {
      program: new Program([...needed.map(([, v]) => v), ...this.#builder.inputs], [], equations, atoms),
      residuals: needed.map(([x]) => x),
    };
  }
}

/** The equations that these values need, in order. */
export function neededEquations(equations: readonly Equation[], values: readonly Atom[]): Equation[] {
  const live = new Set<Atom>(values);
  const kept: Equation[] = [];
  for (let i = equations.length - 1; i >= 0; i--) {
    const e = equations[i]!;
    if (!e.outputs.some((v) => live.has(v))) continue;
    kept.push(e);
    for (const a of e.inputs) live.add(a);
  }
  return kept.reverse();
}
