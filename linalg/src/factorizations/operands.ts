import { ArgumentError, type ArrayLike, type NDArray, np, ShapeError } from "@hessia/core";
import { formatAval, shape as shapes } from "@hessia/core/extend";
import { requireMatrix, requireSquare } from "./matrix-types.js";

/** An argument as floating-point matrices. */
export function asMatrix(fn: string, a: ArrayLike, arg = "a"): NDArray {
  const x = np.asarray(a);
  const float = x.dtype === "float32" || x.dtype === "float64" ? x : x.astype("float64");
  requireMatrix(fn, float.aval, arg);
  return float;
}

/** System and right side of one dtype with equal batch axes; a vector b is a column meanwhile (NumPy 2's rule: only 1-d b is a vector). */
export function asMatrixOperands(fn: string, a: ArrayLike, b: ArrayLike): { matrix: NDArray; rhs: NDArray; restore: (x: NDArray) => NDArray } {
  let matrix = asMatrix(fn, a);
  requireSquare(fn, matrix.aval);
  let rhs = np.asarray(b);
  const dtype = rhs.dtype === "float64" && !rhs.weak ? "float64" : matrix.dtype;
  matrix = matrix.astype(dtype);
  rhs = rhs.astype(dtype);
  if (rhs.ndim === 0) throw new ShapeError({ fn, arg: "b", expected: "a vector [n] or matrix [..., n, k]", got: "a scalar", fix: "pass an array" });
  const vector = rhs.ndim === 1;
  if (vector) rhs = np.expandDims(rhs, 1);
  const n = matrix.shape.at(-1)!;
  if (rhs.shape.at(-2) !== n)
    throw new ShapeError({ fn, arg: "b", expected: `${n} rows, as many as a ${formatAval(matrix.aval)} has`, got: `${formatAval(np.asarray(b).aval)}`, fix: "check the orientation of b" });
  const batch = shapes.broadcastShapes([matrix.shape.slice(0, -2), rhs.shape.slice(0, -2)], fn);
  matrix = np.broadcastTo(matrix, [...batch, n, n]);
  rhs = np.broadcastTo(rhs, [...batch, ...rhs.shape.slice(-2)]);
  return { matrix, rhs, restore: (x) => (vector ? np.squeeze(x, -1) : x) };
}

/** A boolean option: what is merely truthy is refused, for SciPy's `trans` also knows 0, 1 and "T". */
export function requireFlag(value: unknown, fn: string, arg: string): boolean {
  if (typeof value === "boolean") return value;
  throw new ArgumentError({ fn, arg, expected: "true or false", got: typeof value === "string" ? `"${value}"` : String(value), fix: "pass a boolean" });
}
