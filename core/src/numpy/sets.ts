import { ConcreteArray } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { ConcretizationError } from "../base/errors.js";
import { canonicalAxis, range, sizeOf } from "../base/shape.js";
import { formatAval } from "../ir/aval.js";
import { and, eq, lt } from "../primitives/binary.js";
import { not } from "../primitives/unary.js";
import { bind1 } from "../trace/trace.js";
import { broadcastTo } from "../primitives/structural-ops.js";
import { arrayList } from "./array-list.js";
import { asArray, promoteOperands } from "./convert.js";
import { constantLike } from "./elementwise.js";
import { knownElements } from "./index-plan.js";
import { getItem } from "./indexing.js";
import { concatenate } from "./joining.js";
import { moveaxis, ravel, reshape } from "./manipulation.js";
import { requireOptions } from "./options.js";
import { searchsorted, sort } from "./sorting.js";

const int32 = (data: readonly number[] | Int32Array, shape: readonly number[] = [data.length]): NDArray => ConcreteArray.fromHost(Int32Array.from(data), { shape, dtype: "int32", weak: false });

/** Concrete elements: set functions have results whose size depends on the values. */
function elements(x: NDArray, fn: string, arg: string): globalThis.ArrayLike<number> {
  const data = knownElements(x);
  if (data) return data;
  throw new ConcretizationError({ fn, arg, expected: "values known now: they decide the result's size", got: formatAval(x.aval), fix: "call it outside of jit and vmap" });
}

const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : -1);

export interface UniqueOptions {
  /** Also the first position of each value. */
  readonly returnIndex?: boolean;
  /** Also, for each element, the position of its value in the result. */
  readonly returnInverse?: boolean;
  /** Also how often each value occurs. */
  readonly returnCounts?: boolean;
  /** Slices along this axis count as elements; flattened by default. */
  readonly axis?: number | null;
  /** NaNs count as one value; default true. */
  readonly equalNan?: boolean;
}
interface Found { readonly values: NDArray; readonly index: NDArray; readonly inverse: NDArray; readonly counts: NDArray }

function findUnique(x: ArrayLike, fn: string, { axis = null, equalNan = true }: UniqueOptions): Found {
  const array = asArray(x, fn);
  const rows = axis === null ? ravel(array) : moveaxis(array, canonicalAxis(axis, array.ndim, fn), 0);
  const n = rows.shape[0]!;
  const width = sizeOf(rows.shape.slice(1));
  const data = elements(rows, fn, "x");
  const compareRows = (a: number, b: number): number => {
    for (let k = 0; k < width; k++) {
      const c = compare(data[a * width + k]!, data[b * width + k]!);
      if (c !== 0) return c;
    }
    return 0;
  };
  const same = (a: number, b: number): boolean => compareRows(a, b) === 0 && (equalNan || range(width).every((k) => !Number.isNaN(data[a * width + k]!)));
  const order = range(n).sort((a, b) => compareRows(a, b) || a - b);
  const first: number[] = [];
  const counts: number[] = [];
  const inverse = new Int32Array(n);
  order.forEach((row, i) => {
    if (i > 0 && same(order[i - 1]!, row)) counts[counts.length - 1]!++;
    else {
      first.push(row);
      counts.push(1);
    }
    inverse[row] = first.length - 1;
  });
  const chosen = getItem(rows, [Int32Array.from(first)]);
  return { values: axis === null ? chosen : moveaxis(chosen, 0, axis), index: int32(first), inverse: axis === null ? reshape(int32(inverse), array.shape) : int32(inverse), counts: int32(counts) };
}

type Extras = { readonly returnIndex: true } | { readonly returnInverse: true } | { readonly returnCounts: true };

/**
 * The different values, sorted. With `returnIndex`, `returnInverse` or `returnCounts` a list: values, then what was asked for in this order.
 * @throws ConcretizationError for a traced array.
 * @example np.unique([3, 1, 1]) // [1, 3]
 */
export function unique(x: ArrayLike, options: UniqueOptions & Extras): NDArray[];
export function unique(x: ArrayLike, options?: UniqueOptions): NDArray;
export function unique(x: ArrayLike, options?: UniqueOptions): NDArray | NDArray[] {
  const o = requireOptions(options, "unique", ["returnIndex", "returnInverse", "returnCounts", "axis", "equalNan"]);
  const { values, index, inverse, counts } = findUnique(x, "unique", o);
  if (!o.returnIndex && !o.returnInverse && !o.returnCounts) return values;
  return [values, ...(o.returnIndex ? [index] : []), ...(o.returnInverse ? [inverse] : []), ...(o.returnCounts ? [counts] : [])];
}
/** The different values; NaNs count apart (array API). */
export const uniqueValues = (x: ArrayLike): NDArray => findUnique(x, "uniqueValues", { equalNan: false }).values;
/** The different values with how often each occurs (array API). */
export const uniqueCounts = (x: ArrayLike): { values: NDArray; counts: NDArray } => {
  const { values, counts } = findUnique(x, "uniqueCounts", { equalNan: false });
  return { values, counts };
};
/** The different values with the position of each element's value among them (array API). */
export const uniqueInverse = (x: ArrayLike): { values: NDArray; inverseIndices: NDArray } => {
  const { values, inverse } = findUnique(x, "uniqueInverse", { equalNan: false });
  return { values, inverseIndices: inverse };
};
/** The different values with first positions, inverse and counts (array API). */
export const uniqueAll = (x: ArrayLike): { values: NDArray; indices: NDArray; inverseIndices: NDArray; counts: NDArray } => {
  const { values, index, inverse, counts } = findUnique(x, "uniqueAll", { equalNan: false });
  return { values, indices: index, inverseIndices: inverse, counts };
};

/** Whether each element occurs among the test elements; NaN equals nothing. Works on traced arrays. @example np.isin([1, 2, 3], [2, 4]) // [false, true, false] */
export function isin(x: ArrayLike, test: ArrayLike, options?: { readonly assumeUnique?: boolean; readonly invert?: boolean }): NDArray {
  const { invert = false } = requireOptions(options, "isin", ["assumeUnique", "invert"]);
  const [array, among] = promoteOperands([x, test], "isin", ["x", "test"]) as [NDArray, NDArray];
  const sorted = sort(ravel(among));
  const none = sorted.size === 0;
  const at = none ? undefined : searchsorted(sorted, array);
  const found = at
    ? bind1(and, [bind1(lt, [at, constantLike(at, sorted.size)], {}), bind1(eq, [getItem(sorted, [at]), array], {})], {})
    : broadcastTo(ConcreteArray.fromHost(Uint8Array.of(0), { shape: [], dtype: "bool", weak: false }), array.shape, []);
  return invert ? bind1(not, [found], {}) : found;
}

/** Sorted values that both have. With `returnIndices` also their first positions in each. @example np.intersect1d([1, 2, 3], [2, 3, 4]) // [2, 3] */
export function intersect1d(a: ArrayLike, b: ArrayLike, options: { readonly assumeUnique?: boolean; readonly returnIndices: true }): [NDArray, NDArray, NDArray];
export function intersect1d(a: ArrayLike, b: ArrayLike, options?: { readonly assumeUnique?: boolean; readonly returnIndices?: boolean }): NDArray;
export function intersect1d(a: ArrayLike, b: ArrayLike, options?: { readonly assumeUnique?: boolean; readonly returnIndices?: boolean }): NDArray | [NDArray, NDArray, NDArray] {
  const { returnIndices = false } = requireOptions(options, "intersect1d", ["assumeUnique", "returnIndices"]);
  const [p, q] = promoteOperands([a, b], "intersect1d", ["a", "b"]) as [NDArray, NDArray];
  const first = findUnique(p, "intersect1d", {});
  const keep = isin(first.values, q);
  const values = getItem(first.values, [keep]);
  if (!returnIndices) return values;
  const second = findUnique(q, "intersect1d", {});
  return [values, getItem(first.index, [keep]), getItem(second.index, [isin(second.values, p)])];
}

const flat = (x: ArrayLike, fn: string, arg: string) => ravel(asArray(x, fn, arg));
/** Sorted values that either has. @example np.union1d([1, 3], [2, 3]) // [1, 2, 3] */
export const union1d = (a: ArrayLike, b: ArrayLike): NDArray => unique(concatenate(arrayList([a, b], "union1d").map((x) => ravel(x))));
/** Sorted values of the first that the second lacks. @example np.setdiff1d([1, 2, 3], [2]) // [1, 3] */
export const setdiff1d = (a: ArrayLike, b: ArrayLike, options?: { readonly assumeUnique?: boolean }): NDArray => {
  const { assumeUnique = false } = requireOptions(options, "setdiff1d", ["assumeUnique"]);
  const values = assumeUnique ? flat(a, "setdiff1d", "a") : unique(flat(a, "setdiff1d", "a"));
  return getItem(values, [isin(values, b, { invert: true })]);
};
/** Sorted values that exactly one has. @example np.setxor1d([1, 2], [2, 3]) // [1, 3] */
export const setxor1d = (a: ArrayLike, b: ArrayLike): NDArray => unique(concatenate([setdiff1d(a, b), setdiff1d(b, a)]));
