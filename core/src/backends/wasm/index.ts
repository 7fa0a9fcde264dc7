import { allDTypes } from "../../base/dtype.js";
import type { DType, TypedArray } from "../../base/dtype.js";
import type { Schedule } from "../../kernel/schedule.js";
import type { Backend, BackendMemory, Executable, Storage } from "../backend.js";
import { WasmExecutable } from "./executable.js";
import "./routines/index.js";
import { detectFeatures } from "./features.js";
import { Heap } from "./memory/heap.js";
import type { HeapOptions } from "./memory/heap.js";
import { asWasmStorage, storageOf } from "./memory/storage.js";
import { parseThreads, type ThreadCount, type ThreadOptions, Threads } from "./threads/threads.js";

export interface WasmOptions extends HeapOptions, ThreadOptions {
  readonly simd?: boolean;
  readonly relaxed?: boolean;
  /** Threads that share the work of large kernels; 1 by default. Workers are started when a program first needs them. */
  readonly threads?: ThreadCount;
}

/** Compiles each Schedule into one WebAssembly module; synchronous, on the CPU, with all dtypes. */
export class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly dtypes: ReadonlySet<DType> = new Set(allDTypes);
  readonly heap: Heap;
  readonly threads: Threads;
  private readonly features;
  private runs = 0;
  private readonly countRun = (): void => { this.runs++; };

  constructor(options: WasmOptions = {}) {
    const { threads = 1 } = options;
    this.heap = new Heap({ ...options, shared: options.shared ?? threads !== 1 });
    this.threads = new Threads(this.heap, options);
    if (threads !== 1) this.threads.set(parseThreads(threads, "WasmBackend", "threads"), false, "WasmBackend");
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
    return new WasmExecutable(this.heap, schedule, this.features, this.threads, this.countRun);
  }

  /** Arrays in the heap; small ones (up to 8 KiB) and those past the heap's budget are JavaScript's and not counted. */
  memory(): BackendMemory {
    return { liveBytes: this.heap.arrayBytes, liveStorages: this.heap.arrayCount, peakBytes: this.heap.peakBytes, runs: this.runs };
  }
}

let shared: WasmBackend | undefined;

/** The one WebAssembly backend of this page or process, made when first asked for. */
export const wasmBackend = (): WasmBackend => (shared ??= new WasmBackend(optionsOfEnvironment()));

/** In Node HESSIA_THREADS is "auto" or a number; HESSIA_SPLIT_NANOSECONDS lets test runs split small kernels too. */
function optionsOfEnvironment(): WasmOptions {
  if (typeof process === "undefined") return {};
  const { HESSIA_THREADS: asked = "", HESSIA_SPLIT_NANOSECONDS: least = "" } = process.env ?? {};
  return {
    ...(asked === "" ? {} : { threads: parseThreads(/^\d+$/.test(asked) ? Number(asked) : asked, "HESSIA_THREADS", "environment") }),
    ...(least === "" ? {} : { minimumWork: Number(least) }),
  };
}

/**
 * Sets how many threads share the work of large kernels on the CPU, this one included: `worker_threads` in Node, Web Workers in a page that
 * is cross-origin isolated. "auto" takes as many as there are processors, or 1 where threads cannot share memory. Compiled programs are
 * made anew when they are next used; arrays stay. For a given number of threads results are the same bits in every run.
 *
 * Node waits here for its workers to start (some 30 ms each); they do not keep the process alive. In a page they start while the program
 * runs on. The environment variable HESSIA_THREADS sets the number for a process; the default is 1.
 * @throws ArgumentError for what is neither "auto" nor a whole number from 1 to 64.
 * @throws BackendError where threads cannot share memory (the error names the headers that a page needs) or a worker cannot start; one
 * thread goes on working.
 * @example setThreads(1); threads(); // 1
 */
export function setThreads(n: number | "auto"): void {
  wasmBackend().threads.set(parseThreads(n, "setThreads", "n"), true);
}

/** How many threads share the work of large kernels on the CPU, this one included. @example threads() // 1 */
export const threads = (): number => wasmBackend().threads.count;
