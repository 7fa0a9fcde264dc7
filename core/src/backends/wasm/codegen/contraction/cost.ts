import { itemsize } from "../../../../base/dtype.js";
import { type Contraction, mergedStride } from "../../../../kernel/contraction.js";
import type { Expr } from "../../../../kernel/expr.js";
import type { Kernel } from "../../../../kernel/schedule.js";
import { extent, fastest } from "./factor.js";
import { type ContractionPlan, denseStrides } from "./settle.js";

/** Nanoseconds, measured on one machine; only their proportions matter. Of vectors, but for `packed` and what follows, which are of elements. */
const price = { nest: 1.2, nestAlong: 0.6, nestGuarded: 8, block: 0.14, vector: 0.3, straight: 0.15, packed: 0.2, transposed: 0.5, evaluated: 0.35, scattered: 1.2, epilogue: 0.5 };
/** What a loop nest and a call of each kind of product cost whatever their size. */
const start = { nest: 3, straight: 5, vector: 8, block: 25 };
/** Blocks that are computed or copied first should stay in the second-level cache. */
export const cacheBytes = 1 << 18;
const tileRows = 4;
/** The products that the engine writes out, and the bytes from which it packs its operands, roughly. */
const straightVectors = 64;
const packedBytes = 1 << 14;

export const product = (dims: readonly number[], of: readonly number[]): number => {
  let n = 1;
  for (const d of dims) n *= of[d]!;
  return n;
};

/** What plain loops cost. */
export function costOfNest(c: Contraction, lanes: number, kernel: Kernel): number {
  const simple = c.a.op === "load" && c.b.op === "load";
  return start.nest + (c.sizes.reduce((x, n) => x * n, 1) / lanes) * (simple ? price.nest : liesAlong(c, kernel, lanes) ? price.nestAlong : price.nestGuarded);
}

/** Whether some output dimension is one of neighbours in all that is read and written, and no guard depends on it: vectors lie along it, as along the channels of an image. */
function liesAlong({ a, b, sizes }: Contraction, { dims, outputs }: Kernel, lanes: number): boolean {
  const plain = (e: Expr): boolean => e.op === "load" || (e.op === "guard" && e.inside.op === "load" && e.outside.op === "const");
  if (!plain(a) || !plain(b)) return false;
  const still = (e: Expr, d: number): boolean => e.op !== "guard" || e.bounds.every(({ index }) => (index.strides[d] ?? 0) === 0);
  const step = (e: Expr, d: number): number => (e.op === "guard" ? step(e.inside, d) : e.op === "load" ? e.index.strides[d] ?? 0 : 0);
  return dims.some((_, d) => sizes[d]! >= lanes && outputs.every((o) => o.index.strides[d] === 1) && [a, b].every((e) => still(e, d) && (step(e, d) === 0 || step(e, d) === 1)));
}

/** Whether a product with one column has a form of its own: the matrix lies along k, or both it and the sums along the rows. */
function isVectorProduct(p: ContractionPlan): boolean {
  const [m, n] = [product(p.m, p.block), product(p.n, p.block)];
  if (m === 1 || n > 1) return true;
  const { a, contraction, block, into } = p;
  const made = a.copy ?? a.coordinates?.flatMap((g) => g.terms.map((t) => t.dim));
  const index = made ? { strides: denseStrides(made, block) } : contraction.a.op === "load" ? contraction.a.index : undefined;
  return index === undefined || mergedStride(index, block, p.k) === 1 || (mergedStride(index, block, p.m) === 1 && (!into || mergedStride(into.index, block, p.m) === 1));
}
/** No product costs less. */
export const leastOfProducts = start.straight;

/** What one product of blocks costs; `transposed`: the columns of B do not lie side by side. Operands whose panels are packed beforehand need no packing. */
export function costOfProduct(m: number, n: number, k: number, lanes: number, transposed: boolean, prepackedA: boolean, prepackedB: boolean): number {
  const vectors = m * Math.ceil(n / lanes);
  if (m === 1 || n === 1) return start.vector + ((m * n * k) / lanes) * price.vector + m * n;
  if (vectors * k <= straightVectors) return start.straight + vectors * k * price.straight;
  const bytes = 16 / lanes;
  const packs = (!prepackedA && m * k * bytes > packedBytes && n > 16 * lanes ? m * k * price.packed : 0) + (prepackedB ? 0 : transposed ? k * n * price.transposed : m > 4 * tileRows && n * k * bytes > packedBytes ? k * n * price.packed : 0);
  return start.block + Math.ceil(m / tileRows) * tileRows * Math.ceil(n / lanes) * (k + 6) * price.block + packs;
}

/** Whether the right factor comes with its columns apart. */
function isTransposed({ b, n, k, block, contraction }: ContractionPlan): boolean {
  if (b.copy || b.coordinates) {
    const last = b.copy ? b.copy.at(-1) : b.coordinates!.at(-1)?.terms.at(-1)?.dim;
    return last !== undefined && k.includes(last);
  }
  return contraction.b.op === "load" && product(n, block) > 1 && mergedStride(contraction.b.index, block, n) !== 1;
}

/** What a contraction as planned costs. `prepackable`: factors whose panels may be packed beforehand. */
export function costOf(p: ContractionPlan, lanes: number, { outputs }: Kernel, prepackable: (e: Expr) => boolean): number {
  const { contraction: c, block, facts } = p;
  const { sizes } = c;
  const loops = [...p.outputLoops, ...p.reducedLoops];
  /** How often the first so many loops run their bodies. */
  const turns = (depth: number): number => {
    let x = 1;
    for (let i = 0; i < depth; i++) x *= Math.ceil(sizes[loops[i]!]! / block[loops[i]!]!);
    return x;
  };
  const calls = turns(loops.length);
  const m = product(p.m, block);
  const n = product(p.n, block);
  const k = product(p.k, block);
  const isPrepacked = (copied: boolean, e: Expr): boolean => loops.length === 0 && !copied && prepackable(e);
  // One column that is no vector product takes a tile of its own.
  let cost = calls * costOfProduct(m, isVectorProduct(p) ? n : lanes, k, lanes, isTransposed(p), isPrepacked(p.a.copy !== undefined, c.a), isPrepacked(p.b.copy !== undefined, c.b));
  for (let side = 0; side < 2; side++) {
    const f = side === 0 ? p.a : p.b;
    if (!f.copy && !f.coordinates) continue;
    const times = turns(loops.findLastIndex((d) => f.dims.has(d)) + 1);
    if (f.coordinates) {
      let count = 1;
      for (const g of f.coordinates) count *= extent(g, block).count;
      cost += times * count * price.evaluated * 3;
    }
    if (f.copy) {
      const elements = product(f.copy, block);
      const along = fastest(facts[side]!.walks, [...(side === 0 ? p.m : p.n), ...p.k], block);
      cost += times * elements * (along === f.copy.at(-1) ? price.evaluated : price.scattered) * (elements * itemsize(c.dtype) > 4 * cacheBytes ? 3 : 1);
    }
  }
  const plain = p.into !== undefined && outputs.length === 1 && p.into.value.op === "accumulator";
  if (!plain) {
    const along = fastest([outputs[0]!.index], [...p.m, ...p.n], block);
    const each = (p.into || along === p.n.at(-1) ? price.epilogue : price.scattered) * (!p.into && m * n * itemsize(c.dtype) > 4 * cacheBytes ? 3 : 1);
    cost += turns(p.outputLoops.length) * m * n * each;
  }
  if (p.reducedLoops.length > 0) cost += calls * m * n * price.epilogue;
  return cost;
}
