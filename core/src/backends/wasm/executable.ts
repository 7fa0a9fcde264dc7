import { itemsize } from "../../base/dtype.js";
import type { DType, TypedArray } from "../../base/dtype.js";
import { ArgumentError } from "../../base/errors.js";
import type { Schedule } from "../../kernel/schedule.js";
import type { Executable, ExecutableReport, Storage } from "../backend.js";
import type { Block } from "./memory/allocator.js";
import { planLayout } from "./codegen/layout.js";
import type { Port } from "./codegen/layout.js";
import type { BufferLocation } from "./codegen/location.js";
import { ScheduleEmitter } from "./codegen/module.js";
import type { Features } from "./features.js";
import { instantiate } from "./instance.js";
import type { Heap } from "./memory/heap.js";
import { adopt, asWasmStorage, disposed, WasmStorage } from "./memory/storage.js";
import type { Threads } from "./threads/threads.js";

/** What a program holds of the heap. */
interface Holdings {
  readonly heap: Heap;
  frameBytes: number;
  readonly constants: Block | undefined;
  /** Where workers find the code, if they have a part in it. */
  code: Block | undefined;
  /** The code on the heap's memory; undefined when that was exchanged for another. */
  main: ((frame: number) => void) | undefined;
}

function giveBack(holdings: Holdings): void {
  const { heap, frameBytes, constants, code } = holdings;
  heap.programs.delete(holdings);
  heap.unreserveFrame(frameBytes);
  if (constants) heap.release(constants);
  if (code) heap.release(code);
}

const finalizers = new FinalizationRegistry<Holdings>(giveBack);

interface TypedPort extends Port {
  readonly dtype: DType;
  readonly shift: number;
  /** Of an output: the input whose memory it may have. */
  readonly donor?: number | undefined;
}

/** One instance of one module, bound to the heap. It is made anew when the number of threads changes. */
export class WasmExecutable implements Executable {
  private latest!: ExecutableReport;
  private inputs: readonly TypedPort[] = [];
  private outputs: readonly TypedPort[] = [];
  private readonly holdings: Holdings;
  private generation: number;
  private usesThreads = false;
  private disposed = false;

  constructor(private readonly heap: Heap, private readonly schedule: Schedule, private readonly features: Features, private readonly threads: Threads, private readonly countRun: () => void) {
    this.generation = threads.generation;
    let constants: Block | undefined;
    try {
      const built = this.build((bytes) => (constants = heap.allocate(bytes)).address);
      for (const { buffer, data } of schedule.constants) {
        const place = built.locations[buffer];
        const { dtype } = schedule.buffers[buffer]!;
        if (place?.kind === "absolute") heap.views[dtype].set(data, place.address / itemsize(dtype));
      }
      this.holdings = { heap, constants, frameBytes: built.frameBytes, code: built.code, main: built.main };
    } catch (e) {
      if (constants) heap.release(constants);
      throw e;
    }
    heap.reserveFrame(this.holdings.frameBytes);
    heap.programs.add(this.holdings);
    finalizers.register(this, this.holdings, this);
  }

  private build(constantsAt: (bytes: number) => number): { readonly locations: readonly (BufferLocation | undefined)[]; readonly main: (frame: number) => void; readonly code: Block | undefined; readonly frameBytes: number } {
    const { heap, schedule, features, threads } = this;
    const start = performance.now();
    const layout = planLayout(schedule, constantsAt);
    const { locations } = layout;
    const emitted = new ScheduleEmitter(schedule, {
      locations, maximumPages: heap.maximumPages, shared: heap.shared, threads: threads.count, minimumWork: threads.minimumWork, scratchOffset: layout.frameBytes, ...features,
      table: (key, bytes) => heap.table(key, bytes),
    }).emit();
    const code = emitted.module.finish();
    const emittedAt = performance.now();
    const { main, shared } = instantiate(heap, threads, emitted, code);
    const typed = (p: Port): TypedPort => {
      const { dtype } = schedule.buffers[p.buffer]!;
      return { ...p, dtype, shift: Math.log2(itemsize(dtype)) };
    };
    this.inputs = layout.inputs.map(typed);
    const donors = new Map((schedule.donations ?? []).map((d) => [d.output, schedule.inputs.indexOf(d.input)]));
    this.outputs = layout.outputs.map((p) => ({ ...typed(p), donor: donors.get(p.buffer) }));
    this.usesThreads = emitted.threaded;
    this.latest = {
      codeBytes: code.length, arenaBytes: schedule.arena.bytes, kernels: emitted.kernels, routines: emitted.routines,
      threads: threads.count, splitKernels: emitted.splitKernels,
      compileMilliseconds: performance.now() - start, engineMilliseconds: performance.now() - emittedAt,
      text: () => emitted.module.text(),
    };
    return { locations, main, code: shared, frameBytes: layout.frameBytes + emitted.scratchBytes };
  }

  get report(): ExecutableReport {
    if (!this.disposed && this.generation !== this.threads.generation) this.rebuild();
    return this.latest;
  }

  /** Code for the present memory and number of threads, over the same constants. */
  private rebuild(): (frame: number) => void {
    const { heap, holdings } = this;
    const built = this.build((bytes) => holdings.constants?.address ?? heap.allocate(bytes).address);
    heap.unreserveFrame(holdings.frameBytes);
    heap.reserveFrame(built.frameBytes);
    holdings.frameBytes = built.frameBytes;
    if (holdings.code) heap.release(holdings.code);
    holdings.code = built.code;
    holdings.main = built.main;
    this.generation = this.threads.generation;
    return built.main;
  }

  run(inputs: readonly Storage[], donated?: readonly number[]): Storage[] {
    const { heap, threads } = this;
    if (this.disposed) throw new ArgumentError({ fn: "run", arg: "executable", expected: "a program that was not disposed", got: "a disposed one", fix: "compile it again" });
    if (inputs.length !== this.inputs.length) throw new ArgumentError({ fn: "run", arg: "inputs", expected: `${this.inputs.length} storages`, got: String(inputs.length), fix: "pass one storage for each input" });
    const main = this.generation === threads.generation && this.holdings.main !== undefined ? this.holdings.main : this.rebuild();
    if (this.usesThreads) threads.acquire();
    const frame = heap.enterFrame(this.holdings.frameBytes);
    let staged: Block[] | undefined;
    let blocks: Block[] | undefined;
    let donors: WasmStorage[] | undefined;
    try {
      for (let i = 0; i < inputs.length; i++) {
        const port = this.inputs[i]!;
        const storage = inputs[i]!;
        if (!(storage instanceof WasmStorage) || storage.heap !== heap || storage.size !== port.size || storage.dtype !== port.dtype) throw mismatch(storage, heap, port, i);
        const { data } = storage;
        if (port.staged) {
          if (data === undefined) throw disposed("run");
          copyIn(data, heap.views[port.dtype], (frame + port.offset) >>> port.shift);
        } else {
          let block = storage.block ?? storage.promote(donated !== undefined && donated.includes(i));
          if (block === undefined) {
            if (data === undefined) throw disposed("run");
            (staged ??= []).push(block = heap.allocate(port.bytes));
            heap.views[port.dtype].set(data, block.address / itemsize(port.dtype));
          }
          heap.views.int32[(frame + port.offset) >>> 2] = block.address;
        }
      }
      for (const port of this.outputs)
        if (!port.staged) {
          const donor = donated && port.donor !== undefined && donated.includes(port.donor) ? (inputs[port.donor] as WasmStorage) : undefined;
          const given = donor?.block;
          if (given) (donors ??= []).push(donor);
          const block = given ?? heap.allocate(port.bytes);
          (blocks ??= []).push(block);
          heap.views.int32[(frame + port.offset) >>> 2] = block.address;
        }
      const held = heap.arrayBytes;
      // Only now that there is room for everything: a call that fails before keeps what was donated.
      if (donors) for (const donor of donors) donor.surrender();
      donors = undefined;
      this.countRun();
      main(frame);
      if (donated) for (const i of donated) inputs[i]!.dispose();
      const results = blocks;
      blocks = undefined;
      return this.collect(frame, results, Math.max(heap.budgetBytes, held));
    } catch (e) {
      if (donors) blocks = blocks!.filter((block) => donors!.every((donor) => donor.block !== block));
      if (this.usesThreads && threads.lost) {
        // What a lost worker may write to stays out of use until it is gone.
        const surrendered = heap.surrenderFrame();
        threads.drop([...(blocks ?? []), ...(staged ?? []), ...(surrendered ? [surrendered] : [])]);
        staged = undefined;
      } else if (blocks) for (const block of blocks) heap.release(block);
      throw e;
    } finally {
      if (staged) for (const block of staged) heap.release(block);
      heap.leaveFrame();
    }
  }

  /** The results. Those that would fill the heap beyond `limit`, its budget or what it held before the call, go to JavaScript arrays. */
  private collect(frame: number, blocks: Block[] | undefined, limit: number): Storage[] {
    const { heap, outputs } = this;
    const results = new Array<Storage>(outputs.length);
    let next = 0;
    for (let i = 0; i < outputs.length; i++) {
      const { dtype, size, bytes, offset, staged, shift } = outputs[i]!;
      if (staged) results[i] = new WasmStorage(heap, dtype, size, undefined, copyOut(heap.views[dtype], heap.arrayPool.take(dtype, size), (frame + offset) >>> shift));
      else {
        const block = blocks![next++]!;
        if (heap.withinBudget(bytes, limit)) {
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
    if (this.disposed) return;
    this.disposed = true;
    this.holdings.main = undefined;
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

function copyOut(from: TypedArray, out: TypedArray, at: number): TypedArray {
  const n = out.length;
  if (n > loopElements) out.set(from.subarray(at, at + n));
  else for (let i = 0; i < n; i++) out[i] = from[at + i]!;
  return out;
}

function mismatch(storage: Storage, heap: Heap, port: TypedPort, position: number): Error {
  const s = asWasmStorage(storage, heap, "run");
  return new ArgumentError({ fn: "run", arg: `inputs[${position}]`, expected: `${port.size} elements of ${port.dtype}`, got: `${s.size} of ${s.dtype}`, fix: "pass storages in the order and of the types of the schedule's inputs" });
}
