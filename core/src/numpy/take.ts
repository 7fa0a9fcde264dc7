import { ConcreteArray } from "../array/concrete.js";
import { type ArrayLike, NDArray } from "../array/ndarray.js";
import { kindOf } from "../base/dtype.js";
import { ArgumentError, DTypeError, IndexError, ShapeError } from "../base/errors.js";
import { broadcastShapes, canonicalAxis, formatShape, range, type Shape, sizeOf } from "../base/shape.js";
import { add, and, eq, ge, lt, max, min, rem } from "../primitives/binary.js";
import { gather, type IndexMode, scatter } from "../primitives/indexing.js";
import { broadcastTo, reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { convertTo, select as selectPrimitive } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { asOne } from "./as-one.js";
import { type ArrayList, arrayList } from "./array-list.js";
import { asArray, broadcastArrays, broadcastToShape, describe, promoteOperands } from "./convert.js";
import { beside } from "./device.js";
import { asBool, choose as where, constantLike } from "./elementwise.js";
import { knownElements, maskPositions } from "./index-plan.js";
import { at as updateAt, getItem } from "./indexing.js";
import { concatenate } from "./joining.js";
import { expandDims, moveaxis, ravel } from "./manipulation.js";
import { requireChoice, requireOptions } from "./options.js";

/** Indices out of range: "fill" reads NaN (0 for integers) and writes nothing, "clip" moves to the edge, "wrap" counts on from the other end. */
export type TakeMode = "fill" | "clip" | "wrap";
export interface TakeOptions {
  readonly mode?: TakeMode;
  /** Read in mode "fill" for indices out of range. */
  readonly fillValue?: number;
}

/** An int32 array of indices that count from 0; lists out of range throw unless the mode says what to do with them. */
function indices(x: ArrayLike, n: number, axis: number, mode: TakeMode | undefined, fn: string, table: NDArray): { index: NDArray; gatherMode: IndexMode } {
  const list = !(x instanceof NDArray);
  const given = Array.isArray(x) && x.length === 0 ? convertTo(asArray([], fn, "indices"), "int32") : asArray(x, fn, "indices");
  if (given.dtype === "bool" || (!list && kindOf(given.dtype) === "float"))
    throw new DTypeError({ fn, arg: "indices", expected: "integers", got: describe(given), fix: given.dtype === "bool" ? "use compress, or x.get(mask)" : 'convert with astype("int32")' });
  if (n === 0 && given.size > 0) throw new IndexError({ fn, arg: "indices", expected: `no index into axis ${axis}, which has size 0`, got: `${given.size} of them`, fix: "check the size first" });
  if (list) {
    const bad = Array.from(knownElements(given) ?? []).find((v) => !Number.isInteger(v) || (mode === undefined && (v < -n || v >= n)));
    if (bad !== undefined) throw new IndexError({ fn, arg: "indices", expected: `integers from ${-n} to ${n - 1} for axis ${axis} of size ${n}`, got: String(bad), fix: 'stay inside the axis, or choose mode "clip", "wrap" or "fill"' });
  }
  const data = knownElements(given);
  if (data) {
    // Known indices are reckoned here, and follow the array to its device.
    const host = Int32Array.from({ length: given.size }, (_, k) => {
      const v = data[k]!;
      return mode === "wrap" ? ((v % n) + n) % n : mode === "clip" || v >= 0 ? v : v + n;
    });
    return { index: beside(table, () => ConcreteArray.fromHost(host, { shape: given.shape, dtype: "int32", weak: true })), gatherMode: mode === "clip" || mode === "wrap" ? "clip" : "fill" };
  }
  const i = convertTo(given, "int32");
  const negative = bind1(lt, [i, constantLike(i, 0)], {});
  if (mode === "clip") return { index: i, gatherMode: "clip" };
  if (mode === "wrap") {
    const r = bind1(rem, [i, constantLike(i, n)], {});
    return { index: bind1(selectPrimitive, [bind1(lt, [r, constantLike(r, 0)], {}), bind1(add, [r, constantLike(r, n)], {}), r], {}), gatherMode: "clip" };
  }
  return { index: bind1(selectPrimitive, [negative, bind1(add, [i, constantLike(i, n)], {}), i], {}), gatherMode: "fill" };
}

function checkOptions(options: TakeOptions | undefined, fn: string): TakeOptions {
  const o = requireOptions(options, fn, ["mode", "fillValue"]);
  if (o.mode !== undefined) requireChoice(o.mode, ["fill", "clip", "wrap"], fn, "mode");
  return o;
}

/** Puts the fill value where an index was out of range. `along[d]` is the result's axis of index axis d. */
function filled(y: NDArray, index: NDArray, n: number, along: readonly number[], fillValue: number | undefined): NDArray {
  if (fillValue === undefined) return y;
  const inside = bind1(and, [bind1(ge, [index, constantLike(index, 0)], {}), bind1(lt, [index, constantLike(index, n)], {})], {});
  return bind1(selectPrimitive, [broadcastTo(inside, y.shape, along), y, constantLike(y, fillValue)], {});
}

/**
 * Elements at the given positions along an axis (of the flattened array where `axis` is null): `result[..., j, ...] = x[..., indices[j], ...]`.
 * Negative indices count from the end, except in mode "clip". Lists out of range throw unless a mode is given; for integer arrays the mode is
 * "fill", as in JAX.
 * @throws IndexError for lists out of range; DTypeError for indices that are no integers.
 * @example np.take([4, 5, 6], [2, -1, 0]) // [6, 6, 4]
 */
export function take(x: ArrayLike, index: ArrayLike, axis: number | null = null, options?: TakeOptions): NDArray {
  return asOne("take", [x, index], [axis, options], (x, index) => takeOf(x!, index!, axis, options));
}
function takeOf(x: ArrayLike, index: ArrayLike, axis: number | null, options?: TakeOptions): NDArray {
  const { mode, fillValue } = checkOptions(options, "take");
  const given = asArray(x, "take");
  const array = axis === null ? ravel(given) : given;
  const d = axis === null ? 0 : canonicalAxis(axis, array.ndim, "take");
  const n = array.shape[d]!;
  const { index: i, gatherMode } = indices(index, n, d, mode, "take", array);
  const front = transposeTo(array, [d, ...range(array.ndim).filter((k) => k !== d)]);
  const y = bind1(gather, [front, i], { batchDims: 0, mode: gatherMode });
  const full = gatherMode === "fill" ? filled(y, i, n, range(i.ndim), fillValue) : y;
  // [J..., before, after] to [before, J..., after]
  return transposeTo(full, [...range(d, i.ndim), ...range(i.ndim), ...range(array.ndim - 1 - d, i.ndim + d)]);
}

/** Both with the axis last and their other axes broadcast. */
function aligned(x: NDArray, index: NDArray, d: number, fn: string): { table: NDArray; at: NDArray; batch: Shape } {
  if (index.ndim !== x.ndim) throw new ShapeError({ fn, arg: "indices", expected: `${x.ndim} dimensions, as the array`, got: formatShape(index.shape), fix: "add axes with expandDims" });
  const [a, b] = [moveaxis(x, d, -1), moveaxis(index, d, -1)];
  const batch = broadcastShapes([a.shape.slice(0, -1), b.shape.slice(0, -1)], fn);
  return { table: broadcastToShape(a, [...batch, a.shape.at(-1)!], fn), at: broadcastToShape(b, [...batch, b.shape.at(-1)!], fn), batch };
}

/**
 * Elements by an index array of the same number of axes, as `argsort` and `argmax` with keepdims give them:
 * `result[i, j] = x[i, indices[i, j]]` for axis 1. The other axes are broadcast.
 * @throws ShapeError when the numbers of axes differ; IndexError for lists out of range.
 * @example np.takeAlongAxis([[1, 2], [3, 4]], [[1], [0]], 1) // [[2], [3]]
 */
export function takeAlongAxis(x: ArrayLike, index: ArrayLike, axis: number | null = -1, options?: TakeOptions): NDArray {
  return asOne("takeAlongAxis", [x, index], [axis, options], (x, index) => takeAlongAxisOf(x!, index!, axis, options));
}
function takeAlongAxisOf(x: ArrayLike, index: ArrayLike, axis: number | null, options?: TakeOptions): NDArray {
  const { mode, fillValue } = checkOptions(options, "takeAlongAxis");
  const given = asArray(x, "takeAlongAxis");
  const array = axis === null ? ravel(given) : given;
  const d = axis === null ? 0 : canonicalAxis(axis, array.ndim, "takeAlongAxis");
  const n = array.shape[d]!;
  const { index: i, gatherMode } = indices(index, n, d, mode, "takeAlongAxis", array);
  const { table, at, batch } = aligned(array, i, d, "takeAlongAxis");
  const y = bind1(gather, [table, at], { batchDims: batch.length, mode: gatherMode });
  return moveaxis(gatherMode === "fill" ? filled(y, at, n, range(at.ndim), fillValue) : y, -1, d);
}

/** The array with values written where `takeAlongAxis` would read: the functional form of NumPy's in-place function. @example np.putAlongAxis([[1, 2], [3, 4]], [[1], [0]], 9, 1) // [[1, 9], [9, 4]] */
export function putAlongAxis(x: ArrayLike, index: ArrayLike, values: ArrayLike, axis: number | null = -1, options?: { readonly mode?: TakeMode }): NDArray {
  return asOne("putAlongAxis", [x, index, values], [axis, options], (x, index, values) => putAlongAxisOf(x!, index!, values!, axis, options));
}
function putAlongAxisOf(x: ArrayLike, index: ArrayLike, values: ArrayLike, axis: number | null, options?: { readonly mode?: TakeMode }): NDArray {
  const { mode } = checkOptions(options, "putAlongAxis");
  const given = asArray(x, "putAlongAxis");
  if (axis === null) return reshapeTo(putAlongAxis(ravel(given), index, values, 0, options), given.shape);
  const d = canonicalAxis(axis, given.ndim, "putAlongAxis");
  const { index: i, gatherMode } = indices(index, given.shape[d]!, d, mode, "putAlongAxis", given);
  const { table, at, batch } = aligned(given, i, d, "putAlongAxis");
  const v = convertTo(broadcastToShape(beside(given, () => asArray(values, "putAlongAxis", "values")), i.shape.map((m, k) => (k === d ? m : given.shape[k]!)), "putAlongAxis"), given.dtype, given.weak);
  const y = bind1(scatter, [table, at, moveaxis(v, d, -1)], { batchDims: batch.length, mode: gatherMode, op: "set", uniqueIndices: false });
  return moveaxis(y, -1, d);
}

/** The array with `values` (repeated as needed) at positions of the flattened array: the functional form of NumPy's in-place function. @example np.put([1, 2, 3], [0, 2], 9) // [9, 2, 9] */
export function put(x: ArrayLike, index: ArrayLike, values: ArrayLike, options?: { readonly mode?: TakeMode }): NDArray {
  const array = asArray(x, "put");
  const { mode } = checkOptions(options, "put");
  const { index: i, gatherMode } = indices(index, array.size, 0, mode, "put", array);
  const v = convertTo(beside(array, () => ravel(values)), array.dtype, array.weak);
  if (i.size === 0) return array;
  const cycled = v.size === 1 ? broadcastTo(v, [i.size], [0]) : getItem(v, [Int32Array.from({ length: i.size }, (_, k) => k % v.size)]);
  return reshapeTo(bind1(scatter, [ravel(array), ravel(i), cycled], { batchDims: 0, mode: gatherMode, op: "set", uniqueIndices: false }), array.shape);
}

/**
 * The slices along an axis where a vector of conditions holds; the elements of the flattened array where `axis` is null.
 * @throws ConcretizationError for a traced condition.
 * @example np.compress([true, false], [[1, 2], [3, 4]], 0) // [[1, 2]]
 */
export function compress(condition: ArrayLike, x: ArrayLike, axis: number | null = null): NDArray {
  const mask = asBool(condition, "compress", "condition");
  const given = asArray(x, "compress");
  const array = axis === null ? ravel(given) : given;
  const d = axis === null ? 0 : canonicalAxis(axis, array.ndim, "compress");
  if (mask.ndim !== 1 || mask.size > array.shape[d]!) throw new ShapeError({ fn: "compress", arg: "condition", expected: `a vector of at most ${array.shape[d]} conditions`, got: formatShape(mask.shape), fix: "give one condition for each slice" });
  return getItem(array, [...range(d).map(() => ":"), maskPositions(mask, "compress")[0]!]);
}

/** The elements where a condition holds, flattened. @throws ConcretizationError for a traced condition. @example np.extract([true, false, true], [1, 2, 3]) // [1, 3] */
export function extract(condition: ArrayLike, x: ArrayLike): NDArray {
  return compress(ravel(condition), x);
}

/** Elements of the first choice whose condition holds; `fallback` where none does. All are broadcast. @example np.select([[true, false], [true, true]], [[1, 2], [3, 4]], 0) // [1, 4] */
export function select(conditions: readonly ArrayLike[], choices: readonly ArrayLike[], fallback: ArrayLike = 0): NDArray {
  if (conditions.length !== choices.length || conditions.length === 0)
    throw new ArgumentError({ fn: "select", arg: "choices", expected: conditions.length ? `${conditions.length} choices, one for each condition` : "at least one condition", got: String(choices.length), fix: "pair every condition with a choice" });
  const values = promoteOperands([...choices, fallback], "select");
  const tests = conditions.map((c, i) => {
    const test = asArray(c, "select", `conditions[${i}]`);
    if (test.dtype !== "bool") throw new DTypeError({ fn: "select", arg: `conditions[${i}]`, expected: "bool", got: test.dtype, fix: "compare first" });
    return test;
  });
  return asOne("select", [...tests, ...values], [tests.length], (...xs) => tests.reduceRight<ArrayLike>((y, _, i) => where(xs[i]!, xs[tests.length + i]!, y, "select"), xs.at(-1)!) as NDArray);
}

function firstOutside(values: globalThis.ArrayLike<number>, n: number): number | undefined {
  for (let k = 0; k < values.length; k++) if (!(values[k]! >= 0 && values[k]! < n)) return values[k];
  return undefined;
}

/** `choices[a[i]][i]`: an array of integers chooses among arrays, which are broadcast with it. @example np.choose([0, 1], [[10, 20], [30, 40]]) // [10, 40] */
export function choose(a: ArrayLike, choices: ArrayList, options?: { readonly mode?: "raise" | "clip" | "wrap" }): NDArray {
  const { mode = "raise" } = requireOptions(options, "choose", ["mode"]);
  requireChoice(mode, ["raise", "clip", "wrap"], "choose", "mode");
  const list = promoteOperands(arrayList(choices, "choose"), "choose");
  const n = list.length;
  const given = convertTo(asArray(a, "choose", "a"), "int32");
  const known = mode === "raise" ? firstOutside(knownElements(given) ?? [], n) : undefined;
  if (known !== undefined) throw new IndexError({ fn: "choose", arg: "a", expected: `integers from 0 to ${n - 1}`, got: String(known), fix: 'add choices, or use mode "clip" or "wrap"' });
  return asOne("choose", [given, ...list], [mode], (at, ...arrays) => chosen(at as NDArray, arrays as NDArray[], mode));
}
function chosen(given: NDArray, list: readonly NDArray[], mode: "raise" | "clip" | "wrap"): NDArray {
  const n = list.length;
  let i = given;
  if (mode === "wrap") i = indices(given, n, 0, "wrap", "choose", list[0]!).index;
  else i = bind1(max, [bind1(min, [i, constantLike(i, n - 1)], {}), constantLike(i, 0)], {});
  const [index, ...values] = broadcastArrays([i, ...list], "choose");
  return values.slice(1).reduce<NDArray>((y, v, k) => bind1(selectPrimitive, [bind1(eq, [index!, constantLike(index!, k + 1)], {}), v, y], {}), values[0]!);
}

/** Piecewise definition: `functions[k]`, a function of the whole array or a number, where `conditions[k]` holds (the last that does); one more function is for the rest. @example np.piecewise(x, [x.lt(0), x.ge(0)], [(v) => v.neg(), (v) => v]) */
export function piecewise(x: ArrayLike, conditions: readonly ArrayLike[], functions: readonly (ArrayLike | ((x: NDArray) => ArrayLike))[]): NDArray {
  const array = asArray(x, "piecewise");
  const n = conditions.length;
  if (functions.length !== n && functions.length !== n + 1) throw new ArgumentError({ fn: "piecewise", arg: "functions", expected: `${n} or ${n + 1} functions`, got: String(functions.length), fix: "give one for each condition and at most one for the rest" });
  const value = (k: number): NDArray => {
    const f = functions[k]!;
    return broadcastToShape(convertTo(beside(array, () => asArray(typeof f === "function" ? f(array) : f, "piecewise")), array.dtype, array.weak), array.shape, "piecewise");
  };
  const rest = functions.length > n ? value(n) : constantLike(array, 0);
  return conditions.reduce<NDArray>((y, c, k) => where(broadcastToShape(beside(array, () => asBool(c, "piecewise", "conditions")), array.shape, "piecewise"), value(k), y, "piecewise"), rest);
}

/** The array with `value` on its main diagonal: the functional form of NumPy's in-place function. `wrap` starts anew below the square part of a tall matrix. @example np.fillDiagonal(np.zeros([2, 2]), 1) // [[1, 0], [0, 1]] */
export function fillDiagonal(x: ArrayLike, value: ArrayLike, options?: { readonly wrap?: boolean }): NDArray {
  const array = asArray(x, "fillDiagonal");
  const { wrap = false } = requireOptions(options, "fillDiagonal", ["wrap"]);
  if (array.ndim < 2 || (array.ndim > 2 && new Set(array.shape).size > 1))
    throw new ShapeError({ fn: "fillDiagonal", arg: "x", expected: "a matrix, or more axes of one size", got: formatShape(array.shape), fix: "fill a matrix" });
  const cols = array.shape[1]!;
  const step = array.ndim === 2 ? cols + 1 : array.shape.reduce((s, _, d) => s + sizeOf(array.shape.slice(d + 1)), 0);
  const end = wrap || array.ndim > 2 ? array.size : Math.min(array.size, cols * cols);
  const where = range(Math.ceil(end / Math.max(1, step))).map((i) => i * step);
  const v = beside(array, () => ravel(value));
  const cycled = v.size === 1 ? v : getItem(v, [Int32Array.from(where, (_, k) => k % v.size)]);
  return reshapeTo(updateAt(ravel(array), [Int32Array.from(where)]).set(cycled), array.shape);
}

/** A function applied to every 1-D slice along an axis. The function takes a vector; its results are stacked in place of the axis. @example np.applyAlongAxis((v) => v.sum(), 1, [[1, 2], [3, 4]]) // [3, 7] */
export function applyAlongAxis(f: (vector: NDArray) => ArrayLike, axis: number, x: ArrayLike): NDArray {
  const array = asArray(x, "applyAlongAxis");
  const d = canonicalAxis(axis, array.ndim, "applyAlongAxis");
  const rows = moveaxis(array, d, -1);
  const outer = rows.shape.slice(0, -1);
  const flat = reshapeTo(rows, [sizeOf(outer), array.shape[d]!]);
  const results = [...flat].map((row) => asArray(f(row), "applyAlongAxis"));
  if (results.length === 0) throw new ShapeError({ fn: "applyAlongAxis", arg: "x", expected: "at least one slice", got: formatShape(array.shape), fix: "check the size first" });
  const inner = results[0]!.shape;
  const stacked = concatenate(results.map((r) => reshapeTo(r, [1, ...r.shape])), 0);
  const y = reshapeTo(stacked, [...outer, ...inner]);
  return transposeTo(y, [...range(d), ...range(inner.length, outer.length), ...range(outer.length - d, d)]);
}

/** Applies `f(x, axis)` for one axis after the other; axes that it removes come back with size 1. @example np.applyOverAxes(np.sum, np.ones([2, 3, 4]), [0, 2]).shape // [1, 3, 1] */
export function applyOverAxes(f: (x: NDArray, axis: number) => NDArray, x: ArrayLike, axes: number | readonly number[]): NDArray {
  const array = asArray(x, "applyOverAxes");
  return (typeof axes === "number" ? [axes] : axes).map((a) => canonicalAxis(a, array.ndim, "applyOverAxes", "axes")).reduce((y, d) => {
    const result = f(y, d);
    if (result.ndim !== y.ndim && result.ndim !== y.ndim - 1)
      throw new ShapeError({ fn: "applyOverAxes", arg: "f", expected: `a result of ${y.ndim - 1} or ${y.ndim} dimensions`, got: formatShape(result.shape), fix: "pass a reduction along one axis" });
    return result.ndim === y.ndim ? result : expandDims(result, d);
  }, array);
}
