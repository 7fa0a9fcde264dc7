import { sizeOf } from "../../base/shape.js";
import { type BufferId, type Expr, operands } from "../../kernel/expr.js";
import type { Kernel } from "../../kernel/schedule.js";
import { heavy } from "../lazy.js";
import { placeKey } from "./place.js";

/** What a set of expressions reads. */
export interface Reads {
  /** Places loaded, by buffer. */
  readonly places: ReadonlyMap<BufferId, ReadonlySet<string>>;
  /** Buffers read at computed indices, or by bases. */
  readonly elsewhere: ReadonlySet<BufferId>;
}

/** What fusion asks about a kernel. */
export interface Facts {
  readonly kernel: Kernel;
  /** Number of output indices, and of terms that each reduces. */
  readonly count: number;
  readonly terms: number;
  readonly nodes: number;
  /** Elementary functions computed for each term, and for each output. */
  readonly heavyTerms: number;
  readonly heavyOutputs: number;
  readonly wide: boolean;
  readonly guarded: boolean;
  /** In accumulators and stores, and in outputs. */
  readonly inTerms: Reads;
  readonly inOutputs: Reads;
  /** Places that the loops stream through: they move with the innermost loop. */
  readonly streams: ReadonlySet<string>;
  /** Buffers of which some read moves with some loop. */
  readonly moving: ReadonlySet<BufferId>;
  readonly buffers: ReadonlySet<BufferId>;
  /** Output dimensions along which every output lies densely: where vectors can be stored. */
  readonly dense: readonly number[];
}

class Reader implements Reads {
  readonly places = new Map<BufferId, Set<string>>();
  readonly elsewhere = new Set<BufferId>();
  nodes = 0;
  heavy = 0;
  wide = false;
  guarded = false;
  readonly #seen = new Set<Expr>();

  constructor(readonly streamDim: number, readonly streams: Set<string>, readonly moving: Set<BufferId>) {}

  /** `e` depends on no loop. */
  base(e: Expr): void {
    if (e.op === "load" || e.op === "gather") this.elsewhere.add(e.buffer);
    for (const x of operands(e)) this.base(x);
  }
  read(e: Expr): void {
    if (this.#seen.has(e)) return;
    this.#seen.add(e);
    if (e.op !== "const" && e.op !== "index") this.nodes++;
    if (e.dtype === "float64") this.wide = true;
    if (e.op === "load") {
      const key = placeKey(e.buffer, e.index, e.base);
      const places = this.places.get(e.buffer);
      if (places) places.add(key);
      else this.places.set(e.buffer, new Set([key]));
      if ((e.index.strides[this.streamDim] ?? 0) !== 0) this.streams.add(key);
      if (e.index.strides.some((stride) => stride !== 0)) this.moving.add(e.buffer);
      if (e.base) this.base(e.base);
      return;
    }
    if (e.op === "gather") this.elsewhere.add(e.buffer);
    else if (e.op === "guard") this.guarded = true;
    else if ((e.op === "unary" || e.op === "binary") && heavy.has(e.fn)) this.heavy++;
    for (const x of operands(e)) this.read(x);
  }
}

export function factsOf(kernel: Kernel): Facts {
  const ndim = kernel.dims.length + kernel.reduceDims.length;
  const streams = new Set<string>();
  const moving = new Set<BufferId>();
  const terms = new Reader(ndim - 1, streams, moving);
  const outputs = new Reader(kernel.dims.length - 1, streams, moving);
  const stores = kernel.stores ?? [];
  for (const a of kernel.accumulators) terms.read(a.value);
  for (const o of stores) {
    terms.read(o.value);
    if (o.base) terms.base(o.base);
  }
  for (const o of kernel.outputs) {
    outputs.read(o.value);
    if (o.base) outputs.base(o.base);
  }
  return {
    kernel,
    count: sizeOf(kernel.dims),
    terms: sizeOf(kernel.reduceDims),
    nodes: terms.nodes + outputs.nodes,
    heavyTerms: terms.heavy,
    heavyOutputs: outputs.heavy,
    wide: terms.wide || outputs.wide,
    guarded: terms.guarded || outputs.guarded,
    inTerms: terms,
    inOutputs: outputs,
    streams, moving,
    buffers: new Set([...terms.places.keys(), ...terms.elsewhere, ...outputs.places.keys(), ...outputs.elsewhere, ...[...kernel.outputs, ...stores].map((o) => o.buffer)]),
    dense: kernel.dims.flatMap((_, d) => (kernel.outputs.every((o) => o.index.strides[d] === 1) ? [d] : [])),
  };
}
