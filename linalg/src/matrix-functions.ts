import { ArgumentError, type ArrayLike, cond, foriLoop, type NDArray, np } from "@hessia/core";
import { stopGradient } from "@hessia/autodiff";
import { asOne } from "./factorizations/as-one.js";
import { requireSquare } from "./factorizations/matrix-types.js";
import { asMatrix } from "./factorizations/operands.js";
import { inv, solve } from "./solve.js";

const identityLike = (x: NDArray): NDArray => np.broadcastTo(np.eye(x.shape.at(-1)!, undefined, 0, { dtype: x.dtype }), x.shape);

/**
 * `A^n` of square matrices [..., m, m] by repeated squaring; n = 0 gives the identity, negative n powers of the inverse.
 * @throws ArgumentError for a power that is no integer; LinAlgError for negative powers of singular matrices (outside of `jit`).
 * @example matrixPower(np.array([[1, 1], [1, 0]]), 10) // Fibonacci numbers
 */
export function matrixPower(a: ArrayLike, n: number): NDArray {
  const x = asMatrix("matrixPower", a);
  requireSquare("matrixPower", x.aval);
  if (!Number.isInteger(n)) throw new ArgumentError({ fn: "matrixPower", arg: "n", expected: "an integer", got: String(n), fix: "for real powers use eigh" });
  if (n === 0) return identityLike(x);
  let base = n < 0 ? inv(x) : x;
  let result: NDArray | undefined;
  for (let k = Math.abs(n); k > 0; k = Math.floor(k / 2)) {
    if (k % 2) result = result ? np.matmul(result, base) : base;
    if (k > 1) base = np.matmul(base, base);
  }
  return result!;
}

/** Numerator coefficients of the [13/13] Padé approximant of exp, b_k = (26 - k)! 13! / (26! k! (13 - k)!) scaled to integers (Higham 2005). */
const pade13 = [64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600, 670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1];
/** Largest 1-norm for which the approximant is accurate to double precision. */
const theta13 = 5.371920351148152;

/**
 * Matrix exponential of square matrices [..., n, n]: Padé approximation of order 13 with scaling and squaring (Higham 2005, The scaling and
 * squaring method for the matrix exponential revisited). Differentiable in both modes to any order.
 * @param options.maxSquarings matrices of 1-norm above 5.4 * 2^maxSquarings give NaN (default 16, as JAX).
 * @throws ShapeError for matrices that are not square.
 * @example expm(np.array([[0, -Math.PI], [Math.PI, 0]])) // rotation by pi
 */
export function expm(a: ArrayLike, options: { readonly maxSquarings?: number } = {}): NDArray {
  const x = asMatrix("expm", a);
  requireSquare("expm", x.aval);
  return x.size === 0 ? x : exponential(x, options.maxSquarings ?? 16);
}

const exponential = asOne((x: NDArray, maxSquarings: number): NDArray => {
  const norm1 = stopGradient(np.max(np.sum(np.abs(x), -2), -1));
  const squarings = np.maximum(0, np.ceil(np.log2(np.divide(np.maximum(norm1, 1e-300), theta13))));
  const perMatrix = (s: NDArray) => np.expandDims(s, [-2, -1]);
  const tooLarge = np.greater(squarings, maxSquarings);
  const scaled = np.multiply(x, perMatrix(np.exp2(np.negative(np.minimum(squarings, maxSquarings)))).astype(x.dtype));
  const eye = identityLike(x);
  const b = pade13;
  const x2 = np.matmul(scaled, scaled);
  const x4 = np.matmul(x2, x2);
  const x6 = np.matmul(x4, x2);
  const combine = (c6: number, c4: number, c2: number, c0: number) => np.add(np.add(np.multiply(c6, x6), np.multiply(c4, x4)), np.add(np.multiply(c2, x2), np.multiply(c0, eye)));
  const u = np.matmul(scaled, np.add(np.matmul(x6, combine(b[13]!, b[11]!, b[9]!, 0)), combine(b[7]!, b[5]!, b[3]!, b[1]!)));
  const v = np.add(np.matmul(x6, combine(b[12]!, b[10]!, b[8]!, 0)), combine(b[6]!, b[4]!, b[2]!, b[0]!));
  const r = solve(np.subtract(v, u), np.add(v, u), { checkFinite: false });
  const most = np.max(np.where(np.isfinite(squarings), squarings, 0));
  const square = (i: NDArray, y: NDArray) => np.where(perMatrix(np.less(i, squarings)), np.matmul(y, y), y);
  const squared = foriLoop(0, maxSquarings, (i, y: NDArray) => cond(np.less(i.astype(x.dtype), most), square, (_i, same) => same, i.astype(x.dtype), y), r);
  return np.where(perMatrix(tooLarge), NaN, squared);
}, [1]);
