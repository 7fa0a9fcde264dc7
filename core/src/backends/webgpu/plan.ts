import type { DType, TypedArray } from "../../base/dtype.js";
import type { BufferId } from "../../kernel/expr.js";
import type { BufferInfo, Kernel, Schedule, Step } from "../../kernel/schedule.js";
import { asMatrices } from "./matrices.js";
import { noFloat64, unsupported } from "./unsupported.js";
import { kernelShaders } from "./wgsl/kernel.js";
import { matmulShaders } from "./wgsl/matmul.js";
import type { Shader } from "./wgsl/shader.js";

/** What the queue is given, in order. Offsets and counts are in elements, which all have four bytes. */
export type Command =
  | { readonly kind: "dispatch"; readonly shader: Shader }
  | { readonly kind: "copy"; readonly from: BufferId; readonly fromAt: number; readonly to: BufferId; readonly toAt: number; readonly count: number };

/** A Schedule as a straight list of commands over buffers, with the temporaries placed in slots. */
export interface Plan {
  readonly commands: readonly Command[];
  readonly buffers: readonly BufferInfo[];
  readonly inputs: readonly BufferId[];
  readonly outputs: readonly BufferId[];
  readonly constants: readonly { readonly buffer: BufferId; readonly data: TypedArray }[];
  /** Slot of each temporary; temporaries that are never live together share one. */
  readonly slotOf: ReadonlyMap<BufferId, number>;
  readonly slotBytes: readonly number[];
}

/** Loops are written out up to so many commands in a program. */
export const maxCommands = 16384;

export const byteLength = (elements: number): number => 4 * Math.max(elements, 1);

function writtenBuffers(steps: readonly Step[], into = new Set<BufferId>()): Set<BufferId> {
  for (const s of steps) {
    if (s.kind === "kernel") [...s.kernel.outputs, ...(s.kernel.stores ?? [])].forEach((o) => into.add(o.buffer));
    else if (s.kind === "routine") s.outputs.forEach((o) => into.add(o.buffer));
    else if (s.kind === "copy") into.add(s.to);
    else if (s.kind === "for") writtenBuffers(s.body, into.add(s.counter));
  }
  return into;
}

/** A copy whose place is computed on the device: a kernel that moves element by element. */
function copyKernel(step: Step & { kind: "copy" }, dtype: DType): Kernel {
  const along = { offset: 0, strides: [1] };
  return { dims: [step.count], reduceDims: [], accumulators: [], outputs: [{ buffer: step.to, index: along, base: step.toBase, value: { op: "load", dtype, buffer: step.from, index: along, base: step.fromBase } }] };
}

const staticBase = (e: { op: string; value?: number } | undefined): number | undefined => (e === undefined ? 0 : e.op === "const" ? e.value : undefined);

class Planner {
  readonly buffers: BufferInfo[];
  readonly commands: Command[] = [];
  #shaders = new Map<Step, Shader[]>();
  #counterTable: BufferId | undefined;
  #longestLoop = 0;

  constructor(readonly schedule: Schedule) {
    this.buffers = [...schedule.buffers];
  }

  add(info: BufferInfo): BufferId {
    return this.buffers.push(info) - 1;
  }

  readonly dtypeOf = (id: BufferId): DType => this.buffers[id]!.dtype;
  readonly #scratch = (words: number): BufferId => this.add({ dtype: "uint32", size: words });

  readonly constants: { buffer: BufferId; data: TypedArray }[] = [];
  readonly #constant = (data: Uint32Array): BufferId => {
    const buffer = this.add({ dtype: "uint32", size: data.length });
    this.constants.push({ buffer, data });
    return buffer;
  };

  counterTable(): { buffer: BufferId; data: Int32Array } | undefined {
    return this.#counterTable === undefined ? undefined : { buffer: this.#counterTable, data: Int32Array.from({ length: this.#longestLoop }, (_, i) => i) };
  }

  /** Shaders of a step, made once however often a loop repeats it. */
  #dispatch(step: Step, make: () => Shader[]): void {
    let shaders = this.#shaders.get(step);
    if (!shaders) this.#shaders.set(step, (shaders = make()));
    for (const shader of shaders) this.#push({ kind: "dispatch", shader });
  }

  #push(command: Command): void {
    if (this.commands.length >= maxCommands)
      throw unsupported("for", `a loop of more than ${maxCommands} commands when written out`, 'shorten the loop, or run it on the "wasm" device: await devicePut(x, "wasm") or setDefaultDevice("wasm")');
    this.commands.push(command);
  }

  steps(steps: readonly Step[]): void {
    for (const step of steps) {
      switch (step.kind) {
        case "kernel": this.#dispatch(step, () => this.#kernel(step.kernel)); break;
        case "routine": throw unsupported(step.name, `the routine "${step.name}"`);
        case "copy": {
          if (step.count === 0) break;
          const fromAt = staticBase(step.fromBase);
          const toAt = staticBase(step.toBase);
          if (fromAt !== undefined && toAt !== undefined && step.from !== step.to) this.#push({ kind: "copy", from: step.from, fromAt, to: step.to, toAt, count: step.count });
          else this.#dispatch(step, () => kernelShaders(copyKernel(step, this.dtypeOf(step.from)), this.dtypeOf, this.#scratch));
          break;
        }
        case "for": {
          this.#counterTable ??= this.add({ dtype: "int32", size: 0 });
          this.#longestLoop = Math.max(this.#longestLoop, step.count);
          for (let i = 0; i < step.count; i++) {
            this.#push({ kind: "copy", from: this.#counterTable, fromAt: step.reverse ? step.count - 1 - i : i, to: step.counter, toAt: 0, count: 1 });
            this.steps(step.body);
          }
          break;
        }
        case "while": throw unsupported("whileLoop", "a loop whose length depends on values");
        case "branch": throw unsupported("cond", "a branch on a value");
      }
    }
  }

  #kernel(kernel: Kernel): Shader[] {
    const matrices = asMatrices(kernel, this.buffers, (info) => this.add(info));
    if (!matrices) return kernelShaders(kernel, this.dtypeOf, this.#scratch);
    return [...matrices.prepare.flatMap((k) => kernelShaders(k, this.dtypeOf, this.#scratch)), ...matmulShaders(matrices.product, this.dtypeOf, this.#constant)];
  }
}

const touched = (c: Command): BufferId[] => (c.kind === "copy" ? [c.from, c.to] : c.shader.bindings.map((b) => b.buffer));

/** Places temporaries in slots: each from its first to its last command, in the free slot that wastes least. */
function placeTemporaries(commands: readonly Command[], buffers: readonly BufferInfo[], given: ReadonlySet<BufferId>): Pick<Plan, "slotOf" | "slotBytes"> {
  const first = new Map<BufferId, number>();
  const last = new Map<BufferId, number>();
  commands.forEach((c, i) => {
    for (const id of touched(c)) {
      if (given.has(id)) continue;
      if (!first.has(id)) first.set(id, i);
      last.set(id, i);
    }
  });
  const ending = new Map<number, BufferId[]>();
  for (const [id, i] of last) ending.set(i, [...(ending.get(i) ?? []), id]);
  const slotOf = new Map<BufferId, number>();
  const slotBytes: number[] = [];
  const free: number[] = [];
  commands.forEach((c, i) => {
    for (const id of touched(c)) {
      if (first.get(id) !== i || slotOf.has(id)) continue;
      const need = byteLength(buffers[id]!.size);
      free.sort((x, y) => slotBytes[x]! - slotBytes[y]!);
      const fits = free.findIndex((s) => slotBytes[s]! >= need);
      const slot = free.splice(fits < 0 ? free.length - 1 : fits, free.length === 0 ? 0 : 1)[0] ?? slotBytes.push(0) - 1;
      slotBytes[slot] = Math.max(slotBytes[slot]!, need);
      slotOf.set(id, slot);
    }
    for (const id of ending.get(i) ?? []) free.push(slotOf.get(id)!);
  });
  return { slotOf, slotBytes };
}

/** @throws BackendError for float64, and for steps, routines and functions that the device lacks. */
export function planSchedule(schedule: Schedule): Plan {
  if (schedule.buffers.some((b) => b.dtype === "float64")) throw noFloat64("compile");
  const planner = new Planner(schedule);
  const written = writtenBuffers(schedule.steps);
  // What the schedule writes in place is copied first: callers keep their arrays.
  const own = (id: BufferId): BufferId => {
    if (!written.has(id)) return id;
    const source = planner.add(schedule.buffers[id]!);
    planner.commands.push({ kind: "copy", from: source, fromAt: 0, to: id, toAt: 0, count: schedule.buffers[id]!.size });
    return source;
  };
  const inputs = schedule.inputs.map(own);
  const constants: { buffer: BufferId; data: TypedArray }[] = schedule.constants.map(({ buffer, data }) => ({ buffer: own(buffer), data }));
  planner.steps(schedule.steps);
  constants.push(...planner.constants);
  const table = planner.counterTable();
  if (table) {
    planner.buffers[table.buffer] = { dtype: "int32", size: table.data.length };
    constants.push(table);
  }
  const given = new Set<BufferId>([...inputs, ...constants.map((c) => c.buffer), ...schedule.outputs]);
  return { commands: planner.commands, buffers: planner.buffers, inputs, outputs: schedule.outputs, constants, ...placeTemporaries(planner.commands, planner.buffers, given) };
}
