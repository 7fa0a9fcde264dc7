import { installArrayFunctions } from "../array/ndarray.js";
import { astype } from "./creation.js";
import { cumsum } from "./cumulative.js";
import { cos, exp, log, sin, sqrt, tanh } from "./elementary.js";
import { at, getItem } from "./indexing.js";
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from "./logic.js";
import { matrixTranspose, ravel, reshape, squeeze, transpose } from "./manipulation.js";
import { abs, add, clip, divide, multiply, negative, power, remainder, square, subtract } from "./math.js";
import { mean, std, var as variance } from "./moments.js";
import { argmax, argmin } from "./positions.js";
import { dot, matmul } from "./products.js";
import { all, any, max, min, prod, sum } from "./reductions.js";

/** The class of arrays, so that types read `np.NDArray`. */
export { NDArray } from "../array/ndarray.js";
export * from "./calculus.js";
export * from "./constants.js";
export * from "./creation.js";
export * from "./cumulative.js";
export * from "./dtypes.js";
export * from "./einsum.js";
export * from "./elementary.js";
export * from "./floats.js";
export * from "./index-tools.js";
export * from "./integers.js";
export * from "./joining.js";
export * from "./logic.js";
export * from "./manipulation.js";
export * from "./math.js";
export * from "./matrices.js";
export * from "./moments.js";
export * from "./nan-reductions.js";
export * from "./padding.js";
export * from "./polynomials.js";
export * from "./positions.js";
export * from "./printing.js";
export * from "./products.js";
export * from "./quantiles.js";
export * from "./ranges.js";
export * from "./rearranging.js";
export * from "./reductions.js";
export * from "./sets.js";
export * from "./signals.js";
export * from "./sorting.js";
export * from "./statistics.js";
export * from "./where.js";
export * from "./take.js";
export * from "./windows.js";

installArrayFunctions({
  add, subtract, multiply, divide, power, remainder, negative, abs, exp, log, sqrt, square, tanh, sin, cos,
  equal, notEqual, less, lessEqual, greater, greaterEqual,
  sum, prod, mean, max, min, var: variance, std, any, all, argmax, argmin, cumsum,
  reshape, transpose, matrixTranspose, squeeze, ravel, matmul, dot, astype, clip, getItem, at,
});
