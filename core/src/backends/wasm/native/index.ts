export { Code, template } from "./code.js";
export type { Arguments, CodeContext, Kind, Kinds, Parameters, ResultKind, ReturnOf, Template } from "./code.js";
export { defineNativeRoutine } from "./registry.js";
export type { NativeCode, NativeGenerator, NativeOperands, NativeRequest } from "./registry.js";
export { gemm, gemmMode } from "./gemm.js";
export { Condition, Index, IndexVariable, Lanes, LanesVariable, Pointer, PointerVariable, Real, RealVariable } from "./values.js";
export type { ElementType, IndexLike, RealLike, Variable, Writer } from "./values.js";
export { transposeInto, transposeRows } from "./transpose.js";
export { addRows, axpy, divide, dot, largestMagnitude, rowDots, scale, swap } from "./vectors.js";
