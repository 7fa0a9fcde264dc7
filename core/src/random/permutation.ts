import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { isInteger } from "../base/dtype.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { canonicalAxis, formatShape, requireShape, type Shape, sizeOf } from "../base/shape.js";
import { add, div, log, lt, mul, sub } from "../lax/elementwise.js";
import { cumsum } from "../lax/reductions.js";
import { indexTake } from "../lax/slicing.js";
import { sortKeyVal, topK } from "../lax/sorting.js";
import { sliceInDim } from "../lax/structure.js";
import { fullLike, iota, select } from "../lax/types.js";
import { asArray, promoteToFloat } from "../numpy/convert.js";
import { broadcastTo, reshapeTo } from "../primitives/structural-ops.js";
import { drawGumbel, type GumbelMode, requireMode } from "./continuous.js";
import { type Key, requireKey, splitKeys } from "./keys.js";
import { compiled } from "./options.js";
import { drawBits, drawUnit, randint } from "./uniform.js";

/**
 * Sorting by 32 random bits leaves equal keys in order; rounds are added until the chance of a tie that survives all is below
 * one in n (3 log n / log 2^32 of them).
 */
function drawShuffle(key: Key, x: NDArray, axis: number): NDArray {
  const rounds = Math.ceil((3 * Math.log(Math.max(1, sizeOf(x.shape)))) / Math.log(4294967295));
  let [k, y] = [key, x];
  for (let i = 0; i < rounds; i++) {
    const [next, forBits] = splitKeys(k, 2);
    k = next!;
    y = sortKeyVal(drawBits(forBits!, x.shape), y, axis)[1];
  }
  return y;
}
const permutationJit = compiled("permutation", (key: Key, x: NDArray, axis: number, independent: boolean): NDArray =>
  independent || x.ndim === 1 ? drawShuffle(key, x, axis) : indexTake(x, drawShuffle(key, iota("int32", x.shape[axis]!), 0), axis), [2, 3]);
const orderJit = compiled("permutation", (key: Key, n: number): NDArray => drawShuffle(key, iota("int32", n), 0), [1]);

function population(n: number, fn: string, arg: string): number {
  if (!Number.isInteger(n) || n < 0) throw new ArgumentError({ fn, arg, expected: "an integer >= 0 or an array", got: String(n), fix: "pass the number of items" });
  return n;
}

export interface PermutationOptions {
  /** Shuffles every row along the axis by itself instead of whole slices. */
  readonly independent?: boolean;
}

/**
 * 0..n-1 in random order, or an array with its slices along `axis` in random order.
 * @throws ArgumentError for negative n; AxisError for an axis that is not there.
 * @example random.permutation(random.key(0), 5)
 */
export function permutation(key: Key, x: number | ArrayLike, axis = 0, o: PermutationOptions = {}): NDArray {
  const fn = "random.permutation";
  requireKey(key, fn);
  if (typeof x === "number") return orderJit(key, population(x, fn, "x"));
  const a = asArray(x, fn);
  if (a.ndim === 0) {
    if (!isInteger(a.dtype)) throw new ShapeError({ fn, arg: "x", expected: "an integer or at least one axis", got: `${a.dtype}${formatShape(a.shape)}`, fix: "reshape to [1]" });
    return orderJit(key, Number(a.item()));
  }
  return permutationJit(key, a, canonicalAxis(axis, a.ndim, fn), o.independent ?? false);
}

export interface ChoiceOptions {
  /** Whether an item may come more than once (default true). */
  readonly replace?: boolean;
  /** Probabilities of the items; equal when not given. */
  readonly p?: ArrayLike;
  readonly axis?: number;
  readonly mode?: GumbelMode;
}

/** Number of elements of sorted `x` below each `v`: binary search, all of `v` in step. */
function countBelow(x: NDArray, v: NDArray): NDArray {
  const n = x.shape[0]!;
  const like = (value: number) => fullLike(v, value, { dtype: "int32" });
  let [lo, hi] = [like(0), like(n)];
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    const middle = div(add(lo, hi), 2);
    const open = lt(lo, hi);
    const below = lt(indexTake(x, middle), v);
    lo = select(open, select(below, add(middle, 1), lo), lo);
    hi = select(open, select(below, hi, middle), hi);
  }
  return lo;
}

const weightedJit = compiled("choice", (key: Key, p: NDArray, shape: Shape): NDArray => {
  const cumulative = cumsum(p);
  const total = reshapeTo(sliceInDim(cumulative, -1, null), []);
  return countBelow(cumulative, mul(broadcastTo(total, shape, []), sub(1, drawUnit(key, shape, p.dtype))));
}, [2]);
const weightedDistinctJit = compiled("choice", (key: Key, p: NDArray, k: number, mode: GumbelMode): NDArray => topK(add(drawGumbel(key, p.shape, p.dtype, mode), log(p)), k)[1], [2, 3]);

/**
 * Items of `a` (slices along `axis`; 0..a-1 when a is a number) drawn with or without replacement.
 * The result has `shape` in the place of the axis.
 * @throws ArgumentError for an empty population or more draws than items without replacement; ShapeError when p does not fit.
 * @example random.choice(random.key(0), 10, [3], { replace: false })
 */
export function choice(key: Key, a: number | ArrayLike, shape: Shape | number = [], o: ChoiceOptions = {}): NDArray {
  const fn = "random.choice";
  requireKey(key, fn);
  const wanted = requireShape(shape, fn);
  const draws = sizeOf(wanted);
  const items = typeof a === "number" ? undefined : asArray(a, fn, "a");
  const axis = items ? canonicalAxis(o.axis ?? 0, items.ndim, fn) : 0;
  const n = items ? items.shape[axis]! : population(a as number, fn, "a");
  const replace = o.replace ?? true;
  if (n === 0 && draws > 0) throw new ArgumentError({ fn, arg: "a", expected: "at least one item", got: "none", fix: "draw from a population that is not empty" });
  if (!replace && draws > n) throw new ArgumentError({ fn, arg: "shape", expected: `at most ${n} draws without replacement`, got: String(draws), fix: "draw fewer, or with replacement" });
  const shaped = (y: NDArray) => reshapeTo(y, items ? [...items.shape.slice(0, axis), ...wanted, ...items.shape.slice(axis + 1)] : wanted);
  if (o.p === undefined && !replace) return shaped(sliceInDim(items ? permutation(key, items, axis) : permutation(key, n), 0, draws, 1, axis));
  const index = o.p === undefined ? randint(key, [draws], 0, n) : weighted(key, o.p, n, draws, replace, requireMode(o.mode, fn));
  return shaped(items ? indexTake(items, index, axis) : index);
}

function weighted(key: Key, p: ArrayLike, n: number, draws: number, replace: boolean, mode: GumbelMode): NDArray {
  const [weights] = promoteToFloat([p], "random.choice", ["p"]);
  if (weights!.ndim !== 1 || weights!.shape[0] !== n) throw new ShapeError({ fn: "random.choice", arg: "p", expected: `one probability for each of ${n} items`, got: formatShape(weights!.shape), fix: "make p as long as the population" });
  return replace ? weightedJit(key, weights!, [draws]) : weightedDistinctJit(key, weights!, draws, mode);
}
