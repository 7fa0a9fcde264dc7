import type { Expr } from "../../../../kernel/expr.js";
import { isFloat } from "../../../../base/dtype.js";
import { index } from "../../../../kernel/expr.js";
import { contiguousStrides, sizeOf } from "../../../../base/shape.js";
import type { Accumulate, Kernel, KernelOutput } from "../../../../kernel/schedule.js";
import { writesOf } from "../../../../kernel/traverse.js";
import type { FunctionBuilder, Local } from "../../assembler/index.js";
import type { FunctionLibrary } from "../../functions/contract.js";
import { planHoists } from "./hoist.js";
import { laneStride } from "../values/lane-stride.js";
import type { Hoisted } from "./hoist.js";
import { Inductions } from "./induction.js";
import type { BufferLocation } from "../location.js";
import { planLoops } from "./loop-plan.js";
import type { LoopPlan } from "./loop-plan.js";
import { Loops } from "./loops.js";
import { planNest } from "./plan.js";
import { Find } from "../reductions/find.js";
import { Extremum } from "../reductions/extremum.js";
import { Reduction } from "../reductions/reduction.js";
import type { Reducer } from "../reductions/reducer.js";
import { scalarStore } from "../values/scalar.js";
import { Search } from "../reductions/search.js";
import { Values } from "../values/values.js";
import { vectorStore } from "../values/vector.js";
import type { Lanes } from "../values/vector.js";

export interface NestContext {
  /** Parameter 0 is the frame. */
  readonly f: FunctionBuilder;
  readonly library: FunctionLibrary;
  readonly locate: (buffer: number) => BufferLocation;
  readonly simd: boolean;
  /** The output that may have the memory of this input. */
  readonly aliasOf?: (input: number) => number | undefined;
  /** Locals with the indices of the kernel's first dimensions, which are not looped over then. */
  readonly bound?: readonly Local[];
}

/** A row of so many elements is still in the first cache when its extremum is known. */
const twiceElements = 2048;

/** Emits one loop nest in the current function. */
class NestEmitter {
  private readonly f: FunctionBuilder;
  private readonly plan: LoopPlan;
  private readonly loops: Loops;
  private readonly values: Values;
  private readonly inductions: Inductions;
  private readonly hoists: { readonly vector: Hoisted[][]; readonly scalar: Hoisted[][] };
  private readonly position: Expr;
  private readonly loaded = new Set<number>();

  constructor(private readonly context: NestContext, private readonly kernel: Kernel) {
    this.f = context.f;
    const bound = context.bound ?? [];
    // Rank among the reduced elements in row-major order.
    this.position = index({ offset: 0, strides: [...kernel.dims.map(() => 0), ...contiguousStrides(kernel.reduceDims)] });
    const searches = kernel.accumulators.some((a) => a.op === "argmax" || a.op === "argmin");
    const nest = planNest(kernel, context.simd, bound.length);
    const { lanes, laneDim, order } = nest;
    const dependence = new Map(nest.dependence);
    dependence.set(this.position, this.position.op === "index" ? this.position.index.strides.reduce((m, s, d) => (s === 0 ? m : m | (1 << d)), 0) : 0);
    for (const e of dependence.keys())
      if (e.op === "load" || e.op === "gather") {
        this.loaded.add(e.buffer);
        const alias = context.aliasOf?.(e.buffer);
        if (alias !== undefined) this.loaded.add(alias);
      }
    // Vectors may overlap, unless elements are overwritten in place.
    this.plan = planLoops(kernel, nest, bound.length, !writesOf(kernel).some((o) => this.loaded.has(o.buffer)));

    this.inductions = new Inductions(this.f, this.plan.sizes, context.locate);
    this.values = new Values(this.f, context.library, this.inductions, dependence, lanes, laneDim);
    this.loops = new Loops(this.f, this.plan, this.values, this.inductions, bound);
    const roots = [...kernel.accumulators.map((a) => a.value), ...(searches ? [this.position] : []), ...writesOf(kernel).map((o) => o.value)];
    this.values.register(roots, writesOf(kernel));

    const levelOf = (mask: number): number => {
      for (let i = order.length; i > 0; i--) if (mask & (1 << order[i - 1]!)) return i;
      return 0;
    };
    const rootsFor = (vector: boolean) => [
      ...[...kernel.accumulators.map((a) => a.value), ...(kernel.stores ?? []).map((o) => o.value), ...(searches ? [this.position] : [])].map((value) => ({ value, depth: order.length, vector })),
      ...kernel.outputs.map((o) => ({ value: o.value, depth: this.plan.outputs, vector: vector && laneDim < this.plan.outputs })),
    ];
    const hoistsFor = (vector: boolean): Hoisted[][] =>
      planHoists({ roots: rootsFor(vector), levelOf, dependence, alongLanes: (e) => vector && (dependence.get(e)! & (1 << laneDim)) !== 0, neighbours: (e) => laneStride(e.at, laneDim, dependence) === 1, levels: order.length });
    this.hoists = { vector: lanes > 1 ? hoistsFor(true) : [], scalar: lanes === 1 || this.plan.scalarRemainder ? hoistsFor(false) : [] };
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
      else this.loops.eachCopy(() => values.hold(key, true));
    }
    if (!values.vectorized || (this.plan.scalarRemainder && depth <= this.plan.lanePosition)) {
      const vectorized = values.vectorized;
      values.vectorized = false;
      for (const { key } of this.hoists.scalar[depth]!) values.hold(key, false);
      values.vectorized = vectorized;
    }
  }

  private outputLoops(position: number): void {
    this.hoist(position);
    if (position < this.plan.outputs) {
      this.loops.run(position, () => this.outputLoops(position + 1));
      return;
    }
    if (this.kernel.accumulators.length === 0) this.store();
    else this.reduce();
  }

  private store(): void {
    const { values } = this;
    const vector = values.vectorized && this.plan.laneDim < this.plan.outputs;
    const write = (): void => this.write(this.kernel.outputs, vector);
    if (vector) this.loops.eachCopy(write);
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
    const inPlace = list.filter((o) => this.loaded.has(o.buffer));
    for (const o of list) if (!inPlace.includes(o)) this.storeOne(o, vector);
    if (inPlace.length > 1) for (const o of inPlace) if (o.value.op !== "accumulator" && o.value.op !== "const") this.values.hold(o.value, vector);
    for (const o of inPlace) this.storeOne(o, vector);
  }

  private storeOne(o: KernelOutput, vector: boolean): void {
    const { f, values } = this;
    const offset = this.inductions.pushAddress(values.access(o));
    if (vector) {
      values.vector(o.value);
      vectorStore(f, o.value.dtype, this.plan.lanes as Lanes, offset);
    } else {
      values.scalar(o.value);
      f.memory(scalarStore(o.value.dtype), offset);
    }
  }

  private reduce(): void {
    const { values, plan } = this;
    const acrossLanes = plan.laneDim >= plan.outputs;
    const count = !values.vectorized ? 1 : acrossLanes ? this.reducedCopies() : this.loops.copyCount;
    const results = acrossLanes && values.vectorized && this.readsTwice ? [[this.searchTwice(count)]] : this.reduceAll(this.kernel.accumulators, count);
    const copies = results[0]?.length ?? 0;
    values.results = { vector: values.vectorized && !acrossLanes, locals: Array.from({ length: copies }, (_, c) => results.map((r) => r[c]!)) };
    this.store();
    values.results = undefined;
  }

  /** Emits the loops of the reduction; gives locals of the results. */
  private reduceAll(accumulators: readonly Accumulate[], count: number): Local[][] {
    const { values, plan, kernel: { stores = [] } } = this;
    const across = plan.laneDim >= plan.outputs && values.vectorized;
    const byBlocks = values.vectorized && accumulators.length === 1 && stores.length === 0 && plan.mainTrips > 1 && plan.copies > 1;
    let blockSearch: Search | undefined;
    const extrema: Extremum[] = [];
    const reductions = accumulators.map((a): Reducer => {
      const { op, dtype } = a;
      if ((op === "max" || op === "min") && values.vectorized && isFloat(dtype)) {
        const extremum = new Extremum(values, { ...a, op }, across, dtype === "float32" ? extrema.find((e) => e.spec.value === a.value) : undefined);
        extrema.push(extremum);
        return extremum;
      }
      if (op !== "argmax" && op !== "argmin") return new Reduction(values, a, across, plan.folding !== undefined);
      const search = new Search(values, { ...a, op }, this.position, across, byBlocks);
      if (byBlocks) blockSearch = search;
      return search;
    });
    for (const r of reductions) r.begin(count, across && plan.scalarRemainder);
    const eachCopy = (body: () => void): void => this.loops.eachCopy(body);
    const update = (): void => {
      if (blockSearch && values.vectorized && this.loops.copyCount > 1) blockSearch.updateBlock(eachCopy);
      else
        eachCopy(() => {
          for (const r of reductions) r.update();
          this.write(stores, values.vectorized);
        });
    };
    this.reduceLoops(plan.outputs, update, () => {
      for (const r of reductions) r.fold();
    });
    return reductions.map((r) => r.finish());
  }

  /** Few and simple elements are searched through in two goes, first for their extremum, then for its place. */
  private get readsTwice(): boolean {
    const [a] = this.kernel.accumulators;
    if (a === undefined || this.kernel.accumulators.length > 1 || this.kernel.stores || (a.op !== "argmax" && a.op !== "argmin")) return false;
    return a.value.op === "load" && sizeOf(this.kernel.reduceDims) <= twiceElements;
  }

  private searchTwice(count: number): Local {
    const { f, values, loops, plan, position } = this;
    const [spec] = this.kernel.accumulators as [Accumulate];
    const [[best]] = this.reduceAll([{ ...spec, op: spec.op === "argmax" ? "max" : "min", dtype: spec.value.dtype }], count) as [[Local]];
    const find = new Find(values, spec, position, best);
    f.block((found) => this.reduceLoops(plan.outputs, () => find.update((body) => loops.eachCopy(body), found), () => {}));
    return find.finish();
  }

  /** Vectors side by side over the whole of a reduced lane dimension: the loop's, or more where all is written out. */
  private reducedCopies(): number {
    const { lanes, laneDim, copies } = this.plan;
    return this.plan.mainTrips > 1 ? copies : Math.floor(this.plan.sizes[laneDim]! / lanes);
  }

  private reduceLoops(position: number, update: () => void, fold: () => void): void {
    const { plan, loops } = this;
    if (position > plan.outputs) this.hoist(position);
    if (position === plan.order.length) {
      update();
      return;
    }
    const inner = (): void => this.reduceLoops(position + 1, update, fold);
    if (plan.folding?.position !== position) {
      loops.run(position, inner);
      return;
    }
    loops.run(position, inner, fold);
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
