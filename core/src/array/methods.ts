export type { ArrayFunctions, ArrayLike, AtUpdate, AxisArg, IndexItem, ReduceOptions } from "./ndarray.js";
export { installArrayFunctions } from "./ndarray.js";
