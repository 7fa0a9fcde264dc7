import type { NDArray } from "@hessia/core";
import { bind, type CallParams, type primitiveFamilies } from "@hessia/core/extend";
import type { Derivative, DerivativeRules } from "../derivative.js";
import { jvpProgram, pick, splitProgram, transposeProgram } from "../programs.js";
import { isLinear } from "../rule-kinds.js";
import { isNonzero, type Tangent, Zero } from "../zero.js";

const callRule: Derivative<CallParams> = (primitive) => ({
  jvp(primals, tangents, { program, name }) {
    const nonzero = tangents.map(isNonzero);
    const { program: both, captured, nonzeroOut } = jvpProgram(program, nonzero);
    const outputs = bind(primitive, [...captured, ...primals, ...pick(tangents, nonzero) as NDArray[]], { program: both, name });
    let next = program.outputs.length;
    return {
      primals: outputs.slice(0, next),
      tangents: program.outputs.map((a, i): Tangent => (nonzeroOut[i] ? outputs[next++]! : new Zero(a.aval))),
    };
  },
  partialEval(recorder, inputs, { program, name }) {
    const linearIn = inputs.map((x) => recorder.isLinear(x));
    const split = splitProgram(program, linearIn);
    const known = bind(primitive, [...split.captured, ...pick(inputs, linearIn, false)], { program: split.known, name });
    const count = split.linearOut.filter((l) => !l).length;
    const linear = split.linear.outputs.length === 0 ? [] : recorder.record(primitive, [...known.slice(count), ...pick(inputs, linearIn)], { program: split.linear, name });
    let [k, l] = [0, 0];
    return split.linearOut.map((isLinearOut) => (isLinearOut ? linear[l++]! : known[k++]!));
  },
  transpose(cts, inputs, { program, name }) {
    const linearIn = inputs.map(isLinear);
    const nonzero = cts.map(isNonzero);
    const t = transposeProgram(program, linearIn, nonzero);
    const outputs = bind(primitive, [...t.captured, ...pick(inputs, linearIn, false) as NDArray[], ...pick(cts, nonzero) as NDArray[]], { program: t.program, name });
    let [at, next] = [0, 0];
    return inputs.map((_, i) => (linearIn[i] && t.nonzeroOut[at++] ? outputs[next++]! : null));
  },
});

export const callRules: DerivativeRules<typeof primitiveFamilies.call> = { call: callRule };
