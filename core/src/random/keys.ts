import { ConcreteArray, scalar } from "../array/concrete.js";
import { type ArrayLike, NDArray } from "../array/ndarray.js";
import { isInteger } from "../base/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../base/errors.js";
import { formatShape, requireShape, type Shape, sizeOf } from "../base/shape.js";
import { formatAval } from "../ir/aval.js";
import { asArray } from "../numpy/convert.js";
import { threefry2x32 } from "../primitives/random.js";
import { concatenate, iota, slice } from "../primitives/structural.js";
import { broadcastTo, reshapeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind, bind1 } from "../trace/trace.js";
import { compiled } from "./options.js";

/**
 * Random keys are plain uint32 arrays of shape [2], so they pass through every transform like other arrays. A key is used once: split
 * it for further draws. The generator is Threefry-2x32 (Salmon et al. 2011) and every bit is as in JAX with its default settings
 * (`jax_threefry_partitionable`), 64-bit types enabled.
 */
export type Key = NDArray;

const u32 = (v: number): NDArray => scalar(v >>> 0, "uint32", false);

/**
 * A key from a seed: the seed as a 64-bit integer in two's complement, high word first.
 * @throws ArgumentError for seeds that are no integers; DTypeError and ShapeError for arrays that are no integer scalars.
 * @example const key = random.key(0);
 */
export function key(seed: number | bigint | NDArray): Key {
  if (seed instanceof NDArray) {
    if (!isInteger(seed.dtype)) throw new DTypeError({ fn: "random.key", arg: "seed", expected: "an integer", got: seed.dtype, fix: 'convert with astype("uint32")' });
    if (seed.ndim !== 0) throw new ShapeError({ fn: "random.key", arg: "seed", expected: "a scalar", got: formatShape(seed.shape), fix: "use vmap(random.key) for several seeds" });
    return bind1(concatenate, [broadcastTo(u32(0), [1], []), reshapeTo(convertTo(seed, "uint32"), [1])], { axis: 0 });
  }
  const integer = typeof seed === "bigint" ? seed : Number.isSafeInteger(seed) ? BigInt(seed) : undefined;
  if (integer === undefined || integer >= 1n << 64n || integer < -(1n << 63n))
    throw new ArgumentError({ fn: "random.key", arg: "seed", expected: "an integer of 64 bits (exact as a number: up to 2^53)", got: String(seed), fix: "use a bigint for large seeds, or Math.floor" });
  const words = BigInt.asUintN(64, integer);
  return ConcreteArray.fromHost(Uint32Array.of(Number(words >> 32n), Number(words & 0xffffffffn)), { shape: [2], dtype: "uint32", weak: false });
}

/**
 * Checks that a value is one key.
 * @throws DTypeError, ShapeError
 */
export function requireKey(k: unknown, fn: string): Key {
  if (!(k instanceof NDArray)) throw new ArgumentError({ fn, arg: "key", expected: "a key", got: typeof k === "number" ? `the number ${k}` : typeof k, fix: "make one with random.key(seed)" });
  if (k.dtype !== "uint32") throw new DTypeError({ fn, arg: "key", expected: "a key, uint32[2]", got: formatAval(k.aval), fix: "make one with random.key(seed)" });
  if (k.ndim !== 1 || k.shape[0] !== 2) throw new ShapeError({ fn, arg: "key", expected: "one key, uint32[2]", got: formatAval(k.aval), fix: k.ndim === 2 ? "use vmap over several keys, or index one of them" : "make one with random.key(seed)" });
  return k;
}

/** The two words of a key as an array: the key itself here. */
export function keyData(k: Key): NDArray {
  return wrapKeyData(k);
}

/**
 * Words as keys: uint32[..., 2].
 * @throws DTypeError, ShapeError when they are not.
 */
export function wrapKeyData(words: ArrayLike): Key {
  const k = asArray(words, "random.wrapKeyData", "words");
  if (k.dtype !== "uint32") throw new DTypeError({ fn: "random.wrapKeyData", arg: "words", expected: "uint32", got: k.dtype, fix: "pass a Uint32Array, or convert with astype" });
  if (k.ndim === 0 || k.shape.at(-1) !== 2) throw new ShapeError({ fn: "random.wrapKeyData", arg: "words", expected: "a last axis of size 2", got: formatShape(k.shape), fix: "reshape to [..., 2]" });
  return k;
}

/** The same key, where drawing twice from it is meant. */
export const clone = (k: Key): Key => wrapKeyData(k);

/** Words of a key as scalars of the running trace. */
export const wordsOf = (k: Key): [NDArray, NDArray] => [0, 1].map((i) => reshapeTo(bind1(slice, [k], { start: [i], limit: [i + 1], strides: [1] }), [])) as [NDArray, NDArray];

/** Both words of the hash of counters 0..n-1 (n below 2^32: the high counter word is 0). */
export function hashCounters(k: Key, n: number): [NDArray, NDArray] {
  if (n > 2 ** 32) throw new ShapeError({ fn: "random", arg: "shape", expected: "at most 2^32 elements in one draw", got: String(n), fix: "split the key and draw in parts" });
  const [k0, k1] = wordsOf(k);
  const wide = (x: NDArray) => broadcastTo(x, [n], []);
  const counter = bind1(iota, [], { shape: [n], dtype: "uint32", axis: 0 });
  return bind(threefry2x32, [wide(k0), wide(k1), wide(u32(0)), counter], {}) as [NDArray, NDArray];
}

/** @internal Keys of shape [...shape, 2]. */
export function splitKey(k: Key, shape: Shape): NDArray {
  const n = sizeOf(shape);
  const [a, b] = hashCounters(k, n);
  return reshapeTo(bind1(concatenate, [reshapeTo(a, [n, 1]), reshapeTo(b, [n, 1])], { axis: 1 }), [...shape, 2]);
}
/** @internal `count` keys one by one. */
export function splitKeys(k: Key, count: number): Key[] {
  const keys = splitKey(k, [count]);
  return Array.from({ length: count }, (_, i) => reshapeTo(bind1(slice, [keys], { start: [i, 0], limit: [i + 1, 2], strides: [1, 1] }), [2]));
}
const splitJit = compiled("split", splitKey, [1]);

/**
 * New independent keys from one: shape [num, 2], or [...num, 2] for a list.
 * @example const [a, b] = random.split(key);
 */
export function split(k: Key, num: number | Shape = 2): NDArray {
  return splitJit(requireKey(k, "random.split"), requireShape(num, "random.split", "num"));
}

const foldInJit = compiled("foldIn", (k: Key, data: NDArray) => {
  const [k0, k1] = wordsOf(k);
  const [a, b] = bind(threefry2x32, [k0, k1, u32(0), data], {});
  return bind1(concatenate, [reshapeTo(a!, [1]), reshapeTo(b!, [1])], { axis: 0 });
}, []);

/**
 * A new key from a key and an integer of 32 bits, such as the number of a step.
 * @throws ArgumentError, DTypeError, ShapeError when `data` is no integer scalar.
 * @example const stepKey = random.foldIn(key, step);
 */
export function foldIn(k: Key, data: number | NDArray): Key {
  const fn = "random.foldIn";
  if (typeof data === "number") {
    if (!Number.isInteger(data) || data < -(2 ** 31) || data >= 2 ** 32) throw new ArgumentError({ fn, arg: "data", expected: "an integer of 32 bits", got: String(data), fix: "fold in twice for larger ones" });
    return foldInJit(requireKey(k, fn), u32(data));
  }
  if (!isInteger(data.dtype)) throw new DTypeError({ fn, arg: "data", expected: "an integer", got: data.dtype, fix: 'convert with astype("uint32")' });
  if (data.ndim !== 0) throw new ShapeError({ fn, arg: "data", expected: "a scalar", got: formatShape(data.shape), fix: "use vmap for several" });
  return foldInJit(requireKey(k, fn), convertTo(data, "uint32"));
}
