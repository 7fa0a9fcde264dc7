import { type ArrayLike, type IndexItem, NDArray } from "../array/ndarray.js";
import { ArgumentError, ConcretizationError, IndexError, ShapeError } from "../base/errors.js";
import { describeValue } from "../base/options.js";
import { canonicalAxis, formatShape, range, sizeOf } from "../base/shape.js";
import { formatAval } from "../ir/aval.js";
import { concatenate as concatenatePrimitive, slice } from "../primitives/structural.js";
import { reshapeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { asOne } from "./as-one.js";
import { asArray, broadcastToShape, promoteArrays } from "./convert.js";
import { beside } from "./device.js";
import { knownElements, maskPositions, resolveSlice } from "./index-plan.js";
import { getItem } from "./indexing.js";
import { type ArrayList, arrayList } from "./array-list.js";
import { atleast1d, atleast2d, atleast3d, expandDims, moveaxis, ravel } from "./manipulation.js";
import { requireInteger } from "./options.js";

function join(arrays: readonly NDArray[], axis: number, fn: string): NDArray {
  const first = arrays[0]!;
  arrays.forEach((a, i) => {
    if (a.ndim !== first.ndim || a.shape.some((n, d) => d !== axis && n !== first.shape[d]))
      throw new ShapeError({ fn, arg: `arrays[${i}]`, expected: `shape ${formatShape(first.shape)} except along axis ${axis}`, got: formatShape(a.shape), fix: "give all arrays the same sizes on the other axes" });
  });
  return arrays.length === 1 ? first : bind1(concatenatePrimitive, promoteArrays(arrays, fn), { axis });
}

/**
 * Joins arrays along an axis they have; flattened first where `axis` is null. Dtypes are promoted.
 * @throws ShapeError when the other axes differ; AxisError for an axis out of range.
 * @example np.concatenate([[1, 2], [3]]) // [1, 2, 3]
 */
export function concatenate(arrays: ArrayList, axis: number | null = 0): NDArray {
  const list = arrayList(arrays, "concatenate");
  if (axis === null) return join(list.map((a) => ravel(a)), 0, "concatenate");
  if (list.some((a) => a.ndim === 0)) throw new ShapeError({ fn: "concatenate", arg: "arrays", expected: "arrays of at least one dimension", got: "a scalar", fix: "use np.stack, or np.hstack" });
  return join(list, canonicalAxis(axis, list[0]!.ndim, "concatenate"), "concatenate");
}
/** Alias of `concatenate`. */
export const concat: typeof concatenate = concatenate;

/** Joins arrays of one shape along a new axis. @throws ShapeError when shapes differ. @example np.stack([[1, 2], [3, 4]], 1) // [[1, 3], [2, 4]] */
export function stack(arrays: ArrayList, axis = 0): NDArray {
  const list = arrayList(arrays, "stack");
  const at = canonicalAxis(axis, list[0]!.ndim + 1, "stack");
  list.forEach((a, i) => {
    if (a.shape.join() !== list[0]!.shape.join()) throw new ShapeError({ fn: "stack", arg: `arrays[${i}]`, expected: formatShape(list[0]!.shape), got: formatShape(a.shape), fix: "stack arrays of one shape; concatenate joins others" });
  });
  return asOne("stack", list, [at], (...parts) => join(parts.map((a) => expandDims(a, at)), at, "stack"));
}

/** Joins along the first axis; vectors are rows. @example np.vstack([[1, 2], [3, 4]]) // [[1, 2], [3, 4]] */
export const vstack = (arrays: ArrayList): NDArray => join(arrayList(arrays, "vstack").map((a) => atleast2d(a)), 0, "vstack");
/** Joins along the second axis; vectors along their only one. @example np.hstack([[1, 2], [3]]) // [1, 2, 3] */
export const hstack = (arrays: ArrayList): NDArray => {
  const list = arrayList(arrays, "hstack").map((a) => atleast1d(a));
  return join(list, list[0]!.ndim === 1 ? 0 : 1, "hstack");
};
/** Joins along the third axis, made where it lacks. @example np.dstack([[1, 2], [3, 4]]) // [[[1, 3], [2, 4]]] */
export const dstack = (arrays: ArrayList): NDArray => join(arrayList(arrays, "dstack").map((a) => atleast3d(a)), 2, "dstack");
/** Vectors as the columns of a matrix. @example np.columnStack([[1, 2], [3, 4]]) // [[1, 3], [2, 4]] */
export const columnStack = (arrays: ArrayList): NDArray => join(arrayList(arrays, "columnStack").map((a) => (a.ndim < 2 ? reshapeTo(a, [a.size, 1]) : a)), 1, "columnStack");

/** The parts along an axis, without it. @example np.unstack([[1, 2], [3, 4]]) // two arrays of shape [2] */
export function unstack(x: ArrayLike, axis = 0): NDArray[] {
  const array = asArray(x, "unstack");
  return [...moveaxis(array, canonicalAxis(axis, array.ndim, "unstack"), 0)];
}

export type NestedArrays = ArrayLike | readonly NestedArrays[];

/**
 * Assembles an array from nested lists of blocks: the innermost are joined along the last axis, the next along the one before it.
 * @throws ShapeError when lists are nested unevenly or blocks do not fit.
 * @example np.block([[np.eye(2), np.zeros([2, 1])], [np.ones([1, 3])]]).shape // [3, 3]
 */
export function block(blocks: NestedArrays): NDArray {
  const depthOf = (b: NestedArrays): number => (Array.isArray(b) ? 1 + Math.max(...b.map(depthOf), 0) : 0);
  const depth = depthOf(blocks);
  const ndim = (function widest(b: NestedArrays): number { return Array.isArray(b) ? Math.max(...b.map(widest)) : asArray(b as ArrayLike, "block").ndim; })(blocks);
  const total = Math.max(depth, ndim);
  const build = (b: NestedArrays, level: number): NDArray => {
    if (!Array.isArray(b)) {
      if (level !== depth) throw new ShapeError({ fn: "block", arg: "blocks", expected: `lists nested ${depth} deep everywhere`, got: `an array at depth ${level}`, fix: "wrap it in a list" });
      const array = asArray(b as ArrayLike, "block");
      return reshapeTo(array, [...range(total - array.ndim).map(() => 1), ...array.shape]);
    }
    if (b.length === 0) throw new ShapeError({ fn: "block", arg: "blocks", expected: "lists that are not empty", got: "[]", fix: "remove the empty list" });
    return join(b.map((c) => build(c, level + 1)), total - depth + level, "block");
  };
  return build(blocks, 0);
}

const cut = (x: NDArray, axis: number, from: number, to: number): NDArray => {
  const [a, b] = [Math.min(from, x.shape[axis]!), Math.min(Math.max(from, to), x.shape[axis]!)];
  return bind1(slice, [x], { start: x.shape.map((_, d) => (d === axis ? a : 0)), limit: x.shape.map((n, d) => (d === axis ? b : n)), strides: x.shape.map(() => 1) });
};

function splitAt(x: NDArray, sections: number | readonly number[], axis: number, even: boolean, fn: string): NDArray[] {
  const n = x.shape[axis]!;
  if (typeof sections === "number") {
    requireInteger(sections, fn, "sections", 1);
    if (even && n % sections !== 0) throw new ShapeError({ fn, arg: "sections", expected: `a divisor of ${n}, the size of axis ${axis}`, got: String(sections), fix: "use arraySplit, which makes parts of unequal size" });
    const extra = n % sections;
    const base = Math.floor(n / sections);
    let from = 0;
    return range(sections).map((i) => cut(x, axis, from, (from += base + (i < extra ? 1 : 0))));
  }
  if (!Array.isArray(sections)) throw new ArgumentError({ fn, arg: "sections", expected: "how many parts, or a list of the positions where they begin", got: describeValue(sections), fix: `write ${fn}(x, 2) or ${fn}(x, [1, 3])` });
  const marks = (sections as readonly number[]).map((s) => {
    requireInteger(s, fn, "sections");
    return s < 0 ? Math.max(0, s + n) : s;
  });
  return [...marks, n].map((to, i) => cut(x, axis, i === 0 ? 0 : marks[i - 1]!, to));
}

/**
 * Parts of an array along an axis: `sections` of equal size, or cut before the given positions.
 * @throws ShapeError when the size is no multiple of `sections`.
 * @example np.split([1, 2, 3, 4], 2) // [1, 2] and [3, 4]
 */
export function split(x: ArrayLike, sections: number | readonly number[], axis = 0): NDArray[] {
  const array = asArray(x, "split");
  return splitAt(array, sections, canonicalAxis(axis, array.ndim, "split"), true, "split");
}
/** As `split`; the first parts are longer by one where the size is no multiple. @example np.arraySplit([1, 2, 3], 2) // [1, 2] and [3] */
export function arraySplit(x: ArrayLike, sections: number | readonly number[], axis = 0): NDArray[] {
  const array = asArray(x, "arraySplit");
  return splitAt(array, sections, canonicalAxis(axis, array.ndim, "arraySplit"), false, "arraySplit");
}
const splitFixed = (fn: string, least: number, axis: (ndim: number) => number) => (x: ArrayLike, sections: number | readonly number[]): NDArray[] => {
  const array = asArray(x, fn);
  if (array.ndim < least) throw new ShapeError({ fn, arg: "x", expected: `at least ${least} dimension${least > 1 ? "s" : ""}`, got: formatShape(array.shape), fix: "use split along an axis that it has" });
  return splitAt(array, sections, axis(array.ndim), true, fn);
};
/** `split` along the second axis (the only one of a vector). */
export const hsplit: (x: ArrayLike, sections: number | readonly number[]) => NDArray[] = splitFixed("hsplit", 1, (n) => (n > 1 ? 1 : 0));
/** `split` along the first axis of an array of two or more. */
export const vsplit: (x: ArrayLike, sections: number | readonly number[]) => NDArray[] = splitFixed("vsplit", 2, () => 0);
/** `split` along the third axis. */
export const dsplit: (x: ArrayLike, sections: number | readonly number[]) => NDArray[] = splitFixed("dsplit", 3, () => 2);

/** Values joined to the end; both flattened where `axis` is null. @example np.append([1, 2], 3) // [1, 2, 3] */
export function append(x: ArrayLike, values: ArrayLike, axis: number | null = null): NDArray {
  const [a, v] = arrayList([x, values], "append") as [NDArray, NDArray];
  return axis === null ? concatenate([ravel(a), ravel(v)]) : concatenate([a, v], axis);
}

/** What names positions along one axis: an integer, a slice, or a list or array of integers or booleans known now. */
export type PositionItem = Exclude<IndexItem, null>;

function positions(item: PositionItem, n: number, fn: string, limit: number): { list: number[]; single: boolean } {
  const check = (v: number): number => {
    if (!Number.isInteger(v) || v < -n || v > limit) throw new IndexError({ fn, arg: "index", expected: `integers from ${-n} to ${limit}`, got: String(v), fix: "stay inside the axis" });
    return v < 0 ? v + n : v;
  };
  if (typeof item === "number") return { list: [check(item)], single: true };
  if (typeof item === "string" || (typeof item === "object" && !(item instanceof NDArray) && !Array.isArray(item) && !ArrayBuffer.isView(item))) {
    const text = typeof item === "string" ? /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/.exec(item) : undefined;
    if (text === null) throw new IndexError({ fn, arg: "index", expected: 'a slice "start:stop:step"', got: JSON.stringify(item), fix: "write it as in Python" });
    const part = (s: string | undefined) => (s === undefined ? null : Number(s));
    const s = resolveSlice(text ? { start: part(text[1]), stop: part(text[2]), step: part(text[3]) } : (item as { start?: number | null; stop?: number | null; step?: number | null }), n, fn);
    return { list: range(s.count).map((i) => s.start + i * s.step), single: false };
  }
  if (Array.isArray(item) && item.length === 0) return { list: [], single: false };
  const array = asArray(item as ArrayLike, fn, "index");
  const data = knownElements(array);
  if (!data) throw new ConcretizationError({ fn, arg: "index", expected: "positions known now: they decide the result's size", got: formatAval(array.aval), fix: "keep the size fixed with np.where, or make the positions static" });
  if (array.dtype === "bool") {
    if (array.size !== n) throw new IndexError({ fn, arg: "index", expected: `a mask of ${n}`, got: String(array.size), fix: "give one boolean for each element of the axis" });
    return { list: [...maskPositions(array, fn)[0]!], single: false };
  }
  return { list: Array.from(data, check), single: array.ndim === 0 };
}

const along = (x: NDArray, axis: number, list: readonly number[]): NDArray => getItem(x, [...range(axis).map(() => ":"), Int32Array.from(list)]);

/**
 * The array without the given positions along an axis (flattened where `axis` is null).
 * @throws IndexError for positions out of range; ConcretizationError for traced ones.
 * @example np.delete([1, 2, 3, 4], [1, -1]) // [1, 3]
 */
function delete_(x: ArrayLike, index: PositionItem, axis: number | null = null): NDArray {
  const given = asArray(x, "delete");
  const array = axis === null ? ravel(given) : given;
  const at = axis === null ? 0 : canonicalAxis(axis, array.ndim, "delete");
  const n = array.shape[at]!;
  const gone = new Set(positions(index, n, "delete", n - 1).list);
  return along(array, at, range(n).filter((i) => !gone.has(i)));
}
export { delete_ as delete };

/**
 * Values put in before the given positions along an axis (flattened where `axis` is null); they take the array's dtype.
 * @throws IndexError for positions out of range; ShapeError for values that do not fit.
 * @example np.insert([1, 2, 3], 1, 9) // [1, 9, 2, 3]
 */
export function insert(x: ArrayLike, index: PositionItem, values: ArrayLike, axis: number | null = null): NDArray {
  const given = asArray(x, "insert");
  const array = axis === null ? ravel(given) : given;
  const at = axis === null ? 0 : canonicalAxis(axis, array.ndim, "insert");
  const n = array.shape[at]!;
  const { list, single } = positions(index, n, "insert", n);
  let v = convertTo(beside(array, () => asArray(values, "insert", "values")), array.dtype, array.weak);
  if (v.ndim > array.ndim) throw new ShapeError({ fn: "insert", arg: "values", expected: `at most ${array.ndim} dimensions`, got: formatShape(v.shape), fix: "reshape the values" });
  let places = list;
  if (list.length === 1) {
    v = reshapeTo(v, [...range(array.ndim - v.ndim).map(() => 1), ...v.shape]);
    // For one integer, values are those of x[..., i, ...], as in NumPy.
    if (single) v = moveaxis(v, 0, at);
    places = range(v.shape[at]!).map(() => list[0]!);
  }
  v = broadcastToShape(v, array.shape.map((m, d) => (d === at ? places.length : m)), "insert");
  // Stable: at one position the values keep their order.
  const order = range(places.length).sort((a, b) => places[a]! - places[b]! || a - b);
  const source: number[] = [];
  let next = 0;
  for (let i = 0; i <= n; i++) {
    while (next < order.length && places[order[next]!]! === i) source.push(n + order[next++]!);
    if (i < n) source.push(i);
  }
  return sizeOf(v.shape) === 0 ? array : along(join([array, v], at, "insert"), at, source);
}
