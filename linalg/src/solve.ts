import { ArgumentError, type ArrayLike, type NDArray, np } from "@hessia/core";
import { stopGradient } from "@hessia/autodiff";
import { bind, bind1 } from "@hessia/core/extend";
import { asOne } from "./factorizations/as-one.js";
import { checkResult } from "./factorizations/check.js";
import { type CholeskyFactor, choleskyPrimitive, symmetrize } from "./factorizations/cholesky.js";
import { factoredSolve } from "./factorizations/factored-solve.js";
import { luPrimitive, type LuFactor } from "./factorizations/lu.js";
import { requireSquare } from "./factorizations/matrix-types.js";
import { asMatrix, asMatrixOperands, requireFlag } from "./factorizations/operands.js";
import { solveTriangular } from "./factorizations/triangular-solve.js";

export interface SolveOptions {
  /** What is known of A: nothing ("gen"), symmetric positive definite ("pos"), or triangular. */
  readonly assumeA?: "gen" | "pos" | "lower triangular" | "upper triangular";
  /** Solve with the transpose of A. */
  readonly transposed?: boolean;
  /** Outside of `jit`: throw when A is singular (default true); otherwise, and under `jit`, the result is infinite or NaN. */
  readonly checkFinite?: boolean;
}

/**
 * Solves `A x = b` for square A [..., n, n]; b is a vector [n] or right sides [..., n, k]. Batch axes broadcast.
 * Derivatives of every order reuse the factorization: `dx = A^-1 (db - dA x)`.
 * @throws LinAlgError for a singular A (outside of `jit`); ShapeError for shapes that do not fit.
 * @example solve(np.array([[3, 1], [1, 2]]), np.array([9, 8])); // [2, 3]
 */
export function solve(a: ArrayLike, b: ArrayLike, options: SolveOptions = {}): NDArray {
  const { assumeA = "gen" } = options;
  const transposed = requireFlag(options.transposed ?? false, "solve", "transposed");
  if (assumeA === "lower triangular" || assumeA === "upper triangular") return solveTriangular(a, b, { lower: assumeA === "lower triangular", trans: transposed });
  if (assumeA !== "gen" && assumeA !== "pos") throw new ArgumentError({ fn: "solve", arg: "assumeA", expected: '"gen", "pos", "lower triangular" or "upper triangular"', got: String(assumeA), fix: "choose one of them" });
  const x = (assumeA === "pos" ? positiveSystem : transposed ? transposedSystem : generalSystem)(np.asarray(a), np.asarray(b));
  if (options.checkFinite !== false) checkResult("solve", x, assumeA === "pos" ? "a positive definite matrix" : "a nonsingular matrix and finite right sides", "a factorization that broke down", "check the matrix, or solve the least-squares problem");
  return x;
}

function solveGeneral(a: NDArray, b: NDArray, transpose: boolean): NDArray {
  const [lu, , permutation] = bind(luPrimitive, [stopGradient(a)], {}) as [NDArray, NDArray, NDArray];
  return bind1(factoredSolve, [a, lu, permutation, b], { kind: "lu", transpose });
}

function solvePositive(matrix: NDArray, b: NDArray): NDArray {
  const a = symmetrize(matrix);
  const l = bind1(choleskyPrimitive, [stopGradient(a)], {});
  return bind1(factoredSolve, [a, l, np.zeros([...a.shape.slice(0, -1)], { dtype: "int32" }), b], { kind: "cholesky", transpose: false });
}

const system = (solveMatrix: (a: NDArray, b: NDArray) => NDArray) => asOne((a: NDArray, b: NDArray) => {
  const { matrix, rhs, restore } = asMatrixOperands("solve", a, b);
  return restore(solveMatrix(matrix, rhs));
});
const generalSystem = system((a, b) => solveGeneral(a, b, false));
const transposedSystem = system((a, b) => solveGeneral(a, b, true));
const positiveSystem = system(solvePositive);

const inverse = asOne((x: NDArray) => solveGeneral(x, np.broadcastTo(np.eye(x.shape.at(-1)!, undefined, 0, { dtype: x.dtype }), x.shape), false));

/** Solves with a factor from `luFactor`. @example luSolve(luFactor(A), b) */
export function luSolve(factor: LuFactor, b: ArrayLike, options: { readonly trans?: boolean } = {}): NDArray {
  const rhs = np.asarray(b);
  const column = rhs.ndim === 1 ? np.expandDims(rhs, -1) : rhs;
  const rows = (x: NDArray, p: NDArray) => np.takeAlongAxis(x, np.expandDims(p, -1), -2);
  const x = options.trans
    ? rows(solveTriangular(factor.lu, solveTriangular(factor.lu, column, { lower: false, trans: true }), { lower: true, trans: true, unitDiagonal: true }), np.argsort(factor.permutation, -1))
    : solveTriangular(factor.lu, solveTriangular(factor.lu, rows(column, factor.permutation), { lower: true, unitDiagonal: true }), { lower: false });
  return rhs.ndim === 1 ? np.squeeze(x, -1) : x;
}

/** Solves with a factor from `choFactor`. @example choSolve(choFactor(A), b) */
export function choSolve(factor: CholeskyFactor, b: ArrayLike): NDArray {
  const half = solveTriangular(factor.c, b, { lower: factor.lower, trans: !factor.lower });
  return solveTriangular(factor.c, half, { lower: factor.lower, trans: factor.lower });
}

/**
 * Inverse of square matrices [..., n, n], by solving against the identity. To solve a system use `solve`, which is cheaper and more accurate.
 * @throws LinAlgError for a singular matrix (outside of `jit`).
 * @example inv(np.array([[2, 0], [0, 4]])); // [[0.5, 0], [0, 0.25]]
 */
export function inv(a: ArrayLike, options: { readonly checkFinite?: boolean } = {}): NDArray {
  const x = asMatrix("inv", a);
  requireSquare("inv", x.aval);
  const y = inverse(x);
  if (options.checkFinite !== false) checkResult("inv", y, "a nonsingular matrix", "a singular one", "remove rows that depend on each other, add a small multiple of the identity, or use svd");
  return y;
}
