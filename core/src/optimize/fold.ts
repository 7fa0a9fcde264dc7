import { evaluator } from "../backends/reference/evaluate.js";
import type { Aval } from "../ir/aval.js";
import { type AnyPrimitive, findRule, type Params } from "../ir/primitive.js";
import { constant, type Expr, type UnaryFn, type BinaryFn, visitExpr } from "../kernel/expr.js";
import { Lowering, lowerRule } from "../lower/lowering.js";

// IEEE 754 and integer arithmetic leave no choice here, so folding gives what every backend gives. Transcendental functions do not.
const exactUnary: ReadonlySet<UnaryFn> = new Set<UnaryFn>(["neg", "abs", "sign", "floor", "ceil", "round", "trunc", "sqrt", "not", "isFinite"]);
const exactBinary: ReadonlySet<BinaryFn> = new Set<BinaryFn>(["add", "sub", "mul", "div", "max", "min", "and", "or", "xor", "eq", "ne", "lt", "le", "gt", "ge"]);

function isExact(expr: Expr): boolean {
  let exact = true;
  visitExpr(expr, (e) => {
    if (e.op === "unary") exact &&= exactUnary.has(e.fn);
    else if (e.op === "binary") exact &&= exactBinary.has(e.fn);
    else if (e.op !== "const" && e.op !== "select" && e.op !== "cast") exact = false;
  });
  return exact;
}

/** What an elementwise primitive makes of known numbers, where the result is the same on every backend. */
export function foldElementwise(primitive: AnyPrimitive, values: readonly number[], types: readonly Aval[], params: Params, output: Aval): number | undefined {
  const lower = findRule(primitive, lowerRule);
  if (!lower || !primitive.facts.elementwise) return undefined;
  const ctx = new Lowering();
  const [result] = lower(ctx, values.map((v, i) => ({ shape: [], dtype: types[i]!.dtype, expr: constant(types[i]!.dtype, v) })), params, [{ ...output, shape: [] }]);
  return result && ctx.steps.length === 0 && isExact(result.expr) ? evaluator(result.expr, [])([]) : undefined;
}
