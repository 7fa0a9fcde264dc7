import { operands } from "../../../../kernel/expr.js";
import type { Bound, Expr } from "../../../../kernel/expr.js";

export interface Hoisted {
  readonly key: Expr | Bound;
  readonly vector: boolean;
}

export interface HoistInput {
  /** An expression, how many loops are open where it is needed, and whether as a vector. */
  readonly roots: readonly { readonly value: Expr; readonly depth: number; readonly vector: boolean }[];
  /** How many loops must be open for a value to be known. */
  readonly levelOf: (dependence: number) => number;
  readonly dependence: ReadonlyMap<Expr, number>;
  readonly alongLanes: (e: Expr) => boolean;
  /** Whether a gather's lanes lie side by side, so that its index is that of the first. */
  readonly neighbours: (e: Expr & { op: "gather" }) => boolean;
  readonly levels: number;
}

/** Constants are cheap to write where they are used; of vectors so many are kept in locals. */
const maxVectorConstants = 12;

/**
 * Finds what can be computed before a loop opens: by number of open loops, operands first. What stands within a guard stays
 * there, for it may not be computed elsewhere.
 */
export function planHoists({ roots, levelOf, dependence, alongLanes, neighbours, levels }: HoistInput): Hoisted[][] {
  const found: Hoisted[][] = Array.from({ length: levels + 1 }, () => []);
  const hoisted = new Map<Expr | Bound, number>();
  const seen = new Map<Expr, Set<number>>();
  let constants = 0;
  const add = (key: Expr | Bound, vector: boolean, level: number): void => {
    const bit = vector ? 2 : 1;
    const done = hoisted.get(key) ?? 0;
    if (done & bit) return;
    hoisted.set(key, done | bit);
    found[level]!.push({ key, vector });
  };
  const visit = (e: Expr, parentLevel: number, wantVector: boolean): void => {
    const tag = parentLevel * 2 + Number(wantVector);
    const tags = seen.get(e) ?? new Set<number>();
    if (tags.has(tag)) return;
    tags.add(tag);
    seen.set(e, tags);
    if (e.op === "accumulator") return;
    const level = levelOf(dependence.get(e)!);
    const vector = wantVector;
    // Below a value that is the same in all lanes, everything is scalar.
    const inner = vector && alongLanes(e) && !(e.op === "gather" && neighbours(e));
    if (e.op === "guard") for (const b of e.bounds) {
      const at = levelOf(b.index.strides.reduce((m, s, d) => (s === 0 ? m : m | (1 << d)), 0));
      if (at < level) add(b, false, at);
    }
    // A load's base is computed before all loops.
    else if (e.op !== "load") for (const x of operands(e)) visit(x, level, inner);
    if (level >= parentLevel) return;
    if (e.op === "const") {
      if (vector && constants++ < maxVectorConstants) add(e, true, 0);
    }
    // A scalar along the lanes, below a gather of neighbours, is another one for each of the vectors side by side.
    else if (vector || !alongLanes(e)) add(e, vector, level);
  };
  for (const r of roots) visit(r.value, r.depth, r.vector);
  return found;
}
