import { range, type Shape, sizeOf } from "../base/shape.js";
import { type Affine, type Bound, type Expr, guard, visitExpr } from "../kernel/expr.js";
import { reindex, substitute } from "../kernel/reindex.js";
import { axisIndex, constantIndex, type Lazy } from "./lazy.js";
import { openBounds, type Pin, pinBound, pinsOf, splitPin } from "./pins.js";
import { decideGuards, hasStructural, isStructural } from "./structural-zeros.js";

/** Where some pins hold: a box of fewer dimensions, seen in the loop indices of the whole. */
export interface Diagonal {
  readonly pins: readonly Pin[];
  /** Dimensions that are free, with the first position of each and how many follow. */
  readonly free: readonly { readonly dim: number; readonly start: number; readonly count: number }[];
  /** Index of each dimension of the whole, by those of the box. */
  readonly place: readonly Affine[];
  /** Where the box is larger than what it stands for: what must hold within it. */
  readonly bounds: readonly Bound[];
}

const add = (a: Affine, b: Affine, by: number): Affine => ({ offset: a.offset + by * b.offset, strides: a.strides.map((s, d) => s + by * b.strides[d]!) });

/**
 * Solves pins for as many dimensions as they fix, those of `first` before others. "empty" if no index fulfils them; undefined if a solution
 * is no affine function of whole numbers.
 */
export function diagonalAt(pins: readonly Pin[], sizes: readonly number[], first: readonly number[] = []): Diagonal | "empty" | undefined {
  const ndim = sizes.length;
  let solved: Affine[] = range(ndim).map((d) => axisIndex(ndim, d));
  const gone = new Set<number>();
  const queue = [...pins];
  for (let pin = queue.shift(); pin; pin = queue.shift()) {
    const now = substitute({ offset: -pin.value, strides: pin.strides }, solved, ndim);
    const split = splitPin({ strides: now.strides, value: -now.offset }, sizes);
    if (!split) return "empty";
    if (split.length === 0) continue;
    if (split.length > 1) {
      queue.unshift(...split);
      continue;
    }
    const { strides, value } = split[0]!;
    const candidates = range(ndim).filter((d) => Math.abs(strides[d]!) === 1);
    const pivot = candidates.sort((a, b) => Number(first.includes(b)) - Number(first.includes(a)) || sizes[b]! - sizes[a]!)[0];
    if (pivot === undefined) return undefined;
    const by = -strides[pivot]!;
    const solution: Affine = { offset: -by * value, strides: strides.map((s, d) => (d === pivot ? 0 : by * s)) };
    gone.add(pivot);
    solved = solved.map((a) => (a.strides[pivot] === 0 ? a : add({ offset: a.offset, strides: a.strides.map((s, d) => (d === pivot ? 0 : s)) }, solution, a.strides[pivot]!)));
  }
  return boxOf(pins, sizes, solved, gone);
}

/** Narrows the free dimensions to where the solved ones are in range. */
function boxOf(pins: readonly Pin[], sizes: readonly number[], solved: readonly Affine[], gone: ReadonlySet<number>): Diagonal | "empty" {
  const ndim = sizes.length;
  const ends = sizes.map((n): [number, number] => [0, n]);
  const rest: Bound[] = [];
  for (const d of gone) {
    const index = solved[d]!;
    const moving = range(ndim).filter((k) => index.strides[k] !== 0);
    const along = moving[0];
    if (along === undefined || moving.length > 1) {
      rest.push({ index, lo: 0, hi: sizes[d]!, step: 1 });
      continue;
    }
    const [s, end] = [index.strides[along]!, ends[along]!];
    const [a, b] = s > 0 ? [-index.offset, sizes[d]! - index.offset] : [sizes[d]! - 1 - index.offset, -1 - index.offset];
    end[0] = Math.max(end[0], Math.ceil(a / s));
    end[1] = Math.min(end[1], Math.ceil(b / s));
  }
  const free = range(ndim).filter((d) => !gone.has(d)).map((dim) => ({ dim, start: ends[dim]![0] + 0, count: ends[dim]![1] - ends[dim]![0] }));
  if (free.some((f) => f.count <= 0)) return "empty";
  const box = free.map((f) => f.count);
  const own = range(ndim).map((d) => {
    const k = free.findIndex((f) => f.dim === d);
    return k < 0 ? constantIndex(free.length) : axisIndex(free.length, k, 1, free[k]!.start);
  });
  const within = (a: Affine): Affine => substitute(a, own, free.length);
  const bounds = openBounds(rest.map((b) => ({ ...b, index: within(b.index) })), box);
  return bounds === "never" ? "empty" : { pins, free, place: solved.map(within), bounds };
}

export const boxSizes = (d: Diagonal): number[] => d.free.map((f) => f.count);

/** A value over the box as one over the whole; it means something on the diagonal only. */
export const fromBox = (d: Diagonal, expr: Expr, ndim: number): Expr => reindex(expr, d.free.map((f) => axisIndex(ndim, f.dim, 1, -f.start)), ndim);

/** A value over the whole as one over the box. */
function toBox(d: Diagonal, expr: Expr): Expr {
  const sizes = boxSizes(d);
  return decideGuards(reindex(expr, d.place, sizes.length), (bounds) => openBounds(bounds, sizes));
}

/** The diagonals on which guards of an expression let something through that they do not elsewhere. */
function pinnedGuards(expr: Expr, sizes: readonly number[]): Pin[][] {
  const found = new Map<string, Pin[]>();
  visitExpr(expr, (e) => {
    if (e.op !== "guard") return;
    const pins = pinsOf(e.bounds, sizes);
    if (pins !== "never" && pins.length > 0) found.set(pinsKey(pins), pins);
  });
  return [...found.values()];
}
const pinsKey = (pins: readonly Pin[]): string => pins.map((p) => `${p.strides.join()}=${p.value}`).sort().join(";");

/** The value off all diagonals. */
const offDiagonals = (expr: Expr, sizes: readonly number[]): Expr =>
  decideGuards(expr, (bounds) => {
    const open = openBounds(bounds, sizes);
    if (open === "never" || open.length === 0) return open;
    const pins = pinsOf(open, sizes);
    return pins === "never" || pins.length > 0 ? "never" : open;
  });

export interface Part {
  readonly diagonal: Diagonal;
  /** Over the box. */
  readonly value: Expr;
}

/** Beyond these a value is treated as dense: each diagonal becomes a loop of its own. */
const maxDiagonals = 16;

/** True for a value that is structurally zero off a few diagonals. */
export const isDiagonal = (x: Lazy): boolean => hasStructural(x.expr) && pinnedGuards(x.expr, x.shape).length <= maxDiagonals && isStructural(offDiagonals(x.expr, x.shape));

/** A value as what it is off some diagonals, and what it is on each; undefined where it has none or too many. */
export function diagonalsOf(x: Lazy, first: readonly number[] = []): { readonly rest: Expr; readonly parts: readonly Part[] } | undefined {
  if (sizeOf(x.shape) === 0) return undefined;
  const all = pinnedGuards(x.expr, x.shape);
  const rest = offDiagonals(x.expr, x.shape);
  if (all.length === 0 || all.length > maxDiagonals) return all.length === 0 && isStructural(rest) ? { rest, parts: [] } : undefined;
  const parts: Part[] = [];
  const queue = [...all];
  const seen = new Set(queue.map(pinsKey));
  for (const pins of queue) {
    const diagonal = diagonalAt(pins, x.shape, first);
    if (diagonal === undefined) return undefined;
    if (diagonal === "empty") continue;
    const value = toBox(diagonal, x.expr);
    if (isStructural(value)) continue;
    if (!isStructural(offDiagonals(value, boxSizes(diagonal)))) {
      parts.push({ diagonal, value });
      continue;
    }
    // A product of two derivatives: it lives where diagonals meet.
    for (const other of all) {
      const both = [...new Map([...pins, ...other].map((p) => [pinsKey([p]), p])).values()];
      const key = pinsKey(both);
      if (seen.has(key)) continue;
      if (queue.length >= 4 * maxDiagonals) return undefined;
      seen.add(key);
      queue.push(both);
    }
  }
  return parts.length > maxDiagonals ? undefined : { rest, parts };
}

/** True if no element lies on two of the diagonals. */
export const disjoint = (parts: readonly Part[], shape: Shape): boolean =>
  parts.every((p, i) => parts.slice(0, i).every((q) => diagonalAt([...p.diagonal.pins, ...q.diagonal.pins], shape) === "empty"));

/** `values[k]`, over the whole, on diagonal k, the first that holds; `rest` elsewhere. */
export const chooseDiagonal = (parts: readonly Part[], values: readonly Expr[], rest: Expr): Expr =>
  parts.reduceRight<Expr>((outside, p, k) => guard(p.diagonal.pins.map(pinBound), values[k]!, outside), rest);
