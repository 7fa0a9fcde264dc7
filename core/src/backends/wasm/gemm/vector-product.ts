import type { FunctionBuilder } from "../assembler/index.js";
import type { FloatDType } from "../functions/contract.js";
import type { GemmSpec } from "./spec.js";

/** The code of a product's function; its parameters are A, B, C and scratch. */
export interface Body {
  readonly scratchBytes: number;
  readonly emit: (f: FunctionBuilder) => void;
}

/** `y[i] (+)= sum_k M[i,k] x[k]`: a product with one column, or with one row. */
export interface VectorProduct {
  readonly dtype: FloatDType;
  readonly rows: number;
  readonly k: number;
  readonly matrix: { readonly row: number; readonly k: number };
  readonly x: number;
  readonly y: number;
  readonly accumulate: boolean;
  /** Parameters that hold the matrix and the vector. */
  readonly locals: { readonly matrix: 0 | 1; readonly x: 0 | 1 };
}

/** The product as one of a matrix and a vector; undefined if it is none, or if no stride of the matrix is 1. */
export function vectorProduct({ dtype, m, n, k, a, b, c, accumulate }: GemmSpec): VectorProduct | undefined {
  const shared = { dtype, k, accumulate };
  const column: VectorProduct = { ...shared, rows: m, matrix: a, x: b.k, y: c.row, locals: { matrix: 0, x: 1 } };
  const row: VectorProduct = { ...shared, rows: n, matrix: { row: b.column, k: b.k }, x: a.k, y: 1, locals: { matrix: 1, x: 0 } };
  const suits = (p: VectorProduct): boolean => p.matrix.k === 1 || (p.matrix.row === 1 && (p.y === 1 || p.rows === 1));
  if (n === 1 && suits(column)) return column;
  if (m === 1 && suits(row)) return row;
  return undefined;
}
