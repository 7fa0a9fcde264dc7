import { type Bound, binary, cast, constant, type Expr, guard, rewrite, select, structuralZero, unary, visitExpr } from "../kernel/expr.js";

export const isStructural = (e: Expr): boolean => e.op === "const" && e.structural === true;
const isZero = (e: Expr): boolean => e.op === "const" && Object.is(e.value, 0);
const isOne = (e: Expr): boolean => e.op === "const" && e.value === 1;

/** What is left of a guard: its open bounds, or "never" where none of its elements is inside. */
export type Decide = (bounds: readonly Bound[]) => readonly Bound[] | "never";

/**
 * The expression with its guards decided, and linear functions of structural zeros replaced by structural zeros. The zeros that a linear
 * function brings along (in the unchosen part of a `select`, around a padded value) count as such beside them.
 */
export function decideGuards(expr: Expr, decide: Decide): Expr {
  const memo = new Map<Expr, Expr>();
  const go = (e: Expr): Expr => rewrite(e, visit, memo);
  const visit = (e: Expr): Expr | undefined => {
    switch (e.op) {
      case "guard": {
        const bounds = decide(e.bounds);
        if (bounds === "never") return go(e.outside);
        if (bounds.length === 0) return go(e.inside);
        const [inside, outside] = [go(e.inside), go(e.outside)];
        return vanishes(inside, outside) ? structuralZero(e.dtype) : guard(bounds, inside, outside);
      }
      case "unary": {
        const x = go(e.x);
        return e.fn === "neg" && isStructural(x) ? x : { ...e, x };
      }
      case "cast": {
        const x = go(e.x);
        return isStructural(x) ? structuralZero(e.dtype) : x.op === "const" && isOne(x) ? constant(e.dtype, 1) : cast(e.dtype, x);
      }
      case "select": {
        const [a, b] = [go(e.a), go(e.b)];
        return vanishes(a, b) ? structuralZero(e.dtype) : select(go(e.condition), a, b);
      }
      case "binary": return foldBinary(e.fn, go(e.a), go(e.b));
      default: return undefined;
    }
  };
  return go(expr);
}

const vanishes = (a: Expr, b: Expr): boolean => (isStructural(a) || isStructural(b)) && isZero(a) && isZero(b);

function foldBinary(fn: (Expr & { op: "binary" })["fn"], a: Expr, b: Expr): Expr {
  const [za, zb] = [isStructural(a), isStructural(b)];
  switch (fn) {
    case "mul":
      if (za) return a;
      if (zb) return b;
      return isOne(b) ? a : isOne(a) ? b : binary(fn, a, b);
    case "div": return za || isOne(b) ? a : binary(fn, a, b);
    case "add": return za ? b : zb ? a : binary(fn, a, b);
    case "sub": return zb ? a : za ? unary("neg", b) : binary(fn, a, b);
    default: return binary(fn, a, b);
  }
}

/** The same values with ordinary zeros for structural ones. */
export const ordinary = (expr: Expr): Expr => rewrite(expr, (e) => (isStructural(e) ? constant(e.dtype, 0) : undefined));

export function hasStructural(expr: Expr): boolean {
  let found = false;
  visitExpr(expr, (e) => (found ||= isStructural(e)));
  return found;
}
