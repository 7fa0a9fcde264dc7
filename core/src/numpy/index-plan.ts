import { ConcreteArray } from "../array/concrete.js";
import { type IndexItem, NDArray } from "../array/ndarray.js";
import { kindOf } from "../base/dtype.js";
import { ConcretizationError, IndexError } from "../base/errors.js";
import { broadcastShapes, contiguousStrides, formatShape, range, type Shape, sizeOf } from "../base/shape.js";
import { formatAval } from "../ir/aval.js";
import { eagerTrace } from "../trace/eager.js";
import { currentTrace, Tracer } from "../trace/trace.js";
import { convertTo } from "../primitives/types.js";
import { asArray, describe } from "./convert.js";

/** `count` elements of an axis from `start`, `step` apart; the step may be negative. */
export interface AxisSlice { readonly start: number; readonly count: number; readonly step: number }

/** An integer array index: known on the host (negative values wrapped already), or known only when the program runs. */
export interface ArrayIndex { readonly axis: number; readonly shape: Shape; readonly host?: Int32Array; readonly traced?: NDArray }

/** An index made explicit: what is cut from every axis, which axes are gathered, and the order of the result's axes. */
export interface IndexPlan {
  /** One entry an axis of the array; whole where an array index follows. */
  readonly slices: readonly AxisSlice[];
  /** Axes taken at one integer. */
  readonly dropped: readonly number[];
  readonly arrays: readonly ArrayIndex[];
  /** Broadcast shape of the array indices. */
  readonly indexShape: Shape;
  /** The result's axes: a source axis, a new one, or the place of the array indices' axes. */
  readonly layout: readonly (number | "new" | "index")[];
}

type SliceObject = { readonly start?: number | null; readonly stop?: number | null; readonly step?: number | null };
type Item =
  | { readonly kind: "slice"; readonly slice: SliceObject }
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "array"; readonly value: NDArray; readonly fromList: boolean }
  | { readonly kind: "mask"; readonly value: NDArray }
  | { readonly kind: "new" }
  | { readonly kind: "ellipsis" };

const sliceText = /^\s*([+-]?\d+)?\s*:\s*([+-]?\d+)?\s*(?::\s*([+-]?\d+)?\s*)?$/;
const bound = (text: string | undefined) => (text === undefined ? null : Number(text));

function notIndex(item: unknown, fn: string, fix = 'use an integer, a slice such as "1:5:2" or {start, stop, step}, "...", null, or an array of integers or booleans'): IndexError {
  return new IndexError({ fn, arg: "index", expected: "an integer, slice, ellipsis, null, or integer or boolean array", got: describe(item), fix });
}

function parseItem(item: IndexItem, fn: string): Item {
  if (item === null) return { kind: "new" };
  if (typeof item === "number") {
    if (!Number.isInteger(item)) throw notIndex(item, fn, "round the number: indices are integers");
    return { kind: "integer", value: item };
  }
  if (typeof item === "string") {
    if (item.trim() === "...") return { kind: "ellipsis" };
    const match = sliceText.exec(item);
    if (!match) throw new IndexError({ fn, arg: "index", expected: 'a slice "start:stop:step" or "..."', got: JSON.stringify(item), fix: 'write slices as in Python: "1:5", "::-1", ":"' });
    return { kind: "slice", slice: { start: bound(match[1]), stop: bound(match[2]), step: bound(match[3]) } };
  }
  if (item instanceof NDArray || Array.isArray(item) || ArrayBuffer.isView(item)) {
    const array = Array.isArray(item) && sizeOf(nestedShape(item)) === 0 ? ConcreteArray.fromHost(new Int32Array(0), { shape: nestedShape(item), dtype: "int32", weak: false }) : asArray(item as NDArray, fn, "index");
    if (array.dtype === "bool") return { kind: "mask", value: array };
    if (item instanceof NDArray && kindOf(array.dtype) === "float")
      throw new IndexError({ fn, arg: "index", expected: "an array of integers or booleans", got: formatAval(array.aval), fix: 'convert it with astype("int32"), or make it with { dtype: "int32" }' });
    return { kind: "array", value: array, fromList: !(item instanceof NDArray) };
  }
  if (typeof item === "object") return { kind: "slice", slice: item as SliceObject };
  throw notIndex(item, fn);
}

function nestedShape(x: unknown): number[] {
  const shape: number[] = [];
  for (let level: unknown = x; Array.isArray(level); level = level[0]) shape.push(level.length);
  return shape;
}

/** Python's `slice.indices`. */
export function resolveSlice(slice: SliceObject, n: number, fn: string): AxisSlice {
  const step = slice.step ?? 1;
  for (const v of [slice.start, slice.stop, slice.step])
    if (v !== null && v !== undefined && !Number.isInteger(v)) throw new IndexError({ fn, arg: "index", expected: "integer slice bounds", got: describe(v), fix: "for a start known only at run time use dynamicSlice" });
  if (step === 0) throw new IndexError({ fn, arg: "index", expected: "a slice step other than 0", got: "0", fix: "use a positive or negative step" });
  const clamp = (v: number, lo: number, hi: number) => Math.min(Math.max(v < 0 ? v + n : v, lo), hi);
  const [lo, hi] = step > 0 ? [0, n] : [-1, n - 1];
  const start = slice.start === null || slice.start === undefined ? (step > 0 ? 0 : n - 1) : clamp(slice.start, lo, hi);
  const stop = slice.stop === null || slice.stop === undefined ? (step > 0 ? n : -1) : clamp(slice.stop, lo, hi);
  return { start, count: Math.max(0, Math.ceil((stop - start) / step)), step };
}

/** The elements of an array that is known now: concrete, or a tracer over a concrete value. Undefined where only the run knows. */
export function knownElements(x: NDArray): ArrayLike<number> | undefined {
  if (x instanceof Tracer) {
    x.requireAlive("get");
    const value = x.concrete();
    return value && knownElements(value);
  }
  if (!(x instanceof ConcreteArray)) return undefined;
  return x.hostData ?? (x.backend.readSync ? x.peek() : undefined);
}

/** Positions of the true elements, one int32 list an axis. */
export function maskPositions(mask: NDArray, fn: string): Int32Array[] {
  const data = knownElements(mask);
  if (!data) {
    throw new ConcretizationError({
      fn,
      arg: "index",
      expected: "a boolean mask known now: its number of true elements is the result's size",
      got: formatAval(mask.aval) + (mask instanceof Tracer ? ` under ${mask.trace.name}` : ` on ${mask.device}`),
      fix: "use np.where(mask, a, b), which keeps the shape, or multiply by the mask",
    });
  }
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i]) count++;
  const strides = contiguousStrides(mask.shape);
  const out = mask.shape.map(() => new Int32Array(count));
  for (let i = 0, k = 0; i < data.length; i++) {
    if (!data[i]) continue;
    for (let d = 0; d < out.length; d++) out[d]![k] = Math.floor(i / strides[d]!) % mask.shape[d]!;
    k++;
  }
  return out;
}

function arrayIndex(item: { value: NDArray; fromList: boolean }, axis: number, n: number, fn: string): ArrayIndex {
  const { value, fromList } = item;
  if (n === 0 && value.size > 0) throw new IndexError({ fn, arg: "index", expected: `no index into axis ${axis}, which has size 0`, got: `${value.size} of them`, fix: "check the size first" });
  // Eagerly an array of indices is an operand like any other: only lists are looked through.
  const data = !fromList && currentTrace() === eagerTrace ? undefined : knownElements(value);
  if (!data) return { axis, shape: value.shape, traced: convertTo(value, "int32") };
  const host = new Int32Array(value.size);
  for (let i = 0; i < host.length; i++) {
    const v = data[i]!;
    if (fromList && (!Number.isInteger(v) || v < -n || v >= n)) throw outOfRange(v, axis, n, fn);
    host[i] = v < 0 ? v + n : v;
  }
  return { axis, shape: value.shape, host };
}

function outOfRange(v: number, axis: number, n: number, fn: string): IndexError {
  return new IndexError({ fn, arg: "index", expected: n === 0 ? `no index into axis ${axis}, which has size 0` : `an integer from ${-n} to ${n - 1} for axis ${axis} of size ${n}`, got: String(v), fix: "stay inside the array; slices may reach past its end" });
}

/** Reads an index against a shape, by NumPy's rules. */
export function planIndex(shape: Shape, index: readonly IndexItem[], fn: string): IndexPlan {
  const items = index.map((i) => parseItem(i, fn));
  const consumed = items.reduce((n, i) => n + (i.kind === "new" || i.kind === "ellipsis" ? 0 : i.kind === "mask" ? i.value.ndim : 1), 0);
  if (items.filter((i) => i.kind === "ellipsis").length > 1) throw new IndexError({ fn, arg: "index", expected: 'at most one "..."', got: "several", fix: 'write ":" for single axes' });
  if (consumed > shape.length) throw new IndexError({ fn, arg: "index", expected: `at most ${shape.length} indices for shape ${formatShape(shape)}`, got: String(consumed), fix: "remove indices, or add axes with null" });
  const free = shape.length - consumed;
  if (!items.some((i) => i.kind === "ellipsis")) items.push({ kind: "ellipsis" });

  const slices: AxisSlice[] = shape.map((n) => ({ start: 0, count: n, step: 1 }));
  const dropped: number[] = [];
  const arrays: ArrayIndex[] = [];
  const layout: (number | "new" | "index")[] = [];
  const hasArrays = items.some((i) => i.kind === "array" || i.kind === "mask");
  // Array indices (and integers beside them) that stand together put their axes there; separated ones put them in front.
  let place: number | undefined;
  let apart = false;
  let last = -1;
  const advanced = (position: number) => {
    if (place === undefined) place = layout.length;
    else if (position !== last + 1) apart = true;
    last = position;
  };
  let axis = 0;
  items.forEach((item, position) => {
    switch (item.kind) {
      case "new": layout.push("new"); break;
      case "ellipsis": for (let k = 0; k < free; k++) layout.push(axis++); break;
      case "slice":
        slices[axis] = resolveSlice(item.slice, shape[axis]!, fn);
        layout.push(axis++);
        break;
      case "integer": {
        const n = shape[axis]!;
        if (item.value < -n || item.value >= n) throw outOfRange(item.value, axis, n, fn);
        slices[axis] = { start: item.value < 0 ? item.value + n : item.value, count: 1, step: 1 };
        if (hasArrays) advanced(position);
        dropped.push(axis++);
        break;
      }
      case "array":
        advanced(position);
        arrays.push(arrayIndex(item, axis, shape[axis]!, fn));
        axis++;
        break;
      case "mask": {
        advanced(position);
        const { value } = item;
        if (value.ndim === 0) throw notIndex(value, fn, "use np.where for a scalar condition");
        value.shape.forEach((n, d) => {
          if (n !== shape[axis + d]) throw new IndexError({ fn, arg: "index", expected: `a mask of size ${shape[axis + d]} on axis ${axis + d}`, got: `shape ${formatShape(value.shape)}`, fix: "a mask has the sizes of the axes that it indexes" });
        });
        maskPositions(value, fn).forEach((host) => arrays.push({ axis: axis++, shape: [host.length], host }));
      }
    }
  });
  if (hasArrays) layout.splice(apart ? 0 : place!, 0, "index");
  return { slices, dropped, arrays, indexShape: indexShapeOf(arrays, fn), layout };
}

function indexShapeOf(arrays: readonly ArrayIndex[], fn: string): Shape {
  try {
    return broadcastShapes(arrays.map((a) => a.shape), fn);
  } catch (cause) {
    throw new IndexError({ fn, arg: "index", expected: "index arrays that broadcast together", got: arrays.map((a) => formatShape(a.shape)).join(" and "), fix: "for a grid of rows and columns use np.ix_" }, { cause });
  }
}

/** Shape of what a plan selects. */
export const selectedShape = (plan: IndexPlan): number[] => plan.layout.flatMap((a) => (a === "new" ? [1] : a === "index" ? [...plan.indexShape] : [plan.slices[a]!.count]));
/** Source axes that are neither gathered nor taken at an integer, in their order. */
export const keptAxes = (plan: IndexPlan): number[] => plan.layout.filter((a): a is number => typeof a === "number").sort((a, b) => a - b);
export const isWhole = (plan: IndexPlan, shape: Shape): boolean => range(shape.length).every((d) => plan.slices[d]!.count === shape[d] && plan.slices[d]!.step === 1);
