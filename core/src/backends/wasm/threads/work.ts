import { isFloat, itemsize } from "../../../base/dtype.js";
import { asContraction, type Contraction } from "../../../kernel/contraction.js";
import { type Affine, type Expr, visitExpr } from "../../../kernel/expr.js";
import type { Kernel, KernelOutput } from "../../../kernel/schedule.js";
import { ModuleFunctions } from "../functions/library.js";
import { isNativeBinary, isNativeUnary } from "../codegen/values/vector.js";

/** Measured roughly on one core: nanoseconds for four bytes of a value, in vector code. */
const moved = 0.03;
const computed = 0.03;
/** One multiplication and addition of a matrix product whose operands stay in registers. */
const multiplied = 0.035;

/** Times as much for elements that lie apart along the vectors, and for a search: it selects values and positions. */
const scattered = 3;
const searched = 2;
/** Terms from which vectors go along what is reduced. */
const longTerms = 8;

/** Whether an access walks through neighbours along the vectors of a kernel. */
function walksBeside({ dims, reduceDims }: Kernel, { strides }: Affine): boolean {
  const beside = (sizes: readonly number[], from: number): boolean => {
    const d = sizes.findLastIndex((n) => n > 1);
    return d < 0 || Math.abs(strides[from + d] ?? 0) <= 1;
  };
  return beside(dims, 0) || (product(reduceDims) >= longTerms && beside(reduceDims, dims.length));
}

function nodeNanoseconds(e: Expr, kernel: Kernel): number {
  const width = itemsize(e.dtype) / 4;
  switch (e.op) {
    case "const": case "accumulator": return 0;
    case "load": return moved * width * (walksBeside(kernel, e.index) ? 1 : scattered);
    case "gather": return 1.5;
    case "unary": return isNativeUnary(e.fn, e.x.dtype) ? computed * width : 1.2 * width ** 1.5;
    case "binary": return isNativeBinary(e.fn, e.a.dtype) ? computed * width : 1.5 * width ** 1.5;
    case "index": case "cast": case "bitcast": case "select": return computed * width;
    case "guard": return 0.3;
  }
}

const product = (sizes: readonly number[]): number => sizes.reduce((n, d) => n * d, 1);

function sum(roots: readonly Expr[], kernel: Kernel): number {
  const seen = new Set<Expr>();
  let total = 0;
  for (const e of roots) visitExpr(e, (x) => { total += nodeNanoseconds(x, kernel); }, seen);
  return total;
}

/** A kernel as a matrix product, if each factor is used again along output dimensions that it does not move with. */
export function asProduct(kernel: Kernel): Contraction | undefined {
  const c = asContraction(kernel);
  const count = (dims: readonly number[]): number => dims.reduce((n, d) => n * c!.sizes[d]!, 1);
  return c && isFloat(c.dtype) && count(c.m) >= 8 && count(c.n) >= 8 ? c : undefined;
}

export interface Work {
  /** What a kernel takes on one thread: good to a factor of two or three, which is enough to tell what is worth splitting. */
  readonly nanoseconds: number;
  /** Bytes that it writes, and all that it touches at most. */
  readonly written: number;
  readonly touched: number;
}

const bytesOf = (list: readonly KernelOutput[]): number => list.reduce((t, o) => t + itemsize(o.value.dtype), 0);

export function estimateWork(kernel: Kernel, simd: boolean): Work {
  const outputs = product(kernel.dims);
  const inner = outputs * product(kernel.reduceDims);
  const stores = kernel.stores ?? [];
  const [stored, beside] = [bytesOf(kernel.outputs), bytesOf(stores)];
  const perOutput = (moved * stored) / 4 + sum(kernel.outputs.map((o) => o.value), kernel);
  const accumulated = kernel.accumulators.reduce((t, { op }) => t + computed * (op === "argmax" || op === "argmin" ? searched : 1), 0);
  const perTerm = asProduct(kernel) ? (multiplied * itemsize(kernel.accumulators[0]!.dtype)) / 4 : sum([...kernel.accumulators, ...stores].map((a) => a.value), kernel) + accumulated + (moved * beside) / 4;
  let loaded = 0;
  const seen = new Set<Expr>();
  for (const { value } of [...kernel.accumulators, ...kernel.outputs, ...stores])
    visitExpr(value, (e) => {
      if (e.op === "load") loaded += itemsize(e.dtype) * product([...kernel.dims, ...kernel.reduceDims].filter((_, d) => (e.index.strides[d] ?? 0) !== 0));
    }, seen);
  return {
    nanoseconds: (outputs * perOutput + (kernel.accumulators.length > 0 ? inner * perTerm : 0)) * (simd ? 1 : 3),
    written: outputs * stored + inner * beside, touched: outputs * stored + inner * beside + loaded,
  };
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
