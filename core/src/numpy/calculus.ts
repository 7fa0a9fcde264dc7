import type { ArrayLike, AxisArg, NDArray } from "../array/ndarray.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { axisList, canonicalAxes, canonicalAxis, formatShape, range } from "../base/shape.js";
import { ne } from "../primitives/binary.js";
import { concatenate } from "../primitives/structural.js";
import { reshapeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { asOne } from "./as-one.js";
import { along } from "./along.js";
import { asArray, broadcastToShape, describe, promoteArrays } from "./convert.js";
import { choose, floatArray, noParams } from "./elementwise.js";
import { greater, less, logicalAnd, equal } from "./logic.js";
import { abs, add, divide, multiply, remainder, square, subtract } from "./math.js";
import { cumsum } from "./cumulative.js";
import { requireInteger, requireOptions } from "./options.js";
import { sum } from "./reductions.js";

const join = (parts: readonly NDArray[], axis: number, fn: string): NDArray => bind1(concatenate, promoteArrays(parts.filter((p) => p.shape[axis] !== 0 || parts.length === 1), fn), { axis });

export interface DiffOptions {
  /** Values joined in front before differencing; broadcast along the other axes. */
  readonly prepend?: ArrayLike;
  /** Values joined behind. */
  readonly append?: ArrayLike;
}
/**
 * The n-th difference along an axis: `x[i + 1] - x[i]`, n times.
 * @throws ArgumentError for negative n.
 * @example np.diff([1, 4, 9]) // [3, 5]
 */
export function diff(x: ArrayLike, n = 1, axis = -1, options?: DiffOptions): NDArray {
  return asOne("diff", [x], [n, axis, options], (x) => diffOf(x!, n, axis, options));
}
function diffOf(x: ArrayLike, n: number, axis: number, options?: DiffOptions): NDArray {
  const o = requireOptions(options, "diff", ["prepend", "append"]);
  requireInteger(n, "diff", "n", 0);
  let a = asArray(x, "diff");
  if (a.ndim === 0) throw new ShapeError({ fn: "diff", arg: "x", expected: "at least one axis", got: "a scalar", fix: "pass a vector" });
  if (n === 0) return a;
  const d = canonicalAxis(axis, a.ndim, "diff");
  const edge = (v: ArrayLike | undefined, name: string): NDArray[] => {
    if (v === undefined) return [];
    const e = asArray(v, "diff", name);
    return [e.ndim === 0 ? broadcastToShape(e, a.shape.map((m, k) => (k === d ? 1 : m)), "diff") : e];
  };
  const parts = [...edge(o.prepend, "prepend"), a, ...edge(o.append, "append")];
  if (parts.length > 1) a = bind1(concatenate, promoteArrays(parts, "diff"), { axis: d });
  for (let k = 0; k < n; k++) {
    const [later, earlier] = [along(a, d, 1), along(a, d, 0, Math.max(0, a.shape[d]! - 1))];
    a = a.dtype === "bool" ? bind1(ne, [later, earlier], noParams) : subtract(later, earlier);
  }
  return a;
}

/** Differences of the flattened array, with values before and behind. */
export function ediff1d(x: ArrayLike, options?: { readonly toEnd?: ArrayLike; readonly toBegin?: ArrayLike }): NDArray {
  return asOne("ediff1d", [x], [options], (x) => ediff1dOf(x!, options));
}
function ediff1dOf(x: ArrayLike, options?: { readonly toEnd?: ArrayLike; readonly toBegin?: ArrayLike }): NDArray {
  const o = requireOptions(options, "ediff1d", ["toEnd", "toBegin"]);
  const a = asArray(x, "ediff1d");
  const flat = (v: NDArray) => reshapeTo(v, [v.size]);
  const steps = a.size === 0 ? flat(a) : diff(flat(a));
  const extra = (v: ArrayLike | undefined, name: string) => (v === undefined ? [] : [convertTo(flat(asArray(v, "ediff1d", name)), a.dtype)]);
  const parts = [...extra(o.toBegin, "toBegin"), steps, ...extra(o.toEnd, "toEnd")];
  return parts.length === 1 ? steps : join(parts, 0, "ediff1d");
}

export interface GradientOptions {
  /** Spacing: one number, one an axis, or coordinate vectors. */
  readonly spacing?: ArrayLike | readonly ArrayLike[];
  /** Order of the one-sided differences at the ends: 1 or 2. */
  readonly edgeOrder?: 1 | 2;
}

function gradientAlong(f: NDArray, d: number, h: NDArray, edgeOrder: number): NDArray {
  const n = f.shape[d]!;
  if (n < edgeOrder + 1) throw new ShapeError({ fn: "gradient", arg: "x", expected: `at least ${edgeOrder + 1} elements along axis ${d}`, got: formatShape(f.shape), fix: "take more points, or edgeOrder 1" });
  const line = (v: NDArray) => reshapeTo(v, f.shape.map((_, k) => (k === d ? v.size : 1)));
  const steps = h.ndim === 0 ? undefined : subtract(along(h, 0, 1), along(h, 0, 0, -1));
  const piece = (from: number, to: number) => along(f, d, from, to);
  const inner = (): NDArray => {
    if (!steps) return divide(subtract(piece(2, n), piece(0, n - 2)), multiply(2, h));
    // Second order for uneven steps: f' = (hs^2 f+ + (hd^2 - hs^2) f0 - hd^2 f-) / (hs hd (hs + hd)).
    const [hs, hd] = [line(along(steps, 0, 0, -1)), line(along(steps, 0, 1))];
    const top = add(add(multiply(square(hs), piece(2, n)), multiply(subtract(square(hd), square(hs)), piece(1, n - 1))), multiply(-1, multiply(square(hd), piece(0, n - 2))));
    return divide(top, multiply(multiply(hs, hd), add(hs, hd)));
  };
  const at = (i: number) => piece(i, i + 1);
  const step = (i: number) => (steps ? line(along(steps, 0, i, i + 1)) : h);
  const edge = (first: boolean): NDArray => {
    const [i0, i1, i2] = first ? [0, 1, 2] : [n - 1, n - 2, n - 3];
    const [s1, s2] = first ? [step(0), step(1)] : [step(n - 2), step(Math.max(0, n - 3))];
    const forward = (a: NDArray) => (first ? a : multiply(-1, a));
    if (edgeOrder === 1) return forward(divide(subtract(at(i1), at(i0)), s1));
    // One-sided parabola through three points.
    const total = add(s1, s2);
    const a = divide(multiply(-1, add(multiply(2, s1), s2)), multiply(s1, total));
    const b = divide(total, multiply(s1, s2));
    const c = divide(multiply(-1, s1), multiply(s2, total));
    return forward(add(add(multiply(a, at(i0)), multiply(b, at(i1))), multiply(c, at(i2))));
  };
  return bind1(concatenate, promoteArrays([edge(true), ...(n > 2 ? [inner()] : []), edge(false)], "gradient"), { axis: d });
}

/**
 * Finite-difference gradient of samples: central inside, one-sided at the ends. One array for a single axis, else a list.
 * @throws ShapeError for too few points, or spacings that do not fit.
 * @example np.gradient([1, 4, 9, 16]) // [3, 4, 6, 7]
 */
export function gradient(x: ArrayLike, axis?: AxisArg, options?: GradientOptions): NDArray | NDArray[] {
  const { spacing = 1, edgeOrder = 1 } = requireOptions(options, "gradient", ["spacing", "edgeOrder"]);
  if (edgeOrder !== 1 && edgeOrder !== 2) throw new ArgumentError({ fn: "gradient", arg: "edgeOrder", expected: "1 or 2", got: String(edgeOrder), fix: "use 1 or 2" });
  const f = floatArray(x, "gradient");
  const axes = typeof axis === "object" && axis !== null ? axisList(axis, "gradient").map((d) => canonicalAxis(d, f.ndim, "gradient")) : canonicalAxes(axis, f.ndim, "gradient");
  const asList = Array.isArray(spacing) && (axes.length > 1 || typeof spacing[0] === "object");
  const list = asList ? (spacing as readonly ArrayLike[]) : axes.map(() => spacing as ArrayLike);
  if (list.length !== axes.length) throw new ArgumentError({ fn: "gradient", arg: "spacing", expected: `one spacing, or ${axes.length}`, got: String(list.length), fix: "give one an axis" });
  const out = axes.map((d, k) => {
    const h = floatArray(list[k]!, "gradient", "spacing");
    if (h.ndim > 1 || (h.ndim === 1 && h.size !== f.shape[d])) throw new ShapeError({ fn: "gradient", arg: "spacing", expected: `a number or ${f.shape[d]} coordinates for axis ${d}`, got: formatShape(h.shape), fix: "give one coordinate a sample" });
    return gradientAlong(f, d, h, edgeOrder);
  });
  return axes.length === 1 ? out[0]! : out;
}

/**
 * Integral of samples along an axis by the trapezoidal rule, at coordinates `x` or `dx` apart.
 * @example np.trapezoid([1, 2, 3]) // 4
 */
export function trapezoid(y: ArrayLike, x?: ArrayLike | null, options?: { readonly dx?: ArrayLike; readonly axis?: number }): NDArray {
  return asOne("trapezoid", [y], [x, options], (y) => trapezoidOf(y!, x, options));
}
function trapezoidOf(y: ArrayLike, x?: ArrayLike | null, options?: { readonly dx?: ArrayLike; readonly axis?: number }): NDArray {
  const { dx = 1, axis = -1 } = requireOptions(options, "trapezoid", ["dx", "axis"]);
  const f = floatArray(y, "trapezoid", "y");
  const d = canonicalAxis(axis, f.ndim, "trapezoid");
  const n = f.shape[d]!;
  const pairs = add(along(f, d, Math.min(1, n)), along(f, d, 0, Math.max(0, n - 1)));
  let width: ArrayLike = dx;
  if (x !== undefined && x !== null) {
    const at = floatArray(x, "trapezoid", "x");
    width = at.ndim === 1 ? reshapeTo(diff(at), f.shape.map((_, k) => (k === d ? at.size - 1 : 1))) : diff(at, 1, axis);
  }
  return sum(divide(multiply(width, pairs), 2), d);
}

/**
 * Angles with jumps of more than half a period removed by adding whole periods.
 * @example np.unwrap([0, 3, 6.5, -3, 0])
 */
export function unwrap(x: ArrayLike, options?: { readonly discont?: number | null; readonly axis?: number; readonly period?: number }): NDArray {
  return asOne("unwrap", [x], [options], (x) => unwrapOf(x!, options));
}
function unwrapOf(x: ArrayLike, options?: { readonly discont?: number | null; readonly axis?: number; readonly period?: number }): NDArray {
  const { discont = null, axis = -1, period = 2 * Math.PI } = requireOptions(options, "unwrap", ["discont", "axis", "period"]);
  const a = floatArray(x, "unwrap");
  const d = canonicalAxis(axis, a.ndim, "unwrap");
  if (a.shape[d]! < 2) return a;
  const jumps = diff(a, 1, d);
  const half = period / 2;
  const wrapped = subtract(remainder(add(jumps, half), period), half);
  const centered = choose(logicalAnd(equal(wrapped, -half), greater(jumps, 0)), half, wrapped);
  const correction = choose(less(abs(jumps), Math.max(discont ?? half, half)), 0, subtract(centered, jumps));
  return bind1(concatenate, [along(a, d, 0, 1), add(along(a, d, 1), cumsum(correction, d))].map((v) => convertTo(v, a.dtype)), { axis: d });
}

export interface CrossOptions {
  readonly axisa?: number;
  readonly axisb?: number;
  readonly axisc?: number;
  /** One axis for all three. */
  readonly axis?: number;
}
/** Cross product of vectors of 3 (or 2, which gives the z component) components; other axes broadcast. @throws ShapeError for other sizes. @example np.cross([1, 0, 0], [0, 1, 0]) // [0, 0, 1] */
export function cross(a: ArrayLike, b: ArrayLike, options?: CrossOptions): NDArray {
  return asOne("cross", [a, b], [options], (a, b) => crossOf(a!, b!, options));
}
function crossOf(a: ArrayLike, b: ArrayLike, options?: CrossOptions): NDArray {
  const o = requireOptions(options, "cross", ["axisa", "axisb", "axisc", "axis"]);
  const parts = (v: ArrayLike, axis: number, name: string): NDArray[] => {
    const x = asArray(v, "cross", name);
    const d = x.ndim === 0 ? -1 : canonicalAxis(axis, x.ndim, "cross", "axis");
    const n = d < 0 ? 0 : x.shape[d]!;
    if (n !== 2 && n !== 3) throw new ShapeError({ fn: "cross", arg: name, expected: "2 or 3 components along the axis", got: describe(x), fix: "choose the axis that holds the components" });
    return range(n).map((i) => reshapeTo(along(x, d, i, i + 1), x.shape.filter((_, k) => k !== d)));
  };
  const [x, y] = [parts(a, o.axis ?? o.axisa ?? -1, "a"), parts(b, o.axis ?? o.axisb ?? -1, "b")];
  const minor = (i: number, j: number): NDArray => {
    const term = (p: NDArray | undefined, q: NDArray | undefined) => (p && q ? multiply(p, q) : undefined);
    const [s, t] = [term(x[i], y[j]), term(x[j], y[i])];
    return s && t ? subtract(s, t) : s ?? (t ? multiply(-1, t) : multiply(multiply(x[0]!, y[0]!), 0));
  };
  if (x.length === 2 && y.length === 2) return minor(0, 1);
  const rows = [minor(1, 2), minor(2, 0), minor(0, 1)];
  const ndim = rows[0]!.ndim + 1;
  const d = canonicalAxis(o.axis ?? o.axisc ?? -1, ndim, "cross", "axisc");
  return bind1(concatenate, promoteArrays(rows.map((r) => reshapeTo(r, [...r.shape.slice(0, d), 1, ...r.shape.slice(d)])), "cross"), { axis: d });
}
