import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { isFloat, isInteger } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import { canonicalAxis } from "../base/shape.js";
import { asArray } from "../numpy/convert.js";
import * as primitives from "../primitives/sort.js";
import { bind } from "../trace/trace.js";
import { bitwiseNot, eq, neg } from "./elementwise.js";
import { sliceInDim } from "./structure.js";
import { broadcastedIota, convertElementType } from "./types.js";

export interface SortOptions { readonly dimension?: number; readonly numKeys?: number }

/**
 * Sorts along an axis, ascending and stably, NaN last. Several arrays of one shape are sorted together by the first `numKeys` of them.
 * @example const [keys, values] = lax.sort([k, v], { numKeys: 1 });
 */
export function sort(xs: readonly NDArray[], o?: SortOptions): NDArray[];
export function sort(x: ArrayLike, o?: SortOptions): NDArray;
export function sort(x: ArrayLike | readonly NDArray[], o: SortOptions = {}): NDArray | NDArray[] {
  const several = Array.isArray(x) && x.length > 0 && typeof x[0] === "object" && !Array.isArray(x[0]);
  const arrays = several ? (x as readonly NDArray[]).map((v) => asArray(v, "sort")) : [asArray(x as ArrayLike, "sort")];
  const keys = o.numKeys ?? 1;
  if (!Number.isInteger(keys) || keys < 1 || keys > arrays.length) throw new ArgumentError({ fn: "sort", arg: "numKeys", expected: `an integer from 1 to ${arrays.length}`, got: String(keys), fix: "sort by at least one of the arrays" });
  const sorted = bind(primitives.sort, arrays, { axis: canonicalAxis(o.dimension ?? -1, arrays[0]!.ndim, "sort", "dimension"), keys });
  return several ? sorted : sorted[0]!;
}

/** Sorts `values` by `keys` along an axis: `[sorted keys, values]`. */
export function sortKeyVal(keys: ArrayLike, values: ArrayLike, dimension = -1): [NDArray, NDArray] {
  const [k, v] = sort([asArray(keys, "sortKeyVal", "keys"), asArray(values, "sortKeyVal", "values")], { dimension });
  return [k!, v!];
}

/**
 * The k largest elements along an axis, largest first, and their int32 indices; ties keep the earlier one first, NaN counts as largest.
 * @throws ArgumentError when k exceeds the axis.
 */
export function topK(x: ArrayLike, k: number, axis = -1): [NDArray, NDArray] {
  const a = asArray(x, "topK");
  const d = canonicalAxis(axis, a.ndim, "topK");
  if (!Number.isInteger(k) || k < 0 || k > a.shape[d]!) throw new ArgumentError({ fn: "topK", arg: "k", expected: `an integer from 0 to ${a.shape[d]}`, got: String(k), fix: "take no more elements than the axis has" });
  const index = broadcastedIota("int32", a.shape, d);
  // Stable ascending sort by a key that falls as x rises. Bits of integers, flipped, do so without overflow.
  const key = isFloat(a.dtype) ? [nanFirst(a), neg(a)] : isInteger(a.dtype) ? [bitwiseNot(a)] : [bitwiseNot(convertElementType(a, "int32"))];
  const sorted = sort([...key, index, a], { dimension: d, numKeys: key.length });
  return [sliceInDim(sorted.at(-1)!, 0, k, 1, d), sliceInDim(sorted.at(-2)!, 0, k, 1, d)];
}
const nanFirst = (x: NDArray): NDArray => convertElementType(eq(x, x), "int32");
