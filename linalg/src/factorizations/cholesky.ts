import { type ArrayLike, type NDArray, np } from "@hessia/core";
import { defineDerivative, isNonzero, Zero } from "@hessia/autodiff/extend";
import { bind1, definePrimitive, type NoParams, type Primitive } from "@hessia/core/extend";
import { choleskyRoutine } from "../native/cholesky.js";
import { asOne } from "./as-one.js";
import { checkResult } from "./check.js";
import { batchSize, leadingBatchOne, requireSquare } from "./matrix-types.js";
import { asMatrix } from "./operands.js";
import { triangularSolve } from "./triangular-solve.js";

/** Lower factor of symmetric positive definite matrices [..., n, n]; NaN where they are not. */
export const choleskyPrimitive: Primitive<NoParams> = definePrimitive({
  name: "linalg.cholesky",
  abstractEval([a]) {
    requireSquare("cholesky", a!);
    return { ...a!, weak: false };
  },
  batch: leadingBatchOne(() => choleskyPrimitive),
  lower: (ctx, [a], _params, [out]) => ctx.routine(choleskyRoutine.name, [a!], [out!], { batch: batchSize(a!), n: a!.shape.at(-1)! }),
});

// dL = L phi(L^-1 dA L^-T), phi: lower triangle with half the diagonal (Murray 2016, arXiv:1602.07527).
defineDerivative(choleskyPrimitive, () => ({
  jvp([a], [da]) {
    const l = bind1(choleskyPrimitive, [a!], {});
    if (!isNonzero(da!)) return { primals: [l], tangents: [new Zero(l.aval)] };
    const solve = (b: NDArray) => bind1(triangularSolve, [l, b], { lower: true, transpose: false, unitDiagonal: false });
    const inner = np.matrixTranspose(solve(np.matrixTranspose(solve(da))));
    const half = np.subtract(np.tril(np.ones([l.shape.at(-1)!, l.shape.at(-1)!], { dtype: l.dtype })), np.multiply(0.5, np.eye(l.shape.at(-1)!, undefined, 0, { dtype: l.dtype })));
    return { primals: [l], tangents: [np.matmul(l, np.multiply(inner, half))] };
  },
}));

export interface CholeskyOptions {
  /** Return the upper factor U = L' (default false). */
  readonly upper?: boolean;
  /** Use (A + A') / 2, so that derivatives are those of symmetric matrices (default true). */
  readonly symmetrizeInput?: boolean;
  /** Outside of `jit`: throw when a matrix is not positive definite (default true); otherwise, and under `jit`, it gives NaN. */
  readonly checkFinite?: boolean;
}

export const symmetrize = asOne((a: NDArray) => np.multiply(0.5, np.add(a, np.matrixTranspose(a))));
const factorOfSymmetrized = asOne((a: NDArray) => bind1(choleskyPrimitive, [symmetrize(a)], {}));

/**
 * Cholesky factor `A = L L'` of symmetric positive definite matrices [..., n, n].
 * @throws LinAlgError when a matrix is not positive definite (outside of `jit`); ShapeError for matrices that are not square.
 * @example cholesky(np.array([[4, 2], [2, 3]])); // [[2, 0], [1, 1.414...]]
 */
export function cholesky(a: ArrayLike, options: CholeskyOptions = {}): NDArray {
  const x = asMatrix("cholesky", a);
  requireSquare("cholesky", x.aval);
  const l = options.symmetrizeInput === false ? bind1(choleskyPrimitive, [x], {}) : factorOfSymmetrized(x);
  if (options.checkFinite !== false) checkResult("cholesky", l, "a positive definite matrix", "one that is not: its factorization broke down", "check that it is symmetric and well scaled, add a small multiple of the identity, or use eigh");
  return options.upper ? np.matrixTranspose(l) : l;
}

/** A factor and which triangle it fills. */
export interface CholeskyFactor { readonly c: NDArray; readonly lower: boolean }

/** Factorizes once for several solves. @example choSolve(choFactor(A), b) */
export const choFactor = (a: ArrayLike, options: { readonly lower?: boolean } = {}): CholeskyFactor => ({ c: cholesky(a, { upper: !(options.lower ?? true) }), lower: options.lower ?? true });
