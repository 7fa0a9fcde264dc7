import { itemsize } from "../../../../base/dtype.js";
import { contiguousStrides } from "../../../../base/shape.js";
import { byStride, type Contraction, dimensionsOf, exchanged, mergedStride } from "../../../../kernel/contraction.js";
import { type Affine, type BufferId, type Expr, load, visitExpr } from "../../../../kernel/expr.js";
import type { Kernel, KernelOutput } from "../../../../kernel/schedule.js";
import type { NestContext } from "../nest.js";
import { type Coordinate, coordinatesOf, extent, fastest, inMemoryOrder, type Load } from "./factor.js";

/** How a factor comes to the matrix product. */
export interface FactorPlan {
  /** The dimensions it changes with. */
  readonly dims: ReadonlySet<number>;
  /** Set where it is no plain load: its values are computed first, once for each point of these. */
  readonly coordinates: readonly Coordinate[] | undefined;
  /** Set where what there is then does not lie evenly: it is copied, its dimensions in this order. */
  readonly copy: readonly number[] | undefined;
}

/** Loops around matrix products of blocks. */
export interface ContractionPlan {
  readonly contraction: Contraction;
  /** Dimensions of the matrices, outermost first; loops around take blocks of them. */
  readonly m: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
  /** Elements of each dimension in a block. */
  readonly block: readonly number[];
  /** Dimensions that are looped over, outermost first: of the output, then reduced ones. */
  readonly outputLoops: readonly number[];
  readonly reducedLoops: readonly number[];
  readonly a: FactorPlan;
  readonly b: FactorPlan;
  /** The output that the sums are written to; undefined if they need room of their own. */
  readonly into: KernelOutput | undefined;
}

/** Nanoseconds, measured on one machine; only their proportions matter. Of vectors, but for `packed` and what follows, which are of elements. */
const price = { nest: 1.2, nestGuarded: 8, block: 0.14, vector: 0.3, straight: 0.15, packed: 0.2, turned: 0.5, evaluated: 0.35, scattered: 1.2, epilogue: 0.5 };
/** What a loop nest and a call of each kind of product cost whatever their size. */
const start = { nest: 3, straight: 5, vector: 8, block: 25 };
/** Blocks that are computed or copied first should stay in the second-level cache. */
const cacheBytes = 1 << 18;
const tileRows = 4;
/** The products that the engine writes out, and the bytes from which it packs its operands, roughly. */
const straightVectors = 64;
const packedBytes = 1 << 14;

const product = (dims: readonly number[], of: readonly number[]): number => dims.reduce((n, d) => n * of[d]!, 1);
const pieces = (whole: number, block: number): number => Math.ceil(whole / block);

interface Setting {
  readonly kernel: Kernel;
  readonly lanes: number;
  /** What outputs read, and what may have the same memory. */
  readonly buffersLoaded: ReadonlySet<BufferId>;
}

/** Every way to run a contraction as matrix products of blocks. */
export function allPlans(kernel: Kernel, contraction: Contraction, lanes: number, takenBy?: NestContext["takenBy"]): ContractionPlan[] {
  const setting = settingOf(kernel, lanes, takenBy);
  return [contraction, exchanged(contraction)].flatMap((side) => [...candidates(side, setting)]);
}

/** The best way to run a contraction as matrix products of blocks, or undefined if plain loops are as good. `held`: factors whose panels may be packed beforehand. */
export function planContraction(kernel: Kernel, contraction: Contraction, lanes: number, takenBy?: NestContext["takenBy"], held: (e: Expr) => boolean = () => false): ContractionPlan | undefined {
  const { sizes } = contraction;
  if (product(contraction.m, sizes) * product(contraction.n, sizes) === 1) return undefined;
  const simple = contraction.a.op === "load" && contraction.b.op === "load";
  const nest = start.nest + (sizes.reduce((x, n) => x * n, 1) / lanes) * (simple ? price.nest : price.nestGuarded);
  if (nest <= start.straight) return undefined;
  const setting = settingOf(kernel, lanes, takenBy);
  let best: { plan: ContractionPlan; cost: number } | undefined;
  for (const plan of allPlans(kernel, contraction, lanes, takenBy)) {
    const cost = costOf(plan, setting, held);
    if (cost < (best?.cost ?? Infinity)) best = { plan, cost };
  }
  return best && best.cost < nest ? best.plan : undefined;
}

function settingOf(kernel: Kernel, lanes: number, takenBy: NestContext["takenBy"]): Setting {
  const buffersLoaded = new Set<BufferId>();
  const seen = new Set<Expr>();
  const add = (id: BufferId | undefined): void => { if (id !== undefined) buffersLoaded.add(id); };
  for (const o of kernel.outputs)
    visitExpr(o.value, (e) => {
      if (e.op !== "load" && e.op !== "gather") return;
      add(e.buffer);
      add(takenBy?.(e.buffer));
    }, seen);
  return { kernel, lanes, buffersLoaded };
}

/** Output dimensions in the order of the first output, reduced ones in that of either factor. */
function* candidates(c: Contraction, setting: Setting): Generator<ContractionPlan> {
  const { sizes } = c;
  const long = (dims: readonly number[]): number[] => dims.filter((d) => sizes[d]! > 1);
  const output: Affine = setting.kernel.outputs[0]!.index;
  const [m, n] = [byStride(output, long(c.m)), byStride(output, long(c.n))];
  const orders = new Map<string, number[]>();
  for (const e of [c.a, c.b]) if (e.op === "load") { const k = byStride(e.index, long(c.k)); orders.set(k.join(), k); }
  if (orders.size === 0) { const k = long(c.k); orders.set(k.join(), k); }
  const facts = [factsOf(c.a, sizes), factsOf(c.b, sizes)] as const;
  for (const k of orders.values())
    for (let i = 0; i <= m.length; i++)
      for (let j = 0; j <= n.length; j++)
        for (let l = 0; l <= k.length; l++) {
          const block = sizes.slice();
          for (const d of [...long(c.batch), ...m.slice(0, i), ...n.slice(0, j), ...k.slice(0, l)]) block[d] = 1;
          yield* blocked(c, { m, n, k, peeled: [i, j, l], block }, facts, setting);
        }
}

interface Facts {
  readonly dims: ReadonlySet<number>;
  readonly load: Load | undefined;
  readonly coordinates: readonly Coordinate[];
  readonly joins: boolean;
}
function factsOf(e: Contraction["a"], sizes: readonly number[]): Facts {
  const coordinates = inMemoryOrder(e, coordinatesOf(e, sizes));
  return { dims: dimensionsOf(e), load: e.op === "load" ? e : undefined, coordinates, joins: coordinates.some((c) => c.terms.length > 1) };
}

interface Shape {
  readonly m: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
  /** How many of each list are looped over one by one. */
  readonly peeled: readonly [number, number, number];
  readonly block: readonly number[];
}

/** A plan with blocks as given, and ones with smaller blocks where what they make would not stay in cache. */
function* blocked(c: Contraction, shape: Shape, facts: readonly [Facts, Facts], setting: Setting): Generator<ContractionPlan> {
  const plan = settle(c, shape, facts, setting);
  yield plan;
  const size = itemsize(c.dtype);
  const bytes = (f: FactorPlan): number => (f.copy || f.coordinates ? product([...f.dims], plan.block) * size : 0);
  const [bytesA, bytesB] = [bytes(plan.a), bytes(plan.b)];
  const [i, j, l] = shape.peeled;
  const cut = (d: number | undefined, over: number, block: number[]): void => {
    if (d !== undefined && over > cacheBytes) block[d] = Math.ceil(block[d]! / Math.min(block[d]!, Math.ceil(over / cacheBytes)));
  };
  if (Math.max(bytesA, bytesB) <= cacheBytes) return;
  const outer = plan.block.slice();
  cut(shape.m[i], bytesA, outer);
  cut(shape.n[j], bytesB, outer);
  yield settle(c, { ...shape, block: outer }, facts, setting);
  const inner = plan.block.slice();
  cut(shape.k[l], Math.max(bytesA, bytesB), inner);
  yield settle(c, { ...shape, block: inner }, facts, setting);
}

/** Strides by dimension of a dense block whose dimensions are stored in this order. */
export function denseStrides(order: readonly number[], block: readonly number[]): number[] {
  const strides = block.map(() => 0);
  const dense = contiguousStrides(order.map((d) => block[d]!));
  order.forEach((d, i) => (strides[d] = dense[i]!));
  return strides;
}

/** Decides what the blocks leave open: which factors are used in place, and where the sums go. */
function settle(c: Contraction, { m, n, k, block }: Shape, facts: readonly [Facts, Facts], setting: Setting): ContractionPlan {
  const { sizes } = c;
  const looped = (dims: readonly number[]): number[] => dims.filter((d) => block[d]! < sizes[d]!);
  const factor = (f: Facts, e: Contraction["a"], free: readonly number[]): FactorPlan => {
    // The engine walks forward only.
    const even = (strides: readonly number[]): boolean => [free, k].every((dims) => (mergedStride({ offset: 0, strides }, block, dims) ?? -1) >= 0);
    // Whatever is fastest in memory stays so: copies run along it.
    const fast = fastest(e, [...free, ...k], block);
    const whole = fast !== undefined && free.includes(fast) ? [...k, ...free] : [...free, ...k];
    const own = whole.filter((d) => f.dims.has(d));
    // A sum over what the factor does not change with repeats its elements, if it must.
    const order = even(denseStrides(own, block)) ? own : whole;
    if (f.load) return { dims: f.dims, coordinates: undefined, copy: even(f.load.index.strides) ? undefined : order };
    if (f.joins || order === whole) return { dims: f.dims, coordinates: f.coordinates, copy: order };
    return { dims: f.dims, coordinates: order.map((dim) => ({ terms: [{ dim, step: 1 }] })), copy: undefined };
  };
  const into = setting.kernel.outputs.find((o) => fits(o, c, { m, n, block }, setting));
  const classes = [looped(c.batch), looped(n), looped(m)];
  return { contraction: c, m, n, k, block, outputLoops: classes.flat(), reducedLoops: looped(k), a: factor(facts[0], c.a, m), b: factor(facts[1], c.b, n), into };
}

/** Whether the sums of a block can be written to where an output goes, to be finished there. */
function fits(o: KernelOutput, c: Contraction, { m, n, block }: { m: readonly number[]; n: readonly number[]; block: readonly number[] }, { buffersLoaded }: Setting): boolean {
  if (o.value.dtype !== c.dtype || buffersLoaded.has(o.buffer)) return false;
  const [row, column] = [mergedStride(o.index, block, m), mergedStride(o.index, block, n)];
  return row !== undefined && (column === 1 || product(n, block) === 1) && (row > 0 || product(m, block) === 1);
}

/** Whether the right factor comes with its columns apart. */
function isTurned({ b, n, k, block, contraction }: ContractionPlan): boolean {
  const stored = b.copy ?? b.coordinates?.flatMap((x) => x.terms.map((t) => t.dim));
  if (stored) return k.some((d) => d === stored.at(-1));
  return contraction.b.op === "load" && product(n, block) > 1 && mergedStride(contraction.b.index, block, n) !== 1;
}

/** What one product of blocks costs; `turned`: the columns of B do not lie side by side. Operands whose panels are held need no packing. */
function costOfProduct(m: number, n: number, k: number, lanes: number, turned: boolean, [heldA, heldB]: readonly boolean[]): number {
  const vectors = m * Math.ceil(n / lanes);
  if (m === 1 || n === 1) return start.vector + ((m * n * k) / lanes) * price.vector + m * n;
  if (vectors * k <= straightVectors) return start.straight + vectors * k * price.straight;
  const bytes = 16 / lanes;
  const packs = (!heldA && m * k * bytes > packedBytes && n > 32 * lanes ? m * k * price.packed : 0) + (heldB ? 0 : turned ? k * n * price.turned : m > 4 * tileRows && n * k * bytes > packedBytes ? k * n * price.packed : 0);
  return start.block + Math.ceil(m / tileRows) * tileRows * Math.ceil(n / lanes) * (k + 6) * price.block + packs;
}

function costOf(p: ContractionPlan, { lanes, kernel }: Setting, held: (e: Expr) => boolean): number {
  const { contraction: c, block } = p;
  const { sizes } = c;
  const loops = [...p.outputLoops, ...p.reducedLoops];
  const calls = loops.reduce((x, d) => x * pieces(sizes[d]!, block[d]!), 1);
  const [m, n, k] = [product(p.m, block), product(p.n, block), product(p.k, block)];
  let cost = calls * costOfProduct(m, n, k, lanes, isTurned(p), [p.a, p.b].map((f, i) => loops.length === 0 && !f.copy && held(i === 0 ? c.a : c.b)));
  for (const [f, e, free] of [[p.a, c.a, p.m], [p.b, c.b, p.n]] as const) {
    if (!f.copy && !f.coordinates) continue;
    const depth = loops.findLastIndex((d) => f.dims.has(d));
    const times = loops.slice(0, depth + 1).reduce((x, d) => x * pieces(sizes[d]!, block[d]!), 1);
    if (f.coordinates) cost += times * f.coordinates.reduce((x, g) => x * extent(g, block).count, 1) * price.evaluated * 3;
    if (f.copy) {
      const elements = product(f.copy, block);
      const along = fastest(e, [...free, ...p.k], block);
      cost += times * elements * (along === f.copy.at(-1) ? price.evaluated : price.scattered) * (elements * itemsize(c.dtype) > 4 * cacheBytes ? 3 : 1);
    }
  }
  const plain = p.into !== undefined && kernel.outputs.length === 1 && p.into.value.op === "accumulator";
  if (!plain) {
    const output = fastest(load("bool", 0, kernel.outputs[0]!.index), [...p.m, ...p.n], block);
    const each = (p.into || output === p.n.at(-1) ? price.epilogue : price.scattered) * (!p.into && m * n * itemsize(c.dtype) > 4 * cacheBytes ? 3 : 1);
    cost += p.outputLoops.reduce((x, d) => x * pieces(sizes[d]!, block[d]!), 1) * m * n * each;
  }
  if (p.reducedLoops.length > 0) cost += calls * m * n * price.epilogue;
  return cost;
}
