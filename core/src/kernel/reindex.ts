import { type Affine, type Expr, mapOperands, visitExpr } from "./expr.js";

/** An affine function with each of its loop indices replaced by an affine function of `ndim` new ones. */
export function substitute(a: Affine, subst: readonly Affine[], ndim: number): Affine {
  let offset = a.offset;
  const strides = new Array<number>(ndim).fill(0);
  a.strides.forEach((s, d) => {
    if (s === 0) return;
    const by = subst[d]!;
    offset += s * by.offset;
    by.strides.forEach((t, j) => (strides[j]! += s * t));
  });
  return { offset, strides };
}

/** An expression with every affine function of the loop indices replaced; bases have none. */
export function mapAffines(expr: Expr, f: (a: Affine) => Affine): Expr {
  const memo = new Map<Expr, Expr>();
  const go = (e: Expr): Expr => {
    let out = memo.get(e);
    if (out === undefined) {
      if (e.op === "load" || e.op === "index") out = { ...e, index: f(e.index) };
      else if (e.op === "guard") out = { ...e, bounds: e.bounds.map((b) => ({ ...b, index: f(b.index) })), inside: go(e.inside), outside: go(e.outside) };
      else out = mapOperands(e, go);
      memo.set(e, out);
    }
    return out;
  };
  return go(expr);
}

/** The same elements seen through new loop indices: old index d = `subst[d]` of the new ones. */
export const reindex = (expr: Expr, subst: readonly Affine[], ndim: number): Expr => mapAffines(expr, (a) => substitute(a, subst, ndim));

/** Every affine function in an expression. */
export function affines(expr: Expr): Affine[] {
  const out: Affine[] = [];
  visitExpr(expr, (e) => {
    if (e.op === "load" || e.op === "index") out.push(e.index);
    else if (e.op === "guard") out.push(...e.bounds.map((b) => b.index));
  });
  return out;
}
