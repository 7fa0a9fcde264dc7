import { DerivativeError, type NDArray } from "@hessia/core";
import { type Aval, bind, type WhileParams } from "@hessia/core/extend";
import type { Derivative } from "../derivative.js";
import { jvpProgram, pick, splitProgram, withInputs, withOutputs } from "../programs.js";
import { notLinear } from "../linearity.js";
import { instantiate, isNonzero, type Tangent, Zero } from "../zero.js";
import { carryFixedPoint } from "./scan.js";

const positions = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => i + from);

/** The condition sees the values only; tangents ride along in the carry. */
export const whileRule: Derivative<WhileParams> = (primitive) => ({
  jvp(primals, tangents, params) {
    const { condition, body, conditionConstants: nc, bodyConstants: nb } = params;
    const nzConsts = tangents.slice(nc, nc + nb).map(isNonzero);
    const moving = carryFixedPoint(tangents.slice(nc + nb).map(isNonzero), (c) => jvpProgram(body, [...nzConsts, ...c]).nonzeroOut);
    const both = jvpProgram(body, [...nzConsts, ...moving], moving);
    const carry = moving.length;
    const captured = both.captured.length;
    const dConsts = tangents.slice(nc, nc + nb).filter(isNonzero);
    const dCarry = tangents.slice(nc + nb).filter((_, i) => moving[i]).map(instantiate);
    const n = captured + nb + carry;
    const order = [...positions(captured + nb), ...positions(dConsts.length, n), ...positions(carry, captured + nb), ...positions(dCarry.length, n + dConsts.length)];
    const test = withInputs(condition, [...positions(nc + carry), ...dCarry.map((t): Aval => ({ ...t.aval, weak: false }))]);
    const results = bind(primitive, [...primals.slice(0, nc), ...both.captured, ...primals.slice(nc, nc + nb), ...dConsts, ...primals.slice(nc + nb), ...dCarry], {
      condition: test, body: withInputs(both.program, order), conditionConstants: nc, bodyConstants: captured + nb + dConsts.length,
    });
    let next = carry;
    return { primals: results.slice(0, carry), tangents: moving.map((m, i): Tangent => (m ? results[next++]! : new Zero(results[i]!.aval))) };
  },

  /** The values run at once. The linear part is the whole loop again, whose value outputs nobody uses: forward mode only. */
  partialEval(recorder, inputs, params) {
    const { condition, body, conditionConstants: nc, bodyConstants: nb } = params;
    const linearIn = inputs.map((x) => recorder.isLinear(x));
    const consts = linearIn.slice(nc, nc + nb);
    const unknown = carryFixedPoint(linearIn.slice(nc + nb), (c) => splitProgram(body, [...consts, ...c]).linearOut);
    const tested = new Set(condition.equations.flatMap((e) => e.inputs));
    if (linearIn.slice(0, nc).some((l) => l) || unknown.some((u, i) => u && tested.has(condition.inputs[nc + i]!))) throw notLinear("whileLoop", "a condition that depends on a tangent");
    const split = splitProgram(body, [...consts, ...unknown], unknown);
    const knownCarry = positions(unknown.length).filter((i) => !unknown[i]);
    const knownCondition = withInputs(condition, [...positions(nc), ...knownCarry.map((i) => nc + i)]);
    const init = inputs.slice(nc + nb);
    const knownConsts = [...split.captured, ...pick(inputs.slice(nc, nc + nb), consts, false)];
    const knowns = knownCarry.length === 0 ? [] : bind(primitive, [...inputs.slice(0, nc), ...knownConsts, ...pick(init, unknown, false)], {
      condition: knownCondition, body: withOutputs(split.known, positions(knownCarry.length)), conditionConstants: nc, bodyConstants: knownConsts.length,
    });
    const recorded = unknown.some((u) => u) ? recorder.record(primitive, inputs, params) : [];
    let k = 0;
    return unknown.map((u, i) => (u ? recorded[i]! : knowns[k++]!));
  },

  transpose(_cts: readonly Tangent[], _inputs: readonly (NDArray | object)[]) {
    throw new DerivativeError({
      fn: "whileLoop", expected: "forward mode (jvp, jacfwd): the number of iterations is not known, so their values cannot be kept", got: "reverse mode (grad, vjp, jacrev)",
      fix: "use foriLoop with static bounds, scan, or scan over a checkpoint-ed body; or forward mode",
    });
  },
});
