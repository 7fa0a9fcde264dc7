import { itemsize, newTypedArray } from "../../../base/dtype.js";
import type { DType, TypedArray } from "../../../base/dtype.js";
import { BackendError, DisposedError } from "../../../base/errors.js";
import type { Storage } from "../../backend.js";
import type { Block } from "./allocator.js";
import type { Heap } from "./heap.js";
import type { Owner } from "./owners.js";

/**
 * Arrays up to this size live in JavaScript and are copied into a program's frame for each run: to copy them costs less than to
 * register a finalizer (about 1 µs, most of it in the garbage collector) where nothing is disposed.
 */
export const smallBytes = 8192;

/** Elements in the heap (`block`) or in a JavaScript array (`data`); neither after `dispose`. */
export class WasmStorage implements Storage {
  constructor(
    readonly heap: Heap,
    readonly dtype: DType,
    readonly size: number,
    private owner: Owner | undefined,
    public data: TypedArray | undefined,
  ) {}

  private uses = 0;

  get block(): Block | undefined { return this.owner?.block; }

  dispose(): void {
    const { data } = this;
    if (data) {
      this.data = undefined;
      this.heap.arrayPool.give(this.dtype, data);
    } else {
      const block = this.disown();
      if (block) this.heap.releaseArray(block);
    }
  }

  /** Gives the block to the caller. */
  surrender(): void {
    const block = this.disown();
    if (block) this.heap.disclaimArray(block);
  }

  private disown(): Block | undefined {
    const { owner } = this;
    this.owner = undefined;
    return owner && this.heap.owners.disown(owner);
  }

  /**
   * Counts a use of large elements that live in JavaScript, which has to copy them: those that are used again move into the heap where its
   * budget allows, and those that are used often, or donated, where twice the budget does. They are no garbage, which the budget is there for.
   */
  promote(donated: boolean): Block | undefined {
    const { heap, dtype, data } = this;
    const uses = donated ? 3 : ++this.uses;
    if (!data || uses < 2 || !heap.withinBudget(data.byteLength, (uses < 3 ? 1 : 2) * heap.budgetBytes)) return undefined;
    const block = heap.allocateArray(data.byteLength);
    heap.views[dtype].set(data, block.address / itemsize(dtype));
    this.owner = heap.owners.own(block);
    this.data = undefined;
    return block;
  }

  /** The elements: a view of the heap, valid until it grows, or the array itself. */
  view(fn: string): TypedArray {
    if (this.data) return this.data;
    const { block } = this;
    if (block) return this.heap.view(this.dtype, block.address, this.size);
    throw disposed(fn);
  }
}

export const disposed = (fn: string): DisposedError =>
  new DisposedError({ fn, expected: "an array that is still there", got: "one that was disposed or donated", fix: "do not use an array after dispose() or after donating it" });

/** A storage that owns this block from now on. */
export const adopt = (heap: Heap, dtype: DType, size: number, block: Block): WasmStorage => new WasmStorage(heap, dtype, size, heap.owners.own(block), undefined);

/** A storage with a copy of `source`: in the heap where it is large and the budget allows, else in JavaScript. */
export function storageOf(heap: Heap, dtype: DType, source: TypedArray): WasmStorage {
  const bytes = source.length * itemsize(dtype);
  if (source.length === 1) {
    const copy = newTypedArray(dtype, 1);
    copy[0] = source[0]!;
    return new WasmStorage(heap, dtype, 1, undefined, copy);
  }
  if (bytes <= smallBytes || !heap.withinBudget(bytes)) return new WasmStorage(heap, dtype, source.length, undefined, copyOf(heap, dtype, source));
  const block = heap.allocateArray(bytes);
  heap.views[dtype].set(source, block.address / itemsize(dtype));
  return adopt(heap, dtype, source.length, block);
}

function copyOf(heap: Heap, dtype: DType, source: TypedArray): TypedArray {
  const copy = heap.arrayPool.take(dtype, source.length);
  copy.set(source);
  return copy;
}

export function asWasmStorage(storage: Storage, heap: Heap, fn: string): WasmStorage {
  if (storage instanceof WasmStorage && storage.heap === heap) return storage;
  throw new BackendError({ fn, expected: 'a storage of the "wasm" backend', got: "a storage of another backend", fix: "move the array to this device first" });
}
