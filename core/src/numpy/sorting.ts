import { ConcreteArray, scalar } from "../array/concrete.js";
import { type ArrayLike, NDArray } from "../array/ndarray.js";
import { isFloat } from "../base/dtype.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { canonicalAxis, formatShape, range } from "../base/shape.js";
import { add, and, gt, lt, ne, or, shiftRight } from "../primitives/binary.js";
import { gather } from "../primitives/indexing.js";
import { sort as sortPrimitive } from "../primitives/sort.js";
import { iota, reverse } from "../primitives/structural.js";
import { broadcastTo } from "../primitives/structural-ops.js";
import { neg, not } from "../primitives/unary.js";
import { convertTo, select } from "../primitives/types.js";
import { bind, bind1 } from "../trace/trace.js";
import { asOne } from "./as-one.js";
import { type ArrayList, arrayList } from "./array-list.js";
import { asArray, promoteOperands } from "./convert.js";
import { beside } from "./device.js";
import { choose, constantLike } from "./elementwise.js";
import { fused } from "./fused.js";
import { getItem } from "./indexing.js";
import { ravel } from "./manipulation.js";
import { requireChoice, requireInteger, requireOptions } from "./options.js";
import { take } from "./take.js";

export interface SortOptions {
  readonly descending?: boolean;
  /** Sorting is always stable here. */
  readonly stable?: boolean;
}

function prepare(x: ArrayLike, axis: number | null, fn: string, options: SortOptions | undefined) {
  const { descending = false } = requireOptions(options, fn, ["descending", "stable"]);
  const given = asArray(x, fn);
  const array = axis === null ? ravel(given) : given;
  if (array.ndim === 0) throw new ShapeError({ fn, arg: "x", expected: "at least one dimension", got: "a scalar", fix: "sort along null, which flattens" });
  return { array, d: axis === null ? 0 : canonicalAxis(axis, array.ndim, fn), descending };
}
const turned = (x: NDArray, axis: number): NDArray => bind1(reverse, [x], { axes: [axis] });

/**
 * The elements in ascending order along an axis (the last one; flattened where null). NaN comes last, with `descending` first.
 * @example np.sort([3, 1, 2]) // [1, 2, 3]
 */
export function sort(x: ArrayLike, axis: number | null = -1, options?: SortOptions): NDArray {
  const { array, d, descending } = prepare(x, axis, "sort", options);
  const y = bind1(sortPrimitive, [array], { axis: d, keys: 1 });
  return descending ? turned(y, d) : y;
}

/** Positions, int32, that sort an axis; equal elements keep their order. @example np.argsort([3, 1, 2]) // [1, 2, 0] */
export function argsort(x: ArrayLike, axis: number | null = -1, options?: SortOptions): NDArray {
  return asOne("argsort", [x], [axis, options], (x) => argsortOf(x!, axis, options));
}
function argsortOf(x: ArrayLike, axis: number | null, options?: SortOptions): NDArray {
  const { array, d, descending } = prepare(x, axis, "argsort", options);
  const at = beside(array, () => bind1(iota, [], { shape: array.shape, dtype: "int32", axis: d }));
  if (!descending) return bind(sortPrimitive, [array, at], { axis: d, keys: 1 })[1]!;
  // Sorted from the back and turned, equal elements keep their order.
  return turned(bind(sortPrimitive, [turned(array, d), turned(at, d)], { axis: d, keys: 1 })[1]!, d);
}

/** Positions that sort by several keys, of which the last counts first. @throws ShapeError when the keys' shapes differ. @example np.lexsort([[2, 1, 1], [0, 1, 0]]) // [2, 0, 1] */
export function lexsort(keys: ArrayList, axis = -1): NDArray {
  const list = arrayList(keys, "lexsort");
  const first = list[0]!;
  const d = canonicalAxis(axis, first.ndim, "lexsort");
  list.forEach((k, i) => {
    if (k.shape.join() !== first.shape.join()) throw new ShapeError({ fn: "lexsort", arg: `keys[${i}]`, expected: formatShape(first.shape), got: formatShape(k.shape), fix: "give keys of one shape" });
  });
  const at = beside(first, () => bind1(iota, [], { shape: first.shape, dtype: "int32", axis: d }));
  return bind(sortPrimitive, [...list].reverse().concat(at), { axis: d, keys: list.length }).at(-1)!;
}

function kth(k: number | readonly number[], n: number, fn: string): void {
  for (const i of typeof k === "number" ? [k] : k)
    if (!Number.isInteger(i) || i < -n || i >= n) throw new ArgumentError({ fn, arg: "kth", expected: `integers from ${-n} to ${n - 1}`, got: String(i), fix: "name a position of the axis" });
}
/** An order in which element `kth` stands where sorting would put it, smaller ones before and larger ones behind (here: fully sorted). */
export function partition(x: ArrayLike, position: number | readonly number[], axis: number | null = -1): NDArray {
  const { array, d } = prepare(x, axis, "partition", undefined);
  kth(position, array.shape[d]!, "partition");
  return sort(array, d);
}
/** Positions, int32, that partition an axis as `partition` does. */
export function argpartition(x: ArrayLike, position: number | readonly number[], axis: number | null = -1): NDArray {
  const { array, d } = prepare(x, axis, "argpartition", undefined);
  kth(position, array.shape[d]!, "argpartition");
  return argsort(array, d);
}

/**
 * The k largest elements along an axis in descending order, and their positions; among equal ones the first. NaN counts as largest.
 * @throws ArgumentError when k exceeds the axis.
 * @example np.topK([1, 5, 3], 2) // [[5, 3], [1, 2]]
 */
export function topK(x: ArrayLike, k: number, axis = -1): [NDArray, NDArray] {
  const { array, d } = prepare(x, axis, "topK", undefined);
  requireInteger(k, "topK", "k", 0);
  if (k > array.shape[d]!) throw new ArgumentError({ fn: "topK", arg: "k", expected: `at most ${array.shape[d]}, the size of axis ${d}`, got: String(k), fix: "ask for fewer" });
  const at = beside(array, () => bind1(iota, [], { shape: array.shape, dtype: "int32", axis: d }));
  const sorted = bind(sortPrimitive, [turned(array, d), turned(at, d)], { axis: d, keys: 1 });
  const head = [...range(d).map(() => ":"), { stop: k }];
  return [getItem(turned(sorted[0]!, d), head), getItem(turned(sorted[1]!, d), head)];
}

/** `a < b`, with NaN behind everything. */
function before(a: NDArray, b: NDArray): NDArray {
  const less = bind1(lt, [a, b], {});
  if (!isFloat(a.dtype)) return less;
  const nanOnlyIn = bind1(and, [bind1(ne, [b, b], {}), bind1(not, [bind1(ne, [a, a], {})], {})], {});
  return bind1(or, [less, nanOnlyIn], {});
}

export interface SearchOptions {
  /** "left": before equal elements; "right": behind them. */
  readonly side?: "left" | "right";
  /** Positions that sort `sorted`, as from `argsort`. */
  readonly sorter?: ArrayLike;
}

/**
 * Where to insert values into a sorted vector so that it stays sorted: int32 positions of the shape of `values`. Binary search.
 * @throws ShapeError unless `sorted` is a vector.
 * @example np.searchsorted([1, 2, 4], [2, 3]) // [1, 2]
 */
export function searchsorted(sorted: ArrayLike, values: ArrayLike, options?: SearchOptions): NDArray {
  const { side = "left", sorter } = requireOptions(options, "searchsorted", ["side", "sorter"]);
  requireChoice(side, ["left", "right"], "searchsorted", "side");
  const [table, v] = promoteOperands([typeof sorted === "number" ? asArray(sorted, "searchsorted", "sorted") : sorted, values], "searchsorted") as [NDArray, NDArray];
  if (table.ndim !== 1) throw new ShapeError({ fn: "searchsorted", arg: "sorted", expected: "a vector", got: formatShape(table.shape), fix: "search each row by itself, with vmap" });
  const a = sorter === undefined ? table : take(table, sorter);
  return fused(`searchsorted ${side}`, [a, v], (t, x) => search(t, x, side));
}

function search(a: NDArray, v: NDArray, side: "left" | "right"): NDArray {
  const n = a.size;
  const backend = v instanceof ConcreteArray ? v.backend : undefined;
  let lo = broadcastTo(scalar(0, "int32", true, backend), v.shape, []);
  let hi = constantLike(lo, n);
  for (let left = n; left > 0; left >>= 1) {
    const open = bind1(lt, [lo, hi], {});
    const middle = bind1(shiftRight, [bind1(add, [lo, hi], {}), constantLike(lo, 1)], {});
    const pivot = bind1(gather, [a, middle], { batchDims: 0, mode: "clip" });
    const right = bind1(and, [open, side === "left" ? before(pivot, v) : bind1(not, [before(v, pivot)], {})], {});
    lo = bind1(select, [right, bind1(add, [middle, constantLike(middle, 1)], {}), lo], {});
    hi = bind1(select, [right, hi, bind1(select, [open, middle, hi], {})], {});
  }
  return convertTo(lo, "int32");
}
/**
 * The bin of each value: i with `bins[i-1] <= x < bins[i]` (`right`: `<`, `<=`); for descending bins `bins[i-1] > x >= bins[i]`.
 * @throws ShapeError unless `bins` is a vector.
 * @example np.digitize([0.5, 2], [0, 1, 2]) // [1, 3]
 */
export function digitize(x: ArrayLike, bins: ArrayLike, right = false): NDArray {
  return asOne("digitize", [x, bins], [right], (x, bins) => digitizeOf(x!, bins!, right));
}
function digitizeOf(x: ArrayLike, bins: ArrayLike, right: boolean): NDArray {
  const edges = beside(x instanceof NDArray ? x : undefined, () => asArray(bins, "digitize", "bins"));
  if (edges.ndim !== 1) throw new ShapeError({ fn: "digitize", arg: "bins", expected: "a vector", got: formatShape(edges.shape), fix: "pass a sorted vector of edges" });
  const up = searchsorted(edges, x, { side: right ? "left" : "right" });
  if (edges.size < 2) return up;
  const fromEnd = searchsorted(turned(edges, 0), x, { side: right ? "left" : "right" });
  const down = bind1(add, [constantLike(fromEnd, edges.size), bind1(neg, [fromEnd], {})], {});
  const descending = bind1(gt, [getItem(edges, [0]), getItem(edges, [-1])], {});
  return choose(descending, down, up, "digitize");
}
