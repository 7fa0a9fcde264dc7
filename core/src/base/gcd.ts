/** The greatest common divisor of two integers, 0 for two zeros. */
export const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
