import { truncateLow } from "./rounding.js";

/**
 * IEEE 754 `pow`. `Math.pow` gives NaN for 1 to the power NaN or infinity and for -1 to an infinite power, where IEEE 754 says 1; and V8's
 * is hundreds of ulp off for exponents above 2^31.
 */
export function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && (y === Infinity || y === -Infinity))) return 1;
  const a = Math.abs(x);
  if (Math.abs(y) > 2147483648 && Math.abs(a - 1) < 2 ** -20 && (x > 0 || Number.isInteger(y))) return (x < 0 && y % 2 !== 0 ? -1 : 1) * powNearOne(a, y);
  return Math.pow(x, y);
}

/** exp(y log(1 + f)): for f below 2^-20 log(1 + f) is f, exact, and a small rest; the product is taken in two parts (Dekker). */
function powNearOne(x: number, y: number): number {
  const f = x - 1;
  const rest = f * f * (-1 / 2 + f * (1 / 3 + f * (-1 / 4 + f / 5)));
  // Larger exponents give 0 or infinity as this one does.
  const exponent = Math.max(-(2 ** 70), Math.min(2 ** 70, y));
  const [fHigh, yHigh] = [truncateLow(f), truncateLow(exponent)];
  const [fLow, yLow] = [f - fHigh, exponent - yHigh];
  const product = exponent * f;
  const error = fHigh * yHigh - product + fHigh * yLow + fLow * yHigh + fLow * yLow;
  const low = error + exponent * rest;
  const sum = product + low;
  if (Math.abs(sum) > 800) return sum > 0 ? Infinity : 0;
  const e = Math.exp(sum);
  return e === Infinity ? e : e + e * (product - sum + low);
}
