import { operands } from "../../../../kernel/expr.js";
import type { Expr } from "../../../../kernel/expr.js";
import type { FloatDType } from "../../functions/contract.js";
import { type Application, comesInPairs } from "../../functions/index.js";

/** f(x) and f(-x) of one argument, such as the slope of the logistic function is made of. */
export interface Pair {
  readonly argument: Expr;
  readonly members: readonly { readonly e: Expr; readonly application: Application }[];
}

/** The pairs among expressions whose equal parts are one object, by member. What stands within a guard is computed there, if at all, and by itself. */
export function findPairs(roots: readonly Expr[]): Map<Expr, Pair> {
  const seen = new Set<Expr>();
  const members = new Map<Expr, Pair["members"][number][]>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.op === "unary" && comesInPairs(e.fn, e.x.dtype as FloatDType)) {
      const { fn: name, x } = e;
      const negative = x.op === "unary" && x.fn === "neg";
      const argument = negative ? x.x : x;
      members.set(argument, [...(members.get(argument) ?? []), { e, application: { name, pair: negative ? "ofNegative" : "of" } }]);
    }
    if (e.op !== "guard") operands(e).forEach(visit);
  };
  roots.forEach(visit);
  const found = new Map<Expr, Pair>();
  for (const [argument, list] of members) if (list.length > 1) for (const { e } of list) found.set(e, { argument, members: list });
  return found;
}
