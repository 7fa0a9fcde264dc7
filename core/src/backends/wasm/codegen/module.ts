import { itemsize } from "../../../base/dtype.js";
import { BackendError } from "../../../base/errors.js";
import type { BufferId, Expr } from "../../../kernel/expr.js";
import { findRoutine } from "../../../kernel/routine.js";
import type { BufferInfo, Kernel, Operand, Schedule, Step } from "../../../kernel/schedule.js";
import { roundUp } from "../memory/allocator.js";
import { ModuleBuilder } from "../assembler/index.js";
import type { FunctionBuilder, FunctionRef, ValueType } from "../assembler/index.js";
import { ModuleFunctions } from "../functions/library.js";
import { nativeRoutine } from "../native/registry.js";
import { type Split, splitKernel } from "../threads/split.js";
import type { ThreadTasks } from "../threads/tasks.js";
import { emitBranch } from "./branch.js";
import { emitContraction } from "./contraction/emit.js";
import { prepackFactor } from "./contraction/prepack.js";
import { prepackFactors, type PlacedFactor } from "./prepack.js";
import { emitKernel } from "./nest/kernel.js";
import { type BufferLocation, pushPlace } from "./location.js";
import { emitScalar } from "./nest/nest.js";
import type { NestContext } from "./nest/nest.js";
import { normalize } from "./nest/normalize.js";
import { emitEntry, emitPieces } from "./pieces.js";
import { inlineBytes, isSmall, isTiny } from "./small-kernels.js";

/** A routine that the module calls in JavaScript, with the addresses of its operands. */
export interface HostRoutine {
  readonly name: string;
  readonly params: object;
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
}

export interface CompiledModule {
  readonly module: ModuleBuilder;
  readonly functions: ModuleFunctions;
  readonly hostRoutines: readonly HostRoutine[];
  readonly kernels: number;
  readonly routines: number;
  /** Kernels that threads run in pieces. */
  readonly splitKernels: number;
  /** Whether threads have a part in it: the export "piece". */
  readonly threaded: boolean;
  /** Room that kernels and routines need at `scratchOffset` of the frame. */
  readonly scratchBytes: number;
}

export interface ModuleOptions {
  readonly scratchOffset: number;
  readonly locations: readonly (BufferLocation | undefined)[];
  readonly maximumPages: number;
  /** Whether the memory is one that threads share. */
  readonly shared: boolean;
  readonly threads: number;
  /** Nanoseconds that a kernel must take to be worth splitting. */
  readonly minimumWork: number;
  readonly relaxed: boolean;
  readonly simd: boolean;
  readonly table: (key: string, bytes: () => Uint8Array) => number;
}

/** Turns a Schedule into one module: kernels and routines are functions, steps and control flow are `main(frame)`. */
export class ScheduleEmitter {
  private readonly module = new ModuleBuilder();
  private readonly functions: ModuleFunctions;
  private readonly hostRoutines: HostRoutine[] = [];
  private readonly donations: ReadonlyMap<BufferId, BufferId>;
  private kernels = 0;
  private routines = 0;
  private loops = 0;
  private readonly bodies = new Set<FunctionBuilder>();
  private scratchBytes = 0;
  /** Where room begins that a kernel may use while it runs. */
  private scratchOffset: number;
  private readonly prepacked = new Map<Kernel, PlacedFactor>();
  private readonly tasks: FunctionRef[] = [];
  private splitKernels = 0;
  /** Partial results of the split reductions, with ids behind those of the schedule's buffers. */
  private readonly partials: { readonly info: BufferInfo; readonly offset: number }[] = [];

  constructor(private readonly schedule: Schedule, private readonly options: ModuleOptions) {
    this.donations = new Map((schedule.donations ?? []).map((d) => [d.input, d.output]));
    this.scratchOffset = options.scratchOffset;
    this.module.importMemory("host", "memory", 1, options.maximumPages, options.shared);
    this.functions = new ModuleFunctions(this.module, options.relaxed, options.table);
  }

  emit(): CompiledModule {
    const main = this.module.function("main", ["i32"]);
    this.steps(main, this.schedule.steps);
    this.module.export("main", main);
    if (this.tasks.length > 0) this.module.export("piece", emitEntry(this.module, this.tasks));
    return { module: this.module, functions: this.functions, hostRoutines: this.hostRoutines, kernels: this.kernels, routines: this.routines, splitKernels: this.splitKernels, threaded: this.tasks.length > 0, scratchBytes: this.scratchBytes };
  }

  private locate = (buffer: BufferId): BufferLocation => {
    const partial = this.partials[buffer - this.schedule.buffers.length];
    const place = partial ? { kind: "frame" as const, offset: partial.offset } : this.options.locations[buffer];
    if (place === undefined)
      throw new BackendError({ fn: "compile", arg: "schedule", expected: `a place for buffer ${buffer}: an input, an output, a constant or an arena offset`, got: "none", fix: "plan memory for every buffer that is read" });
    return place;
  };

  /** The output that may have the memory of an input. */
  private readonly aliasOf = (input: BufferId): BufferId | undefined => this.donations.get(input);

  private context(f: FunctionBuilder): NestContext {
    return { f, library: this.functions, locate: this.locate, simd: this.options.simd, aliasOf: this.aliasOf };
  }

  /** Pushes the address of a buffer, or of an element at a base. */
  private address(f: FunctionBuilder, buffer: BufferId, base?: Expr): void {
    pushPlace(f, this.locate(buffer));
    if (!base) return;
    emitScalar(this.context(f), base);
    f.i32(itemsize(this.schedule.buffers[buffer]!.dtype)).op("i32.mul").op("i32.add");
  }

  private steps(f: FunctionBuilder, steps: readonly Step[]): void {
    for (const s of steps) this.step(f, s);
  }

  private step(f: FunctionBuilder, s: Step): void {
    switch (s.kind) {
      case "kernel": this.kernel(f, s.kernel); break;
      case "routine": this.routine(f, s); break;
      case "copy":
        if (this.donations.get(s.from) === s.to) {
          // Nothing to do where the result has the argument's memory.
          this.address(f, s.to);
          this.address(f, s.from);
          f.op("i32.ne").if(() => this.copy(f, s));
        } else this.copy(f, s);
        break;
      case "for": {
        if (s.count === 0) break;
        const i = f.local("i32");
        this.withPrepacked(f, s, () => {
          const iteration = this.loopBody(["i32", "i32"], [], (g) => {
            this.address(g, s.counter);
            g.get(1).memory("i32.store");
            this.steps(g, s.body);
          });
          f.i32(s.reverse ? s.count - 1 : 0).set(i);
          f.loop((again) => {
            f.get(0).get(i).call(iteration);
            f.get(i).i32(s.reverse ? -1 : 1).op("i32.add").tee(i).i32(s.reverse ? -1 : s.count).op("i32.ne").brIf(again);
          });
        });
        f.release(i);
        break;
      }
      case "while":
        this.withPrepacked(f, s, () => {
          const iteration = this.loopBody(["i32"], ["i32"], (g) => {
            this.steps(g, s.condition);
            this.address(g, s.predicate);
            g.memory("i32.load8_u").op("i32.eqz").if(() => g.i32(0).op("return"));
            this.steps(g, s.body);
            g.i32(1);
          });
          f.loop((again) => f.get(0).call(iteration).brIf(again));
        });
        break;
      case "branch":
        if (s.branches.length > 0) emitBranch(f, () => this.address(f, s.index), s.branches.map((steps) => () => this.steps(f, steps)));
        break;
    }
  }

  /** Packs panels for the products of a loop before it, and keeps their room while it runs. */
  private withPrepacked(f: FunctionBuilder, loop: Step & { kind: "for" | "while" }, emit: () => void): void {
    const { simd } = this.options;
    const start = this.scratchOffset;
    const context = { module: this.module, library: this.functions, simd, aliasOf: this.aliasOf };
    const { factors, panels, end } = prepackFactors(loop, this.prepacked, {
      start, aliasOf: this.aliasOf,
      prepack: (kernel, isFixed) => (isSmall(kernel) || this.isSplit(kernel) ? undefined : prepackFactor(context, kernel, isFixed)),
    });
    for (const p of panels) {
      this.address(f, p.buffer);
      f.i32(p.start * itemsize(this.schedule.buffers[p.buffer]!.dtype)).op("i32.add").get(0).i32(p.offset).op("i32.add").call(p.panels.pack);
    }
    this.reserve(end);
    this.scratchOffset = end;
    for (const [kernel, factor] of factors) this.prepacked.set(kernel, factor);
    emit();
    for (const kernel of factors.keys()) this.prepacked.delete(kernel);
    this.scratchOffset = start;
  }

  /** The frame reaches to this byte at least. */
  private reserve(end: number): void {
    this.scratchBytes = Math.max(this.scratchBytes, end - this.options.scratchOffset);
  }

  /**
   * One iteration of a loop, as a function: engines replace a function that is called often by better code, but not a loop that runs. Small
   * kernels are written into it, for a call would cost as much as they do.
   */
  private loopBody(params: readonly ValueType[], results: readonly ValueType[], write: (g: FunctionBuilder) => void): FunctionRef {
    const body = this.module.function(`loop${this.loops++}`, params, results);
    this.bodies.add(body);
    write(body);
    return body;
  }

  private kernel(f: FunctionBuilder, kernel: Kernel): void {
    const name = `kernel${this.kernels++}`;
    if (this.bodies.has(f) && isSmall(kernel) && f.body.length < inlineBytes) {
      emitKernel({ ...this.context(f), simd: this.options.simd && !isTiny(kernel) }, kernel);
      return;
    }
    const whole = (k: Kernel, as: string): void => {
      const target = this.module.function(as, ["i32"]);
      this.reserve(this.scratchOffset + this.kernelBody(target, k, { locate: this.locate, aliasOf: this.aliasOf }, this.scratchOffset));
      f.get(0).call(target);
    };
    const cut = this.split(kernel);
    if (cut) {
      this.pieces(f, cut, name);
      return;
    }
    // Where guards stand in the way, the parts between them may be split.
    const nests = this.options.threads > 1 ? normalize(kernel) : [];
    if (nests.length < 2 || !nests.some((k) => this.split(k))) whole(kernel, name);
    else
      nests.forEach((nest, i) => {
        const cutNest = this.split(nest);
        if (cutNest) this.pieces(f, cutNest, `${name}.${i}`);
        else whole(nest, `${name}.${i}`);
      });
  }

  private split(kernel: Kernel): Split | undefined {
    return splitKernel(kernel, { ...this.options, firstPartial: this.schedule.buffers.length + this.partials.length, aliasOf: this.aliasOf });
  }
  /** Whether threads run some of a kernel in pieces. */
  private isSplit(kernel: Kernel): boolean {
    return this.options.threads > 1 && (this.split(kernel) !== undefined || normalize(kernel).some((k) => this.split(k)));
  }

  private kernelBody(f: FunctionBuilder, kernel: Kernel, { locate, aliasOf }: Pick<NestContext, "locate" | "aliasOf">, scratchOffset: number): number {
    const context: NestContext = { ...this.context(f), locate, ...(aliasOf && { aliasOf }) };
    const prepacked = this.prepacked.get(kernel);
    const scratchBytes = emitContraction({ ...context, module: this.module, scratchOffset, ...(prepacked && { prepacked }) }, kernel);
    return scratchBytes ?? emitKernel(context, kernel, scratchOffset);
  }

  /** Gives a kernel's pieces to the threads, and combines what they leave. */
  private pieces(f: FunctionBuilder, split: Split, name: string): void {
    const { scratchOffset, options: { threads } } = this;
    const { buffers } = this.schedule;
    let end = scratchOffset;
    for (const info of split.partials) {
      this.partials.push({ info, offset: end });
      end = roundUp(end + info.size * itemsize(info.dtype));
    }
    // Pieces know buffers by their views.
    const aliasOf = (id: BufferId): BufferId | undefined => {
      const view = split.views[id];
      const alias = view && view.buffer !== "cell" ? this.donations.get(view.buffer) : undefined;
      const at = alias === undefined ? -1 : split.views.findIndex((v) => v.buffer === alias && v.step === view!.step);
      return at < 0 ? undefined : at;
    };
    const { target, bytes } = emitPieces({
      module: this.module, threads, offset: end,
      pushAddress: (g, buffer) => this.address(g, buffer),
      bytesOf: (id) => itemsize((buffers[id] ?? this.partials[id - buffers.length]!.info).dtype),
      emit: (g, kernel, locate, offset) => this.kernelBody(g, kernel, { locate, aliasOf }, offset),
    }, split, name);
    this.splitKernels++;
    f.i32(this.addTask(target)).i32(split.count).get(0).call(this.dispatch());
    this.reserve(end + bytes);
    if (!split.combine) return;
    const combine = this.module.function(`${name}.combine`, ["i32"]);
    emitKernel(this.context(combine), split.combine);
    f.get(0).call(combine);
  }

  private readonly addTask = (piece: FunctionRef): number => this.tasks.push(piece) - 1;
  private readonly dispatch = (): FunctionRef => this.module.importFunction("threads", "dispatch", { params: ["i32", "i32", "i32"], results: [] });
  private shared(): ThreadTasks | undefined {
    const { threads, minimumWork } = this.options;
    return threads > 1 ? { threads, minimumWork, dispatch: this.dispatch, add: this.addTask } : undefined;
  }

  private copy(f: FunctionBuilder, s: Step & { kind: "copy" }): void {
    this.address(f, s.to, s.toBase);
    this.address(f, s.from, s.fromBase);
    f.i32(s.count * itemsize(this.schedule.buffers[s.from]!.dtype)).memoryCopy();
  }

  private routine(f: FunctionBuilder, s: Step & { kind: "routine" }): void {
    this.routines++;
    const operands = [...s.inputs, ...s.outputs];
    const type = { params: operands.map(() => "i32" as const), results: [] };
    for (const o of operands) this.address(f, o.buffer);
    const request = { params: s.params, inputs: s.inputs, outputs: s.outputs, module: this.module, library: this.functions, simd: this.options.simd, tasks: this.shared() };
    const native = nativeRoutine(s.name, request);
    if (native) {
      f.get(0).i32(this.scratchOffset).op("i32.add").call(native.target);
      this.reserve(this.scratchOffset + native.scratchBytes);
      return;
    }
    if (!findRoutine(s.name))
      throw new BackendError({ fn: s.name, arg: "routine", expected: "a routine of this name", got: "none", fix: "import the package that defines it, or defineRoutine" });
    const target = this.module.importFunction("routines", String(this.hostRoutines.length), type);
    this.hostRoutines.push({ name: s.name, params: s.params, inputs: s.inputs, outputs: s.outputs });
    f.call(target);
  }
}
