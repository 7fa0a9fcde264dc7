import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { isFloat } from "../base/dtype.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { formatShape, range } from "../base/shape.js";
import { add, div, mul } from "../primitives/binary.js";
import { reduceMax, reduceMin, reduceSum } from "../primitives/reductions.js";
import { sort } from "../primitives/sort.js";
import { iota, pad as padPrimitive } from "../primitives/structural.js";
import { broadcastTo, reshapeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { round } from "../primitives/unary.js";
import { bind1 } from "../trace/trace.js";
import { asOne } from "./as-one.js";
import { asArray, describe, floatOperandsOf, operandsOf } from "./convert.js";
import { beside } from "./device.js";
import { floatArray } from "./elementwise.js";
import { knownElements } from "./index-plan.js";
import { getItem } from "./indexing.js";
import { concatenate } from "./joining.js";
import { requireChoice, requireInteger, requireOptions } from "./options.js";

const modes = ["constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum", "reflect", "symmetric", "wrap", "empty"] as const;
export type PadMode = (typeof modes)[number];
/** One value for all, `[before, after]` for all axes, or one such pair an axis. */
export type PerSide<T> = T | readonly [T] | readonly [T, T] | readonly (readonly [T, T] | readonly [T])[];

export interface PadOptions {
  /** Mode "constant": the values set; default 0. */
  readonly constantValues?: PerSide<number> | NDArray;
  /** Mode "linear_ramp": the values at the outer ends; default 0. */
  readonly endValues?: PerSide<number>;
  /** Modes "maximum", "mean", "median", "minimum": how many elements at each end count; default all. */
  readonly statLength?: PerSide<number> | null;
  /** Modes "reflect" and "symmetric": "odd" reflects about the edge value, `2 edge - x`. */
  readonly reflectType?: "even" | "odd";
}

/** NumPy's `_as_pairs`: a value for each side of each axis. */
function pairs(value: unknown, ndim: number, fn: string, arg: string): [number, number][] {
  const bad = () => new ShapeError({ fn, arg, expected: `a number, [before, after], or ${ndim} such pairs`, got: JSON.stringify(value) ?? String(value), fix: "give one pair for each axis" });
  if (typeof value === "number") return range(ndim).map(() => [value, value]);
  if (!Array.isArray(value) || value.length === 0) throw bad();
  const pair = (p: unknown): [number, number] => {
    if (typeof p === "number") return [p, p];
    if (Array.isArray(p) && p.every((v) => typeof v === "number") && (p.length === 1 || p.length === 2)) return [p[0] as number, p[p.length - 1] as number];
    throw bad();
  };
  if (value.every((v) => typeof v === "number")) {
    if (value.length > 2) throw bad();
    return range(ndim).map(() => pair(value));
  }
  const all = value.map(pair);
  if (all.length === 1) return range(ndim).map(() => all[0]!);
  if (all.length !== ndim) throw bad();
  return all;
}

type Axis = { readonly x: NDArray; readonly axis: number; readonly n: number; readonly before: number; readonly after: number };
const at = ({ x, axis }: Axis, start: number, stop: number): NDArray => getItem(x, [...range(axis).map(() => ":"), { start, stop }]);
const wide = (edge: NDArray, axis: number, count: number): NDArray => broadcastTo(edge, edge.shape.map((n, d) => (d === axis ? count : n)), range(edge.ndim));
const joined = (a: Axis, left: NDArray | undefined, right: NDArray | undefined): NDArray => concatenate([...(left && a.before ? [left] : []), a.x, ...(right && a.after ? [right] : [])], a.axis);

/** Source position, and for odd reflections how often the first and the last element are added, for a position outside. */
function mirrored(p: number, n: number, mode: "reflect" | "symmetric"): { from: number; turned: boolean; turns: number } {
  if (n === 1 && mode === "reflect") return { from: 0, turned: false, turns: 0 };
  const period = mode === "reflect" ? 2 * (n - 1) : 2 * n;
  const turns = Math.floor(p / period);
  const r = p - turns * period;
  return r < n ? { from: r, turned: false, turns } : { from: mode === "reflect" ? period - r : period - 1 - r, turned: true, turns };
}

function padMirrored(a: Axis, mode: "reflect" | "symmetric", odd: boolean): NDArray {
  const places = range(a.n + a.before + a.after, -a.before).map((p) => mirrored(p, a.n, mode));
  const lead = range(a.axis).map(() => ":");
  const even = getItem(a.x, [...lead, Int32Array.from(places, (p) => p.from)]);
  if (!odd || a.n === 1) return even;
  // Turned at the last element: 2 last - x; a whole period adds 2 (last - first).
  const column = (f: (p: (typeof places)[number]) => number) => {
    const values = beside(a.x, () => asArray(Float64Array.from(places, f), "pad"));
    return convertTo(reshapeTo(values, even.shape.map((m, d) => (d === a.axis ? m : 1))), a.x.dtype, false);
  };
  const [first, last] = [at(a, 0, 1), at(a, a.n - 1, a.n)];
  const times = (p: NDArray, q: NDArray) => bind1(mul, operandsOf([p, q], "pad"), {});
  const plus = (p: NDArray, q: NDArray) => bind1(add, operandsOf([p, q], "pad"), {});
  return plus(times(even, column((p) => (p.turned ? -1 : 1))), plus(times(first, column((p) => -2 * p.turns)), times(last, column((p) => 2 * p.turns + (p.turned ? 2 : 0)))));
}

/** From the end value (outside) towards the edge, which the ramp does not reach. */
function ramp(edge: NDArray, end: number, count: number, axis: number, towards: "right" | "left"): NDArray {
  const x = floatArray(edge, "pad");
  const shape = x.shape.map((n, d) => (d === axis ? count : n));
  const i = convertTo(beside(x, () => bind1(iota, [], { shape, dtype: "int32", axis })), x.dtype);
  const step = (sign: number, offset: number) => bind1(div, floatOperandsOf([bind1(add, operandsOf([bind1(mul, operandsOf([i, sign], "pad"), {}), offset], "pad"), {}), count], "pad"), {});
  // Weight of the edge: 0 at the outer end.
  const w = towards === "right" ? step(1, 0) : step(-1, count - 1);
  const delta = bind1(add, operandsOf([x, -end], "pad"), {});
  const y = bind1(add, operandsOf([bind1(mul, operandsOf([delta, w], "pad"), {}), end], "pad"), {});
  return convertTo(y, edge.dtype, edge.weak);
}

function statistic(x: NDArray, axis: number, mode: "maximum" | "minimum" | "mean" | "median"): NDArray {
  const n = x.shape[axis]!;
  const kept = x.shape.map((m, d) => (d === axis ? 1 : m));
  if (mode === "maximum" || mode === "minimum") return reshapeTo(bind1(mode === "maximum" ? reduceMax : reduceMin, [x], { axes: [axis] }), kept);
  const f = floatArray(x, "pad");
  let m: NDArray;
  if (mode === "mean") m = bind1(div, operandsOf([reshapeTo(bind1(reduceSum, [f], { axes: [axis] }), kept), n], "pad"), {});
  else {
    const sorted = bind1(sort, [f], { axis, keys: 1 });
    const lead = range(axis).map(() => ":");
    const middle = getItem(sorted, [...lead, { start: (n - 1) >> 1, stop: (n >> 1) + 1 }]);
    m = bind1(div, operandsOf([reshapeTo(bind1(reduceSum, [middle], { axes: [axis] }), kept), middle.shape[axis]!], "pad"), {});
  }
  return convertTo(isFloat(x.dtype) ? m : bind1(round, [m], {}), x.dtype, x.weak);
}

/**
 * The array with borders of `padWidth` elements, axis by axis as in NumPy.
 *
 * Modes: "constant" (`constantValues`), "edge", "linear_ramp" (to `endValues`), "maximum" "mean" "median" "minimum" (of `statLength`
 * elements), "reflect" (without the edge), "symmetric" (with it), "wrap", "empty" (zeros here).
 * @throws ShapeError for widths that fit no axis, or an empty axis where a mode needs elements; ArgumentError for an unknown mode.
 * Source: NumPy `pad`.
 * @example np.pad([1, 2, 3], [2, 1], "reflect") // [3, 2, 1, 2, 3, 2]
 */
export function pad(x: ArrayLike, padWidth: PerSide<number>, mode: PadMode = "constant", options?: PadOptions): NDArray {
  return asOne("pad", [x], [padWidth, mode, options], (x) => padOf(x!, padWidth, mode, options));
}
function padOf(x: ArrayLike, padWidth: PerSide<number>, mode: PadMode, options?: PadOptions): NDArray {
  const array = asArray(x, "pad");
  requireChoice(mode, modes, "pad", "mode");
  const { constantValues = 0, endValues = 0, statLength = null, reflectType = "even" } = requireOptions(options, "pad", ["constantValues", "endValues", "statLength", "reflectType"]);
  const widths = pairs(padWidth, array.ndim, "pad", "padWidth").map((p) => p.map((w) => requireInteger(w, "pad", "padWidth", 0)) as [number, number]);
  if (mode === "constant" || mode === "empty") return padConstant(array, widths, mode === "empty" ? 0 : constantValues);
  requireChoice(reflectType, ["even", "odd"], "pad", "reflectType");
  const ends = pairs(endValues, array.ndim, "pad", "endValues");
  const lengths = statLength === null ? undefined : pairs(statLength, array.ndim, "pad", "statLength").map((p) => p.map((w) => requireInteger(w, "pad", "statLength", 1)) as [number, number]);
  return widths.reduce((y, [before, after], axis) => {
    if (before + after === 0) return y;
    const n = y.shape[axis]!;
    if (n === 0) throw new ShapeError({ fn: "pad", arg: "x", expected: `elements along axis ${axis} for mode "${mode}"`, got: formatShape(array.shape), fix: 'use mode "constant"' });
    const a: Axis = { x: y, axis, n, before, after };
    switch (mode) {
      case "edge": return joined(a, wide(at(a, 0, 1), axis, before), wide(at(a, n - 1, n), axis, after));
      case "wrap": return getItem(y, [...range(axis).map(() => ":"), Int32Array.from({ length: n + before + after }, (_, i) => (((i - before) % n) + n) % n)]);
      case "reflect":
      case "symmetric": return padMirrored(a, mode, reflectType === "odd");
      case "linear_ramp": return joined(a, ramp(at(a, 0, 1), ends[axis]![0], before, axis, "right"), ramp(at(a, n - 1, n), ends[axis]![1], after, axis, "left"));
      default: {
        const [l, r] = lengths?.[axis] ?? [n, n];
        return joined(a, wide(statistic(at(a, 0, Math.min(l, n)), axis, mode), axis, before), wide(statistic(at(a, Math.max(0, n - r), n), axis, mode), axis, after));
      }
    }
  }, array);
}

function padConstant(x: NDArray, widths: readonly [number, number][], value: PadOptions["constantValues"] & {}): NDArray {
  const zeros = x.shape.map(() => 0);
  const one = (y: NDArray, low: number[], high: number[], fill: NDArray) => bind1(padPrimitive, [y, fill], { low, high, interior: zeros });
  if (typeof value === "number") return one(x, widths.map((w) => w[0]), widths.map((w) => w[1]), scalar(value, x.dtype, true));
  if (!Array.isArray(value)) {
    const given = value as NDArray;
    if (given.ndim !== 0) {
      const data = knownElements(given);
      if (!data) throw new ArgumentError({ fn: "pad", arg: "constantValues", expected: "a scalar, or numbers known now", got: describe(given), fix: "pad with one scalar" });
      return padConstant(x, widths, given.toArray() as PerSide<number>);
    }
    return one(x, widths.map((w) => w[0]), widths.map((w) => w[1]), convertTo(given, x.dtype, given.weak));
  }
  const values = pairs(value, x.ndim, "pad", "constantValues");
  const only = (axis: number, w: number) => zeros.map((_, d) => (d === axis ? w : 0));
  return widths.reduce((y, [before, after], axis) => {
    const left = before ? one(y, only(axis, before), zeros, scalar(values[axis]![0], x.dtype, true)) : y;
    return after ? one(left, zeros, only(axis, after), scalar(values[axis]![1], x.dtype, true)) : left;
  }, x);
}
