export { FunctionBuilder } from "./function-builder.js";
export type { FunctionRef, FunctionType, Global, Label, Local, ValueType } from "./function-builder.js";
export { ModuleBuilder } from "./module-builder.js";
export type { LaneOp, MemoryLaneOp, MemoryOp, PlainOp } from "./opcodes.js";
