import type { DType, TypedArray } from "../../base/dtype.js";
import { BackendError } from "../../base/errors.js";
import type { Schedule } from "../../kernel/schedule.js";
import type { Backend, BackendMemory, Executable, KernelLimits, Storage } from "../backend.js";
import { GpuExecutable, type Host, type Pipeline } from "./executable.js";
import { type GpuBuffer, type GpuDevice, mapModeRead, usage } from "./gpu.js";
import { allAnswered, deviceError, Health, watch } from "./health.js";
import { byteLength, planSchedule } from "./plan.js";
import { BufferPool } from "./pool.js";
import { GpuStorage, type Holding, type Owner } from "./storage.js";
import { noFloat64 } from "./unsupported.js";

const maxPipelines = 512;

/** 32-bit words as the device keeps them. */
const toWords = (dtype: DType, data: TypedArray): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> =>
  dtype === "bool" ? Uint32Array.from(data, (v) => (v ? 1 : 0)) : dtype === "float32" ? new Float32Array(data) : dtype === "int32" ? new Int32Array(data) : new Uint32Array(data);

function fromWords(dtype: DType, words: ArrayBuffer): TypedArray {
  if (dtype === "bool") return Uint8Array.from(new Uint32Array(words));
  return dtype === "float32" ? new Float32Array(words) : dtype === "int32" ? new Int32Array(words) : new Uint32Array(words);
}

/**
 * WebGPU as a device: work is queued and `read` waits for it. Float arithmetic is that of WGSL: subnormal numbers may become zero, and a
 * driver may treat infinities and NaN as it likes, though functions, `max`, `argmax` and `x != x` look at their bits and keep them.
 */
export class WebGPUBackend implements Backend, Host, Owner {
  readonly name = "webgpu";
  readonly dtypes: ReadonlySet<DType> = new Set<DType>(["bool", "int32", "uint32", "float32"]);
  readonly kernelLimits: KernelLimits;
  readonly pool: BufferPool;
  #pipelines = new Map<string, Pipeline>();
  #live = 0;
  #liveBytes = 0;
  #peakBytes = 0;
  #runs = 0;
  #lost: BackendError | undefined;
  /** An error that no scope caught; told to the next reader. */
  #stray: BackendError | undefined;
  #forgotten = new FinalizationRegistry<Holding>((holding) => this.#giveBack(holding));

  /** @param owners what must live as long as the device: Dawn frees its instance, under the device's feet, when nothing refers to it. */
  constructor(readonly device: GpuDevice, readonly description: string, readonly owners: readonly unknown[] = []) {
    // Long reductions bind one more for their parts.
    this.kernelLimits = { maxBuffers: device.limits.maxStorageBuffersPerShaderStage - 1, plainProducts: true };
    this.pool = new BufferPool(device);
    void device.lost.then((info) => { this.#lost = deviceError("webgpu", `a lost device (${info.reason}): ${info.message}`, "call initWebGPU() again and make the arrays anew"); });
    device.addEventListener?.("uncapturederror", (event) => { this.#stray = deviceError("webgpu", event.error.message, "this is a defect in Hessia: please report it with this message"); });
  }

  /** @throws BackendError once the device is lost. */
  requireDevice(): GpuDevice {
    if (this.#lost) throw this.#lost;
    return this.device;
  }

  write(dtype: DType, data: TypedArray): GpuStorage {
    if (dtype === "float64") throw noFloat64("devicePut");
    const device = this.requireDevice();
    const { result, error } = watch(device, "devicePut", () => {
      const buffer = this.pool.acquire(byteLength(data.length));
      if (data.length > 0) device.queue.writeBuffer(buffer, 0, toWords(dtype, data));
      return buffer;
    });
    return this.adopt(dtype, data.length, result, new Health(error, []));
  }

  async read(storage: Storage): Promise<TypedArray> {
    const own = this.own(storage, "read");
    const device = this.requireDevice();
    const source = own.buffer("read");
    const bytes = byteLength(own.size);
    // The copy is queued at once: what happens to the array after this call does not touch it.
    const { result: staging, error } = watch(device, "read", () => {
      const buffer = device.createBuffer({ size: bytes, usage: usage.mapRead | usage.copyDst });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, buffer, 0, bytes);
      device.queue.submit([encoder.finish()]);
      return buffer;
    });
    try {
      // Waiting for the map first keeps a software device, which works only when asked, going.
      const mapped = staging.mapAsync(mapModeRead).then(() => undefined, (e: unknown) => deviceError("read", e instanceof Error ? e.message : String(e), "see the message; after a lost device call initWebGPU() again"));
      const failure = await mapped;
      const health = new Health(error, [own.health]);
      await health.settled;
      const problem = health.error ?? this.#lost ?? failure ?? this.#stray;
      if (problem) {
        if (problem === this.#stray) this.#stray = undefined;
        throw problem;
      }
      return fromWords(own.dtype, staging.getMappedRange(0, bytes).slice(0, 4 * own.size));
    } finally {
      staging.destroy();
    }
  }

  compile(schedule: Schedule): Executable {
    return new GpuExecutable(this, planSchedule(schedule));
  }

  memory(): BackendMemory {
    return { liveBytes: this.#liveBytes, liveStorages: this.#live, peakBytes: this.#peakBytes, runs: this.#runs };
  }

  readonly idle = async (): Promise<void> => {
    await this.device.queue.onSubmittedWorkDone?.();
    await allAnswered();
  };

  /** Ends the device; what is still queued is lost, and reading says so. */
  destroy(): void {
    this.#lost ??= deviceError("webgpu", "a destroyed device", "call initWebGPU() again and make the arrays anew");
    this.device.destroy();
  }

  countRun(): void { this.#runs++; }

  /** A storage over a buffer of the pool, which goes back when it is disposed of or collected. */
  adopt(dtype: DType, size: number, buffer: GpuBuffer, health: Health): GpuStorage {
    const holding: Holding = { buffer, bytes: buffer.size };
    const storage = new GpuStorage(this, dtype, size, holding, health);
    this.#forgotten.register(storage, holding, holding);
    this.#live++;
    this.#liveBytes += holding.bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return storage;
  }

  release(storage: GpuStorage): void {
    this.#forgotten.unregister(storage.holding);
    this.#giveBack(storage.holding);
  }

  #giveBack(holding: Holding): void {
    if (!holding.buffer) return;
    this.#live--;
    this.#liveBytes -= holding.bytes;
    this.pool.release(holding.buffer);
    holding.buffer = undefined;
  }

  /** @throws BackendError for a storage of another device. */
  own(storage: Storage, fn: string): GpuStorage {
    if (storage instanceof GpuStorage && storage.owner === this) return storage;
    throw new BackendError({ fn, expected: 'an array on this "webgpu" device', got: "one of another device, or of a device that was initialised anew", fix: 'move it with await devicePut(x, "webgpu")' });
  }

  /** The pipeline of a shader text; the least recently used of many are forgotten. */
  pipeline(name: string, code: string): Pipeline {
    const device = this.requireDevice();
    let entry = this.#pipelines.get(code);
    if (entry) this.#pipelines.delete(code);
    else {
      const { result, error } = watch(device, name, () => device.createComputePipeline({ label: name, layout: "auto", compute: { module: device.createShaderModule({ label: name, code }), entryPoint: "main" } }));
      entry = { pipeline: result, health: new Health(error, []) };
      const oldest = this.#pipelines.size >= maxPipelines ? this.#pipelines.keys().next().value : undefined;
      if (oldest !== undefined) this.#pipelines.delete(oldest);
    }
    this.#pipelines.set(code, entry);
    return entry;
  }

  get pipelines(): number { return this.#pipelines.size; }
}
