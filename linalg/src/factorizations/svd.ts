import { type ArrayLike, type NDArray, np } from "@hessia/core";
import { defineDerivative, isNonzero, Zero } from "@hessia/autodiff/extend";
import { bind, bind1, definePrimitive, type NoParams, type Primitive } from "@hessia/core/extend";
import { svdRoutine, svdvalsRoutine } from "../native/svd.js";
import { checkResult } from "./check.js";
import { batchSize, leadingBatchOne, requireMatrix } from "./matrix-types.js";
import { asMatrix } from "./operands.js";

/** Thin decomposition of tall matrices [..., m, n], m >= n: U [..., m, n], s [..., n] descending, V' [..., n, n]. */
export const svdPrimitive: Primitive<NoParams> = definePrimitive({
  name: "linalg.svd",
  abstractEval([a]) {
    requireMatrix("svd", a!);
    const [n] = a!.shape.slice(-1) as [number];
    const batch = a!.shape.slice(0, -2);
    return [{ ...a!, weak: false }, { shape: [...batch, n], dtype: a!.dtype, weak: false }, { shape: [...batch, n, n], dtype: a!.dtype, weak: false }];
  },
  batch: leadingBatchOne(() => svdPrimitive),
  lower: (ctx, [a], _params, outputs) => ctx.routine(svdRoutine.name, [a!], outputs, { batch: batchSize(a!), m: a!.shape.at(-2)!, n: a!.shape.at(-1)! }),
});

// With S = U' dA V, F[i,j] = 1 / (s[j]^2 - s[i]^2): ds = diag(S), dU = U (F * (S diag(s) + diag(s) S')) + (I - U U') dA V / s,
// dV = V (F * (diag(s) S + S' diag(s))) (Papadopoulo & Lourakis 2000; Townsend 2016).
defineDerivative(svdPrimitive, () => ({
  jvp([a], [da]) {
    const [u, s, vt] = bind(svdPrimitive, [a!], {}) as [NDArray, NDArray, NDArray];
    if (!isNonzero(da!)) return { primals: [u, s, vt], tangents: [new Zero(u.aval), new Zero(s.aval), new Zero(vt.aval)] };
    const [m, n] = a!.shape.slice(-2) as [number, number];
    const v = np.matrixTranspose(vt);
    const ut = np.matrixTranspose(u);
    const dav = np.matmul(da, v);
    const inner = np.matmul(ut, dav);
    const row = np.expandDims(s, -2);
    const column = np.expandDims(s, -1);
    const eye = np.eye(n, undefined, 0, { dtype: s.dtype });
    const gaps = np.multiply(np.add(row, column), np.subtract(row, column));
    const f = np.subtract(np.divide(1, np.add(gaps, eye)), eye);
    const left = np.multiply(inner, row);
    const right = np.multiply(column, inner);
    let du = np.matmul(u, np.multiply(f, np.add(left, np.matrixTranspose(left))));
    if (m > n) du = np.add(du, np.divide(np.subtract(dav, np.matmul(u, inner)), row));
    const dv = np.matmul(v, np.multiply(f, np.add(right, np.matrixTranspose(right))));
    return { primals: [u, s, vt], tangents: [du, np.diagonal(inner, 0, -2, -1), np.matrixTranspose(dv)] };
  },
}));

/** Singular values [..., n] of tall matrices, descending, alone: no vectors are computed. */
export const svdvalsPrimitive: Primitive<NoParams> = definePrimitive({
  name: "linalg.svdvals",
  abstractEval([a]) {
    requireMatrix("svdvals", a!);
    return [{ shape: [...a!.shape.slice(0, -2), a!.shape.at(-1)!], dtype: a!.dtype, weak: false }];
  },
  batch: leadingBatchOne(() => svdvalsPrimitive),
  lower: (ctx, [a], _params, outputs) => ctx.routine(svdvalsRoutine.name, [a!], outputs, { batch: batchSize(a!), m: a!.shape.at(-2)!, n: a!.shape.at(-1)! }),
});

// ds[i] = u_i' dA v_i.
defineDerivative(svdvalsPrimitive, () => ({
  jvp([a], [da]) {
    if (!isNonzero(da!)) {
      const s = bind1(svdvalsPrimitive, [a!], {});
      return { primals: [s], tangents: [new Zero(s.aval)] };
    }
    const [u, s, vt] = bind(svdPrimitive, [a!], {}) as [NDArray, NDArray, NDArray];
    return { primals: [s], tangents: [np.sum(np.multiply(u, np.matmul(da, np.matrixTranspose(vt))), -2)] };
  },
}));

export interface SvdResult { readonly u: NDArray; readonly s: NDArray; readonly vt: NDArray }

/**
 * Thin singular value decomposition `A = U diag(s) V'` of matrices [..., m, n], singular values descending. Errors of singular values are a small multiple of
 * rounding times the largest one, as LAPACK's gesdd has it; where min(m, n) <= 12, those of small ones are relative to themselves if A is a well-conditioned matrix whose columns (rows, if it is
 * wide) are scaled. Bidiagonal reduction with divide and conquer (Gu & Eisenstat 1995), or one-sided Jacobi for few columns (Demmel & Veselic 1992). Derivatives of U and V need distinct
 * nonzero singular values; those of s do not at first order.
 * @throws LinAlgError for elements that are not finite (outside of `jit`).
 * @example const { u, s, vt } = svd(np.array([[3, 0], [4, 5]]));
 */
export function svd(a: ArrayLike, options: { readonly checkFinite?: boolean } = {}): SvdResult {
  const { x, wide } = tall("svd", a);
  const [u, s, vt] = bind(svdPrimitive, [x], {}) as [NDArray, NDArray, NDArray];
  if (options.checkFinite !== false) requireValues("svd", s);
  return wide ? { u: np.matrixTranspose(vt), s, vt: np.matrixTranspose(u) } : { u, s, vt };
}

/** Singular values, descending; without vectors, in a third of the time. @example svdvals(np.array([[3, 0], [0, 4]])); // [4, 3] */
export function svdvals(a: ArrayLike, options: { readonly checkFinite?: boolean } = {}): NDArray {
  const s = bind1(svdvalsPrimitive, [tall("svdvals", a).x], {});
  if (options.checkFinite !== false) requireValues("svdvals", s);
  return s;
}

function tall(fn: string, a: ArrayLike): { x: NDArray; wide: boolean } {
  const x = asMatrix(fn, a);
  const wide = x.shape.at(-2)! < x.shape.at(-1)!;
  return { x: wide ? np.matrixTranspose(x) : x, wide };
}

const requireValues = (fn: string, values: NDArray): void => checkResult(fn, values, "finite elements", "NaN or infinity, or no convergence", "look for NaN in the matrix");
