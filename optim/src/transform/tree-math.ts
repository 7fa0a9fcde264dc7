import { type ArrayLike, type DType, NDArray, np, tree } from "@hessia/core";

/** Linear algebra on pytrees of arrays, leaf by leaf. Results keep each leaf's dtype. */

/** Applies `f` to matching leaves; numbers among them become arrays. */
export function mapTree<T>(f: (...leaves: NDArray[]) => NDArray, first: T, ...rest: unknown[]): T {
  return tree.map((...leaves: never[]) => f(...leaves.map((x) => np.asarray(x as ArrayLike))), first, ...rest) as T;
}

/** A scalar in the dtype of `x`, so that it does not promote: numbers adapt by themselves, arrays are converted. */
export const like = (s: ArrayLike, x: NDArray): ArrayLike => (s instanceof NDArray && s.dtype !== x.dtype ? s.astype(x.dtype) : s);

export const zerosLike = <T>(t: T, dtype?: DType): T => mapTree((x) => np.zeros(x.shape, { dtype: dtype ?? x.dtype }), t);
export const fullLike = <T>(t: T, value: ArrayLike): T => mapTree((x) => np.broadcastTo(np.asarray(value).astype(x.dtype), x.shape), t);
/** Arrays in place of numbers, never weakly typed: what a state keeps. */
export const asArrays = <T>(t: T): T => mapTree((x) => (x.weak ? np.add(np.zeros(x.shape, { dtype: x.dtype }), x) : x), t);

export const addTrees = <T>(a: T, b: unknown): T => mapTree((x, y) => np.add(x, like(y, x)), a, b);
export const subTrees = <T>(a: T, b: unknown): T => mapTree((x, y) => np.subtract(x, like(y, x)), a, b);
export const scaleTree = <T>(s: ArrayLike, t: T): T => mapTree((x) => np.multiply(like(s, x), x), t);
/** `x + s d` */
export const along = <T>(x: T, s: ArrayLike, d: unknown): T => mapTree((a, b) => np.add(a, np.multiply(like(s, a), like(b, a))), x, d);
export const negative = <T>(t: T): T => mapTree((x) => np.negative(x), t);
/** Chooses whole trees by one scalar condition. */
export const select = <T>(condition: NDArray, a: T, b: unknown): T => mapTree((x, y) => np.where(condition, x, like(y, x)), a, b);
/** Converts leaves to the dtypes of another tree: loops need states whose types stay. */
export const castLike = <T>(t: T, ref: unknown): T => mapTree((x, r) => x.astype(r.dtype), t, ref);

const total = (parts: readonly NDArray[]): NDArray => (parts.length ? parts.reduce((s, p) => np.add(s, p)) : np.zeros([]));
export function dotTrees(a: unknown, b: unknown): NDArray {
  return total(tree.leaves(mapTree((x, y) => np.sum(np.multiply(x, y)), a, b)));
}
export const squaredNorm = (t: unknown): NDArray => total(tree.leaves<ArrayLike>(t).map((x) => np.sum(np.square(x))));
/** Euclidean norm over all elements of a pytree. @example globalNorm({ a: np.array([3]), b: np.array(4) }); // 5 */
export const globalNorm = (t: unknown): NDArray => np.sqrt(squaredNorm(t));
export const sizeOfTree = (t: unknown): number => tree.leaves<ArrayLike>(t).reduce<number>((n, x) => n + np.asarray(x).size, 0);
/** Dtype of scalars that belong to a tree: that of its first leaf, as a float. */
export function scalarDType(t: unknown): DType {
  const first = tree.leaves<ArrayLike>(t)[0];
  const dtype = first === undefined ? "float64" : np.asarray(first).dtype;
  return dtype === "float32" ? "float32" : "float64";
}

export const scalarOf = (value: number | boolean, dtype: DType): NDArray => np.asarray(value).astype(dtype);
/** Step counters are int32 and stop at the largest value instead of wrapping. */
export const zeroCount = (): NDArray => np.zeros([], { dtype: "int32" });
export const increment = (count: NDArray): NDArray => np.add(np.minimum(count, 2147483646), 1).astype("int32");

/** `b m + (1 - b) g^order` */
export const updateMoment = <T>(g: unknown, m: T, b: ArrayLike, order: 1 | 2): T =>
  mapTree((x, y) => np.add(np.multiply(like(typeof b === "number" ? 1 - b : np.subtract(1, b), x), order === 1 ? like(y, x) : np.square(like(y, x))), np.multiply(like(b, x), x)), m, g);
/** `m / (1 - b^t)` */
export const biasCorrection = <T>(m: T, b: ArrayLike, count: NDArray): T => {
  const c = np.subtract(1, np.power(b, count));
  return mapTree((x) => np.divide(x, like(c, x)), m);
};
