import "./install.js";

export * from "./base/errors.js";
export { type DType, setDefaultFloat, defaultFloat, type TypedArray } from "./base/dtype.js";
export type { Shape } from "./base/shape.js";
export { registerPytree, type PytreeClass, type TreeDef } from "./base/tree.js";
export * as tree from "./base/tree.js";
export { NDArray } from "./array/ndarray.js";
export type { ArrayLike, AxisArg, AtUpdate, IndexItem } from "./array/methods.js";
export { defaultDevice, devices, setDefaultDevice, withDevice } from "./backends/registry.js";
export { jit, makeProgram, type Jitted, type JitOptions, type JitStats, type Lowered } from "./transforms/jit.js";
export { vmap, type InAxes, type VmapOptions } from "./transforms/vmap.js";
export { evalShape, ShapeDtype } from "./transforms/eval-shape.js";
export { cond, switchCase } from "./transforms/cond.js";
export { foriLoop, map, scan, type ScanOptions } from "./transforms/scan.js";
export { whileLoop } from "./transforms/while-loop.js";
export { associativeScan } from "./transforms/associative-scan.js";
export { devicePut, memory } from "./transforms/device.js";
export { explain, type Explanation } from "./transforms/explain.js";
