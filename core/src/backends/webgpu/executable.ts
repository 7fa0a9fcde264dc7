import type { BufferId } from "../../kernel/expr.js";
import type { DType, TypedArray } from "../../base/dtype.js";
import type { Executable, ExecutableReport, Storage } from "../backend.js";
import { BackendError } from "../../base/errors.js";
import type { GpuBuffer, GpuComputePass, GpuComputePipeline, GpuDevice } from "./gpu.js";
import { Health, watch } from "./health.js";
import { byteLength, type Plan } from "./plan.js";
import type { BufferPool } from "./pool.js";
import type { GpuStorage } from "./storage.js";
import { unsupported } from "./unsupported.js";
import type { Shader } from "./wgsl/shader.js";

/** A compiled shader, and whether it did compile. */
export interface Pipeline {
  readonly pipeline: GpuComputePipeline;
  readonly health: Health;
}

/** What an executable needs of its backend. */
export interface Host {
  readonly device: GpuDevice;
  readonly pool: BufferPool;
  requireDevice(): GpuDevice;
  pipeline(name: string, code: string): Pipeline;
  write(dtype: DType, data: TypedArray): GpuStorage;
  own(storage: Storage, fn: string): GpuStorage;
  adopt(dtype: DType, size: number, buffer: GpuBuffer, health: Health): GpuStorage;
  countRun(): void;
}

/** A Plan with its pipelines and constants. One run is one submission. */
export class GpuExecutable implements Executable {
  readonly report: ExecutableReport;
  #pipelines = new Map<Shader, Pipeline>();
  #constants: { id: BufferId; storage: GpuStorage }[];

  constructor(readonly backend: Host, readonly plan: Plan) {
    const start = performance.now();
    const limit = backend.requireDevice().limits.maxStorageBuffersPerShaderStage;
    const texts = new Set<string>();
    let kernels = 0;
    for (const c of plan.commands) {
      if (c.kind === "copy") continue;
      kernels++;
      const { shader } = c;
      if (this.#pipelines.has(shader)) continue;
      if (shader.bindings.length > limit)
        throw unsupported(shader.name, `a fused kernel over ${shader.bindings.length} arrays`, 'split the jitted function so that fewer arrays meet in one expression, or use the "wasm" device: await devicePut(x, "wasm")', `at most ${limit} arrays in one kernel`);
      this.#pipelines.set(shader, backend.pipeline(shader.name, shader.code));
      texts.add(`// ${shader.name}\n${shader.code}\n`);
    }
    this.#constants = plan.constants.map(({ buffer, data }) => ({ id: buffer, storage: backend.write(plan.buffers[buffer]!.dtype, data) }));
    this.report = {
      codeBytes: [...texts].reduce((n, t) => n + t.length, 0),
      arenaBytes: plan.slotBytes.reduce((n, b) => n + b, 0),
      kernels,
      routines: 0,
      compileMilliseconds: performance.now() - start,
      text: () => [...texts].join("\n"),
    };
  }

  run(inputs: readonly Storage[], donated: readonly number[] = []): Storage[] {
    const { backend, plan } = this;
    const device = backend.requireDevice();
    if (inputs.length !== plan.inputs.length)
      throw new BackendError({ fn: "run", arg: "inputs", expected: `${plan.inputs.length} arrays`, got: String(inputs.length), fix: "pass one for each input of the schedule" });
    const given = inputs.map((s) => backend.own(s, "run"));
    const at = new Map<BufferId, GpuBuffer>();
    given.forEach((s, i) => at.set(plan.inputs[i]!, s.buffer("run")));
    for (const c of this.#constants) at.set(c.id, c.storage.buffer("run"));
    const taken: GpuBuffer[] = [];
    const acquire = (bytes: number): GpuBuffer => {
      const buffer = backend.pool.acquire(bytes);
      taken.push(buffer);
      return buffer;
    };
    const watched = (() => {
      try {
        return watch(device, "run", () => {
          const results = plan.outputs.map((id) => {
            const buffer = acquire(byteLength(plan.buffers[id]!.size));
            at.set(id, buffer);
            return buffer;
          });
          const slots = plan.slotBytes.map(acquire);
          for (const [id, slot] of plan.slotOf) at.set(id, slots[slot]!);
          this.#submit(at);
          // The queue runs in order: whoever gets these next comes after this submission.
          slots.forEach((buffer) => backend.pool.release(buffer));
          return results;
        });
      } catch (e) {
        taken.forEach((buffer) => backend.pool.release(buffer));
        throw e;
      }
    })();
    backend.countRun();
    const health = new Health(watched.error, [...new Set([...given, ...this.#constants.map((c) => c.storage)].map((s) => s.health)), ...[...this.#pipelines.values()].map((p) => p.health)]);
    for (const i of new Set(donated)) given[i]!.dispose();
    return plan.outputs.map((id, i) => backend.adopt(plan.buffers[id]!.dtype, plan.buffers[id]!.size, watched.result[i]!, health));
  }

  #submit(at: ReadonlyMap<BufferId, GpuBuffer>): void {
    const { device } = this.backend;
    const { commands, buffers } = this.plan;
    const encoder = device.createCommandEncoder();
    let pass: GpuComputePass | undefined;
    for (const c of commands) {
      if (c.kind === "copy") {
        pass?.end();
        pass = undefined;
        if (c.count > 0) encoder.copyBufferToBuffer(at.get(c.from)!, 4 * c.fromAt, at.get(c.to)!, 4 * c.toAt, 4 * c.count);
        continue;
      }
      pass ??= encoder.beginComputePass();
      const { pipeline } = this.#pipelines.get(c.shader)!;
      pass.setPipeline(pipeline);
      const entries = c.shader.bindings.map(({ buffer }, binding) => ({ binding, resource: { buffer: at.get(buffer)!, offset: 0, size: byteLength(buffers[buffer]!.size) } }));
      pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(...c.shader.workgroups);
    }
    pass?.end();
    device.queue.submit([encoder.finish()]);
  }

  dispose(): void {
    for (const c of this.#constants) c.storage.dispose();
    this.#constants = [];
    this.#pipelines.clear();
  }
}
