/**
 * The part of the WebGPU API that this backend uses, as structural types: any implementation fits (a browser's `navigator.gpu`, Dawn in
 * Node), and users of the package need no type declarations of WebGPU. Names and meaning: https://www.w3.org/TR/webgpu/.
 */
export interface Gpu {
  requestAdapter(options?: { powerPreference?: "low-power" | "high-performance" }): Promise<GpuAdapter | null>;
}

export interface GpuLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

export interface GpuAdapter {
  readonly limits: GpuLimits;
  readonly info?: { readonly vendor: string; readonly architecture: string; readonly description: string };
  requestDevice(descriptor?: { label?: string; requiredLimits?: Record<string, number> }): Promise<GpuDevice>;
}

export interface GpuBuffer {
  readonly size: number;
  mapAsync(mode: number): Promise<unknown>;
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): unknown;
  destroy(): unknown;
}

export interface GpuBindGroupLayout { readonly label: string }
export interface GpuBindGroup { readonly label: string }
export interface GpuShaderModule { readonly label: string }
export interface GpuCommandBuffer { readonly label: string }

export interface GpuComputePipeline {
  getBindGroupLayout(index: number): GpuBindGroupLayout;
}

export interface GpuComputePass {
  setPipeline(pipeline: GpuComputePipeline): unknown;
  setBindGroup(index: number, group: GpuBindGroup): unknown;
  dispatchWorkgroups(x: number, y?: number, z?: number): unknown;
  end(): unknown;
}

export interface GpuCommandEncoder {
  beginComputePass(): GpuComputePass;
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, size: number): unknown;
  finish(): GpuCommandBuffer;
}

export type GpuErrorFilter = "validation" | "out-of-memory" | "internal";
export interface GpuError { readonly message: string }

export interface GpuDevice {
  readonly limits: GpuLimits;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly queue: {
    onSubmittedWorkDone?(): Promise<unknown>;
    submit(commands: GpuCommandBuffer[]): unknown;
    writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBufferView<ArrayBuffer>): unknown;
  };
  createBuffer(descriptor: { label?: string; size: number; usage: number }): GpuBuffer;
  createShaderModule(descriptor: { label?: string; code: string }): GpuShaderModule;
  createComputePipeline(descriptor: { label?: string; layout: "auto"; compute: { module: GpuShaderModule; entryPoint: string } }): GpuComputePipeline;
  createBindGroup(descriptor: { layout: GpuBindGroupLayout; entries: { binding: number; resource: { buffer: GpuBuffer; offset?: number; size?: number } }[] }): GpuBindGroup;
  createCommandEncoder(): GpuCommandEncoder;
  pushErrorScope(filter: GpuErrorFilter): unknown;
  popErrorScope(): Promise<GpuError | null>;
  addEventListener?(type: "uncapturederror", listener: (event: { readonly error: GpuError }) => void): unknown;
  destroy(): unknown;
}

/** Values of GPUBufferUsage and GPUMapMode; the globals of these names exist only where a WebGPU implementation put them. */
export const usage = { mapRead: 0x1, copySrc: 0x4, copyDst: 0x8, storage: 0x80 } as const;
export const mapModeRead = 0x1;
