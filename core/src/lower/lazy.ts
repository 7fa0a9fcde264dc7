import type { DType } from "../base/dtype.js";
import { contiguousStrides, type Shape, sizeOf } from "../base/shape.js";
import { type Affine, type Bound, type BufferId, type Expr, guard, load, operands } from "../kernel/expr.js";
import { affines, reindex } from "../kernel/reindex.js";

/** A value not computed yet: a scalar expression over loop dimensions that are its shape. */
export interface Lazy {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly expr: Expr;
}

export const fromBuffer = (buffer: BufferId, shape: Shape, dtype: DType, base?: Expr): Lazy => ({ shape, dtype, expr: load(dtype, buffer, { offset: 0, strides: contiguousStrides(shape) }, base) });

export const axisIndex = (ndim: number, d: number, stride = 1, offset = 0): Affine => ({ offset, strides: Array.from({ length: ndim }, (_, j) => (j === d ? stride : 0)) });
export const constantIndex = (ndim: number, offset = 0): Affine => ({ offset, strides: new Array<number>(ndim).fill(0) });

/** A view: element `i` of the result is element `subst(i)` of `x`. */
export const view = (x: Lazy, shape: Shape, subst: readonly Affine[]): Lazy => ({ shape, dtype: x.dtype, expr: reindex(x.expr, subst, shape.length) });

export const transposeLazy = (x: Lazy, permutation: readonly number[]): Lazy => {
  const inverse = new Array<number>(permutation.length);
  permutation.forEach((p, i) => (inverse[p] = i));
  return view(x, permutation.map((p) => x.shape[p]!), inverse.map((j) => axisIndex(permutation.length, j)));
};

/** Groups of old and new axes with equal products: the coarsest common refinement that a reshape needs. */
function reshapeGroups(from: Shape, to: Shape): [number[], number[]][] {
  const groups: [number[], number[]][] = [];
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    const a: number[] = [];
    const b: number[] = [];
    let pa = 1;
    let pb = 1;
    do {
      if ((pa <= pb && i < from.length) || j >= to.length) {
        a.push(i);
        pa *= from[i++]!;
      } else {
        b.push(j);
        pb *= to[j++]!;
      }
    } while (pa !== pb && (i < from.length || j < to.length));
    groups.push([a, b]);
  }
  return groups;
}

/** Reshape by index arithmetic alone, or undefined where the merged axes do not lie evenly in some access. */
export function reshapeLazy(x: Lazy, shape: Shape): Lazy | undefined {
  if (sizeOf(shape) === 0) return undefined;
  const all = affines(x.expr);
  const subst: Affine[] = x.shape.map(() => constantIndex(shape.length));
  for (const [olds, news] of reshapeGroups(x.shape, shape)) {
    const axes = olds.filter((d) => x.shape[d] !== 1);
    // Merging axes d1, d2 into one needs stride(d1) = stride(d2) * size(d2) in every access.
    for (let k = 0; k + 1 < axes.length; k++) {
      const [d, e] = [axes[k]!, axes[k + 1]!];
      // Accesses within bases have no strides: they depend on no loop.
      if (!all.every((a) => (a.strides[d] ?? 0) === (a.strides[e] ?? 0) * x.shape[e]!)) return undefined;
    }
    const last = axes.at(-1);
    if (last === undefined) continue;
    // After the check the whole group acts through its last axis alone: its index is the flat index of the new axes.
    const strides = new Array<number>(shape.length).fill(0);
    let step = 1;
    for (let k = news.length - 1; k >= 0; k--) {
      strides[news[k]!] = step;
      step *= shape[news[k]!]!;
    }
    subst[last] = { offset: 0, strides };
  }
  return view(x, shape, subst);
}

/** `x` inside the bounds, `fill` outside; `x` must already be indexed by the new loop. */
export const guarded = (x: Lazy, bounds: readonly Bound[], fill: Expr): Lazy => ({ ...x, expr: guard(bounds, x.expr, fill) });

export const heavy: ReadonlySet<string> = new Set(["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "logistic", "erf", "erfc", "erfInv", "lgamma", "digamma", "pow", "atan2", "polygamma", "igamma", "igammac", "cbrt"]);

const workOf = (e: Expr): number => {
  if (e.op === "unary" || e.op === "binary") return heavy.has(e.fn) ? 20 : 1;
  return e.op === "select" || e.op === "guard" || e.op === "gather" || e.op === "cast" ? 1 : 0;
};

/** Rough work per element: what computing it again would cost. Bases of loads are computed once for all elements. */
export function cost(expr: Expr): { work: number; nodes: number } {
  let work = 0;
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    work += workOf(e);
    if (e.op !== "load") operands(e).forEach(visit);
  };
  visit(expr);
  return { work, nodes: seen.size };
}

const bounds = new WeakMap<Expr, number>();
/** No fewer than an expression's nodes: what is shared is counted wherever it is used. Known at once for whatever extends a known expression. */
export function nodesAtMost(e: Expr): number {
  let n = bounds.get(e);
  if (n === undefined) {
    n = 1;
    for (const x of operands(e)) n += nodesAtMost(x);
    bounds.set(e, n);
  }
  return n;
}
