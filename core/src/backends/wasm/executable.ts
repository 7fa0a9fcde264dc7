import { itemsize, newTypedArray } from "../../base/dtype.js";
import type { DType, TypedArray } from "../../base/dtype.js";
import { ArgumentError, BackendError } from "../../base/errors.js";
import { findRoutine } from "../../kernel/routine.js";
import type { RoutineArray } from "../../kernel/routine.js";
import type { Operand, Schedule } from "../../kernel/schedule.js";
import type { Executable, ExecutableReport, Storage } from "../backend.js";
import type { Block } from "./allocator.js";
import { planLayout } from "./codegen/layout.js";
import type { Port } from "./codegen/layout.js";
import { ScheduleEmitter } from "./codegen/module.js";
import type { CompiledModule, HostRoutine } from "./codegen/module.js";
import type { Features } from "./features.js";
import { hostFunction } from "./functions/library.js";
import type { Heap } from "./heap.js";
import { adopt, asWasmStorage, disposed, WasmStorage } from "./storage.js";

/** What a program holds of the heap. */
interface Holdings {
  readonly heap: Heap;
  readonly frameBytes: number;
  readonly constants: Block | undefined;
}

function giveBack({ heap, frameBytes, constants }: Holdings): void {
  heap.unreserveFrame(frameBytes);
  if (constants) heap.release(constants);
}

const finalizers = new FinalizationRegistry<Holdings>(giveBack);

interface TypedPort extends Port {
  readonly dtype: DType;
  readonly shift: number;
}

/** One instance of one module, bound to the heap. */
export class WasmExecutable implements Executable {
  readonly report: ExecutableReport;
  private readonly inputs: readonly TypedPort[];
  private readonly outputs: readonly TypedPort[];
  private readonly holdings: Holdings;
  private main: ((frame: number) => void) | undefined;

  constructor(private readonly heap: Heap, schedule: Schedule, features: Features, private readonly countRun: () => void) {
    const start = performance.now();
    let constants: Block | undefined;
    try {
      const layout = planLayout(schedule, (bytes) => (constants = heap.allocate(bytes)).address);
      for (const { buffer, data } of schedule.constants) {
        const place = layout.locations[buffer];
        const { dtype } = schedule.buffers[buffer]!;
        if (place?.kind === "absolute") heap.views[dtype].set(data, place.address / itemsize(dtype));
      }
      const { locations } = layout;
      const emitted = new ScheduleEmitter(schedule, {
        locations, maximumPages: heap.maximumPages, scratchOffset: layout.frameBytes, ...features,
        table: (key, bytes) => heap.table(key, bytes),
      }).emit();
      const code = emitted.module.finish();
      this.main = instantiate(heap, emitted, code);
      const typed = (p: Port): TypedPort => {
        const { dtype } = schedule.buffers[p.buffer]!;
        return { ...p, dtype, shift: Math.log2(itemsize(dtype)) };
      };
      this.inputs = layout.inputs.map(typed);
      this.outputs = layout.outputs.map(typed);
      this.holdings = { heap, frameBytes: layout.frameBytes + emitted.scratchBytes, constants };
      this.report = {
        codeBytes: code.length, arenaBytes: schedule.arena.bytes, kernels: emitted.kernels, routines: emitted.routines,
        compileMilliseconds: performance.now() - start,
        text: () => emitted.module.text(),
      };
    } catch (e) {
      if (constants) heap.release(constants);
      throw e;
    }
    heap.reserveFrame(this.holdings.frameBytes);
    finalizers.register(this, this.holdings, this);
  }

  run(inputs: readonly Storage[], donated?: readonly number[]): Storage[] {
    const { heap, main } = this;
    if (main === undefined) throw new ArgumentError({ fn: "run", arg: "executable", expected: "a program that was not disposed", got: "a disposed one", fix: "compile it again" });
    if (inputs.length !== this.inputs.length) throw new ArgumentError({ fn: "run", arg: "inputs", expected: `${this.inputs.length} storages`, got: String(inputs.length), fix: "pass one storage for each input" });
    const frame = heap.enterFrame(this.holdings.frameBytes);
    let staged: Block[] | undefined;
    let blocks: Block[] | undefined;
    try {
      for (let i = 0; i < inputs.length; i++) {
        const port = this.inputs[i]!;
        const storage = inputs[i]!;
        if (!(storage instanceof WasmStorage) || storage.heap !== heap || storage.size !== port.size || storage.dtype !== port.dtype) throw mismatch(storage, heap, port, i);
        const { data } = storage;
        if (port.staged) {
          if (data === undefined) throw disposed("run");
          copyIn(data, heap.views[port.dtype], (frame + port.offset) >>> port.shift);
        } else if (storage.block) heap.views.int32[(frame + port.offset) >>> 2] = storage.block.address;
        else {
          if (data === undefined) throw disposed("run");
          const block = heap.allocate(port.bytes);
          (staged ??= []).push(block);
          heap.views[port.dtype].set(data, block.address / itemsize(port.dtype));
          heap.views.int32[(frame + port.offset) >>> 2] = block.address;
        }
      }
      for (const port of this.outputs)
        if (!port.staged) {
          const block = heap.allocate(port.bytes);
          (blocks ??= []).push(block);
          heap.views.int32[(frame + port.offset) >>> 2] = block.address;
        }
      this.countRun();
      main(frame);
      if (donated) for (const i of donated) inputs[i]!.dispose();
      const results = blocks;
      blocks = undefined;
      return this.collect(frame, results);
    } catch (e) {
      if (blocks) for (const block of blocks) heap.release(block);
      throw e;
    } finally {
      if (staged) for (const block of staged) heap.release(block);
      heap.leaveFrame();
    }
  }

  private collect(frame: number, blocks: Block[] | undefined): Storage[] {
    const { heap, outputs } = this;
    const results = new Array<Storage>(outputs.length);
    let next = 0;
    for (let i = 0; i < outputs.length; i++) {
      const { dtype, size, bytes, offset, staged, shift } = outputs[i]!;
      if (staged) results[i] = new WasmStorage(heap, dtype, size, undefined, copyOut(heap.views[dtype], dtype, (frame + offset) >>> shift, size));
      else {
        const block = blocks![next++]!;
        if (heap.withinBudget(bytes)) {
          heap.claimArray(block);
          results[i] = adopt(heap, dtype, size, block);
        } else {
          results[i] = new WasmStorage(heap, dtype, size, undefined, heap.view(dtype, block.address, size).slice());
          heap.release(block);
        }
      }
    }
    return results;
  }

  dispose(): void {
    if (this.main === undefined) return;
    this.main = undefined;
    finalizers.unregister(this);
    giveBack(this.holdings);
  }
}

/** A loop beats the built-in copies up to about so many elements. */
const loopElements = 32;

function copyIn(data: TypedArray, to: TypedArray, at: number): void {
  const n = data.length;
  if (n > loopElements) to.set(data, at);
  else for (let i = 0; i < n; i++) to[at + i] = data[i]!;
}

function copyOut(from: TypedArray, dtype: DType, at: number, n: number): TypedArray {
  const out = newTypedArray(dtype, n);
  if (n > loopElements) out.set(from.subarray(at, at + n));
  else for (let i = 0; i < n; i++) out[i] = from[at + i]!;
  return out;
}

function mismatch(storage: Storage, heap: Heap, port: TypedPort, position: number): Error {
  const s = asWasmStorage(storage, heap, "run");
  return new ArgumentError({ fn: "run", arg: `inputs[${position}]`, expected: `${port.size} elements of ${port.dtype}`, got: `${s.size} of ${s.dtype}`, fix: "pass storages in the order and of the types of the schedule's inputs" });
}

function instantiate(heap: Heap, emitted: CompiledModule, code: Uint8Array<ArrayBuffer>): (frame: number) => void {
  const functions: Record<string, WebAssembly.ImportValue> = {};
  for (const name of emitted.functions.hostNames) functions[name] = hostFunction(name);
  const routines: Record<string, WebAssembly.ImportValue> = {};
  emitted.hostRoutines.forEach((r, i) => { routines[String(i)] = hostRoutine(heap, r); });
  let instance: WebAssembly.Instance;
  try {
    instance = new WebAssembly.Instance(new WebAssembly.Module(code), { host: { memory: heap.memory }, functions, routines });
  } catch (cause) {
    throw new BackendError({ fn: "compile", arg: "schedule", expected: "a program that the WebAssembly engine accepts", got: `${code.length} bytes of code that it refused (${String(cause)})`, fix: "split the jitted function into smaller ones" }, { cause });
  }
  return instance.exports["main"] as (frame: number) => void;
}

/** A routine's reference over views of the memory; the views are kept for the next call with the same addresses. */
function hostRoutine(heap: Heap, { name, params, inputs, outputs }: HostRoutine): (...addresses: number[]) => void {
  const { reference } = findRoutine(name)!;
  const operands = [...inputs, ...outputs];
  const held: (number | undefined)[] = operands.map(() => undefined);
  let arrays: RoutineArray[] = [];
  let views: unknown;
  const bind = (o: Operand, address: number): RoutineArray => ({ shape: o.shape, dtype: o.dtype, data: heap.view(o.dtype, address, o.shape.reduce((n, d) => n * d, 1)) });
  return (...addresses) => {
    if (views !== heap.views || addresses.some((a, i) => a !== held[i])) {
      arrays = operands.map((o, i) => bind(o, addresses[i]! >>> 0));
      addresses.forEach((a, i) => (held[i] = a));
      views = heap.views;
    }
    reference(arrays.slice(0, inputs.length), arrays.slice(inputs.length), params);
  };
}
