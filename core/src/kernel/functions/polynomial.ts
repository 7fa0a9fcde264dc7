/** `c[0] + c[1] x + c[2] x^2 + ...` by Horner's rule. */
export function polynomial(c: readonly number[], x: number): number {
  let s = 0;
  for (let i = c.length - 1; i >= 0; i--) s = s * x + c[i]!;
  return s;
}
