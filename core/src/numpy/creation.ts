import { ConcreteArray, scalar } from "../array/concrete.js";
import { type ArrayLike, NDArray } from "../array/ndarray.js";
import type { Backend } from "../backends/backend.js";
import { defaultBackend, getBackend } from "../backends/registry.js";
import { asElement, type DType, defaultFloat, isFloat, newTypedArray, requireDType } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import { requireShape, type Shape, sizeOf } from "../base/shape.js";
import { add, mul } from "../primitives/binary.js";
import { iota } from "../primitives/structural.js";
import { broadcastTo, reshape } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { eagerTrace } from "../trace/eager.js";
import { bind1, currentTrace } from "../trace/trace.js";
import { asArray, asTyped, broadcastToShape, describe } from "./convert.js";
import { constantLike, noParams, positions } from "./elementwise.js";
import { optionalDType, requireInteger, requireOptions } from "./options.js";

export interface ArrayOptions {
  readonly dtype?: DType;
  /** Name of the device that gets the array. */
  readonly device?: string;
}
export interface LikeOptions extends ArrayOptions {
  readonly shape?: Shape;
}
const arrayNames = ["dtype", "device"] as const;

const deviceOf = (name: string | undefined): Backend => (name === undefined ? defaultBackend() : getBackend(name));

/**
 * An array from numbers, booleans, nested arrays of them, typed arrays or NDArrays. Numbers become the default float, booleans bool;
 * typed arrays keep their dtype and are copied.
 * @throws ShapeError for rows of different lengths; ArgumentError for values that are no numbers.
 * @example np.array([[1, 2], [3, 4]]); np.array([1, 2], { dtype: "int32" })
 */
export function array(x: ArrayLike, options?: ArrayOptions): NDArray {
  const { dtype, device } = requireOptions(options, "array", arrayNames);
  const made = asArray(x, "array");
  // np.array([1, 2]) and np.array(1) are as strong as each other: only bare JavaScript numbers adapt.
  const type = dtype === undefined ? made.dtype : requireDType(dtype, "array");
  if (made instanceof ConcreteArray && made.hostData && (made.weak || made.dtype !== type || device !== undefined)) {
    const from = made.hostData;
    const data = newTypedArray(type, from.length);
    const toInteger = !isFloat(type) && isFloat(made.dtype);
    for (let i = 0; i < from.length; i++) data[i] = type === "bool" ? Number(from[i] !== 0) : toInteger ? clampInteger(type, from[i]!) : from[i]!;
    return ConcreteArray.fromHost(data, { shape: made.shape, dtype: type, weak: false }, device === undefined && made.backend ? made.backend : deviceOf(device));
  }
  if (device !== undefined) throw new ArgumentError({ fn: "array", arg: "device", expected: "an array whose elements are on the host", got: describe(made), fix: "move it with devicePut" });
  return convertTo(made, type);
}

/** The rule of `astype`: towards zero, saturating, NaN to 0. */
function clampInteger(dtype: DType, v: number): number {
  const [lo, hi] = dtype === "int32" ? [-2147483648, 2147483647] : [0, 4294967295];
  return Number.isNaN(v) ? 0 : Math.min(hi, Math.max(lo, Math.trunc(v)));
}

/** As `array`; NDArrays of the right dtype are returned as they are. */
export function asarray(x: ArrayLike, options?: ArrayOptions): NDArray {
  if (x instanceof NDArray && !x.weak && options === undefined) return x;
  return array(x, options);
}

/** The array with another dtype: floats truncate towards zero and saturate into integers, NaN becomes 0. @example np.astype([1.7], "int32") // [1] */
export const astype = (x: ArrayLike, dtype: DType): NDArray => convertTo(asArray(x, "astype"), requireDType(dtype, "astype"));

/** The array with memory of its own, strongly typed: one of the two may be disposed or donated. Traced values are their own copies. */
export function copy(x: ArrayLike): NDArray {
  const a = asarray(x);
  return a === x && a instanceof ConcreteArray && currentTrace() === eagerTrace ? bind1(reshape, [a], { shape: a.shape }) : a;
}

/** One value everywhere: written at once when nothing is traced, else an equation that costs nothing. */
function filled(shape: Shape, value: number, dtype: DType, device: string | undefined): NDArray {
  if (device === undefined && currentTrace() !== eagerTrace) return broadcastTo(scalar(value, dtype, false), shape, []);
  const data = newTypedArray(dtype, sizeOf(shape));
  if (value !== 0 || Object.is(value, -0)) data.fill(asElement(dtype, value));
  return ConcreteArray.fromHost(data, { shape, dtype, weak: false }, deviceOf(device));
}

function filler(fn: string, value: number) {
  return (shape: number | Shape, options?: ArrayOptions): NDArray => {
    const { dtype, device } = requireOptions(options, fn, arrayNames);
    return filled(requireShape(shape, fn), value, optionalDType(dtype, fn) ?? defaultFloat(), device);
  };
}
/** Zeros of a shape, default float unless `dtype` says otherwise. @throws ShapeError for sizes that are no non-negative integers. @example np.zeros([2, 3]) */
export const zeros: (shape: number | Shape, options?: ArrayOptions) => NDArray = filler("zeros", 0);
/** Ones of a shape. @example np.ones([2], { dtype: "int32" }) */
export const ones: (shape: number | Shape, options?: ArrayOptions) => NDArray = filler("ones", 1);
/** An array without particular content: zeros, so that programs are deterministic. */
export const empty: (shape: number | Shape, options?: ArrayOptions) => NDArray = filler("empty", 0);

/** An array filled with a value, broadcast to the shape; its dtype is the value's unless given. @example np.full([2], 7) */
export function full(shape: number | Shape, value: ArrayLike, options?: ArrayOptions): NDArray {
  const { dtype, device } = requireOptions(options, "full", arrayNames);
  const sizes = requireShape(shape, "full");
  const type = optionalDType(dtype, "full");
  if (typeof value === "number" || typeof value === "boolean") return filled(sizes, Number(value), type ?? (typeof value === "boolean" ? "bool" : defaultFloat()), device);
  const x = asArray(value, "full", "value");
  return broadcastToShape(convertTo(x, type ?? x.dtype), sizes, "full");
}

function likeFiller(fn: string, value: number) {
  return (x: ArrayLike, options?: LikeOptions): NDArray => {
    const { dtype, device, shape } = requireOptions(options, fn, [...arrayNames, "shape"]);
    const like = asTyped(x, fn);
    return filled(shape === undefined ? like.shape : requireShape(shape, fn), value, optionalDType(dtype, fn) ?? like.dtype, device ?? (like instanceof ConcreteArray && currentTrace() === eagerTrace ? like.device : undefined));
  };
}
/** Zeros of the shape and dtype of x. */
export const zerosLike: (x: ArrayLike, options?: LikeOptions) => NDArray = likeFiller("zerosLike", 0);
/** Ones of the shape and dtype of x. */
export const onesLike: (x: ArrayLike, options?: LikeOptions) => NDArray = likeFiller("onesLike", 1);
/** Zeros of the shape and dtype of x. */
export const emptyLike: (x: ArrayLike, options?: LikeOptions) => NDArray = likeFiller("emptyLike", 0);
/** A value in the shape and dtype of x. */
export function fullLike(x: ArrayLike, value: ArrayLike, options?: LikeOptions): NDArray {
  const { dtype, device, shape } = requireOptions(options, "fullLike", [...arrayNames, "shape"]);
  const like = asTyped(x, "fullLike");
  return full(shape ?? like.shape, value, { dtype: dtype ?? like.dtype, ...(device === undefined ? {} : { device }) });
}

/**
 * `start, start + step, ...` below `stop`; with one argument from 0. int32 when all arguments are integers and so small that all values are
 * int32's.
 * @throws ArgumentError for a step of 0 and for arguments that are no numbers.
 * @example np.arange(3) // [0, 1, 2]; np.arange(0, 1, 0.25) // [0, 0.25, 0.5, 0.75]
 */
export function arange(start: number, stop?: number | null, step = 1, options?: ArrayOptions): NDArray {
  const { dtype, device } = requireOptions(options, "arange", arrayNames);
  const [first, last] = stop === undefined || stop === null ? [0, start] : [start, stop];
  for (const [v, name] of [[first, "start"], [last, "stop"], [step, "step"]] as const)
    if (typeof v !== "number" || !Number.isFinite(v)) throw new ArgumentError({ fn: "arange", arg: name, expected: "a finite number", got: describe(v), fix: "sizes must be known: pass JavaScript numbers" });
  if (step === 0) throw new ArgumentError({ fn: "arange", arg: "step", expected: "a step other than 0", got: "0", fix: "use np.full for equal values" });
  const integers = [first, last, step].every(Number.isInteger);
  const n = Math.max(0, Math.ceil((last - first) / step));
  const fits = n === 0 || [first, first + (n - 1) * step].every((v) => v >= -2147483648 && v <= 2147483647);
  const type = optionalDType(dtype, "arange") ?? (integers && fits ? "int32" : defaultFloat());
  // What is no integer at every step is rounded to one at the end.
  if (!isFloat(type) && !(integers && fits && type !== "bool")) return convertTo(ramp(n, first, step, defaultFloat(), device), type);
  return ramp(n, first, step, type, device);
}

/** `start + i step` for i < n. */
function ramp(n: number, start: number, step: number, dtype: DType, device: string | undefined): NDArray {
  if (device === undefined && currentTrace() !== eagerTrace) {
    const i = bind1(iota, [], { shape: [n], dtype, axis: 0 });
    const scaled = step === 1 ? i : bind1(mul, [i, constantLike(i, step)], noParams);
    return start === 0 ? scaled : bind1(add, [scaled, constantLike(i, start)], noParams);
  }
  const data = newTypedArray(dtype, n);
  for (let i = 0; i < n; i++) data[i] = start + i * step;
  return ConcreteArray.fromHost(data, { shape: [n], dtype, weak: false }, deviceOf(device));
}

/** The elements of an iterable of numbers, in a vector. */
export function fromiter(values: Iterable<number>, options?: ArrayOptions): NDArray {
  if (values === null || values === undefined || typeof values[Symbol.iterator] !== "function") throw new ArgumentError({ fn: "fromiter", arg: "values", expected: "an iterable of numbers", got: describe(values), fix: "pass an array or a generator" });
  return array([...values], options);
}

/** `f(i, j, ...)` of the index arrays of a shape. @example np.fromfunction((i, j) => np.add(i, j), [2, 2]) */
export function fromfunction(f: (...indices: NDArray[]) => ArrayLike, shape: Shape, options?: ArrayOptions): NDArray {
  const { dtype } = requireOptions(options, "fromfunction", arrayNames);
  const sizes = requireShape(shape, "fromfunction");
  return asArray(f(...sizes.map((_, d) => positions(sizes, d, optionalDType(dtype, "fromfunction") ?? defaultFloat()))), "fromfunction");
}

/** The elements of a buffer under a dtype (default float), copied. */
export function frombuffer(buffer: ArrayBufferLike | ArrayBufferView, options?: { readonly dtype?: DType; readonly count?: number; readonly offset?: number }): NDArray {
  const { dtype, count, offset = 0 } = requireOptions(options, "frombuffer", ["dtype", "count", "offset"]);
  const bytes = ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength) : buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer ? new Uint8Array(buffer) : undefined;
  if (!bytes) throw new ArgumentError({ fn: "frombuffer", arg: "buffer", expected: "an ArrayBuffer or a view of one", got: describe(buffer), fix: "read the file into an ArrayBuffer first" });
  const type = optionalDType(dtype, "frombuffer") ?? defaultFloat();
  const itemsize = newTypedArray(type, 1).byteLength;
  const n = count === undefined ? (bytes.byteLength - offset) / itemsize : requireInteger(count, "frombuffer", "count", 0);
  if (!Number.isInteger(n) || n < 0 || offset + n * itemsize > bytes.byteLength) throw new ArgumentError({ fn: "frombuffer", arg: "buffer", expected: `whole elements of ${itemsize} bytes from offset ${offset}`, got: `${bytes.byteLength} bytes`, fix: "check dtype, count and offset" });
  const data = newTypedArray(type, n);
  new Uint8Array(data.buffer).set(bytes.subarray(offset, offset + n * itemsize));
  if (type === "bool") for (let i = 0; i < n; i++) data[i] = asElement(type, data[i]!);
  return ConcreteArray.fromHost(data, { shape: [n], dtype: type, weak: false });
}
