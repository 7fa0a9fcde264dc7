import type { DType } from "../../base/dtype.js";
import { DisposedError } from "../../base/errors.js";
import type { Storage } from "../backend.js";
import type { GpuBuffer } from "./gpu.js";
import type { Health } from "./health.js";

/** What outlives a storage until its memory goes back: never refers to the storage. */
export interface Holding {
  buffer: GpuBuffer | undefined;
  readonly bytes: number;
}

/** Whoever takes a storage's memory back. */
export interface Owner {
  release(storage: GpuStorage): void;
}

/** Elements in a buffer of the device, and whether the work that makes them succeeded. */
export class GpuStorage implements Storage {
  constructor(readonly owner: Owner, readonly dtype: DType, readonly size: number, readonly holding: Holding, readonly health: Health) {}

  /** @throws DisposedError after `dispose()` or donation. */
  buffer(fn: string): GpuBuffer {
    if (!this.holding.buffer) throw new DisposedError({ fn, expected: "an array that is still there", got: "one that was disposed of or donated", fix: "keep it until after its last use" });
    return this.holding.buffer;
  }

  dispose(): void { this.owner.release(this); }
}
