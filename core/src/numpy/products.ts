import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { broadcastShapes, canonicalAxis, formatShape, range, type Shape } from "../base/shape.js";
import { dot as dotPrimitive } from "../primitives/dot.js";
import { broadcastTo, reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { bind1 } from "../trace/trace.js";
import { asOne } from "./as-one.js";
import { describe, promoteOperands } from "./convert.js";
import { multiply } from "./math.js";

const pair = (a: ArrayLike, b: ArrayLike, fn: string): [NDArray, NDArray] => promoteOperands([a, b], fn, ["a", "b"]) as [NDArray, NDArray];

function contraction(a: NDArray, b: NDArray, da: readonly number[], db: readonly number[], batch: number): NDArray {
  return bind1(dotPrimitive, [a, b], { contract: [da, db], batch: [range(batch), range(batch)] });
}

function mismatch(fn: string, a: NDArray, b: NDArray, db: number): ShapeError {
  const want = a.shape.at(-1)!;
  return new ShapeError({ fn, arg: "b", expected: `b.shape[${db}] = ${want} (the last axis of a, ${formatShape(a.shape)})`, got: formatShape(b.shape), fix: "transpose b or reshape one of them" });
}

function needsAxes(x: NDArray, least: number, fn: string, arg: string): void {
  if (x.ndim < least) throw new ShapeError({ fn, arg, expected: `an array of at least ${least === 1 ? "one axis" : "two axes"}`, got: describe(x), fix: least === 1 ? "use multiply for scalars" : "add an axis with expandDims" });
}

/**
 * Matrix product over the last two axes; leading axes broadcast. A vector counts as a row on the left and as a column on the right,
 * and its axis goes away again. `c[..., i, j] = sum_k a[..., i, k] b[..., k, j]`.
 * @throws ShapeError when the inner sizes differ or the leading axes do not broadcast.
 * @example np.matmul([[1, 2], [3, 4]], [1, 1]) // [3, 7]
 */
export function matmul(a: ArrayLike, b: ArrayLike): NDArray {
  const [x, y] = pair(a, b, "matmul");
  needsAxes(x, 1, "matmul", "a");
  needsAxes(y, 1, "matmul", "b");
  const [nx, ny] = [x.ndim, y.ndim];
  const kb = ny === 1 ? 0 : ny - 2;
  if (x.shape[nx - 1] !== y.shape[kb]) throw mismatch("matmul", x, y, kb);
  if (ny <= 2 || nx === 1) {
    // No batch on one side: its free axes simply stay free, and the product is one large one.
    const z = contraction(x, y, [nx - 1], [kb], 0);
    return z;
  }
  const [leadA, leadB] = [x.shape.slice(0, -2), y.shape.slice(0, -2)];
  if (leadA.length === 0) {
    // [m, batch..., n] -> [batch..., m, n]
    const z = contraction(x, y, [1], [kb], 0);
    return transposeTo(z, [...range(leadB.length, 1), 0, z.ndim - 1]);
  }
  const batch = broadcastShapes([leadA, leadB], "matmul");
  const lead = batch.length;
  const p = expandLead(x, batch);
  const q = expandLead(y, batch);
  return contraction(p, q, [lead + 1], [lead], lead);
}

/** Broadcasts all but the last two axes. */
function expandLead(x: NDArray, lead: Shape): NDArray {
  const shape = [...lead, ...x.shape.slice(-2)];
  const offset = shape.length - x.ndim;
  return broadcastTo(x, shape, range(x.ndim).map((d) => d + offset));
}

/**
 * NumPy's `dot`: product of scalars, inner product of vectors, and in general the sum over the last axis of a and the second-to-last of b.
 * @throws ShapeError when those sizes differ.
 * @example np.dot([1, 2], [3, 4]) // 11
 */
export function dot(a: ArrayLike, b: ArrayLike): NDArray {
  const [x, y] = pair(a, b, "dot");
  if (x.ndim === 0 || y.ndim === 0) return multiply(x, y);
  const kb = y.ndim === 1 ? 0 : y.ndim - 2;
  if (x.shape.at(-1) !== y.shape[kb]) throw mismatch("dot", x, y, kb);
  return contraction(x, y, [x.ndim - 1], [kb], 0);
}

/** Sum over the last axes of both: `c[..., i..., j...] = sum_k a[i..., k] b[j..., k]`. @throws ShapeError when they differ. */
export function inner(a: ArrayLike, b: ArrayLike): NDArray {
  return asOne("inner", [a, b], [], (a, b) => innerOf(a!, b!));
}
function innerOf(a: ArrayLike, b: ArrayLike): NDArray {
  const [x, y] = pair(a, b, "inner");
  if (x.ndim === 0 || y.ndim === 0) return multiply(x, y);
  if (x.shape.at(-1) !== y.shape.at(-1)) throw mismatch("inner", x, y, y.ndim - 1);
  return contraction(x, y, [x.ndim - 1], [y.ndim - 1], 0);
}

/** `c[i, j] = a[i] b[j]` of the flattened arrays. @example np.outer([1, 2], [3, 4]) // [[3, 4], [6, 8]] */
export function outer(a: ArrayLike, b: ArrayLike): NDArray {
  return asOne("outer", [a, b], [], (a, b) => outerOf(a!, b!));
}
function outerOf(a: ArrayLike, b: ArrayLike): NDArray {
  const [x, y] = pair(a, b, "outer");
  return multiply(reshapeTo(x, [x.size, 1]), reshapeTo(y, [1, y.size]));
}

/** Inner product of the flattened arrays. @throws ShapeError when their sizes differ. */
export function vdot(a: ArrayLike, b: ArrayLike): NDArray {
  return asOne("vdot", [a, b], [], (a, b) => vdotOf(a!, b!));
}
function vdotOf(a: ArrayLike, b: ArrayLike): NDArray {
  const [x, y] = pair(a, b, "vdot");
  if (x.size !== y.size) throw new ShapeError({ fn: "vdot", arg: "b", expected: `${x.size} elements, as a ${formatShape(x.shape)} has`, got: formatShape(y.shape), fix: "pass arrays of one size" });
  return contraction(reshapeTo(x, [x.size]), reshapeTo(y, [y.size]), [0], [0], 0);
}

/** Inner product of the vectors along an axis (the last by default); the other axes broadcast. */
export function vecdot(a: ArrayLike, b: ArrayLike, axis = -1): NDArray {
  return asOne("vecdot", [a, b], [axis], (a, b) => vecdotOf(a!, b!, axis));
}
function vecdotOf(a: ArrayLike, b: ArrayLike, axis: number): NDArray {
  const [x, y] = pair(a, b, "vecdot");
  needsAxes(x, 1, "vecdot", "a");
  needsAxes(y, 1, "vecdot", "b");
  const toLast = (v: NDArray) => {
    const d = canonicalAxis(axis, v.ndim, "vecdot");
    return transposeTo(v, [...range(v.ndim).filter((k) => k !== d), d]);
  };
  const [p, q] = [toLast(x), toLast(y)];
  if (p.shape.at(-1) !== q.shape.at(-1)) throw mismatch("vecdot", p, q, q.ndim - 1);
  const z = matmul(reshapeTo(p, [...p.shape.slice(0, -1), 1, p.shape.at(-1)!]), reshapeTo(q, [...q.shape, 1]));
  return reshapeTo(z, z.shape.slice(0, -2));
}

/** Matrix times vector, leading axes broadcast: `y[..., i] = sum_k a[..., i, k] b[..., k]`. */
export function matvec(a: ArrayLike, b: ArrayLike): NDArray {
  const [x, y] = pair(a, b, "matvec");
  needsAxes(x, 2, "matvec", "a");
  needsAxes(y, 1, "matvec", "b");
  if (x.shape.at(-1) !== y.shape.at(-1)) throw mismatch("matvec", x, y, y.ndim - 1);
  const z = matmul(x, reshapeTo(y, [...y.shape, 1]));
  return reshapeTo(z, z.shape.slice(0, -1));
}

/** Vector times matrix, leading axes broadcast: `y[..., j] = sum_k a[..., k] b[..., k, j]`. */
export function vecmat(a: ArrayLike, b: ArrayLike): NDArray {
  const [x, y] = pair(a, b, "vecmat");
  needsAxes(x, 1, "vecmat", "a");
  needsAxes(y, 2, "vecmat", "b");
  if (x.shape.at(-1) !== y.shape.at(-2)) throw mismatch("vecmat", x, y, y.ndim - 2);
  const z = matmul(reshapeTo(x, [...x.shape.slice(0, -1), 1, x.shape.at(-1)!]), y);
  return reshapeTo(z, [...z.shape.slice(0, -2), z.shape.at(-1)!]);
}

/** Axes to contract: the last n of a with the first n of b, or lists of axes of both. */
export type TensordotAxes = number | readonly [number | readonly number[], number | readonly number[]];

/**
 * Sum of products over paired axes of a and b; the free axes of a come first in the result, then those of b.
 * @throws ShapeError when paired sizes differ; ArgumentError for axes of another form.
 * @example np.tensordot(np.ones([2, 3]), np.ones([3, 4]), 1).shape // [2, 4]
 */
export function tensordot(a: ArrayLike, b: ArrayLike, axes: TensordotAxes = 2): NDArray {
  const [x, y] = pair(a, b, "tensordot");
  const list = (v: number | readonly number[]) => (typeof v === "number" ? [v] : [...v]);
  if (typeof axes === "number" ? !Number.isInteger(axes) || axes < 0 || axes > Math.min(x.ndim, y.ndim) : !Array.isArray(axes) || axes.length !== 2)
    throw new ArgumentError({ fn: "tensordot", arg: "axes", expected: `an integer from 0 to ${Math.min(x.ndim, y.ndim)}, or two lists of axes`, got: JSON.stringify(axes) ?? String(axes), fix: "pass e.g. 1, or [[0, 1], [1, 0]]" });
  const [ra, rb] = typeof axes === "number" ? [range(axes, x.ndim - axes), range(axes)] : [list(axes[0]), list(axes[1])];
  const da = ra.map((d) => canonicalAxis(d, x.ndim, "tensordot", "axes"));
  const db = rb.map((d) => canonicalAxis(d, y.ndim, "tensordot", "axes"));
  const bad = da.length !== db.length || da.some((d, i) => x.shape[d] !== y.shape[db[i]!]);
  if (bad) throw new ShapeError({ fn: "tensordot", arg: "axes", expected: `pairs of axes of equal size, of ${formatShape(x.shape)} and ${formatShape(y.shape)}`, got: `[${formatShape(da)}, ${formatShape(db)}]`, fix: "pair axes that belong together" });
  return contraction(x, y, da, db, 0);
}

/** Kronecker product: every element of a times the whole of b, as blocks. */
export function kron(a: ArrayLike, b: ArrayLike): NDArray {
  return asOne("kron", [a, b], [], (a, b) => kronOf(a!, b!));
}
function kronOf(a: ArrayLike, b: ArrayLike): NDArray {
  const [x, y] = pair(a, b, "kron");
  const ndim = Math.max(x.ndim, y.ndim);
  const pad = (v: NDArray) => [...range(ndim - v.ndim).map(() => 1), ...v.shape];
  const [sx, sy] = [pad(x), pad(y)];
  const spread = multiply(reshapeTo(x, sx.flatMap((n) => [n, 1])), reshapeTo(y, sy.flatMap((n) => [1, n])));
  return reshapeTo(spread, sx.map((n, d) => n * sy[d]!));
}

