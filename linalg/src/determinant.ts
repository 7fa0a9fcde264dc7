import { type ArrayLike, cond, jit, type NDArray, np } from "@hessia/core";
import { customJvp } from "@hessia/autodiff";
import { bind } from "@hessia/core/extend";
import { asOne } from "./factorizations/as-one.js";
import { luPrimitive } from "./factorizations/lu.js";
import { requireSquare } from "./factorizations/matrix-types.js";
import { asMatrix } from "./factorizations/operands.js";
import { inv } from "./solve.js";

/** Sign of a permutation from the rows swapped at each step. */
const swapSign = (pivots: NDArray): NDArray => {
  const k = pivots.shape.at(-1)!;
  const swaps = np.sum(np.notEqual(pivots, np.arange(k)).astype("int32"), -1);
  return np.subtract(1, np.multiply(2, np.remainder(swaps, 2)));
};

const luDeterminant = asOne((a: NDArray) => {
  const [lu, pivots] = bind(luPrimitive, [a], {}) as [NDArray, NDArray];
  return np.multiply(np.prod(np.diagonal(lu, 0, -2, -1), -1), swapSign(pivots).astype(a.dtype));
});

const entry = (a: NDArray, i: number, j: number) => a.get("...", i, j);
const cross = (a: NDArray, rows: readonly [number, number], columns: readonly [number, number]) =>
  np.subtract(np.multiply(entry(a, rows[0], columns[0]), entry(a, rows[1], columns[1])), np.multiply(entry(a, rows[0], columns[1]), entry(a, rows[1], columns[0])));

/** Cofactors from the determinants of all minors: finite where the inverse is not. */
function minorCofactors(a: NDArray): NDArray {
  const n = a.shape.at(-1)!;
  const others = Array.from({ length: n }, (_, i) => Array.from({ length: n - 1 }, (_v, k) => (k < i ? k : k + 1)));
  const index = np.array(others).astype("int32");
  const rows = np.take(a, index, -2);
  const minors = np.take(rows, index, -1);
  // [..., i, n-1, j, n-1] -> [..., i, j, n-1, n-1]
  const signs = np.array(Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_v, j) => ((i + j) % 2 ? -1 : 1)))).astype(a.dtype);
  return np.multiply(signs, det(np.swapaxes(minors, -3, -2)));
}

const maxMinorSize = 32;

/** adj(A)' = det(A) A^-T, also for singular A (by minors, up to 32 by 32). */
function cofactors(a: NDArray, determinant: NDArray): NDArray {
  const n = a.shape.at(-1)!;
  const regular = (x: NDArray, d: NDArray) => np.multiply(np.expandDims(d, [-2, -1]), np.matrixTranspose(inv(x, { checkFinite: false })));
  if (n > maxMinorSize || a.size === 0) return regular(a, determinant);
  return cond(np.all(np.notEqual(determinant, 0)), regular, (x) => minorCofactors(x), a, determinant);
}

/** Jacobi's formula, d det(A) = <cof(A), dA>, with cofactors that are finite for singular A. */
const largeDeterminant = customJvp((a: NDArray) => luDeterminant(a));
largeDeterminant.defJvp(([a], [da]) => {
  const d = largeDeterminant(a!);
  return [d, np.sum(np.multiply(cofactors(a!, d), da!), [-2, -1])];
});

/** By size, where it is a short polynomial. */
const polynomials: Readonly<Record<number, (x: NDArray) => NDArray>> = {
  1: (x) => entry(x, 0, 0),
  2: asOne((x: NDArray) => cross(x, [0, 1], [0, 1])),
  3: asOne((x: NDArray) => np.add(np.subtract(np.multiply(entry(x, 0, 0), cross(x, [1, 2], [1, 2])), np.multiply(entry(x, 0, 1), cross(x, [1, 2], [0, 2]))), np.multiply(entry(x, 0, 2), cross(x, [1, 2], [0, 1])))),
};

/**
 * Determinant of square matrices [..., n, n]. Up to 3 by 3 by the explicit polynomial, beyond by LU; derivatives by Jacobi's formula
 * with true cofactors, so they are finite at singular matrices too.
 * @throws ShapeError for matrices that are not square.
 * @example det(np.array([[1, 2], [3, 4]])); // -2
 */
export function det(a: ArrayLike): NDArray {
  const x = asMatrix("det", a);
  requireSquare("det", x.aval);
  const n = x.shape.at(-1)!;
  if (n === 0) return np.ones(x.shape.slice(0, -2), { dtype: x.dtype });
  const explicit = polynomials[n];
  return explicit ? explicit(x) : largeDeterminant(x);
}

export interface SlogdetResult { readonly sign: NDArray; readonly logabsdet: NDArray }

const slogdetOf = jit((x: NDArray): SlogdetResult => {
  const [lu, pivots] = bind(luPrimitive, [x], {}) as [NDArray, NDArray];
  const diagonal = np.diagonal(lu, 0, -2, -1);
  return { sign: np.multiply(np.prod(np.sign(diagonal), -1), swapSign(pivots).astype(x.dtype)), logabsdet: np.sum(np.log(np.abs(diagonal)), -1) };
}, { name: "slogdet" });

/**
 * Sign and logarithm of the absolute determinant of matrices [..., n, n], without overflow: `det = sign exp(logabsdet)`. Sign 0 and -inf
 * for singular ones.
 * @example slogdet(np.array([[1, 2], [3, 4]])); // sign -1, logabsdet log(2)
 */
export function slogdet(a: ArrayLike): SlogdetResult {
  const x = asMatrix("slogdet", a);
  requireSquare("slogdet", x.aval);
  return slogdetOf(x);
}
