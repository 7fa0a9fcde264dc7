import { allDTypes } from "../../base/dtype.js";
import type { DType, TypedArray } from "../../base/dtype.js";
import type { Schedule } from "../../kernel/schedule.js";
import type { Backend, BackendMemory, Executable, Storage } from "../backend.js";
import { WasmExecutable } from "./executable.js";
import { detectFeatures } from "./features.js";
import { Heap } from "./heap.js";
import type { HeapOptions } from "./heap.js";
import { asWasmStorage, storageOf } from "./storage.js";

/** Compiles each Schedule into one WebAssembly module; synchronous, on the CPU, with all dtypes. */
export class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly dtypes: ReadonlySet<DType> = new Set(allDTypes);
  readonly heap: Heap;
  private readonly features;
  private runs = 0;
  private readonly countRun = (): void => { this.runs++; };

  constructor(options: HeapOptions & { readonly simd?: boolean; readonly relaxed?: boolean } = {}) {
    this.heap = new Heap(options);
    const found = detectFeatures();
    this.features = { simd: found.simd && options.simd !== false, relaxed: found.relaxed && options.relaxed !== false };
  }

  write(dtype: DType, data: TypedArray): Storage {
    // Any nonzero byte is true; programs count on 1.
    return storageOf(this.heap, dtype, dtype === "bool" ? (data as Uint8Array).map((x) => (x ? 1 : 0)) : data);
  }

  async read(storage: Storage): Promise<TypedArray> {
    return asWasmStorage(storage, this.heap, "read").view("read").slice();
  }

  readonly readSync = (storage: Storage): TypedArray => asWasmStorage(storage, this.heap, "read").view("read");

  compile(schedule: Schedule): Executable {
    return new WasmExecutable(this.heap, schedule, this.features, this.countRun);
  }

  /** Arrays in the heap; small ones (up to 8 KiB) and those past the heap's budget are JavaScript's and not counted. */
  memory(): BackendMemory {
    return { liveBytes: this.heap.arrayBytes, liveStorages: this.heap.arrayCount, peakBytes: this.heap.peakBytes, runs: this.runs };
  }
}

let shared: WasmBackend | undefined;

/** The one WebAssembly backend of this page or process, made when first asked for. */
export const wasmBackend = (): Backend => (shared ??= new WasmBackend());
