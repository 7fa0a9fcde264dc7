/** The power of two that brings the largest element near 1, so that no square overflows or vanishes. */
export function unitScale(a: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]!));
  return largest > 0 && largest < Infinity ? 2 ** Math.min(-Math.floor(Math.log2(largest)), 1000) : 1;
}
