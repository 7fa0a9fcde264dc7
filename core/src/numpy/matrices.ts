import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { type DType, defaultFloat } from "../base/dtype.js";
import { AxisError, ShapeError } from "../base/errors.js";
import { canonicalAxis, formatShape, range, type Shape } from "../base/shape.js";
import { concatenate, pad, slice } from "../primitives/structural.js";
import { broadcastTo, reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { asOne } from "./as-one.js";
import { asArray } from "./convert.js";
import type { ArrayOptions } from "./creation.js";
import { choose, positions } from "./elementwise.js";
import { equal, greaterEqual, lessEqual } from "./logic.js";
import { add, power } from "./math.js";
import { optionalDType, requireInteger, requireOptions } from "./options.js";
import { sum } from "./reductions.js";

const strong = (x: NDArray): NDArray => (x.weak ? convertTo(x, x.dtype) : x);
/** True where column = row + k, or by another comparison. */
const band = (shape: Shape, k: number, compare: typeof equal): NDArray => compare(positions(shape, shape.length - 1), add(positions(shape, shape.length - 2), k));

/** Ones on diagonal k of an n by m matrix (m = n unless given), zeros elsewhere. @example np.eye(2) // [[1, 0], [0, 1]] */
export function eye(n: number, m?: number | null, k = 0, options?: ArrayOptions): NDArray {
  return asOne("eye", [], [n, m, k, options], () => eyeOf(n, m, k, options));
}
function eyeOf(n: number, m: number | null | undefined, k: number, options?: ArrayOptions): NDArray {
  const { dtype } = requireOptions(options, "eye", ["dtype", "device"]);
  const rows = requireInteger(n, "eye", "n", 0);
  return convertTo(band([rows, m === undefined || m === null ? rows : requireInteger(m, "eye", "m", 0)], requireInteger(k, "eye", "k"), equal), optionalDType(dtype, "eye") ?? defaultFloat());
}
/** The n by n identity matrix. */
export const identity = (n: number, options?: ArrayOptions): NDArray => eye(requireInteger(n, "identity", "n", 0), null, 0, options);

/** Ones on and below diagonal k of an n by m matrix. @example np.tri(2) // [[1, 0], [1, 1]] */
export function tri(n: number, m?: number | null, k = 0, options?: ArrayOptions): NDArray {
  return asOne("tri", [], [n, m, k, options], () => triOf(n, m, k, options));
}
function triOf(n: number, m: number | null | undefined, k: number, options?: ArrayOptions): NDArray {
  const { dtype } = requireOptions(options, "tri", ["dtype", "device"]);
  const rows = requireInteger(n, "tri", "n", 0);
  return convertTo(band([rows, m === undefined || m === null ? rows : requireInteger(m, "tri", "m", 0)], requireInteger(k, "tri", "k"), lessEqual), optionalDType(dtype, "tri") ?? defaultFloat());
}

function matrix(x: ArrayLike, fn: string): NDArray {
  const a = strong(asArray(x, fn));
  if (a.ndim >= 2) return a;
  if (a.ndim === 1) return broadcastTo(a, [a.size, a.size], [1]);
  throw new ShapeError({ fn, arg: "x", expected: "at least one axis", got: "a scalar", fix: "use np.full for a matrix of one value" });
}
/** The array with zeros above diagonal k of its last two axes. */
export function tril(x: ArrayLike, k = 0): NDArray {
  return asOne("tril", [x], [k], (x) => trilOf(x!, k));
}
function trilOf(x: ArrayLike, k: number): NDArray {
  const a = matrix(x, "tril");
  return choose(band(a.shape, requireInteger(k, "tril", "k"), lessEqual), a, 0);
}
/** The array with zeros below diagonal k of its last two axes. */
export function triu(x: ArrayLike, k = 0): NDArray {
  return asOne("triu", [x], [k], (x) => triuOf(x!, k));
}
function triuOf(x: ArrayLike, k: number): NDArray {
  const a = matrix(x, "triu");
  return choose(band(a.shape, requireInteger(k, "triu", "k"), greaterEqual), a, 0);
}

/**
 * Diagonal `offset` of two axes (the first two by default), as last axis of the result.
 * @throws AxisError when both axes are the same one; ShapeError below two axes.
 * @example np.diagonal([[1, 2], [3, 4]]) // [1, 4]
 */
export function diagonal(x: ArrayLike, offset = 0, axis1 = 0, axis2 = 1): NDArray {
  return asOne("diagonal", [x], [offset, axis1, axis2], (x) => diagonalOf(x!, offset, axis1, axis2));
}
function diagonalOf(x: ArrayLike, offset: number, axis1: number, axis2: number): NDArray {
  const a = strong(asArray(x, "diagonal"));
  if (a.ndim < 2) throw new ShapeError({ fn: "diagonal", arg: "x", expected: "at least two axes", got: formatShape(a.shape), fix: "use diag to make a matrix of a vector" });
  requireInteger(offset, "diagonal", "offset");
  const [r, c] = [canonicalAxis(axis1, a.ndim, "diagonal", "axis1"), canonicalAxis(axis2, a.ndim, "diagonal", "axis2")];
  if (r === c) throw new AxisError({ fn: "diagonal", arg: "axis2", expected: "two different axes", got: `${axis1} and ${axis2}`, fix: "name the axes of rows and columns" });
  const rest = range(a.ndim).filter((d) => d !== r && d !== c);
  const moved = transposeTo(a, [...rest, r, c]);
  const [m, n] = [a.shape[r]!, a.shape[c]!];
  const lead = rest.map((d) => a.shape[d]!);
  const start = offset >= 0 ? Math.min(offset, n) : -offset * n;
  const length = Math.max(0, offset >= 0 ? Math.min(m, n - offset) : Math.min(m + offset, n));
  // In the flattened matrix the diagonal's elements lie n + 1 apart.
  const flat = reshapeTo(moved, [...lead, m * n]);
  const first = length === 0 ? 0 : start;
  return bind1(slice, [flat], { start: [...lead.map(() => 0), first], limit: [...lead, length === 0 ? 0 : start + (length - 1) * (n + 1) + 1], strides: [...lead.map(() => 1), n + 1] });
}

/**
 * Of a vector, the matrix with it on diagonal k; of a matrix, its diagonal k.
 * @throws ShapeError for arrays of other dimensions.
 * @example np.diag([1, 2]) // [[1, 0], [0, 2]]
 */
export function diag(x: ArrayLike, k = 0): NDArray {
  return asOne("diag", [x], [k], (x) => diagOf(x!, k));
}
function diagOf(x: ArrayLike, k: number): NDArray {
  const a = strong(asArray(x, "diag"));
  if (a.ndim === 2) return diagonal(a, k);
  if (a.ndim !== 1) throw new ShapeError({ fn: "diag", arg: "x", expected: "a vector or a matrix", got: formatShape(a.shape), fix: "use diagonal for more axes" });
  const n = a.size + Math.abs(requireInteger(k, "diag", "k"));
  // Rows of the vector, shifted so that it lies right in the column of the diagonal: [n, n] with a[j - max(k, 0)] in column j.
  const columns = padVector(a, Math.max(0, k), Math.max(0, -k));
  return choose(band([n, n], k, equal), broadcastTo(columns, [n, n], [1]), 0);
}
function padVector(x: NDArray, before: number, after: number): NDArray {
  return before + after === 0 ? x : bind1(pad, [x, convertTo(asArray(0, "diag"), x.dtype)], { low: [before], high: [after], interior: [0] });
}
/** The matrix with the flattened array on diagonal k. */
export const diagflat = (x: ArrayLike, k = 0): NDArray => {
  const a = asArray(x, "diagflat");
  return diag(reshapeTo(a, [a.size]), k);
};

export interface TraceOptions { readonly dtype?: DType }
/** Sum of a diagonal of two axes. @example np.trace([[1, 2], [3, 4]]) // 5 */
export function trace(x: ArrayLike, offset = 0, axis1 = 0, axis2 = 1, options?: TraceOptions): NDArray {
  return asOne("trace", [x], [offset, axis1, axis2, options], (x) => traceOf(x!, offset, axis1, axis2, options));
}
function traceOf(x: ArrayLike, offset: number, axis1: number, axis2: number, options?: TraceOptions): NDArray {
  const { dtype } = requireOptions(options, "trace", ["dtype"]);
  return sum(diagonal(x, offset, axis1, axis2), -1, dtype === undefined ? {} : { dtype });
}

export interface VanderOptions {
  /** Powers from 0 upwards instead of downwards. */
  readonly increasing?: boolean;
}
/** Vandermonde matrix: column j holds `x ** (n - 1 - j)`. @example np.vander([2, 3], 3) // [[4, 2, 1], [9, 3, 1]] */
export function vander(x: ArrayLike, n?: number | null, options?: VanderOptions): NDArray {
  return asOne("vander", [x], [n, options], (x) => vanderOf(x!, n, options));
}
function vanderOf(x: ArrayLike, n?: number | null, options?: VanderOptions): NDArray {
  const { increasing = false } = requireOptions(options, "vander", ["increasing"]);
  const a = strong(asArray(x, "vander"));
  if (a.ndim !== 1) throw new ShapeError({ fn: "vander", arg: "x", expected: "a vector", got: formatShape(a.shape), fix: "ravel it first" });
  const count = n === undefined || n === null ? a.size : requireInteger(n, "vander", "n", 0);
  const powers = range(count).map((j) => reshapeTo(power(a, increasing ? j : count - 1 - j), [a.size, 1]));
  return count === 0 ? reshapeTo(bind1(slice, [a], { start: [0], limit: [0], strides: [1] }), [a.size, 0]) : bind1(concatenate, powers, { axis: 1 });
}
