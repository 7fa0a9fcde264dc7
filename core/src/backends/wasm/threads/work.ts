import { isFloat, itemsize } from "../../../base/dtype.js";
import { type Expr, visitExpr } from "../../../kernel/expr.js";
import type { Kernel } from "../../../kernel/schedule.js";
import { ModuleFunctions } from "../functions/library.js";
import { isNativeBinary, isNativeUnary } from "../codegen/vector.js";

/** Measured roughly on one core: nanoseconds for four bytes of a value, in vector code. */
const moved = 0.15;
const computed = 0.1;
/** One multiplication and addition of a matrix product whose operands stay in registers. */
const multiplied = 0.035;

function nodeNanoseconds(e: Expr): number {
  const width = itemsize(e.dtype) / 4;
  switch (e.op) {
    case "const": case "accumulator": return 0;
    case "load": return moved * width;
    case "gather": return 1.5;
    case "unary": return isNativeUnary(e.fn, e.x.dtype) ? computed * width : 1.2 * width ** 1.5;
    case "binary": return isNativeBinary(e.fn, e.a.dtype) ? computed * width : 1.5 * width ** 1.5;
    case "index": case "cast": case "bitcast": case "select": return computed * width;
    case "guard": return 0.3;
  }
}

const product = (sizes: readonly number[]): number => sizes.reduce((n, d) => n * d, 1);

function sum(roots: readonly Expr[]): number {
  const seen = new Set<Expr>();
  let total = 0;
  for (const e of roots) visitExpr(e, (x) => { total += nodeNanoseconds(x); }, seen);
  return total;
}

/** A product of two values each of which is used again along an output dimension that the other moves with. */
export function isProduct(kernel: Kernel): boolean {
  const [only, ...others] = kernel.accumulators;
  if (only === undefined || others.length > 0 || only.op !== "add" || !isFloat(only.dtype) || only.value.op !== "binary" || only.value.fn !== "mul") return false;
  const idle = (e: Expr): number => {
    let n = 1;
    const moving = new Set<number>();
    visitExpr(e, (x) => {
      if (x.op === "load" || x.op === "index") x.index.strides.forEach((s, d) => { if (s !== 0) moving.add(d); });
      else if (x.op === "guard") for (const b of x.bounds) b.index.strides.forEach((s, d) => { if (s !== 0) moving.add(d); });
    });
    kernel.dims.forEach((size, d) => { if (!moving.has(d)) n *= size; });
    return n;
  };
  return idle(only.value.a) >= 8 && idle(only.value.b) >= 8;
}

/** What a kernel takes on one thread, in nanoseconds: good to a factor of two or three, which is enough to tell what is worth splitting. */
export function estimateWork(kernel: Kernel, simd: boolean): number {
  const outputs = product(kernel.dims);
  const inner = outputs * product(kernel.reduceDims);
  const stores = kernel.outputs.reduce((t, o) => t + (moved * itemsize(o.value.dtype)) / 4, 0);
  const perOutput = stores + sum(kernel.outputs.map((o) => o.value));
  const perTerm = isProduct(kernel) ? (multiplied * itemsize(kernel.accumulators[0]!.dtype)) / 4 : sum(kernel.accumulators.map((a) => a.value)) + kernel.accumulators.length * computed;
  return (outputs * perOutput + (kernel.accumulators.length > 0 ? inner * perTerm : 0)) * (simd ? 1 : 3);
}

/**
 * Whether a function is computed in JavaScript: always, or only for arguments for which its own code is not accurate. Workers cannot do that;
 * what they give back the main thread does again.
 */
export function callsHost(e: Expr): "never" | "sometimes" | "always" {
  if (e.op === "unary" ? isNativeUnary(e.fn, e.x.dtype) : e.op !== "binary" || isNativeBinary(e.fn, e.a.dtype)) return "never";
  const dtype = e.op === "unary" ? e.x.dtype : (e as Expr & { op: "binary" }).a.dtype;
  const { fn } = e as Expr & { op: "unary" | "binary" };
  // Integer operations without vector code are scalar instructions.
  if (dtype !== "float32" && dtype !== "float64") return "never";
  return ModuleFunctions.isVectorized(fn as "pow", dtype) ? "sometimes" : "always";
}
