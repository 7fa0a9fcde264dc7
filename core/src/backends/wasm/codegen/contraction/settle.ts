import { contiguousStrides } from "../../../../base/shape.js";
import { type Contraction, mergedStride } from "../../../../kernel/contraction.js";
import type { BufferId } from "../../../../kernel/expr.js";
import type { Kernel, KernelOutput } from "../../../../kernel/schedule.js";
import { type Coordinate, type FactorFacts, fastest } from "./factor.js";

/** How a factor comes to the matrix product. */
export interface FactorPlan {
  /** The dimensions it changes with. */
  readonly dims: ReadonlySet<number>;
  /** Set where it is no plain load: its values are computed first, once for each point of these. */
  readonly coordinates: readonly Coordinate[] | undefined;
  /** Set where what there is then does not lie evenly: it is copied, its dimensions in this order. */
  readonly copy: readonly number[] | undefined;
}

/** The dimensions of the matrices, and how many elements of each a block has. */
export interface Shape {
  /** Outermost first. */
  readonly m: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
  readonly block: readonly number[];
}

/** Loops around matrix products of blocks. */
export interface ContractionPlan extends Shape {
  readonly contraction: Contraction;
  /** Of the left and the right factor. */
  readonly facts: readonly [FactorFacts, FactorFacts];
  /** Dimensions that are looped over, outermost first: of the output, then reduced ones. */
  readonly outputLoops: readonly number[];
  readonly reducedLoops: readonly number[];
  readonly a: FactorPlan;
  readonly b: FactorPlan;
  /** The output that the sums are written to; undefined if they need room of their own. */
  readonly into: KernelOutput | undefined;
}

/** Strides by dimension of a dense block whose dimensions are stored in this order. */
export function denseStrides(order: readonly number[], block: readonly number[]): number[] {
  const strides = new Array<number>(block.length).fill(0);
  const dense = contiguousStrides(order.map((d) => block[d]!));
  order.forEach((d, i) => (strides[d] = dense[i]!));
  return strides;
}

/** Decides what blocks leave open: which factors are used in place, and where the sums go. `loaded`: what outputs read. */
export function settle(c: Contraction, shape: Shape, facts: ContractionPlan["facts"], kernel: Kernel, loaded: ReadonlySet<BufferId>): ContractionPlan {
  const { m, n, k, block } = shape;
  const { sizes } = c;
  const looped = (dims: readonly number[]): number[] => dims.filter((d) => block[d]! < sizes[d]!);
  return {
    contraction: c, facts, m, n, k, block,
    outputLoops: [...looped(c.batch), ...looped(n), ...looped(m)], reducedLoops: looped(k),
    a: settleFactor(facts[0], m, k, block), b: settleFactor(facts[1], n, k, block),
    into: kernel.outputs.find((o) => fits(o, c, shape, loaded)),
  };
}

/** The engine walks forward only. */
const isEven = (strides: readonly number[], block: readonly number[], free: readonly number[], k: readonly number[]): boolean =>
  (mergedStride({ strides }, block, free) ?? -1) >= 0 && (mergedStride({ strides }, block, k) ?? -1) >= 0;

/** `free`: its dimensions that are not summed over. */
function settleFactor({ dims, load, walks, joins, coordinates }: FactorFacts, free: readonly number[], k: readonly number[], block: readonly number[]): FactorPlan {
  if (load && isEven(load.index.strides, block, free, k)) return { dims, coordinates: undefined, copy: undefined };
  // Whatever is fastest in memory stays so: copies run along it.
  const rows = [...free, ...k];
  const fast = fastest(walks, rows, block);
  const whole = fast !== undefined && free.includes(fast) ? [...k, ...free] : rows;
  const own = whole.filter((d) => dims.has(d));
  // A sum over what the factor does not change with repeats its elements, if it must.
  const order = isEven(denseStrides(own, block), block, free, k) ? own : whole;
  if (load) return { dims, coordinates: undefined, copy: order };
  if (joins || order === whole) return { dims, coordinates, copy: order };
  return { dims, coordinates: order.map((dim) => ({ terms: [{ dim, step: 1 }] })), copy: undefined };
}

/** Whether the sums of a block can be written to where an output goes, to be finished there. */
function fits(o: KernelOutput, c: Contraction, { m, n, block }: Shape, loaded: ReadonlySet<BufferId>): boolean {
  if (o.value.dtype !== c.dtype || loaded.has(o.buffer)) return false;
  const row = mergedStride(o.index, block, m);
  const column = mergedStride(o.index, block, n);
  const isOne = (dims: readonly number[]): boolean => dims.every((d) => block[d] === 1);
  return row !== undefined && (column === 1 || isOne(n)) && (row > 0 || isOne(m));
}
