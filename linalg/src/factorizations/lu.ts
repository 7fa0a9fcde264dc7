import { type ArrayLike, type NDArray, np } from "@hessia/core";
import { defineDerivative, isNonzero, Zero } from "@hessia/autodiff/extend";
import { bind, bind1, definePrimitive, type NoParams, type Primitive, primitiveFamilies } from "@hessia/core/extend";
import { luRoutine } from "../native/lu.js";
import { batchSize, leadingBatchOne, requireMatrix } from "./matrix-types.js";
import { asMatrix } from "./operands.js";
import { triangularSolve } from "./triangular-solve.js";

/** Partial pivoting: `A[permutation] = L U`, both in one array [..., m, n]; pivots [..., min(m, n)] and permutation [..., m] are int32. */
export const luPrimitive: Primitive<NoParams> = definePrimitive({
  name: "linalg.lu",
  abstractEval([a]) {
    requireMatrix("lu", a!);
    const batch = a!.shape.slice(0, -2);
    const [m, n] = a!.shape.slice(-2) as [number, number];
    return [{ ...a!, weak: false }, { shape: [...batch, Math.min(m, n)], dtype: "int32", weak: false }, { shape: [...batch, m], dtype: "int32", weak: false }];
  },
  batch: leadingBatchOne(() => luPrimitive),
  lower: (ctx, [a], _params, outputs) => ctx.routine(luRoutine.name, [a!], outputs, { batch: batchSize(a!), m: a!.shape.at(-2)!, n: a!.shape.at(-1)! }),
});

/** Rows in the order of a permutation. */
export const permuteRows = (x: NDArray, permutation: NDArray): NDArray => bind1(primitiveFamilies.indexing.gather, [x, permutation], { batchDims: x.ndim - 2, mode: "clip" });

// With X = L^-1 dA[p] U^-1: dL = L tril(X, -1), dU = triu(X) U; rectangular factors are completed by the identity.
defineDerivative(luPrimitive, () => ({
  jvp([a], [da]) {
    const [lu, pivots, permutation] = bind(luPrimitive, [a!], {}) as [NDArray, NDArray, NDArray];
    const rest = [new Zero(pivots.aval), new Zero(permutation.aval)];
    if (!isNonzero(da!)) return { primals: [lu, pivots, permutation], tangents: [new Zero(lu.aval), ...rest] };
    const [m, n] = lu.shape.slice(-2) as [number, number];
    const k = Math.min(m, n);
    const none = lu.shape.slice(0, -2).map((): [number, number] => [0, 0]);
    const left = np.pad(lu.get("...", `:${k}`), [...none, [0, 0], [0, m - k]]);
    const upper = np.triu(np.pad(lu.get("...", `:${k}`, ":"), [...none, [0, n - k], [0, 0]]));
    const right = k === n ? upper : np.add(upper, np.diag(np.asarray(Array.from({ length: n }, (_, i) => (i < k ? 0 : 1))).astype(lu.dtype)));
    const half = bind1(triangularSolve, [left, permuteRows(da, permutation)], { lower: true, transpose: false, unitDiagonal: true });
    const inner = np.matrixTranspose(bind1(triangularSolve, [right, np.matrixTranspose(half)], { lower: false, transpose: true, unitDiagonal: false }));
    const l = np.add(np.tril(left, -1), np.eye(m, undefined, 0, { dtype: lu.dtype }));
    return { primals: [lu, pivots, permutation], tangents: [np.add(np.matmul(l, np.tril(inner, -1)), np.matmul(np.triu(inner), right)), ...rest] };
  },
}));

export interface LuResult { readonly p: NDArray; readonly l: NDArray; readonly u: NDArray }
export interface LuFactor { readonly lu: NDArray; readonly pivots: NDArray; readonly permutation: NDArray }

/** LU with partial pivoting in SciPy's compact form. @example const { lu, pivots } = luFactor(A) */
export function luFactor(a: ArrayLike): LuFactor {
  const [lu, pivots, permutation] = bind(luPrimitive, [asMatrix("luFactor", a)], {}) as [NDArray, NDArray, NDArray];
  return { lu, pivots, permutation };
}

/**
 * `A = P L U` with partial pivoting, for matrices [..., m, n]: L [..., m, k] unit lower, U [..., k, n] upper, k = min(m, n).
 * @example const { p, l, u } = lu(np.array([[0, 1], [2, 3]]));
 */
export function lu(a: ArrayLike): LuResult {
  const f = luFactor(a);
  const [m, n] = f.lu.shape.slice(-2) as [number, number];
  const k = Math.min(m, n);
  const rows = np.expandDims(f.permutation, -2);
  const p = np.equal(np.expandDims(np.arange(m), -1), rows).astype(f.lu.dtype);
  return { p, l: np.add(np.tril(f.lu.get("...", `:${k}`), -1), np.eye(m, k, 0, { dtype: f.lu.dtype })), u: np.triu(f.lu.get("...", `:${k}`, ":")) };
}
