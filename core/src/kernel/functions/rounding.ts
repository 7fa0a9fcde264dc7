const bits = new DataView(new ArrayBuffer(8));

/** Nearest integer, ties to even (IEEE 754 roundToIntegralTiesToEven). Keeps the sign of zero. */
export function roundHalfEven(x: number): number {
  const r = Math.floor(x);
  const d = x - r;
  if (d < 0.5) return r === 0 ? x * 0 : r;
  if (d > 0.5) return r + 1 === 0 ? -0 : r + 1;
  if (d === 0.5) return r % 2 === 0 ? (r === 0 ? 0 : r) : r + 1 === 0 ? -0 : r + 1;
  return x;
}

/** The double next to `a` towards `b`; `b` when they are equal. */
export function nextafter(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return NaN;
  if (a === b) return b;
  if (a === 0) return b > 0 ? 5e-324 : -5e-324;
  bits.setFloat64(0, a);
  bits.setBigInt64(0, bits.getBigInt64(0) + ((b > a) === (a > 0) ? 1n : -1n));
  return bits.getFloat64(0);
}

/** The float32 next to `a` towards `b`; both must be float32 values. */
export function nextafterFloat32(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return NaN;
  if (a === b) return b;
  if (a === 0) return b > 0 ? 2 ** -149 : -(2 ** -149);
  bits.setFloat32(0, a);
  bits.setInt32(0, bits.getInt32(0) + ((b > a) === (a > 0) ? 1 : -1));
  return bits.getFloat32(0);
}

/** `x` with the low 32 bits of its significand cleared: its square is exact. */
export function truncateLow(x: number): number {
  bits.setFloat64(0, x);
  bits.setInt32(4, 0);
  return bits.getFloat64(0);
}
