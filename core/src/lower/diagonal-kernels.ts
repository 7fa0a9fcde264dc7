import type { DType } from "../base/dtype.js";
import { contiguousStrides, range, sizeOf } from "../base/shape.js";
import { accumulator, type Affine, binary, type BufferId, type Expr, guard, load, select, index as indexExpr, constant, rewrite, structuralZero } from "../kernel/expr.js";
import type { Kernel } from "../kernel/schedule.js";
import { boxSizes, chooseDiagonal, diagonalsOf, disjoint, fromBox, type Part } from "./diagonals.js";
import { reindex, substitute } from "../kernel/reindex.js";
import { axisIndex, cost, type Lazy } from "./lazy.js";
import { isStructural, ordinary } from "./structural-zeros.js";

/** What these functions ask of the schedule that they write. */
export interface Emitter {
  newBuffer(dtype: DType, size: number): BufferId;
  kernel(kernel: Kernel): void;
}

const count = (p: Part): number => sizeOf(boxSizes(p.diagonal));

/** A kernel for what a value is off its diagonals, then one for each diagonal. False where one loop over all elements is as good. */
export function writeDiagonals(out: Emitter, x: Lazy, buffer: BufferId, index: Affine, base?: Expr): boolean {
  const split = diagonalsOf(x);
  if (!split) return false;
  const { rest, parts } = split;
  if (parts.some((p) => p.diagonal.bounds.length > 0) || 2 * parts.reduce((n, p) => n + count(p), 0) > sizeOf(x.shape)) return false;
  out.kernel({ dims: x.shape, reduceDims: [], accumulators: [], outputs: [{ buffer, index, base, value: rest }] });
  for (const { diagonal, value } of parts) {
    const dims = boxSizes(diagonal);
    out.kernel({ dims, reduceDims: [], accumulators: [], outputs: [{ buffer, index: substitute(index, diagonal.place, dims.length), base, value }] });
  }
  return true;
}

/** Guards that choose between two constants, as comparisons: those need no branch. */
export const comparisons = (expr: Expr): Expr =>
  rewrite(expr, (e) => {
    if (e.op !== "guard" || e.inside.op !== "const" || e.outside.op !== "const") return undefined;
    const [b, more] = e.bounds;
    if (!b || more || b.hi - b.lo !== 1) return undefined;
    return select(binary("eq", indexExpr(b.index), constant("int32", b.lo)), e.inside, e.outside);
  });

/** A value that is structurally zero off its diagonals, with each diagonal in a buffer of its own size unless it is cheap to compute again. */
export function storeDiagonals(out: Emitter, x: Lazy): Lazy | undefined {
  const split = diagonalsOf(x);
  if (!split || !isStructural(split.rest)) return undefined;
  const ndim = x.shape.length;
  let stored = false;
  const values = split.parts.map(({ diagonal, value }) => {
    const { work, nodes } = cost(value);
    if (work <= 2 && nodes < 16) return fromBox(diagonal, value, ndim);
    stored = true;
    const dims = boxSizes(diagonal);
    const buffer = out.newBuffer(x.dtype, sizeOf(dims));
    const index: Affine = { offset: 0, strides: contiguousStrides(dims) };
    out.kernel({ dims, reduceDims: [], accumulators: [], outputs: [{ buffer, index, value: guard(diagonal.bounds, value, constant(x.dtype, 0)) }] });
    return fromBox(diagonal, load(x.dtype, buffer, index), ndim);
  });
  return stored ? { ...x, expr: chooseDiagonal(split.parts, values, structuralZero(x.dtype)) } : x;
}

/** The value with ordinary zeros in place of structural ones. Its diagonals stay apart, so that what is zero elsewhere needs no arithmetic there. */
export function ordinaryDiagonals(x: Lazy): Lazy {
  const split = diagonalsOf(x);
  if (!split) return { ...x, expr: ordinary(x.expr) };
  const values = split.parts.map((p) => fromBox(p.diagonal, p.value, x.shape.length));
  return { ...x, expr: ordinary(chooseDiagonal(split.parts, values, split.rest)) };
}

/**
 * Sum over axes of a value that is structurally zero off its diagonals: where a pin fixes an axis, one term is left of the sum. Undefined
 * where the loop over all elements is needed.
 */
export function sumDiagonals(out: Emitter, x: Lazy, axes: readonly number[]): Lazy | undefined {
  const split = diagonalsOf(x, axes);
  if (!split || !isStructural(split.rest) || !disjoint(split.parts, x.shape)) return undefined;
  const kept = range(x.shape.length).filter((d) => !axes.includes(d));
  const shape = kept.map((d) => x.shape[d]!);
  const inShape = (a: Affine): Affine => ({ offset: a.offset, strides: kept.map((d) => a.strides[d]!) });
  const terms: { readonly bounds: readonly { readonly index: Affine; readonly lo: number; readonly hi: number; readonly step: number }[]; readonly part: Part }[] = [];
  for (const part of split.parts) {
    const { free, place } = part.diagonal;
    const summed = (a: Affine): boolean => a.strides.some((s, k) => s !== 0 && axes.includes(free[k]!.dim));
    // Which sums there are must not depend on what is summed over.
    if (kept.some((d) => !free.some((f) => f.dim === d) && summed(place[d]!)) || part.diagonal.bounds.some((b) => summed(b.index))) return undefined;
    const whole = (a: Affine): Affine => inShape(substitute(a, free.map((f) => axisIndex(x.shape.length, f.dim, 1, -f.start)), x.shape.length));
    const bounds = part.diagonal.bounds.map((b) => ({ ...b, index: whole(b.index) }));
    kept.forEach((d, at) => {
      const f = free.find((g) => g.dim === d);
      if (!f) {
        const solved = whole(place[d]!);
        bounds.push({ index: { offset: -solved.offset, strides: solved.strides.map((s, k) => (k === at ? 1 : 0) - s) }, lo: 0, hi: 1, step: 1 });
      } else if (f.count < x.shape[d]!) bounds.push({ index: axisIndex(kept.length, at), lo: f.start, hi: f.start + f.count, step: 1 });
    });
    terms.push({ bounds, part });
  }
  const values = terms.map(({ bounds, part }) => guard(bounds, sumOfPart(out, x, part, axes, kept), structuralZero(x.dtype)));
  return { shape, dtype: x.dtype, expr: values.length === 0 ? structuralZero(x.dtype) : values.reduce((a, b) => binary("add", a, b)) };
}

/** The sum of one diagonal, over the dimensions that are kept. */
function sumOfPart(out: Emitter, x: Lazy, { diagonal: { free, bounds }, value }: Part, axes: readonly number[], kept: readonly number[]): Expr {
  const [outer, inner] = [free.filter((f) => !axes.includes(f.dim)), free.filter((f) => axes.includes(f.dim))];
  const place = (f: { dim: number; start: number }): Affine => axisIndex(kept.length, kept.indexOf(f.dim), 1, -f.start);
  if (inner.every((f) => f.count === 1)) return reindex(value, free.map((f) => (axes.includes(f.dim) ? { offset: 0, strides: kept.map(() => 0) } : place(f))), kept.length);
  const order = [...outer, ...inner];
  const ordered = (e: Expr): Expr => reindex(e, free.map((f) => axisIndex(free.length, order.indexOf(f))), free.length);
  const dims = outer.map((f) => f.count);
  const buffer = out.newBuffer(x.dtype, sizeOf(dims));
  out.kernel({
    dims,
    reduceDims: inner.map((f) => f.count),
    accumulators: [{ op: "add", dtype: x.dtype, value: ordered(guard(bounds, value, constant(x.dtype, 0))) }],
    outputs: [{ buffer, index: { offset: 0, strides: contiguousStrides(dims) }, value: accumulator(x.dtype, 0) }],
  });
  return load(x.dtype, buffer, substitute({ offset: 0, strides: contiguousStrides(dims) }, outer.map(place), kept.length));
}
