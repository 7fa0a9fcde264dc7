import { ArgumentError, type ArrayLike, DerivativeError, type NDArray, np } from "@hessia/core";
import { defineDerivative, isNonzero, Zero } from "@hessia/autodiff/extend";
import { bind, bind1, definePrimitive, type Primitive } from "@hessia/core/extend";
import { qrRoutine } from "../native/qr.js";
import { batchSize, leadingBatchOne, requireMatrix } from "./matrix-types.js";
import { asMatrix } from "./operands.js";
import { triangularSolve } from "./triangular-solve.js";

/** Householder QR: Q [..., m, c] and R [..., c, n] with c = min(m, n), or m when complete. */
export const qrPrimitive: Primitive<{ readonly complete: boolean }> = definePrimitive<{ readonly complete: boolean }>({
  name: "linalg.qr",
  abstractEval([a], { complete }) {
    requireMatrix("qr", a!);
    const batch = a!.shape.slice(0, -2);
    const [m, n] = a!.shape.slice(-2) as [number, number];
    const c = complete ? m : Math.min(m, n);
    return [{ shape: [...batch, m, c], dtype: a!.dtype, weak: false }, { shape: [...batch, c, n], dtype: a!.dtype, weak: false }];
  },
  batch: leadingBatchOne(() => qrPrimitive),
  lower: (ctx, [a], _params, outputs) => ctx.routine(qrRoutine.name, [a!], outputs, { batch: batchSize(a!), m: a!.shape.at(-2)!, n: a!.shape.at(-1)!, columns: outputs[0]!.shape.at(-1)! }),
});

// With X = dA R^-1 and S = Q' X: W = tril(S, -1) - tril(S, -1)', dQ = Q (W - S) + X, dR = (S - W) R (Walter & Lehmann 2010).
defineDerivative(qrPrimitive, () => ({
  jvp([a], [da], params) {
    const [q, r] = bind(qrPrimitive, [a!], params) as [NDArray, NDArray];
    if (!isNonzero(da!)) return { primals: [q, r], tangents: [new Zero(q.aval), new Zero(r.aval)] };
    const [m, n] = a!.shape.slice(-2) as [number, number];
    if (m < n || (params.complete && m > n))
      throw new DerivativeError({ fn: "qr", expected: 'mode "reduced"', got: `mode "complete" of a ${m} by ${n} matrix, whose extra columns of Q are not determined by it`, fix: 'use mode "reduced"' });
    const x = np.matrixTranspose(bind1(triangularSolve, [r, np.matrixTranspose(da)], { lower: false, transpose: true, unitDiagonal: false }));
    const s = np.matmul(np.matrixTranspose(q), x);
    const low = np.tril(s, -1);
    const w = np.subtract(low, np.matrixTranspose(low));
    return { primals: [q, r], tangents: [np.add(np.matmul(q, np.subtract(w, s)), x), np.matmul(np.subtract(s, w), r)] };
  },
}));

export interface QrResult { readonly q: NDArray; readonly r: NDArray }
export type QrMode = "reduced" | "complete" | "r";

/**
 * QR decomposition `A = Q R` of matrices [..., m, n] by Householder reflections, with LAPACK's signs.
 * Derivatives exist for mode "reduced" where the leading min(m, n) columns are independent.
 * @throws ArgumentError for an unknown mode.
 * @example const { q, r } = qr(np.array([[1, 2], [3, 4], [5, 6]]));
 */
export function qr(a: ArrayLike, options: { readonly mode?: QrMode } = {}): QrResult {
  const x = asMatrix("qr", a);
  const mode = options.mode ?? "reduced";
  if (mode !== "reduced" && mode !== "complete" && mode !== "r") throw new ArgumentError({ fn: "qr", arg: "mode", expected: '"reduced", "complete" or "r"', got: String(mode), fix: "choose one of them" });
  const [m, n] = x.shape.slice(-2) as [number, number];
  if (mode !== "complete" && m < n && m > 0) {
    // A wide matrix: Q comes from the leading square block, the rest of R by projection. So derivatives exist here too.
    const [q, r] = bind(qrPrimitive, [x.get("...", `:${m}`)], { complete: false }) as [NDArray, NDArray];
    return { q, r: np.concatenate([r, np.matmul(np.matrixTranspose(q), x.get("...", `${m}:`))], -1) };
  }
  const [q, r] = bind(qrPrimitive, [x], { complete: mode === "complete" }) as [NDArray, NDArray];
  return { q, r };
}
