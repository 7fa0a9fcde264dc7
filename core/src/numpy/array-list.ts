import { type ArrayLike, NDArray } from "../array/ndarray.js";
import { ArgumentError } from "../base/errors.js";
import { asArray } from "./convert.js";
import { beside } from "./device.js";

/** Several arrays as one argument: a list of them, or an array that stands for its rows. */
export type ArrayList = NDArray | readonly ArrayLike[];

/** A list of arrays given as one: the rows of an array, or the items of a list. */
export function arrayList(arrays: ArrayList, fn: string): NDArray[] {
  if (arrays instanceof NDArray && arrays.ndim > 0 && arrays.shape[0] !== 0) return [...arrays];
  if (!Array.isArray(arrays) || arrays.length === 0)
    throw new ArgumentError({ fn, arg: "arrays", expected: "a list of at least one array", got: arrays instanceof NDArray ? (arrays.ndim === 0 ? "a scalar array" : "an array without rows") : Array.isArray(arrays) ? "an empty list" : typeof arrays, fix: `write ${fn}([a, b])` });
  const peer = arrays.find((a: ArrayLike) => a instanceof NDArray) as NDArray | undefined;
  return arrays.map((a: ArrayLike, i) => beside(peer, () => asArray(a, fn, `arrays[${i}]`)));
}
