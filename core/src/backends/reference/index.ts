import { allDTypes, type DType, newTypedArray, type TypedArray } from "../../base/dtype.js";
import type { Schedule } from "../../kernel/schedule.js";
import type { Backend, BackendMemory, Executable, Storage } from "../backend.js";
import { runSteps } from "./run.js";

class HostStorage implements Storage {
  constructor(readonly dtype: DType, readonly data: TypedArray) {}
  get size(): number { return this.data.length; }
  dispose(): void { /* garbage-collected */ }
}

const dataOf = (s: Storage): TypedArray => (s as HostStorage).data;

/** Interprets Schedules in plain TypeScript: slow, accurate, always there. What other backends are compared with. */
class ReferenceBackend implements Backend {
  readonly name = "reference";
  readonly dtypes = new Set(allDTypes);
  #runs = 0;

  write(dtype: DType, data: TypedArray): Storage { return new HostStorage(dtype, data.slice()); }
  async read(storage: Storage): Promise<TypedArray> { return dataOf(storage).slice(); }
  readonly readSync = dataOf;
  memory(): BackendMemory { return { liveBytes: 0, liveStorages: 0, peakBytes: 0, runs: this.#runs }; }

  compile(schedule: Schedule): Executable {
    const count = (kind: string) => schedule.steps.filter((s) => s.kind === kind).length;
    return {
      run: (inputs) => {
        this.#runs++;
        const buffers = schedule.buffers.map((b) => newTypedArray(b.dtype, 0));
        schedule.inputs.forEach((id, i) => (buffers[id] = dataOf(inputs[i]!)));
        for (const c of schedule.constants) buffers[c.buffer] = c.data;
        const given = new Set([...schedule.inputs, ...schedule.constants.map((c) => c.buffer)]);
        schedule.buffers.forEach((b, id) => given.has(id) || (buffers[id] = newTypedArray(b.dtype, b.size)));
        runSteps(schedule.steps, buffers);
        return schedule.outputs.map((id) => new HostStorage(schedule.buffers[id]!.dtype, buffers[id]!));
      },
      dispose: () => undefined,
      report: { codeBytes: 0, arenaBytes: schedule.arena.bytes, kernels: count("kernel"), routines: count("routine"), compileMilliseconds: 0, text: () => "interpreted" },
    };
  }
}

export const referenceBackend: Backend = new ReferenceBackend();
