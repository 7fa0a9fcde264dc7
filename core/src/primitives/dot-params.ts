/** Contracted and batch axes of both operands, pairwise. Result axes: batch, rest of a, rest of b. */
export interface DotParams {
  readonly contract: readonly [readonly number[], readonly number[]];
  readonly batch: readonly [readonly number[], readonly number[]];
}
