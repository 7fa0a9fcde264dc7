/**
 * Elementary functions on doubles. V8's `Math` (fdlibm's algorithms) was measured within 2 ulp of 50-digit references over each
 * function's whole domain (fixtures/generate.py), so only what it lacks, or does unlike IEEE 754, or where it
 * falls short, is written here.
 */

/** `1 / (1 + exp(-x))` without overflow. */
export function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

export const rsqrt = (x: number): number => 1 / Math.sqrt(x);

/** Exact at integers, subnormal results included. */
export const exp2 = (x: number): number => Math.pow(2, x);
