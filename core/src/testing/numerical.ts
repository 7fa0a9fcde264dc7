/**
 * Derivative of `g` at 0 by central differences of sixth order: `(45 d1 - 9 d2 + d3) / 60 h` with `dk = g(kh) - g(-kh)`; the error is
 * `h^6 g^(7) / 140` (Fornberg 1988). Also an estimate of the error, from the formula of fourth order and the rounding of g.
 */
export function difference(g: (t: number) => ArrayLike<number>, h: number, epsilon = Number.EPSILON): { value: Float64Array; error: number } {
  const at = (k: number): Float64Array => Float64Array.from(g(k * h));
  const [p1, p2, p3] = [at(1), at(2), at(3)];
  const [m1, m2, m3] = [at(-1), at(-2), at(-3)];
  const n = p1.length;
  const value = new Float64Array(n);
  let error = 0;
  for (let i = 0; i < n; i++) {
    const d1 = p1[i]! - m1[i]!;
    const d2 = p2[i]! - m2[i]!;
    const d3 = p3[i]! - m3[i]!;
    value[i] = (45 * d1 - 9 * d2 + d3) / (60 * h);
    const fourth = (8 * d1 - d2) / (12 * h);
    const size = Math.max(Math.abs(p1[i]!), Math.abs(m1[i]!), Math.abs(p3[i]!), Math.abs(m3[i]!));
    error = Math.max(error, Math.abs(value[i]! - fourth), (2 * epsilon * size) / h);
  }
  return { value, error };
}
