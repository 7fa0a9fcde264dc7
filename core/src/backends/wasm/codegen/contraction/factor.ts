import { gcd } from "../../../../base/gcd.js";
import { contiguousStrides } from "../../../../base/shape.js";
import type { Affine, BufferId, Expr } from "../../../../kernel/expr.js";
import { load } from "../../../../kernel/expr.js";
import { affines, mapAffines } from "../../../../kernel/reindex.js";
import type { Kernel } from "../../../../kernel/schedule.js";

export type Load = Extract<Expr, { op: "load" }>;

/** What a factor really changes with: one dimension, or a sum of multiples of several, such as `position * stride + window`. */
export interface Coordinate {
  readonly terms: readonly { readonly dim: number; readonly step: number }[];
}

/** What plans ask about a factor, found once. */
export interface FactorFacts {
  readonly expr: Expr;
  /** The dimensions it changes with. */
  readonly dims: ReadonlySet<number>;
  /** Its affine functions. */
  readonly walks: readonly Affine[];
  readonly load: Load | undefined;
  /** The longest steps through memory first. */
  readonly coordinates: readonly Coordinate[];
  /** Whether some coordinate joins dimensions. */
  readonly joins: boolean;
}

export function factsOf(expr: Expr, sizes: readonly number[]): FactorFacts {
  const walks = affines(expr);
  const dims = new Set<number>();
  for (const { strides } of walks) for (let d = 0; d < strides.length; d++) if (strides[d] !== 0) dims.add(d);
  const coordinates = inMemoryOrder(walks, coordinatesOf(walks, dims, sizes));
  return { expr, dims, walks, load: expr.op === "load" ? expr : undefined, coordinates, joins: coordinates.some((c) => c.terms.length > 1) };
}

/** How many values a coordinate takes, and the least of them, where each dimension has so many. */
export function extent({ terms }: Coordinate, sizes: readonly number[]): { readonly count: number; readonly least: number } {
  let [count, least] = [1, 0];
  for (const { dim, step } of terms) {
    const reach = step * (sizes[dim]! - 1);
    count += Math.abs(reach);
    least += Math.min(0, reach);
  }
  return { count, least };
}

/**
 * The coordinates of an expression: dimensions that all its affine functions join in one proportion count as one, where that
 * makes fewer elements. So the padded image of a convolution is computed once, not once for each element of the window.
 */
function coordinatesOf(all: readonly Affine[], dims: ReadonlySet<number>, sizes: readonly number[]): Coordinate[] {
  const column = (d: number): number[] => all.map((a) => a.strides[d] ?? 0);
  const moving = [...dims].filter((d) => sizes[d]! > 1).sort((x, y) => x - y);
  let groups: Coordinate[] = moving.map((dim) => ({ terms: [{ dim, step: 1 }] }));
  const join = (x: Coordinate, y: Coordinate): Coordinate | undefined => {
    const [u, v] = [column(x.terms[0]!.dim), column(y.terms[0]!.dim)];
    const at = u.findIndex((s) => s !== 0);
    if (u.some((s, i) => s * v[at]! !== v[i]! * u[at]!) || v[at] === 0) return undefined;
    const dims = [...x.terms, ...y.terms].map((t) => t.dim);
    const steps = dims.map((d) => all[at]!.strides[d]!);
    const common = steps.reduce(gcd);
    return { terms: dims.map((dim, i) => ({ dim, step: steps[i]! / common })) };
  };
  for (;;) {
    let best: { readonly rest: Coordinate[]; readonly joined: Coordinate; readonly gain: number } | undefined;
    for (let i = 0; i < groups.length; i++)
      for (let j = i + 1; j < groups.length; j++) {
        const joined = join(groups[i]!, groups[j]!);
        if (!joined) continue;
        const gain = (extent(groups[i]!, sizes).count * extent(groups[j]!, sizes).count) / extent(joined, sizes).count;
        if (gain > 1 && gain > (best?.gain ?? 1)) best = { rest: groups.filter((_, k) => k !== i && k !== j), joined, gain };
      }
    if (!best) break;
    groups = [...best.rest, best.joined];
  }
  return groups;
}

/** The longest steps through memory first, as the first walk that moves takes them. */
function inMemoryOrder(walks: readonly Affine[], coordinates: readonly Coordinate[]): Coordinate[] {
  const first = walks.find((a) => a.strides.some((s) => s !== 0));
  if (!first) return [...coordinates];
  const strideOf = ({ terms }: Coordinate): number => Math.abs((first.strides[terms[0]!.dim] ?? 0) / terms[0]!.step);
  return [...coordinates].sort((x, y) => strideOf(y) - strideOf(x));
}

/** The dimension that walks through memory in the shortest steps; of several the longest. */
export function fastest(walks: readonly Affine[], dims: readonly number[], sizes: readonly number[]): number | undefined {
  for (const { strides } of walks) {
    let best: number | undefined;
    let [least, longest] = [Infinity, 0];
    for (const d of dims) {
      const step = Math.abs(strides[d] ?? 0);
      const size = sizes[d]!;
      if (size <= 1 || step === 0 || step > least || (step === least && size <= longest)) continue;
      [best, least, longest] = [d, step, size];
    }
    if (best !== undefined) return best;
  }
  return undefined;
}

/** Sizes of a block: so many elements of each dimension, beginning at indices that are given for the dimensions in `bound`. */
export interface Block {
  readonly sizes: readonly number[];
  readonly whole: readonly number[];
  readonly bound: readonly number[];
}

/** Ranges of the indices at which blocks begin. */
export const boundSizes = ({ sizes, whole, bound }: Block): number[] => bound.map((d) => whole[d]! - sizes[d]! + 1);

/** Writes the values of an expression at the coordinates of a block, densely; the load then reads them by the block's dimensions. */
export function evaluation(e: Expr, coordinates: readonly Coordinate[], block: Block, into: BufferId): { readonly kernel: Kernel; readonly load: Load } {
  const { sizes, bound } = block;
  const extents = coordinates.map((c) => extent(c, sizes));
  const counts = extents.map((x) => x.count);
  const strides = contiguousStrides(counts);
  const value = mapAffines(e, (a) => {
    const along = coordinates.map(({ terms }) => (a.strides[terms[0]!.dim] ?? 0) / terms[0]!.step);
    return { offset: a.offset + along.reduce((sum, s, i) => sum + s * extents[i]!.least, 0), strides: [...bound.map((d) => a.strides[d] ?? 0), ...along] };
  });
  const inner = sizes.map(() => 0);
  let offset = 0;
  coordinates.forEach(({ terms }, i) => {
    offset -= strides[i]! * extents[i]!.least;
    for (const { dim, step } of terms) inner[dim] = strides[i]! * step;
  });
  return {
    kernel: { dims: [...boundSizes(block), ...counts], reduceDims: [], accumulators: [], outputs: [{ buffer: into, index: { offset: 0, strides: [...bound.map(() => 0), ...strides] }, value }] },
    load: load(e.dtype, into, { offset, strides: inner }) as Load,
  };
}

/** Copies a block densely, its dimensions in this order. */
export function copying(from: Load, order: readonly number[], block: Block, into: BufferId): { readonly kernel: Kernel; readonly load: Load } {
  const { sizes, bound } = block;
  const counts = order.map((d) => sizes[d]!);
  const strides = contiguousStrides(counts);
  const of = (a: Affine): Affine => ({ offset: a.offset, strides: [...bound.map((d) => a.strides[d] ?? 0), ...order.map((d) => a.strides[d] ?? 0)] });
  const inner = sizes.map(() => 0);
  order.forEach((d, i) => (inner[d] = strides[i]!));
  return {
    kernel: { dims: [...boundSizes(block), ...counts], reduceDims: [], accumulators: [], outputs: [{ buffer: into, index: { offset: 0, strides: [...bound.map(() => 0), ...strides] }, value: { ...from, index: of(from.index) } }] },
    load: load(from.dtype, into, { offset: 0, strides: inner }) as Load,
  };
}
