import { ConcreteArray } from "../array/concrete.js";
import { type ArrayLike, type IndexItem, NDArray } from "../array/ndarray.js";
import { kindOf } from "../base/dtype.js";
import { DTypeError, IndexError, ShapeError } from "../base/errors.js";
import { contiguousStrides, formatShape, range, requireShape, type Shape, sizeOf } from "../base/shape.js";
import { add, div, lt, max, min, mul, rem } from "../primitives/binary.js";
import { sort } from "../primitives/sort.js";
import { iota } from "../primitives/structural.js";
import { broadcastTo, reshapeTo } from "../primitives/structural-ops.js";
import { convertTo, select } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { arrayList } from "./array-list.js";
import { asArray, broadcastArrays, describe } from "./convert.js";
import { beside } from "./device.js";
import { asBool, constantLike } from "./elementwise.js";
import { knownElements, maskPositions } from "./index-plan.js";
import { getItem } from "./indexing.js";
import { concatenate, stack } from "./joining.js";
import { ravel } from "./manipulation.js";
import { requireChoice, requireInteger, requireOptions } from "./options.js";

const int32 = (data: Int32Array, shape: Shape = [data.length]): NDArray => ConcreteArray.fromHost(data, { shape, dtype: "int32", weak: false });

export interface NonzeroOptions {
  /** Length of the result: needed where the array is traced. Too long ones are cut, too short ones filled. */
  readonly size?: number;
  /** The index put at the end where fewer elements are nonzero; default 0. */
  readonly fillValue?: number;
}

/**
 * Positions of the nonzero elements in row-major order, one int32 vector an axis: `x.get(...np.nonzero(x))` are the elements.
 * @throws ConcretizationError for a traced array without `size`; ShapeError for a scalar.
 * @example np.nonzero([0, 5, 0, 7]) // [[1, 3]]
 */
export function nonzero(x: ArrayLike, options?: NonzeroOptions): NDArray[] {
  const array = asArray(x, "nonzero");
  const { size, fillValue = 0 } = requireOptions(options, "nonzero", ["size", "fillValue"]);
  if (array.ndim === 0) throw new ShapeError({ fn: "nonzero", arg: "x", expected: "at least one dimension", got: "a scalar", fix: "use np.atleast1d" });
  const mask = asBool(array, "nonzero");
  if (size === undefined) return maskPositions(mask, "nonzero").map((p) => int32(p));
  requireInteger(size, "nonzero", "size", 0);
  // Positions that do not count sort to the end.
  const n = mask.size;
  const flat = ravel(mask);
  const at = beside(mask, () => bind1(iota, [], { shape: [n], dtype: "int32", axis: 0 }));
  const sorted = bind1(sort, [bind1(select, [flat, at, constantLike(at, n)], {})], { axis: 0, keys: 1 });
  const end = size > n ? concatenate([sorted, beside(mask, () => broadcastTo(int32(Int32Array.of(n)), [size - n], [0]))]) : getItem(sorted, [{ stop: size }]);
  const strides = contiguousStrides(array.shape);
  const found = bind1(lt, [end, constantLike(end, n)], {});
  return array.shape.map((m, d) => {
    const i = bind1(rem, [bind1(div, [end, constantLike(end, Math.max(1, strides[d]!))], {}), constantLike(end, Math.max(1, m))], {});
    return bind1(select, [found, i, constantLike(i, fillValue)], {});
  });
}

/** Positions of the nonzero elements, one row each: shape [count, ndim]. @example np.argwhere([[0, 1], [2, 0]]) // [[0, 1], [1, 0]] */
export function argwhere(x: ArrayLike, options?: NonzeroOptions): NDArray {
  const array = asArray(x, "argwhere");
  if (array.ndim === 0) return int32(new Int32Array(0), [knownElements(array)?.[0] ? 1 : 0, 0]);
  return stack(nonzero(array, options), 1);
}

/** Positions of the nonzero elements of the flattened array. @example np.flatnonzero([[0, 1], [2, 0]]) // [1, 2] */
export const flatnonzero = (x: ArrayLike, options?: NonzeroOptions): NDArray => nonzero(ravel(x), options)[0]!;

function integers(x: ArrayLike, list: boolean, fn: string, arg: string): NDArray {
  const array = asArray(x, fn, arg);
  if (!list && kindOf(array.dtype) !== "int" && kindOf(array.dtype) !== "uint") throw new DTypeError({ fn, arg, expected: "integers", got: describe(array), fix: 'convert with astype("int32")' });
  return convertTo(array, "int32");
}

/**
 * Flat positions as one index an axis of an array of this shape. Negative ones count from the end; traced ones out of range move to the edge.
 * @throws IndexError for known indices out of range.
 * @example np.unravelIndex(5, [2, 3]) // [1, 2]
 */
export function unravelIndex(index: ArrayLike, shape: number | Shape): NDArray[] {
  const sizes = requireShape(shape, "unravelIndex");
  const total = sizeOf(sizes);
  const i = integers(index, !(index instanceof NDArray), "unravelIndex", "indices");
  const bad = Array.from(knownElements(i) ?? []).find((v) => v < -total || v >= total);
  if (bad !== undefined) throw new IndexError({ fn: "unravelIndex", arg: "indices", expected: `integers below ${total}, the size of ${formatShape(sizes)}`, got: String(bad), fix: "stay inside the array" });
  const wrapped = bind1(select, [bind1(lt, [i, constantLike(i, 0)], {}), bind1(add, [i, constantLike(i, total)], {}), i], {});
  const inside = bind1(max, [bind1(min, [wrapped, constantLike(i, total - 1)], {}), constantLike(i, 0)], {});
  const strides = contiguousStrides(sizes);
  return sizes.map((n, d) => bind1(rem, [bind1(div, [inside, constantLike(i, strides[d]!)], {}), constantLike(i, n)], {}));
}

export interface RavelIndexOptions {
  /** Indices out of range: "raise" throws where they are known and clips where they are traced. */
  readonly mode?: "raise" | "clip" | "wrap";
  readonly order?: "C" | "F";
}

/**
 * One index an axis as flat positions: the inverse of `unravelIndex`. The indices are broadcast.
 * @throws IndexError for known indices out of range in mode "raise".
 * @example np.ravelMultiIndex([1, 2], [2, 3]) // 5
 */
export function ravelMultiIndex(multiIndex: readonly ArrayLike[] | NDArray, dims: number | Shape, options?: RavelIndexOptions): NDArray {
  const sizes = requireShape(dims, "ravelMultiIndex", "dims");
  const { mode = "raise", order = "C" } = requireOptions(options, "ravelMultiIndex", ["mode", "order"]);
  requireChoice(mode, ["raise", "clip", "wrap"], "ravelMultiIndex", "mode");
  requireChoice(order, ["C", "F"], "ravelMultiIndex", "order");
  const list = arrayList(multiIndex, "ravelMultiIndex").map((i, d) => integers(i, !(multiIndex instanceof NDArray) && !(multiIndex[d] instanceof NDArray), "ravelMultiIndex", `multiIndex[${d}]`));
  if (list.length !== sizes.length) throw new ShapeError({ fn: "ravelMultiIndex", arg: "multiIndex", expected: `${sizes.length} index arrays, one for each axis`, got: String(list.length), fix: "give an index for every axis" });
  const strides = order === "C" ? contiguousStrides(sizes) : contiguousStrides([...sizes].reverse()).reverse();
  return broadcastArrays(list, "ravelMultiIndex").map((given, d) => {
    const n = sizes[d]!;
    let i = given;
    const bad = mode === "raise" ? Array.from(knownElements(i) ?? []).find((v) => v < 0 || v >= n) : undefined;
    if (bad !== undefined) throw new IndexError({ fn: "ravelMultiIndex", arg: `multiIndex[${d}]`, expected: `integers from 0 to ${n - 1}`, got: String(bad), fix: 'stay inside the array, or use mode "clip" or "wrap"' });
    if (mode === "wrap") {
      const r = bind1(rem, [i, constantLike(i, n)], {});
      i = bind1(select, [bind1(lt, [r, constantLike(r, 0)], {}), bind1(add, [r, constantLike(r, n)], {}), r], {});
    } else i = bind1(max, [bind1(min, [i, constantLike(i, n - 1)], {}), constantLike(i, 0)], {});
    return bind1(mul, [i, constantLike(i, strides[d]!)], {});
  }).reduce((sum, term) => bind1(add, [sum, term], {}));
}

/** Vectors as an open grid: `x.get(...np.ix(rows, columns))` is the submatrix. Boolean vectors stand for their true positions. @example np.ix([0, 2], [1, 3])[0].shape // [2, 1] */
export function ix(...vectors: readonly ArrayLike[]): NDArray[] {
  return vectors.map((v, k) => {
    const array = Array.isArray(v) && v.length === 0 ? int32(new Int32Array(0)) : asArray(v, "ix", `vectors[${k}]`);
    if (array.ndim !== 1) throw new ShapeError({ fn: "ix", arg: `vectors[${k}]`, expected: "a vector", got: formatShape(array.shape), fix: "pass one vector an axis" });
    const index = array.dtype === "bool" ? int32(maskPositions(array, "ix")[0]!) : integers(v, !(v instanceof NDArray), "ix", `vectors[${k}]`);
    return reshapeTo(index, vectors.map((_, d) => (d === k ? index.size : 1)));
  });
}

/** Indices of the main diagonal of an array with `ndim` axes of size n. @example np.eye(3).get(...np.diagIndices(3)) // [1, 1, 1] */
export function diagIndices(n: number, ndim = 2): NDArray[] {
  requireInteger(n, "diagIndices", "n", 0);
  const i = int32(Int32Array.from(range(n)));
  return range(requireInteger(ndim, "diagIndices", "ndim", 1)).map(() => i);
}
/** `diagIndices` of an array's shape, whose axes have one size. */
export function diagIndicesFrom(x: ArrayLike): NDArray[] {
  const { shape } = asArray(x, "diagIndicesFrom");
  if (shape.length < 2 || new Set(shape).size !== 1) throw new ShapeError({ fn: "diagIndicesFrom", arg: "x", expected: "at least two axes of one size", got: formatShape(shape), fix: "pass a square matrix" });
  return diagIndices(shape[0]!, shape.length);
}

function triangle(fn: string, n: number, k: number, m: number | undefined, keep: (i: number, j: number) => boolean): [NDArray, NDArray] {
  requireInteger(n, fn, "n", 0);
  requireInteger(k, fn, "k");
  const cols = requireInteger(m ?? n, fn, "m", 0);
  const at = range(n * cols).map((p) => [Math.floor(p / cols), p % cols] as const).filter(([i, j]) => keep(i, j));
  return [int32(Int32Array.from(at, (p) => p[0])), int32(Int32Array.from(at, (p) => p[1]))];
}
/** Rows and columns on and below diagonal k of an n by m matrix. @example np.trilIndices(2) // [[0, 1, 1], [0, 0, 1]] */
export const trilIndices = (n: number, k = 0, m?: number): [NDArray, NDArray] => triangle("trilIndices", n, k, m, (i, j) => j - i <= k);
/** Rows and columns on and above diagonal k of an n by m matrix. @example np.triuIndices(2) // [[0, 0, 1], [0, 1, 1]] */
export const triuIndices = (n: number, k = 0, m?: number): [NDArray, NDArray] => triangle("triuIndices", n, k, m, (i, j) => j - i >= k);

const matrixShape = (x: ArrayLike, fn: string): [number, number] => {
  const { shape } = asArray(x, fn);
  if (shape.length !== 2) throw new ShapeError({ fn, arg: "x", expected: "a matrix", got: formatShape(shape), fix: "pass a two-dimensional array" });
  return [shape[0]!, shape[1]!];
};
/** `trilIndices` of a matrix's shape. */
export const trilIndicesFrom = (x: ArrayLike, k = 0): [NDArray, NDArray] => {
  const [n, m] = matrixShape(x, "trilIndicesFrom");
  return trilIndices(n, k, m);
};
/** `triuIndices` of a matrix's shape. */
export const triuIndicesFrom = (x: ArrayLike, k = 0): [NDArray, NDArray] => {
  const [n, m] = matrixShape(x, "triuIndicesFrom");
  return triuIndices(n, k, m);
};
/** Positions where a mask function, called as `f(ones([n, n]), k)`, gives nonzero elements. @example np.maskIndices(3, np.triu) */
export const maskIndices = (n: number, f: (x: NDArray, k: number) => NDArray, k = 0): NDArray[] =>
  nonzero(f(broadcastTo(ConcreteArray.fromHost(Float64Array.of(1), { shape: [1, 1], dtype: "float64", weak: false }), [n, n], [0, 1]), k));

/** An index kept for later: `x.get(...np.indexExp(0, "1:3"))`. */
export const indexExp = (...index: readonly IndexItem[]): readonly IndexItem[] => index;

/** Every index of a shape, in row-major order. @example [...np.ndindex([2, 2])] // [0,0] [0,1] [1,0] [1,1] */
export function* ndindex(shape: number | Shape): IterableIterator<number[]> {
  const sizes = requireShape(shape, "ndindex");
  const strides = contiguousStrides(sizes);
  for (let i = 0, total = sizeOf(sizes); i < total; i++) yield sizes.map((n, d) => Math.floor(i / strides[d]!) % n);
}
/** Every index of a concrete array with its element. @example for (const [[i, j], v] of np.ndenumerate(x)) ... */
export function* ndenumerate(x: ArrayLike): IterableIterator<[number[], number]> {
  const array = asArray(x, "ndenumerate");
  const { data } = array;
  let i = 0;
  for (const index of ndindex(array.shape)) yield [index, data[i++]!];
}

