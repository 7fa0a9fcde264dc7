import type { Expr } from "../../../../kernel/expr.js";

/** By how much an integer expression grows from lane to lane along a dimension, where that is the same everywhere. */
export function laneStride(e: Expr, dim: number, dependence: ReadonlyMap<Expr, number>): number | undefined {
  if (!(dependence.get(e)! & (1 << dim))) return 0;
  if (e.op === "index") return e.index.strides[dim] ?? 0;
  if (e.op !== "binary") return undefined;
  const [a, b] = [laneStride(e.a, dim, dependence), laneStride(e.b, dim, dependence)];
  if (a === undefined || b === undefined) return undefined;
  if (e.fn === "add") return a + b;
  if (e.fn === "sub") return a - b;
  if (e.fn === "mul" && e.b.op === "const") return a * e.b.value;
  return undefined;
}
