import { guard, rewrite } from "../../../../kernel/expr.js";
import type { Affine, Bound, Expr } from "../../../../kernel/expr.js";
import { type Kernel, longestLoop } from "../../../../kernel/schedule.js";
import { mapExprs, visitKernel, writesOf } from "../../../../kernel/traverse.js";

/** Rewrites every affine function and every guard of a kernel, keeping shared expressions shared. */
export function mapKernel(kernel: Kernel, dims: readonly number[], reduceDims: readonly number[], affine: (a: Affine) => Affine, resolve: (bounds: readonly Bound[]) => readonly Bound[] | "never" = (bounds) => bounds): Kernel {
  const memo = new Map<Expr, Expr>();
  const bound = (b: Bound): Bound => ({ ...b, index: affine(b.index) });
  const go = (e: Expr): Expr => rewrite(e, visit, memo);
  const visit = (e: Expr): Expr | undefined => {
    switch (e.op) {
      case "load": return { ...e, index: affine(e.index), base: e.base && go(e.base) };
      case "index": return { ...e, index: affine(e.index) };
      case "guard": {
        const bounds = resolve(e.bounds.map(bound));
        return bounds === "never" ? go(e.outside) : guard(bounds, go(e.inside), bounds.length === 0 ? e.outside : go(e.outside));
      }
      default: return undefined;
    }
  };
  return { ...mapExprs(kernel, go, (o) => ({ ...o, index: affine(o.index) })), dims, reduceDims };
}

const strideOf = (a: Affine, d: number): number => a.strides[d] ?? 0;

function affinesOf(kernel: Kernel): Affine[] {
  const all: Affine[] = writesOf(kernel).map((o) => o.index);
  visitKernel(kernel, (e) => {
    if (e.op === "load" || e.op === "index") all.push(e.index);
    else if (e.op === "guard") for (const b of e.bounds) all.push(b.index);
  });
  return all;
}

/** Keeps the dimensions at these positions. */
function keepDims(kernel: Kernel, keep: readonly number[]): Kernel {
  const outputs = kernel.dims.length;
  const size = (d: number): number => (d < outputs ? kernel.dims[d]! : kernel.reduceDims[d - outputs]!);
  return mapKernel(kernel, keep.filter((d) => d < outputs).map(size), keep.filter((d) => d >= outputs).map(size), (a) => ({ offset: a.offset, strides: keep.map((d) => strideOf(a, d)) }));
}

/**
 * Output dimensions in which a guard's truth changes, with the positions where it does. Where a guard looks at a window as well, these
 * are the ends of the positions whose whole window is inside, if those are most.
 */
function breakpoints(kernel: Kernel, bound: number): Map<number, number[]> {
  const points = new Map<number, Set<number>>();
  const outputs = kernel.dims.length;
  visitKernel(kernel, (e) => {
    if (e.op !== "guard") return;
    for (const { index, lo, hi } of e.bounds) {
      const moving = index.strides.flatMap((s, d) => (s === 0 || d >= outputs ? [] : [d]));
      const d = moving[0];
      if (moving.length !== 1 || d === undefined || d < bound) continue;
      const s = index.strides[d]!;
      let [least, most] = [index.offset, index.offset];
      kernel.reduceDims.forEach((n, r) => {
        const reach = strideOf(index, outputs + r) * (n - 1);
        if (reach < 0) least += reach;
        else most += reach;
      });
      // First positions at which the window begins to be inside, and no longer is.
      const [from, to] = s > 0
        ? [Math.ceil((lo - least) / s), Math.ceil((hi - most) / s)]
        : [Math.floor((most - hi) / -s) + 1, Math.floor((least - lo) / -s) + 1];
      const size = kernel.dims[d]!;
      if (least !== most && 2 * (Math.min(to, size) - Math.max(from, 0)) < size) continue;
      const set = points.get(d) ?? new Set<number>();
      points.set(d, set);
      for (const p of [from, to]) if (p > 0 && p < size) set.add(p);
    }
  });
  return new Map([...points].filter(([, set]) => set.size > 0).map(([d, set]) => [d, [...set].sort((a, b) => a - b)]));
}

function countNodes(kernel: Kernel): number {
  let n = 0;
  visitKernel(kernel, () => n++);
  return n;
}

const maxPieces = 9;
const maxPieceNodes = 1500;

/** Cuts the output range where guards change, so that within a piece they are constant. */
function cutAtGuards(kernel: Kernel, bound: number): Kernel[] {
  const points = breakpoints(kernel, bound);
  if (points.size === 0) return [kernel];
  const nodes = countNodes(kernel);
  let pieces: Kernel[] = [kernel];
  for (let d = kernel.dims.length - 1; d >= 0; d--) {
    const at = points.get(d);
    if (!at) continue;
    const count = pieces.length * (at.length + 1);
    if (count > maxPieces || count * nodes > maxPieceNodes) continue;
    const ends = [...at, kernel.dims[d]!];
    pieces = pieces.flatMap((piece) => ends.map((end, i) => {
      const start = i === 0 ? 0 : ends[i - 1]!;
      const dims = piece.dims.map((n, k) => (k === d ? end - start : n));
      return mapKernel(piece, dims, piece.reduceDims, (a) => ({ offset: a.offset + strideOf(a, d) * start, strides: a.strides }));
    }));
  }
  return pieces;
}

/** Drops bounds that always hold and guards that never do. */
function resolveGuards(kernel: Kernel): Kernel {
  const sizes = [...kernel.dims, ...kernel.reduceDims];
  if (sizes.includes(0)) return kernel;
  return mapKernel(kernel, kernel.dims, kernel.reduceDims, (a) => a, (bounds) => {
    const open: Bound[] = [];
    for (const b of bounds) {
      let min = b.index.offset;
      let max = b.index.offset;
      sizes.forEach((n, d) => {
        const reach = strideOf(b.index, d) * (n - 1);
        if (reach < 0) min += reach;
        else max += reach;
      });
      if (max < b.lo || min >= b.hi) return "never";
      const inRange = min >= b.lo && max < b.hi;
      const onStep = b.step === 1 || sizes.every((n, d) => n === 1 || strideOf(b.index, d) % b.step === 0);
      if (onStep && (b.index.offset - b.lo) % b.step !== 0) return "never";
      if (!inRange || !onStep) open.push(b);
    }
    return open;
  });
}

/** Joins neighbouring dimensions that every affine function walks through as one. */
function mergeDims(kernel: Kernel, bound: number): Kernel {
  const outputs = kernel.dims.length;
  const sizes = [...kernel.dims, ...kernel.reduceDims];
  const affines = affinesOf(kernel);
  const merged: number[] = [];
  const newSizes: number[] = [];
  const kept: number[] = [];
  for (let d = 0; d < sizes.length; d++) {
    const previous = kept.at(-1);
    if (previous !== undefined && previous >= bound && previous < outputs === d < outputs && newSizes.at(-1)! * sizes[d]! <= longestLoop && affines.every((a) => strideOf(a, previous) === strideOf(a, d) * sizes[d]!)) {
      // The inner dimension's stride stands for both.
      newSizes[newSizes.length - 1]! *= sizes[d]!;
      kept[kept.length - 1] = d;
      merged.push(d);
    } else {
      kept.push(d);
      newSizes.push(sizes[d]!);
    }
  }
  if (merged.length === 0) return kernel;
  const outCount = kept.filter((d) => d < outputs).length;
  const slim = keepDims(kernel, kept);
  return { ...slim, dims: newSizes.slice(0, outCount), reduceDims: newSizes.slice(outCount) };
}

/**
 * A kernel as loop nests that together do its work: without dimensions of size 1, cut at guards, with as few loops as can be. The first
 * `bound` dimensions stay as they are: their indices are given from outside.
 */
export function normalize(kernel: Kernel, bound = 0): Kernel[] {
  if (kernel.dims.includes(0)) return [];
  const long = (k: Kernel): Kernel => keepDims(k, [...k.dims, ...k.reduceDims].flatMap((n, d) => (n === 1 && d >= bound ? [] : [d])));
  return cutAtGuards(long(kernel), bound).map((piece) => mergeDims(long(resolveGuards(piece)), bound));
}
