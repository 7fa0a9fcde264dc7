import { ConcreteArray, scalar } from "../array/concrete.js";
import { type ArrayLike, type AtUpdate, type IndexItem, NDArray } from "../array/ndarray.js";
import { ShapeError } from "../base/errors.js";
import { contiguousStrides, formatShape, range, type Shape, shapesEqual, sizeOf } from "../base/shape.js";
import { promoteTypes } from "../base/dtype.js";
import { add, and, div, ge, lt, max, min, mul } from "../primitives/binary.js";
import { dynamicSlice, dynamicUpdateSlice, gather, scatter, type ScatterOp } from "../primitives/indexing.js";
import { pad, reverse, slice } from "../primitives/structural.js";
import { broadcastTo, reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { convertTo, select } from "../primitives/types.js";
import { neg } from "../primitives/unary.js";
import { eagerTrace } from "../trace/eager.js";
import { bind1, currentTrace } from "../trace/trace.js";
import type { AnyPrimitive } from "../ir/primitive.js";
import { asOne } from "./as-one.js";
import { asArray, broadcastToShape } from "./convert.js";
import { beside } from "./device.js";
import { constantLike } from "./elementwise.js";
import { type ArrayIndex, type AxisSlice, type IndexPlan, isWhole, keptAxes, knownElements, planIndex, selectedShape } from "./index-plan.js";

// Constants are weak, so that they follow the array to its device.
const backendOf = (x: NDArray) => (x instanceof ConcreteArray ? x.backend : undefined);
const hostIndices = (data: Int32Array, shape: Shape): NDArray => ConcreteArray.fromHost(data, { shape, dtype: "int32", weak: true });

/** The elements that the slices of a plan reach; integers leave axes of size 1. */
function takeBlock(x: NDArray, slices: readonly AxisSlice[], starts: readonly NDArray[]): NDArray {
  if (starts.length > 0) return bind1(dynamicSlice, [x, ...starts], { sizes: slices.map((s) => s.count) });
  const first = slices.map((s) => (s.count === 0 ? 0 : s.step > 0 ? s.start : s.start + (s.count - 1) * s.step));
  const strides = slices.map((s) => Math.abs(s.step));
  const limit = slices.map((s, d) => (s.count === 0 ? 0 : first[d]! + (s.count - 1) * strides[d]! + 1));
  const whole = slices.every((s, d) => first[d] === 0 && s.count === x.shape[d] && strides[d] === 1);
  const y = whole ? x : bind1(slice, [x], { start: first, limit, strides });
  return flip(y, slices);
}

function flip(x: NDArray, slices: readonly AxisSlice[]): NDArray {
  const axes = range(x.ndim).filter((d) => slices[d]!.step < 0 && slices[d]!.count > 1);
  return axes.length ? bind1(reverse, [x], { axes }) : x;
}

/** Writes a block back to where `takeBlock` found it. */
function putBlock(x: NDArray, block: NDArray, slices: readonly AxisSlice[], starts: readonly NDArray[]): NDArray {
  if (block.size === 0) return x;
  if (starts.length > 0) return bind1(dynamicUpdateSlice, [x, block, ...starts], {});
  const forward = flip(block, slices);
  const first = slices.map((s) => (s.step > 0 ? s.start : s.start + (s.count - 1) * s.step));
  const strides = slices.map((s) => (s.count === 1 ? 1 : Math.abs(s.step)));
  if (shapesEqual(forward.shape, x.shape)) return forward;
  if (strides.every((s) => s === 1)) return bind1(dynamicUpdateSlice, [x, forward, ...first.map((s) => scalar(s, "int32", true))], {});
  const params = { low: first, high: slices.map((s, d) => x.shape[d]! - first[d]! - (s.count - 1) * strides[d]! - 1), interior: strides.map((s) => s - 1) };
  const spread = bind1(pad, [forward, scalar(0, x.dtype, true)], params);
  const mask = bind1(pad, [broadcastTo(scalar(true, "bool", true, backendOf(x)), forward.shape, []), scalar(false, "bool", true)], params);
  return bind1(select, [mask, convertTo(spread, x.dtype, x.weak), x], {});
}

const indexArray = (a: ArrayIndex): NDArray => a.traced ?? hostIndices(a.host!, a.shape);

/** One int32 index into the flattened indexed axes. Values out of range move to the edge for reading, and become -1 for writing. */
function flatIndex(plan: IndexPlan, sizes: readonly number[], write: boolean): NDArray {
  const { arrays, indexShape } = plan;
  const strides = contiguousStrides(sizes);
  if (arrays.every((a) => a.host)) {
    const total = sizeOf(indexShape);
    const out = new Int32Array(total);
    const outer = contiguousStrides(indexShape);
    arrays.forEach((a, k) => {
      const n = sizes[k]!;
      const own = contiguousStrides(a.shape);
      const lead = indexShape.length - a.shape.length;
      for (let i = 0; i < total; i++) {
        if (out[i] === -1) continue;
        let at = 0;
        for (let d = 0; d < a.shape.length; d++) if (a.shape[d] !== 1) at += (Math.floor(i / outer[lead + d]!) % indexShape[lead + d]!) * own[d]!;
        const v = a.host![at]!;
        if (write && (v < 0 || v >= n)) out[i] = -1;
        else out[i]! += Math.min(Math.max(v, 0), n - 1) * strides[k]!;
      }
    });
    return hostIndices(out, indexShape);
  }
  let flat: NDArray | undefined;
  let inside: NDArray | undefined;
  arrays.forEach((a, k) => {
    const n = sizes[k]!;
    let i = broadcastToShape(indexArray(a), indexShape, "get");
    if (a.traced) i = bind1(select, [bind1(lt, [i, constantLike(i, 0)], {}), bind1(add, [i, constantLike(i, n)], {}), i], {});
    if (arrays.length > 1) {
      if (write) {
        const ok = bind1(and, [bind1(ge, [i, constantLike(i, 0)], {}), bind1(lt, [i, constantLike(i, n)], {})], {});
        inside = inside ? bind1(and, [inside, ok], {}) : ok;
      } else i = bind1(max, [bind1(min, [i, constantLike(i, n - 1)], {}), constantLike(i, 0)], {});
    }
    const term = strides[k] === 1 ? i : bind1(mul, [i, constantLike(i, strides[k]!)], {});
    flat = flat ? bind1(add, [flat, term], {}) : term;
  });
  return inside ? bind1(select, [inside, flat!, constantLike(flat!, -1)], {}) : flat!;
}

/** How the block's axes stand for the gather: the indexed ones first. */
function arrangement(plan: IndexPlan, block: Shape) {
  const kept = keptAxes(plan);
  const present = range(block.length).filter((d) => !plan.dropped.includes(d));
  const order = [...plan.arrays.map((a) => a.axis), ...kept].map((d) => present.indexOf(d));
  const sizes = plan.arrays.map((a) => block[a.axis]!);
  const rest = kept.map((d) => block[d]!);
  // [index axes, kept axes] against the result's order.
  const J = plan.indexShape.length;
  const toLayout = plan.layout.flatMap((a) => (a === "index" ? range(J) : a === "new" ? [] : [(plan.arrays.length ? J : 0) + kept.indexOf(a)]));
  return { present, order, sizes, rest, toLayout };
}

const inverse = (permutation: readonly number[]): number[] => range(permutation.length).map((d) => permutation.indexOf(d));

/**
 * Reading or writing by a plan as one compiled program where nothing is traced. Where blocks begin is then an operand, as the index arrays are: a
 * loop over `x.get(i)` compiles once.
 */
function byPlan(fn: string, operands: readonly NDArray[], plan: IndexPlan, f: (operands: readonly NDArray[], plan: IndexPlan, starts: readonly NDArray[]) => NDArray): NDArray {
  const x = operands[0]!;
  if (currentTrace() !== eagerTrace || !(x instanceof ConcreteArray)) return f(operands, plan, []);
  const moves = !isWhole(plan, x.shape) && plan.slices.every((s) => s.step === 1 && s.count > 0);
  const starts = moves ? plan.slices.map((s) => scalar(s.start, "int32", true, x.backend)) : [];
  const settings = [moves, plan.slices.map((s) => (moves ? s.count : `${s.start} ${s.count} ${s.step}`)).join(), plan.dropped.join(), plan.layout.join(), plan.indexShape.join(), plan.arrays.map((a) => a.axis).join()];
  return asOne(fn, [...operands, ...starts, ...plan.arrays.map(indexArray)], settings, (...given) => {
    const [n, m] = [operands.length, operands.length + starts.length];
    const xs = given as NDArray[];
    return f(xs.slice(0, n), { ...plan, arrays: plan.arrays.map(({ axis, shape }, k) => ({ axis, shape, traced: xs[m + k]! })) }, xs.slice(n, m));
  });
}

function read(x: NDArray, plan: IndexPlan, starts: readonly NDArray[]): NDArray {
  const block = takeBlock(x, plan.slices, starts);
  const { present, order, sizes, rest, toLayout } = arrangement(plan, block.shape);
  let y = reshapeTo(block, present.map((d) => block.shape[d]!));
  if (plan.arrays.length) {
    const table = reshapeTo(transposeTo(y, order), [sizeOf(sizes), ...rest]);
    y = bind1(gather, [table, flatIndex(plan, sizes, false)], { batchDims: 0, mode: "clip" });
  }
  return reshapeTo(transposeTo(y, toLayout), selectedShape(plan));
}

/**
 * `x[index]` by NumPy's rules; `x.get(...)` is its method.
 *
 * Integers (negative ones count from the end) drop an axis, slices (`"1:5:2"`, `"::-1"`, `{start, stop, step}`) keep it, `"..."` stands
 * for all axes not named, `null` makes a new one. Arrays of integers are broadcast together and gathered; their axes stand where the
 * arrays stood, or in front when a slice, `null` or `"..."` separates them. A boolean array stands for the positions of its true
 * elements and must be known now. A scalar int32 array is an index known only at run time.
 *
 * Integers and lists out of range throw; values out of range in integer NDArrays, which may be traced, move to the nearest edge, as in
 * JAX.
 * @throws IndexError for too many indices, an integer out of range, index arrays that do not broadcast, masks of wrong shape.
 * @throws ConcretizationError for a traced boolean mask.
 * Source: NumPy user guide, "Indexing on ndarrays"; JAX "Out-of-bounds indexing".
 * @example x.get(0, "::-1"); x.get("...", [0, 2]); x.get(x.gt(0));
 */
export function getItem(x: NDArray, index: readonly IndexItem[]): NDArray {
  x.requireAlive("get");
  return byPlan("get", [x], planIndex(x.shape, index, "get"), ([y], plan, starts) => read(y!, plan, starts));
}

const combine: Record<Exclude<ScatterOp, "set">, AnyPrimitive> = { add, mul, max, min };

function write(x: NDArray, plan: IndexPlan, values: NDArray, op: ScatterOp, starts: readonly NDArray[]): NDArray {
  const shape = selectedShape(plan);
  const update = fitValues(values, shape, op);
  const block = takeBlock(x, plan.slices, starts);
  const { present, order, sizes, rest, toLayout } = arrangement(plan, block.shape);
  // Undo the result's order: drop the new axes, then bring the index axes to the front.
  const J = plan.indexShape.length;
  const canonical = [...(plan.arrays.length ? plan.indexShape : []), ...rest];
  let u = transposeTo(reshapeTo(update, toLayout.map((d) => canonical[d]!)), inverse(toLayout));
  const blockShape = present.map((d) => block.shape[d]!);
  if (plan.arrays.length) {
    const arranged = transposeTo(reshapeTo(block, blockShape), order);
    const table = reshapeTo(arranged, [sizeOf(sizes), ...rest]);
    const y = bind1(scatter, [table, flatIndex(plan, sizes, true), u], { batchDims: 0, mode: "fill", op, uniqueIndices: J === 0 });
    u = transposeTo(reshapeTo(y, arranged.shape), inverse(order));
  } else if (op !== "set") u = bind1(combine[op], [reshapeTo(block, blockShape), u], {});
  const whole = reshapeTo(u, block.shape);
  return isWhole(plan, x.shape) ? whole : putBlock(x, whole, plan.slices, starts);
}

/** Values broadcast to the selected shape; leading axes of size 1 fall away, as in NumPy's assignment. */
function fitValues(values: NDArray, shape: Shape, op: string): NDArray {
  let v = values;
  while (v.ndim > shape.length && v.shape[0] === 1) v = reshapeTo(v, v.shape.slice(1));
  const fits = v.ndim <= shape.length && v.shape.every((n, d) => n === 1 || n === shape[d + shape.length - v.ndim]);
  if (!fits) throw new ShapeError({ fn: `at(...).${op}`, arg: "values", expected: `values that broadcast to ${formatShape(shape)}, the shape of what the index selects`, got: formatShape(values.shape), fix: "reshape the values" });
  return broadcastToShape(v, shape, "at");
}

/** A mask as only index needs no positions where the values are broadcast from one scalar: then it may be traced. */
function tracedMask(x: NDArray, index: readonly IndexItem[]): NDArray | undefined {
  const [mask] = index;
  if (index.length !== 1 || !(mask instanceof NDArray) || mask.dtype !== "bool" || knownElements(mask)) return undefined;
  return mask.ndim > 0 && mask.ndim <= x.ndim && mask.shape.every((n, d) => n === x.shape[d]) ? broadcastTo(mask, x.shape, range(mask.ndim)) : undefined;
}

/**
 * Functional updates: `x.at(...index).set(v)` is a new array with `x[index] = v` done to it; `add`, `sub`, `mul`, `div`, `max`, `min`
 * combine with the old elements, once for every occurrence of an index. `get()` is `getItem`.
 *
 * Values are broadcast to the selected shape; the result has the dtype of `x`. Where `set` meets an index twice, the last value stays.
 * Values out of range in integer NDArrays are dropped, as in JAX. A traced boolean mask is allowed as the only index with scalar values.
 * @throws IndexError as `getItem`; ShapeError for values that do not fit.
 * @example np.zeros([3]).at([0, 0, 2]).add(1) // [2, 0, 1]
 */
export function at(x: NDArray, index: readonly IndexItem[]): AtUpdate {
  x.requireAlive("at");
  const update = (values: ArrayLike, op: ScatterOp, before?: (v: NDArray) => NDArray): NDArray => {
    const given = beside(x, () => asArray(values, `at(...).${op}`, "values"));
    // As in JAX: combined in the promoted dtype, then brought back to that of the array.
    const target = op === "set" || given.weak ? x : promoteTypes(x.aval, given.aval);
    const type = op !== "set" && given.weak && typeof values === "number" && !Number.isInteger(values) && (x.dtype === "int32" || x.dtype === "uint32") ? { dtype: given.dtype, weak: false } : target;
    const base = convertTo(x, type.dtype, type.weak);
    let v = convertTo(given, type.dtype, type.weak);
    if (before) v = before(v);
    const mask = v.size === 1 ? tracedMask(x, index) : undefined;
    if (mask) {
      const full = broadcastToShape(reshapeTo(v, []), base.shape, "at");
      const changed = op === "set" ? full : bind1(combine[op], [base, full], {});
      return convertTo(bind1(select, [mask, changed, base], {}), x.dtype, x.weak);
    }
    return convertTo(byPlan(`at ${op}`, [base, v], planIndex(x.shape, index, "at"), ([y, u], plan, starts) => write(y!, plan, u!, op, starts)), x.dtype, x.weak);
  };
  return {
    get: () => getItem(x, index),
    set: (values) => update(values, "set"),
    add: (values) => update(values, "add"),
    sub: (values) => update(values, "add", (v) => bind1(neg, [v], {})),
    mul: (values) => update(values, "mul"),
    div: (values) => {
      const divisors = at(broadcastTo(scalar(1, promoteTypes(x.aval, beside(x, () => asArray(values, "at(...).div", "values")).aval).dtype, true, backendOf(x)), x.shape, []), index).mul(values);
      const base = convertTo(x, divisors.dtype);
      return convertTo(bind1(div, [base, divisors], {}), x.dtype, x.weak);
    },
    max: (values) => update(values, "max"),
    min: (values) => update(values, "min"),
  };
}
