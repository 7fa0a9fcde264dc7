import type { DType, TypedArray } from "../../../base/dtype.js";
import { newTypedArray } from "../../../base/dtype.js";

/** V8 keeps arrays up to this size among its own objects, where a new one costs next to nothing; the others each take memory from the system. */
const cheapBytes = 64;

/**
 * Small arrays that were given back, for the next results of their size: a loop that disposes or donates makes no garbage then (at 8 KiB
 * the collection of an array costs several times as much as to fill it).
 */
export class ArrayPool {
  private readonly lists = new Map<DType, Map<number, TypedArray[]>>();
  bytes = 0;

  constructor(readonly capacityBytes = 2 ** 20) {}

  /** The caller must not use `array` any more. */
  give(dtype: DType, array: TypedArray): void {
    const { byteLength } = array;
    if (byteLength <= cheapBytes || byteLength * 16 > this.capacityBytes) return;
    // What a program used to make is not kept for ever: the next sizes start anew.
    if (this.bytes + byteLength > this.capacityBytes) this.clear();
    let sizes = this.lists.get(dtype);
    if (sizes === undefined) this.lists.set(dtype, (sizes = new Map<number, TypedArray[]>()));
    const list = sizes.get(array.length);
    if (list) list.push(array);
    else sizes.set(array.length, [array]);
    this.bytes += byteLength;
  }

  /** An array with any contents. */
  take(dtype: DType, length: number): TypedArray {
    const found = this.bytes > 0 ? this.lists.get(dtype)?.get(length)?.pop() : undefined;
    if (found === undefined) return newTypedArray(dtype, length);
    this.bytes -= found.byteLength;
    return found;
  }

  clear(): void {
    this.lists.clear();
    this.bytes = 0;
  }
}
