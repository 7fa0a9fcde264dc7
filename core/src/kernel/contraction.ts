import type { DType } from "../base/dtype.js";
import type { Affine, Expr } from "./expr.js";
import { affines } from "./reindex.js";
import type { Kernel } from "./schedule.js";

/**
 * A kernel as a generalized matrix product: `sum over k of a * b`, where the left factor changes with batch, m and k, the right one with
 * batch, k and n. Both may be any expressions; a convolution is one whose left or right factor reads at `position * stride + window`.
 */
export interface Contraction {
  readonly dtype: DType;
  /** Of the output dimensions, then of the reduced ones; the lists below are positions in it. */
  readonly sizes: readonly number[];
  readonly a: Expr;
  readonly b: Expr;
  /** Output dimensions that both factors change with, or neither. */
  readonly batch: readonly number[];
  /** Output dimensions that only the left factor changes with. */
  readonly m: readonly number[];
  /** Output dimensions that only the right factor changes with. */
  readonly n: readonly number[];
  /** The reduced dimensions. */
  readonly k: readonly number[];
}

/** The loop dimensions that an expression changes with. */
export function dimensionsOf(e: Expr): Set<number> {
  const found = new Set<number>();
  for (const { strides } of affines(e)) strides.forEach((s, d) => { if (s !== 0) found.add(d); });
  return found;
}

/** A kernel that sums products of two numbers, and nothing else; undefined for any other. Its outputs may be any functions of the sum. */
export function asContraction(kernel: Kernel): Contraction | undefined {
  const [sum, ...others] = kernel.accumulators;
  if (sum === undefined || others.length > 0 || kernel.stores !== undefined || sum.op !== "add" || sum.dtype === "bool") return undefined;
  const { value } = sum;
  if (value.op !== "binary" || value.fn !== "mul" || value.dtype !== sum.dtype) return undefined;
  const { a, b } = value;
  const [inA, inB] = [dimensionsOf(a), dimensionsOf(b)];
  const outputs = kernel.dims.map((_, d) => d);
  return {
    dtype: sum.dtype,
    sizes: [...kernel.dims, ...kernel.reduceDims],
    a, b,
    batch: outputs.filter((d) => inA.has(d) === inB.has(d)),
    m: outputs.filter((d) => inA.has(d) && !inB.has(d)),
    n: outputs.filter((d) => inB.has(d) && !inA.has(d)),
    k: kernel.reduceDims.map((_, d) => outputs.length + d),
  };
}

/** The same product with its factors exchanged: m and n change places. */
export const exchanged = (c: Contraction): Contraction => ({ ...c, a: c.b, b: c.a, m: c.n, n: c.m });

/**
 * The one stride of dimensions (outermost first) that an affine function walks through evenly, as if they were one; undefined where it
 * does not. Dimensions of size 1 count for nothing; without others it is 0.
 */
export function mergedStride({ strides }: Pick<Affine, "strides">, sizes: readonly number[], dims: readonly number[]): number | undefined {
  let merged: number | undefined;
  let next = 0;
  for (let i = dims.length - 1; i >= 0; i--) {
    const d = dims[i]!;
    if (sizes[d] === 1) continue;
    const stride = strides[d] ?? 0;
    if (merged === undefined) merged = stride;
    else if (stride !== next) return undefined;
    next = stride * sizes[d]!;
  }
  return merged ?? 0;
}

/** Dimensions in the order in which an affine function walks through them: the longest steps first. */
export const byStride = ({ strides }: Affine, dims: readonly number[]): number[] => [...dims].sort((x, y) => Math.abs(strides[y] ?? 0) - Math.abs(strides[x] ?? 0));
