/** Functions close to the primitives: exact types, no options that NumPy would guess. */
export * from "./convolution.js";
export * from "./dot.js";
export * from "./elementwise.js";
export { igammaGradA, randomGammaGrad } from "./gamma-gradient.js";
export type { Padding } from "./padding.js";
export { argmax, argmin, type Cumulative, type CumulativeOptions, cumlogsumexp, cummax, cummin, cumprod, cumsum, type Reduce, reduceAnd, reduceMax, reduceMin, reduceOr, reduceProd, reduceSum, reduceXor } from "./reductions.js";
export * from "./slicing.js";
export * from "./sorting.js";
export * from "./structure.js";
export * from "./types.js";
export * from "./windows.js";
export { associativeScan } from "../transforms/associative-scan.js";
export { cond, switchCase, switchCase as switch } from "../transforms/cond.js";
export { foriLoop, map, scan, type ScanOptions } from "../transforms/scan.js";
export { whileLoop } from "../transforms/while-loop.js";
