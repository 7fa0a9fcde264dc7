import { BackendError } from "../../base/errors.js";
import type { Backend } from "../backend.js";
import { registerBackend } from "../registry.js";
import type { WebGPUBackend } from "./backend.js";
import type { Gpu, GpuAdapter } from "./gpu.js";

export type { Gpu, GpuAdapter } from "./gpu.js";

export interface InitWebGPUOptions {
  /** An adapter chosen by the caller. */
  readonly adapter?: GpuAdapter | undefined;
  /** An implementation to ask instead of `navigator.gpu` or the `webgpu` package. */
  readonly gpu?: Gpu | undefined;
}

const missing = (got: string, fix: string, cause?: unknown): BackendError =>
  new BackendError({ fn: "initWebGPU", expected: "a WebGPU adapter", got, fix }, cause === undefined ? undefined : { cause });

/** The optional package is named at run time only: bundlers need not find it, and browsers never ask for it. */
async function gpuOfNode(): Promise<Gpu> {
  const name = "webgpu";
  try {
    const dawn = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as { create(flags: string[]): Gpu };
    return dawn.create([]);
  } catch (e) {
    throw missing(`no navigator.gpu, and no npm package "webgpu" (${e instanceof Error ? e.message : String(e)})`, "in Node run `npm install webgpu`; in a browser use one that has WebGPU, over https or on localhost", e);
  }
}

async function findGpu(): Promise<Gpu> {
  const here = (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu;
  if (here) return here;
  if (typeof process !== "undefined" && process.versions?.node) return gpuOfNode();
  throw missing("no navigator.gpu", "use a browser that has WebGPU, over https or on localhost");
}

const limitsWanted = [
  "maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage", "maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
] as const;

/** As `initWebGPU`, with the device's own type. */
export async function openWebGPU(options: InitWebGPUOptions = {}): Promise<WebGPUBackend> {
  const gpu = options.adapter ? undefined : (options.gpu ?? (await findGpu()));
  const adapter = options.adapter ?? (await gpu?.requestAdapter({ powerPreference: "high-performance" }));
  if (!adapter) throw missing("none", "check that the machine has a graphics driver (Vulkan, Metal or Direct3D 12), or point VK_ICD_FILENAMES at a software one before the process starts");
  const requiredLimits = Object.fromEntries(limitsWanted.map((name) => [name, adapter.limits[name]]));
  let device;
  try {
    device = await adapter.requestDevice({ label: "hessia", requiredLimits });
  } catch (e) {
    throw missing(`an adapter that gives no device (${e instanceof Error ? e.message : String(e)})`, "ask for a fresh adapter: each gives one device", e);
  }
  const { info } = adapter;
  // Whoever computes on the processor loads none of it.
  const { WebGPUBackend } = await import("./backend.js");
  const backend = new WebGPUBackend(device, info ? [info.vendor, info.architecture, info.description].filter(Boolean).join(" ") : "", [gpu, adapter]);
  registerBackend(backend);
  return backend;
}

/**
 * Makes the device `"webgpu"` ready and registers it. In browsers it uses `navigator.gpu`; in Node the npm package `webgpu` (Dawn), which the
 * application installs. Calling it again makes a new device, for example after one was lost.
 *
 * The device has bool, int32, uint32 and float32; float64 throws. It runs elementwise expressions, reductions, matrix products and loops of fixed
 * length; what it lacks throws a `BackendError` that says so. Reading is asynchronous: `await x.read()`.
 * @throws BackendError when there is no WebGPU implementation, adapter or device.
 * @see https://www.w3.org/TR/webgpu/
 * @example
 * await initWebGPU();
 * const x = await devicePut(np.ones([2, 2], { dtype: "float32" }), "webgpu");
 * await np.matmul(x, x).read();
 */
export const initWebGPU = (options: InitWebGPUOptions = {}): Promise<Backend> => openWebGPU(options);
