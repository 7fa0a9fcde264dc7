import type { DType, TypedArray } from "../../../base/dtype.js";
import { BackendError } from "../../../base/errors.js";
import { Allocator, roundUp } from "./allocator.js";
import type { Block } from "./allocator.js";
import { Owners } from "./owners.js";
import { ArrayPool } from "./array-pool.js";

const pageBytes = 65536;

export interface HeapOptions {
  /** Limit of the memory in pages of 64 KiB; 65535 (4 GiB less a page) by default, so that the length of a byte view is below 2^32. */
  readonly maximumPages?: number;
  /**
   * Bytes of results that the heap holds before further ones go to ordinary ArrayBuffers. Within one synchronous turn no
   * FinalizationRegistry callback runs, so without such a limit a loop that drops its results would fill the memory.
   */
  readonly budgetBytes?: number;
  /** Whether the memory is one that threads share from the beginning. */
  readonly shared?: boolean;
}

/** One view of the whole memory for each element type; replaced whenever the memory grows. */
export interface MemoryViews {
  readonly bool: Uint8Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
}

/** The one linear memory that all compiled programs share. */
export class Heap {
  memory: WebAssembly.Memory;
  shared: boolean;
  readonly maximumPages: number;
  readonly budgetBytes: number;
  private readonly allocator: Allocator;
  private readonly tables = new Map<string, number>();
  private readonly frames = new Map<number, number>();
  /** Programs with an instance on the memory. */
  readonly programs = new Set<{ main: unknown }>();
  private frame: Block | undefined;
  private frameBusy = false;
  views: MemoryViews;
  readonly owners = new Owners((block) => { this.releaseArray(block); });
  readonly arrayPool = new ArrayPool();
  /** Bytes and number of blocks that hold arrays. */
  arrayBytes = 0;
  arrayCount = 0;
  peakBytes = 0;

  constructor(options: HeapOptions = {}) {
    this.maximumPages = options.maximumPages ?? 65535;
    this.budgetBytes = options.budgetBytes ?? 256 * 2 ** 20;
    const initial = Math.min(16, this.maximumPages);
    this.shared = options.shared ?? false;
    this.memory = new WebAssembly.Memory({ initial, maximum: this.maximumPages, shared: this.shared });
    this.views = makeViews(this.memory.buffer);
    let unused = initial * pageBytes - 64;
    // Address 0 stays unused, so that no valid array has a null pointer.
    this.allocator = new Allocator(64, (bytes) => {
      const made = unused;
      unused = 0;
      return made >= bytes ? made : made + this.grow(bytes - made);
    });
  }

  private grow(bytes: number): number {
    const have = this.memory.buffer.byteLength / pageBytes;
    const need = Math.ceil(bytes / pageBytes);
    const comfortable = Math.min(Math.max(need, Math.ceil(have / 8)), this.maximumPages - have);
    for (const pages of [comfortable, need]) {
      if (pages < need) continue;
      try {
        this.memory.grow(pages);
        this.views = makeViews(this.memory.buffer);
        return pages * pageBytes;
      } catch {
        // Tried with less, then reported below.
      }
    }
    throw new BackendError({ fn: "wasm", arg: "memory", expected: `room for ${bytes} more bytes`, got: `${have * pageBytes} bytes in use of at most ${this.maximumPages * pageBytes}, and the memory cannot grow`, fix: "dispose arrays that are no longer needed, or work on smaller pieces" });
  }

  /**
   * Moves to a memory that threads can share, once: contents and addresses stay, views and instances of the old memory are void.
   * @throws BackendError when there is no room for a second one; everything is as before then.
   */
  share(): void {
    if (this.shared) return;
    const pages = this.memory.buffer.byteLength / pageBytes;
    let memory: WebAssembly.Memory;
    try {
      memory = new WebAssembly.Memory({ initial: pages, maximum: this.maximumPages, shared: true });
    } catch (cause) {
      throw new BackendError({ fn: "setThreads", arg: "n", expected: `room for a shared memory of ${pages * pageBytes} bytes`, got: String(cause), fix: "call setThreads before large arrays are made" }, { cause });
    }
    new Uint8Array(memory.buffer).set(this.views.bool);
    // The old memory goes when no instance holds it.
    for (const p of this.programs) p.main = undefined;
    this.memory = memory;
    this.views = makeViews(memory.buffer);
    this.shared = true;
  }

  allocate(bytes: number): Block {
    const block = this.allocator.allocate(bytes);
    if (this.allocator.used > this.peakBytes) this.peakBytes = this.allocator.used;
    return block;
  }

  release(block: Block): void {
    this.allocator.release(block);
  }

  /** A block that an array will own. */
  allocateArray(bytes: number): Block {
    const block = this.allocate(bytes);
    this.claimArray(block);
    return block;
  }

  /** Counts a block as an array's. */
  claimArray(block: Block): void {
    this.arrayBytes += block.size;
    this.arrayCount++;
  }

  /** The block belongs to no array any more, but stays allocated. */
  disclaimArray(block: Block): void {
    this.arrayBytes -= block.size;
    this.arrayCount--;
  }

  releaseArray(block: Block): void {
    if (block.free) return;
    this.arrayBytes -= block.size;
    this.arrayCount--;
    this.allocator.release(block);
  }

  /** Whether the heap may take an array of so many bytes without holding more than `limit`. */
  withinBudget(bytes: number, limit = this.budgetBytes): boolean {
    return this.arrayBytes + bytes <= limit;
  }

  get usedBytes(): number { return this.allocator.used; }

  view(dtype: DType, address: number, length: number): TypedArray {
    const whole = this.views[dtype];
    const start = address / whole.BYTES_PER_ELEMENT;
    return whole.subarray(start, start + length);
  }

  /** Address of constant bytes, written once and kept. */
  table(key: string, bytes: () => Uint8Array): number {
    let address = this.tables.get(key);
    if (address === undefined) {
      const data = bytes();
      address = this.allocate(data.length).address;
      this.views.bool.set(data, address);
      this.tables.set(key, address);
    }
    return address;
  }

  /** Announces a program whose frame (staged arrays and temporaries) takes so many bytes; all programs use one frame, since runs do not overlap. */
  reserveFrame(bytes: number): void {
    this.frames.set(bytes, (this.frames.get(bytes) ?? 0) + 1);
  }

  /** The program is gone: the frame may shrink. */
  unreserveFrame(bytes: number): void {
    const count = this.frames.get(bytes)! - 1;
    if (count > 0) this.frames.set(bytes, count);
    else {
      this.frames.delete(bytes);
      if (this.frame && !this.frameBusy && bytes * 2 > this.frame.size && this.frame.size > 2 ** 20) this.dropFrame();
    }
  }

  private dropFrame(): void {
    if (this.frame) this.release(this.frame);
    this.frame = undefined;
  }

  /**
   * Address of the frame, for the time of one run; `leaveFrame` ends it.
   * @throws BackendError when a run is under way: a routine's reference called back into the backend.
   */
  enterFrame(bytes: number): number {
    if (this.frameBusy)
      throw new BackendError({ fn: "wasm", expected: "one program at a time", got: "a run from inside a routine of another run", fix: "compute in a routine's reference with plain loops over its typed arrays, not with array functions" });
    if (this.frame === undefined || this.frame.size < bytes) {
      this.dropFrame();
      this.frame = this.allocate(roundUp(bytes));
    }
    this.frameBusy = true;
    return this.frame.address;
  }

  leaveFrame(): void {
    this.frameBusy = false;
  }

  /** Takes the frame out of use: a thread that is lost may write to it still. Who calls releases it when that thread is gone. */
  surrenderFrame(): Block | undefined {
    const { frame } = this;
    this.frame = undefined;
    return frame;
  }
}

function makeViews(buffer: ArrayBuffer): MemoryViews {
  return { bool: new Uint8Array(buffer), int32: new Int32Array(buffer), uint32: new Uint32Array(buffer), float32: new Float32Array(buffer), float64: new Float64Array(buffer) };
}
