import { type ArrayLike, type AxisArg, NDArray } from "../array/ndarray.js";
import { AxisError, ConcretizationError, ShapeError } from "../base/errors.js";
import { canonicalAxes, canonicalAxis, formatShape, range, requireShape, sizeOf } from "../base/shape.js";
import { formatAval } from "../ir/aval.js";
import { add, lt, rem, sub } from "../primitives/binary.js";
import { iota, reverse, windows } from "../primitives/structural.js";
import { broadcastTo, reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { convertTo, select } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { asOne } from "./as-one.js";
import { asArray } from "./convert.js";
import { constantLike } from "./elementwise.js";
import { knownElements } from "./index-plan.js";
import { getItem } from "./indexing.js";
import { concatenate } from "./joining.js";
import { ravel } from "./manipulation.js";
import { requireChoice, requireInteger, requireOptions } from "./options.js";

const along = (x: NDArray, axis: number, positions: NDArray | Int32Array): NDArray => getItem(x, [...range(axis).map(() => ":"), positions]);

/** Integers known now, given as a number, a list or an array. */
function integers(value: ArrayLike, fn: string, arg: string): number[] {
  if (typeof value === "number") return [requireInteger(value, fn, arg)];
  const array = asArray(value, fn, arg);
  const data = knownElements(array);
  if (!data) throw new ConcretizationError({ fn, arg, expected: "integers known now: they decide the result's size", got: formatAval(array.aval), fix: "pass numbers, or make the argument static" });
  return Array.from(data, (v) => requireInteger(v, fn, arg));
}

/**
 * The array repeated as a whole, `reps[d]` times along axis d (aligned at the last axis).
 * @example np.tile([1, 2], [2, 2]) // [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function tile(x: ArrayLike, reps: number | readonly number[]): NDArray {
  return asOne("tile", [x], [reps], (x) => tileOf(x!, reps));
}
function tileOf(x: ArrayLike, reps: number | readonly number[]): NDArray {
  const array = asArray(x, "tile");
  const given = (typeof reps === "number" ? [reps] : reps).map((r) => requireInteger(r, "tile", "reps", 0));
  const ndim = Math.max(given.length, array.ndim);
  const counts = [...range(ndim - given.length).map(() => 1), ...given];
  const shape = [...range(ndim - array.ndim).map(() => 1), ...array.shape];
  const spread = shape.flatMap((n, d) => [counts[d]!, n]);
  const wide = broadcastTo(reshapeTo(array, shape.flatMap((n) => [1, n])), spread, range(2 * ndim));
  return reshapeTo(wide, shape.map((n, d) => n * counts[d]!));
}

/**
 * Every element repeated: `repeats` times, or as often as its entry of `repeats` says; of the flattened array where `axis` is null.
 * @throws ShapeError when `repeats` has neither one entry nor one for each element; ConcretizationError when it is traced.
 * @example np.repeat([1, 2, 3], [1, 0, 2]) // [1, 3, 3]
 */
export function repeat(x: ArrayLike, repeats: ArrayLike, axis: number | null = null): NDArray {
  return asOne("repeat", [x], [repeats, axis], (x) => repeatOf(x!, repeats, axis));
}
function repeatOf(x: ArrayLike, repeats: ArrayLike, axis: number | null): NDArray {
  const given = asArray(x, "repeat");
  const array = axis === null ? ravel(given) : given;
  const at = axis === null ? 0 : canonicalAxis(axis, array.ndim, "repeat");
  const n = array.shape[at]!;
  const counts = integers(repeats, "repeat", "repeats").map((r) => requireInteger(r, "repeat", "repeats", 0));
  if (counts.length === 1) {
    const shape = [...array.shape.slice(0, at + 1), 1, ...array.shape.slice(at + 1)];
    const wide = broadcastTo(reshapeTo(array, shape), shape.map((m, d) => (d === at + 1 ? counts[0]! : m)), range(shape.length));
    return reshapeTo(wide, array.shape.map((m, d) => (d === at ? m * counts[0]! : m)));
  }
  if (counts.length !== n) throw new ShapeError({ fn: "repeat", arg: "repeats", expected: `1 or ${n} entries, the size of axis ${at}`, got: String(counts.length), fix: "give one count for each element" });
  return along(array, at, Int32Array.from(counts.flatMap((c, i) => range(c).map(() => i))));
}

/** The order of elements reversed along all axes, or along those named. @example np.flip([1, 2, 3]) // [3, 2, 1] */
export function flip(x: ArrayLike, axis?: AxisArg): NDArray {
  const array = asArray(x, "flip");
  const axes = canonicalAxes(axis, array.ndim, "flip").filter((d) => array.shape[d]! > 1);
  return axes.length ? bind1(reverse, [array], { axes }) : array;
}
const flipFixed = (fn: string, axis: number) => (x: ArrayLike): NDArray => {
  const array = asArray(x, fn);
  if (array.ndim <= axis) throw new ShapeError({ fn, arg: "x", expected: `at least ${axis + 1} dimension${axis ? "s" : ""}`, got: formatShape(array.shape), fix: "use flip" });
  return flip(array, axis);
};
/** Rows in reversed order. */
export const flipud: (x: ArrayLike) => NDArray = flipFixed("flipud", 0);
/** Columns in reversed order. */
export const fliplr: (x: ArrayLike) => NDArray = flipFixed("fliplr", 1);

/** Turned `k` times by 90 degrees, from the first of `axes` towards the second. @example np.rot90([[1, 2], [3, 4]]) // [[2, 4], [1, 3]] */
export function rot90(x: ArrayLike, k = 1, axes: readonly [number, number] = [0, 1]): NDArray {
  return asOne("rot90", [x], [k, axes], (x) => rot90Of(x!, k, axes));
}
function rot90Of(x: ArrayLike, k: number, axes: readonly [number, number]): NDArray {
  const array = asArray(x, "rot90");
  requireInteger(k, "rot90", "k");
  const [a, b] = axes.map((d) => canonicalAxis(d, array.ndim, "rot90", "axes")) as [number, number];
  if (axes.length !== 2 || a === b) throw new AxisError({ fn: "rot90", arg: "axes", expected: "two different axes", got: formatShape(axes), fix: "name the axes of the plane" });
  const swapped = (y: NDArray) => transposeTo(y, range(y.ndim).map((d) => (d === a ? b : d === b ? a : d)));
  switch (((k % 4) + 4) % 4) {
    case 1: return swapped(flip(array, b));
    case 2: return flip(array, [a, b]);
    case 3: return flip(swapped(array), b);
    default: return array;
  }
}

/**
 * Elements moved by `shift` along axes, those that leave at one end entering at the other; of the flattened array where `axis` is null.
 * A shift may be a traced int32 scalar.
 * @example np.roll([1, 2, 3], 1) // [3, 1, 2]
 */
export function roll(x: ArrayLike, shift: ArrayLike, axis: AxisArg = null): NDArray {
  return asOne("roll", [x], [shift, axis], (x) => rollOf(x!, shift, axis));
}
function rollOf(x: ArrayLike, shift: ArrayLike, axis: AxisArg): NDArray {
  const array = asArray(x, "roll");
  if (axis === null) return reshapeTo(roll(ravel(array), shift, 0), array.shape);
  const axes = typeof axis === "number" ? [axis] : axis;
  const traced = shift instanceof NDArray && shift.ndim === 0 && !knownElements(shift) ? shift : undefined;
  if (traced) return axes.reduce((y, d) => rollTraced(y, traced, canonicalAxis(d, y.ndim, "roll")), array);
  const shifts = integers(shift, "roll", "shift");
  const pairs = Math.max(shifts.length, axes.length);
  if ((shifts.length !== 1 && shifts.length !== pairs) || (axes.length !== 1 && axes.length !== pairs))
    throw new ShapeError({ fn: "roll", arg: "shift", expected: `one shift, or one for each of ${axes.length} axes`, got: String(shifts.length), fix: "give lists of one length" });
  let y = array;
  for (let i = 0; i < pairs; i++) {
    const d = canonicalAxis(axes[axes.length === 1 ? 0 : i]!, y.ndim, "roll");
    const n = y.shape[d]!;
    const s = n === 0 ? 0 : ((shifts[shifts.length === 1 ? 0 : i]! % n) + n) % n;
    if (s === 0) continue;
    const lead = range(d).map(() => ":");
    y = concatenate([getItem(y, [...lead, { start: n - s }]), getItem(y, [...lead, { stop: n - s }])], d);
  }
  return y;
}

function rollTraced(x: NDArray, shift: NDArray, axis: number): NDArray {
  const n = x.shape[axis]!;
  if (n === 0) return x;
  const at = bind1(iota, [], { shape: [n], dtype: "int32", axis: 0 });
  const back = broadcastTo(convertTo(shift, "int32"), [n], []);
  const r = bind1(rem, [bind1(sub, [at, back], {}), constantLike(at, n)], {});
  const wrapped = bind1(select, [bind1(lt, [r, constantLike(r, 0)], {}), bind1(add, [r, constantLike(r, n)], {}), r], {});
  return along(x, axis, wrapped);
}

/** The flattened elements, repeated or cut to fill a shape. @example np.resize([1, 2, 3], [2, 2]) // [[1, 2], [3, 1]] */
export function resize(x: ArrayLike, newShape: number | readonly number[]): NDArray {
  const flat = ravel(x);
  const shape = requireShape(newShape, "resize", "newShape");
  const total = sizeOf(shape);
  if (flat.size === 0 && total > 0) throw new ShapeError({ fn: "resize", arg: "x", expected: "at least one element to repeat", got: "none", fix: "use np.zeros" });
  if (total === 0) return reshapeTo(getItem(flat, [":0"]), shape);
  const repeated = flat.size >= total ? flat : tile(flat, Math.ceil(total / flat.size));
  return reshapeTo(getItem(repeated, [{ stop: total }]), shape);
}

/**
 * Without the zeros at the front ("f"), the back ("b") or both ends of each axis (or of the axes named).
 * @throws ConcretizationError for a traced array: the result's size depends on the values.
 * @example np.trimZeros([0, 1, 0, 2, 0]) // [1, 0, 2]
 */
export function trimZeros(x: ArrayLike, trim: "f" | "b" | "fb" | "bf" = "fb", options: { readonly axis?: AxisArg } = {}): NDArray {
  const array = asArray(x, "trimZeros");
  requireChoice(trim, ["f", "b", "fb", "bf"], "trimZeros", "trim");
  const axes = canonicalAxes(requireOptions(options, "trimZeros", ["axis"]).axis, array.ndim, "trimZeros");
  const data = knownElements(array);
  if (!data) throw new ConcretizationError({ fn: "trimZeros", arg: "x", expected: "values known now: they decide the result's size", got: formatAval(array.aval), fix: "trim before the traced function" });
  const lo = array.shape.map((n) => n);
  const hi = array.shape.map(() => 0);
  const at = array.shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    if (data[i] !== 0) at.forEach((v, d) => { lo[d] = Math.min(lo[d]!, v); hi[d] = Math.max(hi[d]!, v + 1); });
    for (let d = at.length - 1; d >= 0; d--) {
      if (++at[d]! < array.shape[d]!) break;
      at[d] = 0;
    }
  }
  const none = hi.some((h) => h === 0);
  return getItem(array, array.shape.map((n, d) => {
    if (!axes.includes(d)) return ":";
    if (none) return ":0";
    return { start: trim.includes("f") ? lo[d]! : 0, stop: trim.includes("b") ? hi[d]! : n };
  }));
}

/**
 * All windows of a shape that slide over the given axes (all axes by default): their axes come last. A view: no element is copied until it is
 * needed.
 * @throws ShapeError for windows larger than the array.
 * @example np.slidingWindowView([1, 2, 3], 2) // [[1, 2], [2, 3]]
 */
export function slidingWindowView(x: ArrayLike, windowShape: number | readonly number[], axis: AxisArg = null): NDArray {
  const array = asArray(x, "slidingWindowView");
  const sizes = requireShape(windowShape, "slidingWindowView", "windowShape");
  const axes = axis === null ? range(array.ndim) : (typeof axis === "number" ? [axis] : axis).map((a) => canonicalAxis(a, array.ndim, "slidingWindowView"));
  if (sizes.length !== axes.length) throw new ShapeError({ fn: "slidingWindowView", arg: "windowShape", expected: `${axes.length} sizes, one for each axis`, got: formatShape(sizes), fix: "name the axes to slide over" });
  // An axis named twice slides twice, as in NumPy.
  return axes.reduce((y, d, i) => {
    const w = sizes[i]!;
    if (w < 1 || w > y.shape[d]!) throw new ShapeError({ fn: "slidingWindowView", arg: "windowShape", expected: `windows of 1 to ${y.shape[d]} along axis ${d}`, got: String(w), fix: "use a smaller window" });
    const one = y.shape.map(() => 1);
    const wide = bind1(windows, [y], { window: y.shape.map((_, k) => (k === d ? w : 1)), strides: one, dilation: one });
    return reshapeTo(wide, [...wide.shape.slice(0, y.ndim), w]);
  }, array);
}
