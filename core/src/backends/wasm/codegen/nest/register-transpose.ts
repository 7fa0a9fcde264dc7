import { itemsize } from "../../../../base/dtype.js";
import type { DType } from "../../../../base/dtype.js";
import type { Expr } from "../../../../kernel/expr.js";
import type { Kernel } from "../../../../kernel/schedule.js";
import { visitKernel } from "../../../../kernel/traverse.js";
import type { FunctionBuilder, Local } from "../../assembler/index.js";
import { type Hoisted, planHoists } from "./hoist.js";
import { Inductions } from "./induction.js";
import { laneStride } from "../values/lane-stride.js";
import { emitScalar } from "./nest.js";
import type { NestContext } from "./nest.js";
import { mapKernel } from "./normalize.js";
import { dependences } from "./plan.js";
import { Values } from "../values/values.js";
import { isElementary, vectorLoad, vectorStore } from "../values/vector.js";
import type { Lanes } from "../values/vector.js";

/** Neighbours along `row` are read side by side, neighbours along `lane` are written so: squares of them are transposed in registers. */
interface TransposingPlan {
  readonly lane: number;
  readonly row: number;
  readonly lanes: Lanes;
  readonly loads: readonly (Expr & { op: "load" })[];
  /** Rows that are walked side by side. */
  readonly strip: number;
  /** Rows whose values are computed in lockstep. */
  readonly together: number;
  readonly dependence: ReadonlyMap<Expr, number>;
}

/** Where rows are a power of two apart, a set of the first cache holds the lines of about so many. */
const maxStrip = 8;
/** Expressions of a strip, all of which are written out. */
const maxStripNodes = 160;

function planTransposing(kernel: Kernel): TransposingPlan | undefined {
  const { dims, outputs } = kernel;
  if (kernel.accumulators.length > 0 || dims.length < 2) return undefined;
  const dependence = dependences(kernel);
  let wide = false;
  let heavy = false;
  let guarded = false;
  let nodes = 0;
  const loads: (Expr & { op: "load" })[] = [];
  visitKernel(kernel, (e) => {
    if (e.op !== "const" && e.op !== "index") nodes++;
    if (e.dtype === "float64") wide = true;
    if (e.op === "guard") guarded = true;
    if (e.op === "load") loads.push(e);
    if (isElementary(e)) heavy = true;
  });
  // What a guard keeps from being read may not be read for its neighbours.
  if (guarded) return undefined;
  const lanes: Lanes = wide ? 2 : 4;
  const lane = dims.findLastIndex((n, d) => n >= lanes && outputs.every((o) => o.index.strides[d] === 1));
  if (lane < 0) return undefined;
  let best: { row: number; across: typeof loads } | undefined;
  dims.forEach((n, row) => {
    if (row === lane || n < lanes) return;
    const across = loads.filter(({ index: { strides } }) => strides[row] === 1 && strides[lane] !== 1 && strides[lane] !== 0);
    if (across.length > (best?.across.length ?? 0)) best = { row, across };
  });
  if (best === undefined) return undefined;
  const { row, across } = best;
  const strip = Math.max(lanes, Math.min(maxStrip, Math.floor(maxStripNodes / nodes / lanes) * lanes, Math.floor(dims[row]! / lanes) * lanes));
  return { lane, row, lanes, loads: across, strip, together: heavy ? 2 : lanes, dependence };
}

/** Part of a kernel: `count` steps of a dimension from `start` on. */
const slice = (kernel: Kernel, d: number, start: number, count: number): Kernel =>
  mapKernel(kernel, kernel.dims.map((n, k) => (k === d ? count : n)), [], (a) => ({ offset: a.offset + (a.strides[d] ?? 0) * start, strides: a.strides }));

/** Vectors side by side to those across them; gives the locals that hold these, in order. */
function transposeSquare(f: FunctionBuilder, dtype: DType, lanes: Lanes, v: readonly Local[]): Local[] {
  const pair = (a: Local, b: Local, low: readonly [number, number, number, number], high: readonly [number, number, number, number]): void => {
    const t = f.local("v128");
    f.get(a).get(b).shuffle32(...low).set(t);
    f.get(a).get(b).shuffle32(...high).set(b);
    f.get(t).set(a).release(t);
  };
  const [a, b, c, d] = v as readonly [Local, Local, Local, Local];
  if (lanes === 2) {
    // Narrow elements fill the lower half.
    if (dtype !== "bool" && itemsize(dtype) === 4) pair(a, b, [0, 4, 0, 4], [1, 5, 1, 5]);
    else pair(a, b, [0, 1, 4, 5], [2, 3, 6, 7]);
    return [a, b];
  }
  pair(a, b, [0, 4, 1, 5], [2, 6, 3, 7]);
  pair(c, d, [0, 4, 1, 5], [2, 6, 3, 7]);
  pair(a, c, [0, 1, 4, 5], [2, 3, 6, 7]);
  pair(b, d, [0, 1, 4, 5], [2, 3, 6, 7]);
  return [a, c, b, d];
}

/** Emits all rows of a kernel whose sizes are whole strips and whole vectors: the outer loops, strips of rows, vectors along the lanes, rows. */
class StripEmitter {
  private readonly f: FunctionBuilder;
  private readonly inductions: Inductions;
  private readonly values: Values;
  private readonly outer: readonly number[];
  private readonly hoists: readonly (readonly Hoisted[])[];

  constructor(private readonly context: NestContext, private readonly kernel: Kernel, private readonly plan: TransposingPlan) {
    const { f } = context;
    const { lane, row, lanes, strip, dependence } = plan;
    const { dims, outputs } = kernel;
    this.f = f;
    this.outer = dims.flatMap((_, d) => (d === lane || d === row ? [] : [d]));
    this.inductions = new Inductions(f, dims, context.locate);
    const values = new Values(f, context.library, this.inductions, dependence, lanes, lane, row);
    this.values = values;
    values.register(outputs.map((o) => o.value), outputs);
    values.copyOffsets = Array.from({ length: strip }, (_, r) => r);
    const depth = this.outer.length;
    // Level depth + 1: what each row has for itself; depth + 2: what all rows share.
    const levelOf = (mask: number): number => {
      const [ofRow, ofLane] = [mask & (1 << row), mask & (1 << lane)];
      if (ofRow || ofLane) return depth + (ofRow ? 1 : 0) + (ofLane ? 2 : 0);
      return this.outer.findLastIndex((d) => mask & (1 << d)) + 1;
    };
    this.hoists = planHoists({
      roots: outputs.map((o) => ({ value: o.value, depth: depth + 3, vector: true })), levelOf, dependence,
      alongLanes: (e) => values.alongLanes(e), neighbours: (e) => laneStride(e.at, lane, dependence) === 1, levels: depth + 3,
    });
  }

  emit(): void {
    this.inductions.begin((base) => emitScalar(this.context, base));
    this.values.inScope(() => this.loops(0));
  }

  private hoist(level: number): void {
    for (const { key, vector } of this.hoists[level]!) this.values.hold(key, vector);
  }

  private loops(level: number): void {
    const { plan: { lane, row, lanes, strip }, values, outer } = this;
    const depth = outer.length;
    this.hoist(level);
    if (level < depth) {
      this.counted(outer[level]!, 1, () => this.loops(level + 1));
      return;
    }
    this.counted(row, strip, () => {
      this.rows(0, strip, () => this.hoist(depth + 1));
      this.counted(lane, lanes, () => {
        this.hoist(depth + 2);
        for (let r = 0; r < strip; r += lanes) values.inScope(() => this.square(r));
      });
    });
  }

  private counted(dim: number, step: number, body: () => void): void {
    const { f, values } = this;
    const trips = this.kernel.dims[dim]! / step;
    if (trips === 1) {
      values.inScope(body);
      return;
    }
    const moving = this.inductions.open(dim);
    const counter = f.local("i32");
    f.i32(trips).set(counter).loop((again) => {
      values.inScope(body);
      moving.advance(step);
      f.get(counter).i32(1).op("i32.sub").tee(counter).brIf(again);
    }).release(counter);
    moving.close();
  }

  /** Emits for each of some rows of the strip. */
  private rows(from: number, count: number, body: () => void): void {
    const { values, inductions, plan: { row } } = this;
    for (let r = from; r < from + count; r++) {
      values.copy = r;
      inductions.shift(row, r);
      body();
      inductions.shift(row, -r);
    }
    values.copy = 0;
  }

  /** As many rows as there are lanes, from `first` on: what lies across them is loaded and transposed, then all is computed and written. */
  private square(first: number): void {
    const { f, values, plan: { lanes, loads, together } } = this;
    for (const e of loads) transposeSquare(f, e.dtype, lanes, this.loadSquare(e, first)).forEach((local, r) => { values.give(e, first + r, local); });
    for (let r = first; r < first + lanes; r += together) {
      values.together = Array.from({ length: together }, (_, k) => r + k);
      values.inScope(() => this.rows(r, together, () => this.write()));
    }
  }

  /** Vectors of a load along the rows, one for each lane. */
  private loadSquare(e: Expr & { op: "load" }, first: number): Local[] {
    const { f, values, inductions, plan: { lane, row, lanes } } = this;
    return Array.from({ length: lanes }, (_, l) => {
      inductions.shift(row, first);
      inductions.shift(lane, l);
      vectorLoad(f, e.dtype, lanes, inductions.pushAddress(values.access(e)));
      inductions.shift(lane, -l);
      inductions.shift(row, -first);
      const local = f.local("v128");
      f.set(local);
      return local;
    });
  }

  private write(): void {
    const { f, values, inductions, kernel: { outputs }, plan: { lanes } } = this;
    // What one output overwrites another may still have to read.
    if (outputs.length > 1) for (const o of outputs) if (o.value.op !== "const") values.hold(o.value, true);
    for (const o of outputs) {
      const offset = inductions.pushAddress(values.access(o));
      values.vector(o.value);
      vectorStore(f, o.value.dtype, lanes, offset);
    }
  }
}

/**
 * Emits an elementwise kernel that reads along other dimensions than it writes, such as a transpose, and gives its parts that are left to do;
 * undefined if it is none.
 */
export function emitTransposing(context: NestContext, kernel: Kernel): Kernel[] | undefined {
  if (!context.simd || context.bound) return undefined;
  const plan = planTransposing(kernel);
  if (plan === undefined) return undefined;
  const { lane, row, lanes, strip } = plan;
  const [columns, rows] = [kernel.dims[lane]!, kernel.dims[row]!];
  const whole = columns - (columns % lanes);
  const left: Kernel[] = [];
  if (whole < columns) left.push(slice(kernel, lane, whole, columns - whole));
  const body = whole < columns ? slice(kernel, lane, 0, whole) : kernel;
  const strips = rows - (rows % strip);
  const squares = rows - (rows % lanes);
  for (const [from, to] of [[0, strips], [strips, squares]] as const) {
    if (from === to) continue;
    const part = slice(body, row, from, to - from);
    const planned = planTransposing(part);
    if (planned) new StripEmitter(context, part, { ...planned, strip: Math.min(strip, to - from) }).emit();
    else left.push(part);
  }
  if (squares < rows) left.push(slice(body, row, squares, rows - squares));
  return left;
}
