import type { DType, TypedArray } from "../base/dtype.js";
import type { Schedule } from "../kernel/schedule.js";

/** Elements on a device. Garbage-collected; `dispose` gives the memory back at once. */
export interface Storage {
  readonly dtype: DType;
  readonly size: number;
  dispose(): void;
}

/** A compiled Schedule. */
export interface Executable {
  /**
   * Runs on storages in the order of `schedule.inputs` and returns new ones in the order of `schedule.outputs`.
   * Storages listed in `donated` (positions of inputs) belong to the executable afterwards: it may write results into them. A run that
   * throws disposes of those into which it may have written, and leaves the others alone.
   * Asynchronous devices return at once; reading waits.
   */
  run(inputs: readonly Storage[], donated?: readonly number[]): Storage[];
  dispose(): void;
  /** What `explain` shows. */
  readonly report: ExecutableReport;
}

export interface ExecutableReport {
  readonly codeBytes: number;
  readonly arenaBytes: number;
  readonly kernels: number;
  readonly routines: number;
  /** Threads that run the kernels which are worth splitting, and how many of these there are; absent on devices without threads of ours. */
  readonly threads?: number;
  readonly splitKernels?: number;
  readonly compileMilliseconds: number;
  /** The part of it that the engine or driver took to make machine code, where that is known. */
  readonly engineMilliseconds?: number;
  /** Generated code in readable form. */
  text(): string;
}

/** What a device wants of kernels when they are fused. */
export interface KernelLimits {
  /** Buffers that one kernel binds at most. */
  readonly maxBuffers?: number;
  /** Matrix products are known as such only where a kernel writes the sums and nothing else. */
  readonly plainProducts?: boolean;
}

/** A device that runs Schedules. Backends know nothing of primitives. */
export interface Backend {
  readonly name: string;
  readonly dtypes: ReadonlySet<DType>;
  /** What kernels should be like; absent where anything is good. */
  readonly kernelLimits?: KernelLimits;
  /** Storage for these elements, copied from `data`. @throws BackendError for a dtype the device lacks. */
  write(dtype: DType, data: TypedArray): Storage;
  /** The elements, copied. */
  read(storage: Storage): Promise<TypedArray>;
  /** The elements at once, where the device can: a view that is valid until the next call into the backend, or a copy. Absent on asynchronous devices. */
  readonly readSync?: (storage: Storage) => TypedArray;
  compile(schedule: Schedule): Executable;
  /** Resolves when all queued work is done. Absent where `run` returns finished results. */
  readonly idle?: () => Promise<void>;
  /** Bytes held and counters, for `memory()` and the tests of the memory bars. */
  memory(): BackendMemory;
}

export interface BackendMemory {
  /** Bytes and number of the arrays that the device holds. */
  readonly liveBytes: number;
  readonly liveStorages: number;
  /** The most bytes in use at once, whatever for. */
  readonly peakBytes: number;
  /** Entries into compiled code since start: one per run of an executable. */
  readonly runs: number;
}
