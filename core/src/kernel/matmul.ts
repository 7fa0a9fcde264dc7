/**
 * Params of the routine "matmul": `C[b,m,n] = sum_k A[b,m,k] B[b,k,n]`, row-major; A is stored [b,k,m] if `transposeA`, B [b,n,k] if
 * `transposeB`.
 */
export interface MatmulParams {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}
