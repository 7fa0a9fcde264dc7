import { unsupported } from "./unsupported.js";
import { type GpuBuffer, type GpuDevice, usage } from "./gpu.js";

const maxIdleBytes = 256 * 2 ** 20;
const maxIdleBuffers = 512;

/** Sizes in steps of an eighth of a power of two: buffers of nearly one size serve one another. */
function sizeClass(bytes: number): number {
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(Math.max(bytes, 1))) - 3));
  return Math.ceil(bytes / step) * step;
}

/**
 * Storage buffers for reuse. The queue runs in order, so a buffer may go to its next owner as soon as the commands that use it are submitted.
 * Idle buffers are bounded in number and bytes, the longest idle going first.
 */
export class BufferPool {
  #idle = new Map<number, GpuBuffer[]>();
  #order: GpuBuffer[] = [];
  #idleBytes = 0;
  constructor(readonly device: GpuDevice) {}

  get idleBytes(): number { return this.#idleBytes; }

  /** @throws BackendError when the device has no buffers so large. */
  acquire(bytes: number): GpuBuffer {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const largest = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (bytes > largest) throw unsupported("allocate", `an array of ${bytes} bytes`, `use smaller arrays, or move them with await devicePut(x, "wasm")`, `at most ${largest} bytes`);
    const size = Math.min(sizeClass(bytes), maxBufferSize);
    const buffer = this.#idle.get(size)?.pop();
    if (!buffer) return this.device.createBuffer({ size, usage: usage.storage | usage.copySrc | usage.copyDst });
    this.#order.splice(this.#order.lastIndexOf(buffer), 1);
    this.#idleBytes -= size;
    return buffer;
  }

  release(buffer: GpuBuffer): void {
    const list = this.#idle.get(buffer.size) ?? [];
    list.push(buffer);
    this.#idle.set(buffer.size, list);
    this.#order.push(buffer);
    this.#idleBytes += buffer.size;
    while (this.#idleBytes > maxIdleBytes || this.#order.length > maxIdleBuffers) {
      const oldest = this.#order.shift()!;
      const same = this.#idle.get(oldest.size)!;
      same.splice(same.indexOf(oldest), 1);
      this.#idleBytes -= oldest.size;
      oldest.destroy();
    }
  }
}
