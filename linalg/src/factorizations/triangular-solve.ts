import { type ArrayLike, type NDArray, np, ShapeError } from "@hessia/core";
import { defineDerivative, isNonzero, Zero } from "@hessia/autodiff/extend";
import { bind1, definePrimitive, formatAval, type Primitive } from "@hessia/core/extend";
import { triangularSolveRoutine } from "../native/triangular-solve.js";
import { asOne } from "./as-one.js";
import { batchSize, leadingBatch, requireSquare } from "./matrix-types.js";
import { asMatrixOperands, requireFlag } from "./operands.js";

export interface TriangularSolveParams { readonly lower: boolean; readonly transpose: boolean; readonly unitDiagonal: boolean }

/** `op(A) X = B` for triangular A [..., n, n] and B [..., n, k]; only the named triangle of A is read. */
export const triangularSolve: Primitive<TriangularSolveParams> = definePrimitive({
  name: "linalg.triangularSolve",
  abstractEval([a, b]) {
    requireSquare("solveTriangular", a!);
    if (b!.shape.length !== a!.shape.length || b!.shape.slice(0, -1).some((n, d) => n !== a!.shape[d]) || b!.dtype !== a!.dtype)
      throw new ShapeError({ fn: "solveTriangular", arg: "b", expected: `right sides [..., ${a!.shape.at(-1)}, k] that match ${formatAval(a!)}`, got: formatAval(b!), fix: "broadcast the batch axes and use one dtype" });
    return b!;
  },
  batch: leadingBatch(() => triangularSolve),
  lower: (ctx, [a, b], params, [out]) => ctx.routine(triangularSolveRoutine.name, [a!, b!], [out!], { batch: batchSize(a!), n: a!.shape.at(-1)!, columns: b!.shape.at(-1)!, ...params }),
});

/** The triangle of a tangent that the solve reads. */
const triangle = (a: NDArray, { lower, unitDiagonal }: TriangularSolveParams): NDArray => (lower ? np.tril(a, unitDiagonal ? -1 : 0) : np.triu(a, unitDiagonal ? 1 : 0));

// dX = op(A)^-1 (dB - op(dA) X); the transpose by B solves with the other op.
defineDerivative(triangularSolve, () => ({
  jvp([a, b], [da, db], params) {
    const x = bind1(triangularSolve, [a!, b!], params);
    let rhs = isNonzero(db!) ? db : undefined;
    if (isNonzero(da!)) {
      const t = triangle(da, params);
      const moved = np.negative(np.matmul(params.transpose ? np.matrixTranspose(t) : t, x));
      rhs = rhs ? np.add(rhs, moved) : moved;
    }
    return { primals: [x], tangents: [rhs ? bind1(triangularSolve, [a!, rhs], params) : new Zero(x.aval)] };
  },
  transpose: ([ct], [a], params) => [null, bind1(triangularSolve, [a as NDArray, ct as NDArray], { ...params, transpose: !params.transpose })],
}));

export interface SolveTriangularOptions {
  /** A is lower triangular (default false, as SciPy). */
  readonly lower?: boolean;
  /** Solve with the transpose of A (default false). */
  readonly trans?: boolean;
  /** Take the diagonal as ones. */
  readonly unitDiagonal?: boolean;
}

/**
 * Solves `A x = b` (or `A' x = b`) by substitution for triangular A [..., n, n]; b is [n] or [..., n, k].
 * The other triangle of A is not read and gets zero derivatives.
 * @throws ShapeError, DTypeError for operands that do not fit; ArgumentError for options that are no booleans.
 * @example solveTriangular(np.array([[2, 0], [1, 3]]), np.array([2, 7]), { lower: true }); // [1, 2]
 */
export function solveTriangular(a: ArrayLike, b: ArrayLike, options: SolveTriangularOptions = {}): NDArray {
  const flag = (arg: keyof SolveTriangularOptions): boolean => requireFlag(options[arg] ?? false, "solveTriangular", arg);
  return substitution(np.asarray(a), np.asarray(b), flag("lower"), flag("trans"), flag("unitDiagonal"));
}

const substitution = asOne((a: NDArray, b: NDArray, lower: boolean, transpose: boolean, unitDiagonal: boolean): NDArray => {
  const { matrix, rhs, restore } = asMatrixOperands("solveTriangular", a, b);
  return restore(bind1(triangularSolve, [matrix, rhs], { lower, transpose, unitDiagonal }));
}, [2, 3, 4]);
