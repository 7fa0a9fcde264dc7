import { itemsize } from "../../../../base/dtype.js";
import { asContraction } from "../../../../kernel/contraction.js";
import type { Affine, BufferId, Expr } from "../../../../kernel/expr.js";
import { load, rewrite } from "../../../../kernel/expr.js";
import { mapAffines } from "../../../../kernel/reindex.js";
import type { Kernel, KernelOutput } from "../../../../kernel/schedule.js";
import { buffersRead } from "../../../../kernel/traverse.js";
import { roundUp } from "../../memory/allocator.js";
import type { FunctionBuilder, Local, ModuleBuilder } from "../../assembler/index.js";
import type { GemmContext, GemmSpec } from "../../gemm/spec.js";
import { emitGemm, emitTinyGemm } from "../../gemm/static.js";
import type { FloatDType } from "../../functions/contract.js";
import { emitKernel } from "../nest/kernel.js";
import { type BufferLocation, pushPlace } from "../location.js";
import { emitScalar } from "../nest/nest.js";
import type { NestContext } from "../nest/nest.js";
import { type Block, boundSizes, copying, evaluation, type Load } from "./factor.js";
import { type PrepackedFactor, ownSums, productOf } from "./prepack.js";
import { planContraction } from "./plan.js";
import type { ContractionPlan, FactorPlan } from "./settle.js";

export interface ContractionContext extends NestContext {
  readonly module: ModuleBuilder;
  /** Where in the frame room begins that nobody else uses meanwhile. */
  readonly scratchOffset: number;
  /** Panels of a factor that were packed before, and where in the frame they lie. */
  readonly prepacked?: PrepackedFactor & { readonly offset: number };
}

/** Where the elements of a factor or of the sums lie: `address of buffer + base + index`, in elements; loop indices of blocks count if `moving`. */
interface Place {
  readonly buffer: BufferId;
  readonly base: Expr | undefined;
  readonly index: Affine;
  readonly moving: boolean;
}

/** Emits a contraction as matrix products of blocks and gives the scratch bytes it needs; undefined if plain loops serve it as well. */
export function emitContraction(context: ContractionContext, kernel: Kernel): number | undefined {
  const contraction = asContraction(kernel);
  if (!contraction || (contraction.dtype !== "float32" && contraction.dtype !== "float64") || contraction.sizes.includes(0)) return undefined;
  // What is written while factors are still read must not be one of them.
  const written = new Set(kernel.outputs.map((o) => o.buffer));
  for (const id of buffersRead([contraction.a, contraction.b])) if (written.has(id) || written.has(context.aliasOf?.(id) ?? id)) return undefined;
  const plan = context.prepacked?.plan ?? planContraction(kernel, contraction, context.simd ? 16 / itemsize(contraction.dtype) : 1, context.aliasOf);
  return plan && emitPlan(context, kernel, plan);
}

/** Emits a contraction as planned, and gives the scratch bytes it needs. */
export const emitPlan = (context: ContractionContext, kernel: Kernel, plan: ContractionPlan): number => new ContractionEmitter(context, kernel, plan, plan.contraction.dtype as FloatDType).emit();

class ContractionEmitter {
  private readonly f: FunctionBuilder;
  private readonly size: number;
  /** Scratch buffers have negative ids. */
  private readonly scratch: number[] = [];
  private scratchBytes = 0;
  private gemmBytes = 0;
  private functions = 0;
  /** Index at which the current block of a dimension begins. */
  private readonly starts = new Map<number, Local>();
  private readonly current: number[];
  private readonly loops: readonly number[];
  private readonly sums: BufferId | undefined;

  constructor(private readonly context: ContractionContext, private readonly kernel: Kernel, private readonly plan: ContractionPlan, private readonly dtype: FloatDType) {
    this.f = context.f;
    this.size = itemsize(dtype);
    this.current = plan.block.slice();
    this.loops = [...plan.outputLoops, ...plan.reducedLoops];
    this.sums = plan.into ? undefined : this.room([...plan.m, ...plan.n].reduce((x, d) => x * plan.block[d]!, 1));
  }

  emit(): number {
    this.level(0, new Map());
    return this.scratchBytes + this.gemmBytes;
  }

  private room(elements: number): BufferId {
    this.scratch.push(this.scratchBytes);
    this.scratchBytes = roundUp(this.scratchBytes + elements * this.size);
    return -this.scratch.length;
  }

  private readonly locate = (id: BufferId): BufferLocation => (id < 0 ? { kind: "frame", offset: this.context.scratchOffset + this.scratch[-id - 1]! } : this.context.locate(id));

  /** Everything inside the first `depth` loops. Factors are made as soon as the loops that they change with are open. */
  private level(depth: number, made: ReadonlyMap<FactorPlan, Place>): void {
    const { plan, loops } = this;
    const ready = new Map(made);
    for (const [f, e] of [[plan.a, plan.contraction.a], [plan.b, plan.contraction.b]] as const)
      if (loops.findLastIndex((d) => f.dims.has(d)) === depth - 1) ready.set(f, this.make(f, e));
    if (depth === plan.outputLoops.length && depth < loops.length) {
      this.loop(depth, ready);
      this.epilogue();
    } else if (depth < loops.length) this.loop(depth, ready);
    else {
      this.multiply(ready.get(plan.a)!, ready.get(plan.b)!);
      if (depth === plan.outputLoops.length) this.epilogue();
    }
  }

  /** Whole blocks, then the rest. */
  private loop(depth: number, made: ReadonlyMap<FactorPlan, Place>): void {
    const { f } = this;
    const dim = this.loops[depth]!;
    const block = this.plan.block[dim]!;
    const n = this.plan.contraction.sizes[dim]!;
    const rest = n % block;
    const start = f.local("i32");
    this.starts.set(dim, start);
    f.i32(0).set(start).loop((again) => {
      this.level(depth + 1, made);
      f.get(start).i32(block).op("i32.add").tee(start).i32(n - rest).op("i32.ne").brIf(again);
    });
    if (rest > 0) {
      this.current[dim] = rest;
      this.level(depth + 1, made);
      this.current[dim] = block;
    }
    this.starts.delete(dim);
    f.release(start);
  }

  /** A function of its own that runs a kernel on the current block. */
  private call(kernel: Kernel, bound: readonly number[]): void {
    const { context, f } = this;
    const target: FunctionBuilder = context.module.function(`${f.name}.${this.functions++}`, ["i32", ...bound.map(() => "i32" as const)]);
    emitKernel({ f: target, library: context.library, simd: context.simd, locate: this.locate, bound: bound.map((_, i) => i + 1), ...(context.aliasOf && { aliasOf: context.aliasOf }) }, kernel);
    f.get(0);
    for (const d of bound) f.get(this.starts.get(d)!);
    f.call(target);
  }

  private block(dims: ReadonlySet<number>): Block {
    return { sizes: this.current.slice(), whole: this.plan.contraction.sizes, bound: [...this.starts.keys()].filter((d) => dims.has(d)) };
  }

  private readonly rooms = new Map<string, BufferId>();
  /** Room for a block of a factor; blocks of the rest use that of whole ones, which come first. */
  private roomFor(key: string, kernel: Kernel, bound: number): BufferId {
    let id = this.rooms.get(key);
    if (id === undefined) this.rooms.set(key, (id = this.room(kernel.dims.slice(bound).reduce((x, n) => x * n, 1))));
    return id;
  }

  /** Computes and copies a factor as planned. */
  private make(f: FactorPlan, e: Expr): Place {
    const side = f === this.plan.a ? "a" : "b";
    let block = this.block(f.dims);
    let from: Load | undefined = e.op === "load" ? e : undefined;
    const run = (stage: string, make: (into: BufferId) => { readonly kernel: Kernel; readonly load: Load }): void => {
      const id = this.roomFor(side + stage, make(0).kernel, block.bound.length);
      const { kernel, load: result } = make(id);
      this.call(kernel, block.bound);
      from = result;
      // What is made holds one block.
      block = { ...block, bound: [] };
    };
    if (f.coordinates) run("e", (into) => evaluation(e, f.coordinates!, block, into));
    if (f.copy) { const source = from!; run("c", (into) => copying(source, f.copy!, block, into)); }
    return { buffer: from!.buffer, base: from!.base, index: from!.index, moving: !f.coordinates && !f.copy };
  }

  private pushAddress({ buffer, base, index, moving }: Place): void {
    const { f, context } = this;
    pushPlace(f, this.locate(buffer));
    if (index.offset !== 0) f.i32(index.offset * this.size).op("i32.add");
    if (moving)
      for (const [d, start] of this.starts) {
        const stride = index.strides[d] ?? 0;
        if (stride !== 0) f.get(start).i32(stride * this.size).op("i32.mul").op("i32.add");
      }
    if (base) {
      emitScalar({ f, library: context.library, simd: context.simd, locate: this.locate }, base);
      f.i32(this.size).op("i32.mul").op("i32.add");
    }
  }

  private place(): Place {
    const { into } = this.plan;
    if (into) return { buffer: into.buffer, base: into.base, index: into.index, moving: true };
    return { buffer: this.sums!, base: undefined, index: ownSums(this.plan, this.current), moving: false };
  }

  /** Whether both factors begin at the same element, wherever the loops stand. */
  private isSamePlace(a: Place, b: Place): boolean {
    const still = [...this.starts.keys()].every((d) => !a.moving || (a.index.strides[d] ?? 0) === (b.index.strides[d] ?? 0));
    return a.buffer === b.buffer && a.moving === b.moving && a.base === b.base && a.index.offset === b.index.offset && still;
  }

  private multiply(a: Place, b: Place): void {
    const { f, plan, current, context } = this;
    const c = this.place();
    const gemm: GemmContext = { module: context.module, library: context.library, simd: context.simd };
    const { prepacked } = context;
    const spec = (accumulate: boolean): GemmSpec => {
      const s = productOf(plan, current, a.index, b.index, c.index, accumulate);
      return prepacked ? { ...s, prepacked: prepacked.side } : this.isSamePlace(a, b) && s.m === s.n && s.a.row === s.b.column && s.a.k === s.b.k ? { ...s, symmetric: true } : s;
    };
    const addresses = [a, b, c].map((p, i) => {
      const local = f.local("i32");
      if (prepacked && i === (prepacked.side === "a" ? 0 : 1)) f.get(0).i32(prepacked.offset).op("i32.add");
      else this.pushAddress(p);
      f.set(local);
      return local;
    }) as [Local, Local, Local];
    const product = (accumulate: boolean): void => {
      if (!prepacked && emitTinyGemm(f, gemm, spec(accumulate), addresses)) return;
      const { target, scratchBytes } = emitGemm(gemm, spec(accumulate));
      this.gemmBytes = Math.max(this.gemmBytes, scratchBytes);
      for (const local of addresses) f.get(local);
      f.get(0).i32(context.scratchOffset + this.scratchBytes).op("i32.add").call(target);
    };
    if (plan.reducedLoops.length === 0) product(false);
    else {
      plan.reducedLoops.forEach((d, i) => {
        f.get(this.starts.get(d)!);
        if (i > 0) f.op("i32.or");
      });
      f.if(() => product(true), () => product(false));
    }
    for (const local of addresses) f.release(local);
  }

  /** Computes the outputs from the sums of the current block, unless those are what is wanted. */
  private epilogue(): void {
    const { kernel, plan, dtype } = this;
    const { into } = plan;
    if (into && kernel.outputs.length === 1 && into.value.op === "accumulator") return;
    const dims = kernel.dims.map((_, d) => d);
    const { sizes, whole, bound } = this.block(new Set(dims));
    const c = this.place();
    const moved = (a: Affine, moving = true): Affine => ({ offset: a.offset, strides: [...bound.map((d) => (moving ? a.strides[d] ?? 0 : 0)), ...dims.map((d) => a.strides[d] ?? 0)] });
    const sum = load(dtype, c.buffer, moved(c.index, c.moving), c.base);
    const memo = new Map<Expr, Expr>();
    const finish = (o: KernelOutput): KernelOutput => ({
      ...o, index: moved(o.index),
      value: rewrite(mapAffines(o.value, (a) => moved(a)), (e) => (e.op === "accumulator" ? sum : undefined), memo),
    });
    // The output that lies where the sums are is written last, when nobody needs them any more.
    const outputs = [...kernel.outputs.filter((o) => o !== into), ...(into && into.value.op !== "accumulator" ? [into] : [])];
    this.call({ dims: [...boundSizes({ sizes, whole, bound }), ...dims.map((d) => sizes[d]!)], reduceDims: [], accumulators: [], outputs: outputs.map(finish) }, bound);
  }
}
