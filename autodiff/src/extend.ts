export { bilinear, defineDerivative, defineDerivatives, elementwise, linear, linearIn, nonDifferentiable, zero, type Derivative, type DerivativeRules, type DerivativeSpec } from "./derivative.js";
export { isLinear, jvpRule, LinearInput, partialEvalRule, transposeRule, type JvpResult, type JvpRule, type LinearRecorder, type PartialEvalRule, type TransposeRule } from "./rule-kinds.js";
export { instantiate, isNonzero, Zero, type Tangent } from "./zero.js";
export { addTangents } from "./ops.js";
export { JvpTrace, JvpTracer } from "./jvp-trace.js";
export { LinearTrace, LinearTracer } from "./linear-trace.js";
export { backwardPass } from "./backward-pass.js";
export { jvpProgram, pullBack, splitProgram, transposeProgram, withInputs, withOutputs, type JvpProgram, type SplitProgram, type TransposedProgram } from "./programs.js";
export { notLinear, requireZeroTerm } from "./linearity.js";
