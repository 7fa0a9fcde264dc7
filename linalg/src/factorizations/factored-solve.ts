import { type NDArray, np } from "@hessia/core";
import { defineDerivative, isNonzero, Zero } from "@hessia/autodiff/extend";
import { bind1, definePrimitive, type Primitive } from "@hessia/core/extend";
import { triangularSolveRoutine } from "../native/triangular-solve.js";
import { permuteRowsRoutine } from "../native/permute-rows.js";
import { batchSize, leadingBatch } from "./matrix-types.js";

export interface FactoredSolveParams { readonly kind: "lu" | "cholesky"; readonly transpose: boolean }

/**
 * `op(A) X = B` with a factorization of A at hand. Inputs: A, its factor, the row permutation (any int32 for cholesky), B. The factor is a
 * cache of A: all derivatives by A come from A itself, so no order of differentiation goes through the factorization.
 */
export const factoredSolve: Primitive<FactoredSolveParams> = definePrimitive<FactoredSolveParams>({
  name: "linalg.factoredSolve",
  abstractEval: ([, , , b]) => ({ ...b!, weak: false }),
  batch: leadingBatch(() => factoredSolve),
  lower(ctx, [a, factor, permutation, b], { kind, transpose }, [out]) {
    const sizes = { batch: batchSize(a!), n: a!.shape.at(-1)!, columns: b!.shape.at(-1)! };
    const triangular = (x: typeof b, lower: boolean, transposed: boolean, unitDiagonal: boolean) => ctx.routine(triangularSolveRoutine.name, [factor!, x!], [out!], { ...sizes, lower, transpose: transposed, unitDiagonal })[0];
    const permute = (x: typeof b, inverse: boolean) => ctx.routine(permuteRowsRoutine.name, [x!, permutation!], [out!], { ...sizes, inverse })[0];
    if (kind === "cholesky") return [triangular(triangular(b, true, false, false), true, true, false)!];
    // A[p] = L U, so A x = b is L U x = b[p], and A' x = b is U' L' y = b with x[p] = y.
    if (!transpose) return [triangular(triangular(permute(b, false), true, false, true), false, false, false)!];
    return [permute(triangular(triangular(b, false, true, false), true, true, true), true)!];
  },
});

// dX = op(A)^-1 (dB - op(dA) X) with the same factor.
defineDerivative<FactoredSolveParams>(factoredSolve, () => ({
  jvp([a, factor, permutation, b], [da, , , db], params) {
    const x = bind1(factoredSolve, [a!, factor!, permutation!, b!], params);
    let rhs = isNonzero(db!) ? db : undefined;
    if (isNonzero(da!)) {
      const moved = np.negative(np.matmul(params.transpose ? np.matrixTranspose(da) : da, x));
      rhs = rhs ? np.add(rhs, moved) : moved;
    }
    return { primals: [x], tangents: [rhs ? bind1(factoredSolve, [a!, factor!, permutation!, rhs], params) : new Zero(x.aval)] };
  },
  transpose: ([ct], [a, factor, permutation], params) => [null, null, null, bind1(factoredSolve, [a as NDArray, factor as NDArray, permutation as NDArray, ct as NDArray], { ...params, transpose: !params.transpose })],
}));
