import { type ArrayLike, type NDArray, np } from "@hessia/core";
import { defineDerivative, isNonzero, Zero } from "@hessia/autodiff/extend";
import { bind, bind1, definePrimitive, type NoParams, type Primitive } from "@hessia/core/extend";
import { eighRoutine, eigvalshRoutine } from "../native/eigh.js";
import { checkResult } from "./check.js";
import { symmetrize } from "./cholesky.js";
import { batchSize, leadingBatchOne, requireSquare } from "./matrix-types.js";
import { asMatrix } from "./operands.js";

/** Eigenvalues [..., n] ascending and eigenvectors [..., n, n] in columns. */
export const eighPrimitive: Primitive<NoParams> = definePrimitive({
  name: "linalg.eigh",
  abstractEval([a]) {
    requireSquare("eigh", a!);
    return [{ shape: a!.shape.slice(0, -1), dtype: a!.dtype, weak: false }, { ...a!, weak: false }];
  },
  batch: leadingBatchOne(() => eighPrimitive),
  lower: (ctx, [a], _params, outputs) => ctx.routine(eighRoutine.name, [a!], outputs, { batch: batchSize(a!), n: a!.shape.at(-1)! }),
});

// With S = V' dA V: dw = diag(S), dV = V (F * S), F[i,j] = 1 / (w[j] - w[i]) off the diagonal (Giles 2008).
defineDerivative(eighPrimitive, () => ({
  jvp([a], [da]) {
    const [w, v] = bind(eighPrimitive, [a!], {}) as [NDArray, NDArray];
    if (!isNonzero(da!)) return { primals: [w, v], tangents: [new Zero(w.aval), new Zero(v.aval)] };
    const n = w.shape.at(-1)!;
    const eye = np.eye(n, undefined, 0, { dtype: w.dtype });
    const s = np.matmul(np.matrixTranspose(v), np.matmul(da, v));
    const gaps = np.subtract(np.expandDims(w, -2), np.expandDims(w, -1));
    const f = np.subtract(np.divide(1, np.add(gaps, eye)), eye);
    return { primals: [w, v], tangents: [np.diagonal(s, 0, -2, -1), np.matmul(v, np.multiply(f, s))] };
  },
}));

/** Eigenvalues [..., n] ascending, alone: no vectors are computed. */
export const eigvalshPrimitive: Primitive<NoParams> = definePrimitive({
  name: "linalg.eigvalsh",
  abstractEval([a]) {
    requireSquare("eigvalsh", a!);
    return [{ shape: a!.shape.slice(0, -1), dtype: a!.dtype, weak: false }];
  },
  batch: leadingBatchOne(() => eigvalshPrimitive),
  lower: (ctx, [a], _params, outputs) => ctx.routine(eigvalshRoutine.name, [a!], outputs, { batch: batchSize(a!), n: a!.shape.at(-1)! }),
});

// dw[i] = v_i' dA v_i.
defineDerivative(eigvalshPrimitive, () => ({
  jvp([a], [da]) {
    if (!isNonzero(da!)) {
      const w = bind1(eigvalshPrimitive, [a!], {});
      return { primals: [w], tangents: [new Zero(w.aval)] };
    }
    const [w, v] = bind(eighPrimitive, [a!], {}) as [NDArray, NDArray];
    return { primals: [w], tangents: [np.sum(np.multiply(v, np.matmul(da, v)), -2)] };
  },
}));

export interface EighResult { readonly eigenvalues: NDArray; readonly eigenvectors: NDArray }
export interface EighOptions {
  /** Use (A + A') / 2 (default true); else the lower triangle alone is read. */
  readonly symmetrizeInput?: boolean;
  /** Which triangle holds the matrix when it is not symmetrized (default "L"). */
  readonly uplo?: "L" | "U";
  /** Outside of `jit`: throw when there are NaN or infinite elements (default true). */
  readonly checkFinite?: boolean;
}

/**
 * Eigenvalues (ascending) and orthonormal eigenvectors (columns) of symmetric matrices [..., n, n]: `A V = V diag(w)`.
 * Derivatives of eigenvectors need distinct eigenvalues; those of eigenvalues do not at first order.
 * @throws ShapeError for matrices that are not square; LinAlgError for elements that are not finite.
 * @example eigh(np.array([[2, 1], [1, 2]])).eigenvalues; // [1, 3]
 */
export function eigh(a: ArrayLike, options: EighOptions = {}): EighResult {
  const [eigenvalues, eigenvectors] = bind(eighPrimitive, [operand("eigh", a, options)], {}) as [NDArray, NDArray];
  if (options.checkFinite !== false) requireValues("eigh", eigenvalues);
  return { eigenvalues, eigenvectors };
}

/** Eigenvalues of symmetric matrices, ascending; without vectors, in a third of the time. @example eigvalsh(np.array([[2, 1], [1, 2]])); // [1, 3] */
export function eigvalsh(a: ArrayLike, options: EighOptions = {}): NDArray {
  const eigenvalues = bind1(eigvalshPrimitive, [operand("eigvalsh", a, options)], {});
  if (options.checkFinite !== false) requireValues("eigvalsh", eigenvalues);
  return eigenvalues;
}

function operand(fn: string, a: ArrayLike, { symmetrizeInput = true, uplo = "L" }: EighOptions): NDArray {
  const x = asMatrix(fn, a);
  requireSquare(fn, x.aval);
  if (symmetrizeInput) return symmetrize(x);
  return uplo === "U" ? np.matrixTranspose(x) : x;
}

const requireValues = (fn: string, values: NDArray): void => checkResult(fn, values, "finite elements", "NaN or infinity, or no convergence", "look for NaN in the matrix");
