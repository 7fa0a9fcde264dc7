import { type NDArray } from "@hessia/core";
import { type AnyPrimitive, getRule, hasTangent, type Params, runRule, Trace, Tracer, withTrace } from "@hessia/core/extend";
import { jvpRule } from "./rule-kinds.js";
import { type Tangent, Zero } from "./zero.js";

/** A value with its tangent. Values whose tangent is zero are not wrapped: to the trace they are constants. */
export class JvpTracer extends Tracer {
  constructor(trace: JvpTrace, readonly primal: NDArray, readonly tangent: NDArray) { super(trace, primal.aval); }
  /** The value under `grad` is known: JavaScript may branch on it. */
  concrete(): NDArray | undefined { return this.primal instanceof Tracer ? this.primal.concrete() : this.primal; }
}

/** Pairs values with tangents, rule by rule. */
export class JvpTrace extends Trace {
  constructor(readonly parent: Trace, readonly name = "grad") { super(); }

  wrap(primal: NDArray, tangent: Tangent): NDArray {
    return tangent instanceof Zero || !hasTangent(primal.aval) ? primal : new JvpTracer(this, primal, tangent);
  }
  unwrap(x: NDArray): [NDArray, Tangent] {
    return x instanceof JvpTracer && x.trace === this ? [x.primal, x.tangent] : [x, new Zero(x.aval)];
  }

  process(primitive: AnyPrimitive, inputs: readonly NDArray[], params: Params): NDArray[] {
    const primals: NDArray[] = [];
    const tangents: Tangent[] = [];
    let moves = false;
    for (const x of inputs) {
      const [p, t] = this.unwrap(x);
      primals.push(p);
      tangents.push(t);
      if (!(t instanceof Zero)) moves = true;
    }
    if (!moves) return withTrace(this.parent, () => this.parent.process(primitive, primals, params));
    const out = runRule(this.parent, () => getRule(primitive, jvpRule)(primals, tangents, params));
    return out.primals.map((y, i) => this.wrap(y, out.tangents[i]!));
  }
}
