import type { Expr } from "../../../kernel/expr.js";
import { isFloat } from "../../../base/dtype.js";
import { index } from "../../../kernel/expr.js";
import { contiguousStrides } from "../../../base/shape.js";
import type { Kernel, KernelOutput } from "../../../kernel/schedule.js";
import type { FunctionBuilder, Local } from "../assembler/index.js";
import type { FunctionLibrary } from "../functions/contract.js";
import { planHoists } from "./hoist.js";
import { laneStride } from "./lane-stride.js";
import type { Hoisted } from "./hoist.js";
import { Inductions } from "./induction.js";
import type { BufferLocation } from "./location.js";
import { writesOf } from "./normalize.js";
import { planNest } from "./plan.js";
import type { NestPlan } from "./plan.js";
import { Extremum } from "./extremum.js";
import { Reduction } from "./reduce.js";
import type { Reducer } from "./reducer.js";
import { scalarStore } from "./scalar.js";
import { Search } from "./search.js";
import { Values } from "./values.js";
import { vectorStore } from "./vector.js";

export interface NestContext {
  /** Parameter 0 is the frame. */
  readonly f: FunctionBuilder;
  readonly library: FunctionLibrary;
  readonly locate: (buffer: number) => BufferLocation;
  readonly simd: boolean;
  /** The output that may have the memory of this input. */
  readonly takenBy?: (input: number) => number | undefined;
  /** Locals with the indices of the kernel's first dimensions, which are not looped over then. */
  readonly bound?: readonly Local[];
}

/** Code of so many expressions at most is written out instead of looped over. */
const unrollNodes = 72;
/** Partial sums of at most so many terms. */
const blockTerms = 512;

/** Emits one loop nest in the current function. */
class NestEmitter {
  private readonly f: FunctionBuilder;
  private readonly plan: NestPlan;
  private readonly sizes: readonly number[];
  private readonly values: Values;
  private readonly inductions: Inductions;
  /** By position in `plan.order`. */
  private readonly unrolled: boolean[];
  private readonly hoists: { readonly vector: Hoisted[][]; readonly scalar: Hoisted[][] };
  private readonly lanePosition: number;
  private readonly outputCount: number;
  private readonly scalarRemainder: boolean;
  private readonly position: Expr;
  private readonly loaded = new Set<number>();
  private reductions: Reducer[] = [];
  private blockSearch: Search | undefined;
  /** The loop of the reduction in which blocks of partial sums end, and how many of its trips make a block; undefined if all terms are one block. */
  private readonly folding: { readonly position: number; readonly trips: number } | undefined;
  private readonly mainTrips: number;
  private copies: readonly number[] = [0];

  constructor(private readonly context: NestContext, private readonly kernel: Kernel) {
    this.f = context.f;
    this.sizes = [...kernel.dims, ...kernel.reduceDims];
    this.outputCount = kernel.dims.length;
    // Rank among the reduced elements in row-major order.
    this.position = index({ offset: 0, strides: [...kernel.dims.map(() => 0), ...contiguousStrides(kernel.reduceDims)] });
    const searches = kernel.accumulators.some((a) => a.op === "argmax" || a.op === "argmin");
    this.plan = planNest(kernel, context.simd, context.bound?.length);
    const { lanes, laneDim, order } = this.plan;
    const dependence = new Map(this.plan.dependence);
    dependence.set(this.position, this.position.op === "index" ? this.position.index.strides.reduce((m, s, d) => (s === 0 ? m : m | (1 << d)), 0) : 0);
    this.lanePosition = laneDim < 0 ? -1 : order.indexOf(laneDim);
    const n = laneDim < 0 ? 0 : this.sizes[laneDim]!;
    // The last vector may overlap the one before, unless elements are summed up or overwritten in place.
    for (const e of dependence.keys())
      if (e.op === "load" || e.op === "gather") {
        this.loaded.add(e.buffer);
        const taker = context.takenBy?.(e.buffer);
        if (taker !== undefined) this.loaded.add(taker);
      }
    const overlaps = laneDim >= 0 && laneDim < this.outputCount && !writesOf(kernel).some((o) => this.loaded.has(o.buffer));
    this.scalarRemainder = laneDim >= 0 && !overlaps && n % lanes !== 0;
    this.mainTrips = laneDim < 0 ? 0 : Math.floor(n / (lanes * this.plan.copies));

    this.inductions = new Inductions(this.f, this.sizes, context.locate);
    this.values = new Values(this.f, context.library, this.inductions, dependence, lanes, laneDim);
    const roots = [...kernel.accumulators.map((a) => a.value), ...(searches ? [this.position] : []), ...writesOf(kernel).map((o) => o.value)];
    this.values.register(roots, writesOf(kernel));

    const levelOf = (mask: number): number => {
      for (let i = order.length; i > 0; i--) if (mask & (1 << order[i - 1]!)) return i;
      return 0;
    };
    const rootsFor = (vector: boolean) => [
      ...[...kernel.accumulators.map((a) => a.value), ...(kernel.stores ?? []).map((o) => o.value), ...(searches ? [this.position] : [])].map((value) => ({ value, depth: order.length, vector })),
      ...kernel.outputs.map((o) => ({ value: o.value, depth: this.outputCount, vector: vector && laneDim < this.outputCount })),
    ];
    const hoistsFor = (vector: boolean): Hoisted[][] =>
      planHoists({ roots: rootsFor(vector), levelOf, dependence, alongLanes: (e) => vector && (dependence.get(e)! & (1 << laneDim)) !== 0, neighbours: (e) => laneStride(e.at, laneDim, dependence) === 1, levels: order.length });
    this.hoists = { vector: lanes > 1 ? hoistsFor(true) : [], scalar: lanes === 1 || this.scalarRemainder ? hoistsFor(false) : [] };

    // Unroll from the innermost loop outwards while the code stays small.
    this.unrolled = order.map(() => false);
    let size = Math.max(1, this.plan.nodes);
    for (let i = order.length - 1; i >= 0; i--) {
      const dim = order[i]!;
      if (dim < (context.bound?.length ?? 0)) break;
      const trips = i === this.lanePosition ? (this.mainTrips <= 1 ? this.plan.copies + 1 : Infinity) : this.sizes[dim]!;
      if (i === this.lanePosition ? trips === Infinity : trips * size > unrollNodes) break;
      this.unrolled[i] = true;
      size *= Math.max(1, trips);
    }

    const trips = order.slice(this.outputCount).map((d) => (d === laneDim ? Math.max(1, this.mainTrips) : this.sizes[d]!));
    let terms = 1;
    let within = trips.length;
    while (within > 0 && terms * trips[within - 1]! <= blockTerms) terms *= Math.max(1, trips[--within]!);
    this.folding = within === 0 ? undefined : { position: this.outputCount + within - 1, trips: Math.max(1, Math.floor(blockTerms / terms)) };
  }

  emit(): void {
    this.inductions.begin((base) => emitScalar(this.context, base));
    this.values.inScope(() => this.outputLoops(0));
  }

  /** Computes before loop `depth` opens what needs no more than the loops open. */
  private hoist(depth: number): void {
    const { values } = this;
    if (depth >= this.plan.order.length) return;
    for (const { key, vector } of values.vectorized ? this.hoists.vector[depth]! : []) {
      if (!vector || !("op" in key) || !values.alongLanes(key)) values.hold(key, vector);
      else this.eachCopy(() => values.hold(key, true));
    }
    if (!values.vectorized || (this.scalarRemainder && depth <= this.lanePosition)) {
      const vectorized = values.vectorized;
      values.vectorized = false;
      for (const { key } of this.hoists.scalar[depth]!) values.hold(key, false);
      values.vectorized = vectorized;
    }
  }

  private eachCopy(body: () => void): void {
    const { values, inductions } = this;
    if (!values.vectorized) {
      values.copy = 0;
      body();
      return;
    }
    values.copyOffsets = this.copies;
    this.copies.forEach((offset, copy) => {
      values.copy = copy;
      inductions.shift(this.plan.laneDim, offset);
      body();
      inductions.shift(this.plan.laneDim, -offset);
    });
    values.copy = 0;
    values.copyOffsets = [0];
  }

  /** A loop over a dimension, scalar or for lanes; `trips` of `step` elements. */
  private counted(trips: number, step: number, advance: (steps: number) => void, body: () => void, fold?: () => void): void {
    const { f } = this;
    const counter = f.local("i32");
    const once = (): void => {
      this.values.inScope(body);
      advance(step);
      f.get(counter).i32(1).op("i32.sub").tee(counter);
    };
    const block = this.folding?.trips ?? trips;
    if (fold && trips > block) {
      const left = f.local("i32");
      f.i32(trips).set(left).loop((again) => {
        f.i32(block).get(left).i32(block).get(left).op("i32.lt_u").op("select").set(counter);
        f.get(left).get(counter).op("i32.sub").set(left);
        f.loop((next) => {
          once();
          f.brIf(next);
        });
        fold();
        f.get(left).brIf(again);
      }).release(left);
    } else
      f.i32(trips).set(counter).loop((again) => {
        once();
        f.brIf(again);
      });
    f.release(counter);
  }

  private loop(position: number, body: () => void, fold?: () => void): void {
    const dim = this.plan.order[position]!;
    const n = this.sizes[dim]!;
    if (n === 0) return;
    const given = this.context.bound?.[dim];
    if (given !== undefined) {
      const moving = this.inductions.open(dim);
      moving.move(given);
      this.values.inScope(body);
      moving.close();
    } else if (position === this.lanePosition && this.values.vectorized) this.laneLoop(body, fold);
    else if (this.unrolled[position])
      for (let i = 0; i < n; i++) {
        this.inductions.shift(dim, i);
        this.values.inScope(body);
        this.inductions.shift(dim, -i);
      }
    else {
      const moving = this.inductions.open(dim);
      this.counted(n, 1, moving.advance, body, fold);
      moving.close();
    }
  }

  /** Vectors in groups, then what is left: single vectors, the last one overlapping where that is allowed, else scalars. */
  private laneLoop(body: () => void, fold?: () => void): void {
    const { plan, values, inductions } = this;
    const { laneDim, copies } = plan;
    const lanes = plan.lanes as 2 | 4;
    const n = this.sizes[laneDim]!;
    const looped = this.mainTrips > 1;
    const done = looped ? this.mainTrips * copies * lanes : 0;
    const rest = n - done;
    const offsets: number[] = [];
    for (let o = 0; o + lanes <= rest; o += lanes) offsets.push(o);
    const tail = rest - offsets.length * lanes;
    if (tail > 0 && !this.scalarRemainder) offsets.push(rest - lanes);
    const withCopies = (list: readonly number[], inner: () => void): void => {
      const before = this.copies;
      this.copies = list;
      inner();
      this.copies = before;
    };
    const remainder = (): void => {
      if (offsets.length > 0) withCopies(offsets, () => values.inScope(body));
      if (tail === 0 || !this.scalarRemainder) return;
      values.vectorized = false;
      inductions.shift(laneDim, offsets.length * lanes);
      for (let i = 0; i < tail; i++) {
        inductions.shift(laneDim, i);
        values.inScope(body);
        inductions.shift(laneDim, -i);
      }
      inductions.shift(laneDim, -offsets.length * lanes);
      values.vectorized = true;
    };
    if (!looped) {
      remainder();
      return;
    }
    const moving = inductions.open(laneDim);
    withCopies(Array.from({ length: copies }, (_, i) => i * lanes), () => this.counted(this.mainTrips, copies * lanes, moving.advance, body, fold));
    remainder();
    moving.close();
  }

  private outputLoops(position: number): void {
    this.hoist(position);
    if (position < this.outputCount) {
      this.loop(position, () => this.outputLoops(position + 1));
      return;
    }
    if (this.kernel.accumulators.length === 0) this.store();
    else this.reduce();
  }

  private store(): void {
    const { values } = this;
    const vector = values.vectorized && this.plan.laneDim < this.outputCount;
    const write = (): void => this.write(this.kernel.outputs, vector);
    if (vector) this.eachCopy(write);
    else {
      // Lanes of a reduced dimension are gone by now.
      const before = values.vectorized;
      values.vectorized = false;
      write();
      values.vectorized = before;
    }
  }

  /** Stores values of the current index. */
  private write(list: readonly KernelOutput[], vector: boolean): void {
    // What one output overwrites another may still have to read.
    if (list.length > 1 && list.some((o) => this.loaded.has(o.buffer)))
      for (const o of list) if (o.value.op !== "accumulator" && o.value.op !== "const") this.values.hold(o.value, vector);
    for (const o of list) this.storeOne(o, vector);
  }

  private storeOne(o: KernelOutput, vector: boolean): void {
    const { f, values } = this;
    const offset = this.inductions.pushAddress(values.access(o));
    if (vector) {
      values.vector(o.value);
      vectorStore(f, o.value.dtype, this.plan.lanes as 2 | 4, offset);
    } else {
      values.scalar(o.value);
      f.memory(scalarStore(o.value.dtype), offset);
    }
  }

  private reduce(): void {
    const { kernel, values } = this;
    const acrossLanes = this.plan.laneDim >= this.outputCount;
    const count = !values.vectorized ? 1 : acrossLanes ? this.reducedCopies() : this.copies.length;
    const folds = this.folding !== undefined;
    const across = acrossLanes && values.vectorized;
    const byBlocks = values.vectorized && kernel.accumulators.length === 1 && !kernel.stores && this.mainTrips > 1 && this.plan.copies > 1;
    this.blockSearch = undefined;
    this.reductions = kernel.accumulators.map((a) => {
      const { op, dtype } = a;
      if ((op === "max" || op === "min") && values.vectorized && isFloat(dtype)) return new Extremum(values, { ...a, op }, across);
      if (op !== "argmax" && op !== "argmin") return new Reduction(values, a, across, folds);
      const search = new Search(values, { ...a, op }, this.position, across, byBlocks);
      if (byBlocks) this.blockSearch = search;
      return search;
    });
    for (const r of this.reductions) r.begin(count, across && this.scalarRemainder);
    this.reduceLoops(this.outputCount);
    const results: Local[][] = this.reductions.map((r) => r.finish());
    const copies = results[0]?.length ?? 0;
    values.results = { vector: values.vectorized && !acrossLanes, locals: Array.from({ length: copies }, (_, c) => results.map((r) => r[c]!)) };
    this.store();
    values.results = undefined;
  }

  /** Vectors side by side over the whole of a reduced lane dimension: the loop's, or more where all is written out. */
  private reducedCopies(): number {
    const { lanes, laneDim, copies } = this.plan;
    return this.mainTrips > 1 ? copies : Math.floor(this.sizes[laneDim]! / lanes);
  }

  private reduceLoops(position: number): void {
    const { values } = this;
    const first = this.outputCount;
    if (position > first) this.hoist(position);
    if (position === this.plan.order.length) {
      if (this.blockSearch && values.vectorized && this.copies.length > 1) this.blockSearch.updateBlock((body) => this.eachCopy(body));
      else
        this.eachCopy(() => {
          for (const r of this.reductions) r.update();
          this.write(this.kernel.stores ?? [], values.vectorized);
        });
      return;
    }
    if (this.folding?.position !== position) {
      this.loop(position, () => this.reduceLoops(position + 1));
      return;
    }
    const fold = (): void => {
      for (const r of this.reductions) r.fold();
    };
    this.loop(position, () => this.reduceLoops(position + 1), fold);
    fold();
  }
}

/** Emits a normalized kernel. */
export function emitNest(context: NestContext, kernel: Kernel): void {
  new NestEmitter(context, kernel).emit();
}

/** Emits a scalar expression without loop indices, such as the base of a copy; its value is left on the stack. */
export function emitScalar({ f, library, locate, simd }: NestContext, e: Expr): void {
  const inductions = new Inductions(f, [], locate);
  const values = new Values(f, library, inductions, new Map(), 1, -1);
  values.register([e], []);
  inductions.begin((base) => emitScalar({ f, library, locate, simd }, base));
  values.scalar(e);
}
