import { ArgumentError, type ArrayLike, AxisError, type NDArray, np } from "@hessia/core";
import { shape as shapes } from "@hessia/core/extend";
import { asOne } from "./factorizations/as-one.js";
import { svdvals } from "./factorizations/svd.js";

export type NormOrder = number | "fro" | "nuc" | null;
export interface NormOptions {
  readonly axis?: number | readonly [number, number] | null;
  readonly keepdims?: boolean;
  /** Zero derivatives at the zero vector, where the 2-norm has none (default false: NaN, as JAX). */
  readonly safe?: boolean;
}

/** Euclidean length. */
function euclidean(x: NDArray, axis: readonly number[], keepdims: boolean, safe: boolean): NDArray {
  const squares = np.sum(np.square(x), axis, { keepdims });
  if (!safe) return np.sqrt(squares);
  const zero = np.equal(squares, 0);
  return np.where(zero, 0, np.sqrt(np.where(zero, 1, squares)));
}

/**
 * Norm of a vector or matrix, as NumPy's `linalg.norm`.
 *
 * Without `axis` and `ord` the 2-norm of all elements. Vectors (one axis): any p, with 0 counting nonzeros and +-Infinity the largest and
 * smallest magnitude. Matrices (two axes): "fro", "nuc", 1, -1, 2, -2, +-Infinity.
 * @throws ArgumentError for an order that does not exist; AxisError for axes that are not there.
 * @example norm(np.array([3, 4])); // 5
 */
export function norm(x: ArrayLike, ord: NormOrder = null, options: NormOptions = {}): NDArray {
  return normOf(np.asarray(x), ord, options);
}
const normOf = asOne((input: NDArray, ord: NormOrder, options: NormOptions): NDArray => {
  const a = input.dtype === "float32" || input.dtype === "float64" ? input : input.astype("float64");
  const { keepdims = false, safe = false } = options;
  if (options.axis === undefined || options.axis === null) {
    if (ord === null) return euclidean(a, shapes.range(a.ndim), keepdims, safe);
    if (a.ndim !== 1 && a.ndim !== 2) throw new AxisError({ fn: "norm", arg: "axis", expected: "an axis, since x is neither vector nor matrix", got: `${a.ndim} dimensions`, fix: "pass axis, or ord = null for the 2-norm of all elements" });
    return a.ndim === 1 ? vectorNorm(a, ord, 0, keepdims, safe) : matrixNorm(a, ord, [0, 1], keepdims, safe);
  }
  if (typeof options.axis === "number") return vectorNorm(a, ord ?? 2, shapes.canonicalAxis(options.axis, a.ndim, "norm"), keepdims, safe);
  const [row, column] = options.axis.map((d) => shapes.canonicalAxis(d, a.ndim, "norm")) as [number, number];
  if (row === column) throw new AxisError({ fn: "norm", arg: "axis", expected: "two different axes", got: `[${row}, ${column}]`, fix: "name rows and columns" });
  return matrixNorm(a, ord ?? "fro", [row, column], keepdims, safe);
}, [1, 2]);

function vectorNorm(a: NDArray, ord: NormOrder, axis: number, keepdims: boolean, safe: boolean): NDArray {
  const o = { keepdims };
  if (ord === Infinity) return np.max(np.abs(a), axis, o);
  if (ord === -Infinity) return np.min(np.abs(a), axis, o);
  if (ord === 0) return np.sum(np.notEqual(a, 0).astype(a.dtype), axis, o);
  if (ord === 1) return np.sum(np.abs(a), axis, o);
  if (ord === 2 || ord === null) return euclidean(a, [axis], keepdims, safe);
  if (typeof ord !== "number" || Number.isNaN(ord)) throw new ArgumentError({ fn: "norm", arg: "ord", expected: "a number for vectors", got: String(ord), fix: 'matrix norms ("fro", "nuc") need two axes' });
  return np.power(np.sum(np.power(np.abs(a), ord), axis, o), 1 / ord);
}

function matrixNorm(a: NDArray, ord: NormOrder, [row, column]: readonly [number, number], keepdims: boolean, safe: boolean): NDArray {
  if (ord === "fro" || ord === null) return euclidean(a, [row, column], keepdims, safe);
  const bySums = (sumAxis: number, otherAxis: number, largest: boolean) => {
    const sums = np.sum(np.abs(a), sumAxis, { keepdims: true });
    const y = largest ? np.max(sums, otherAxis, { keepdims: true }) : np.min(sums, otherAxis, { keepdims: true });
    return keepdims ? y : np.squeeze(y, [row, column]);
  };
  if (ord === 1 || ord === -1) return bySums(row, column, ord > 0);
  if (ord === Infinity || ord === -Infinity) return bySums(column, row, ord > 0);
  if (ord === 2 || ord === -2 || ord === "nuc") {
    const s = svdvals(np.moveaxis(a, [row, column], [-2, -1]));
    const y = ord === "nuc" ? np.sum(s, -1) : ord === 2 ? np.max(s, -1) : np.min(s, -1);
    return keepdims ? np.expandDims(y, [Math.min(row, column), Math.max(row, column)]) : y;
  }
  throw new ArgumentError({ fn: "norm", arg: "ord", expected: '"fro", "nuc", 1, -1, 2, -2 or +-Infinity for matrices', got: String(ord), fix: "choose one of them" });
}
