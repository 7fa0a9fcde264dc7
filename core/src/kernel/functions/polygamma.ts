import { digamma, lgamma } from "./gamma.js";

// B_2j / (2j)! for Euler-Maclaurin summation, DLMF 25.11.28.
const bernoulliOverFactorial = [
  1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600, -3617 / 10670622842880000,
  43867 / 5109094217170944000, -174611 / 802857662698291200000, 77683 / 14101100039391805440000, -236364091 / 1693824136731743669452800000,
];

/**
 * Derivative of order `n` of digamma, n = 0, 1, 2, ... (DLMF 5.15): `(-1)^(n+1) n! zeta(n+1, x)`. NaN for other orders.
 * Negative x is reflected (DLMF 5.15.6); poles give what the Hurwitz zeta function gives, as in SciPy.
 */
export function polygamma(n: number, x: number): number {
  if (n === 0) return digamma(x);
  if (!(n > 0) || n !== Math.floor(n)) return NaN;
  const sign = n % 2 === 0 ? -1 : 1;
  if (x <= 0) {
    if (x === Math.floor(x)) return Infinity * sign;
    const f = x - Math.floor(x);
    const g = Math.ceil(x) - x;
    // The terms below zero, mirrored: zeta(s, f) + (-1)^s (zeta(s, g) - zeta(s, 1 - x)).
    const below = difference(scaledZeta(n, g), scaledZeta(n, 1 - x));
    return sign * (sign === 1 ? scaledZeta(n, f) + below : difference(scaledZeta(n, f), below));
  }
  return sign * scaledZeta(n, x);
}

/** `a - b`, infinite where `a` is. */
const difference = (a: number, b: number): number => (a === Infinity ? a : a - b);

/** `n! zeta(n + 1, q)` for q > 0, the factorial joined to each power so that neither overflows alone. */
function scaledZeta(n: number, q: number): number {
  const s = n + 1;
  if (q === Infinity) return 0;
  const logFactorial = n > 20 ? lgamma(s) : 0;
  const factor = n > 20 ? 1 : factorial(n);
  const term = (x: number): number => (n > 20 ? Math.exp(logFactorial - s * Math.log(x)) : factor * Math.pow(x, -s));
  let sum = 0;
  let x = q;
  // From here on twelve terms of the Euler-Maclaurin series shrink by (s + 2j)^2 / (2 pi x)^2 < 1/20 each.
  const start = Math.max(12, 0.7 * (s + 24));
  while (x < start) {
    const t = term(x);
    sum += t;
    x += 1;
    // Also where terms underflow, overflow or are NaN: for large n the next term is a quarter of this one or less.
    if (sum === Infinity || !(t > sum * 1e-18)) return sum;
  }
  // sum + x^(1-s)/(s-1) + x^-s/2 + sum of B_2j/(2j)! s(s+1)...(s+2j-2) x^(-s-2j+1)
  const xs = term(x);
  if (n > 20 && xs === 0) return sum;
  let tail = n <= 20 && xs === 0 ? (factor / n) * Math.pow(x, -n) : (xs * x) / n;
  tail += 0.5 * xs;
  let product = s;
  let powers = xs / x;
  for (let j = 0; j < bernoulliOverFactorial.length; j++) {
    const t = bernoulliOverFactorial[j]! * product * powers;
    tail += t;
    if (Math.abs(t) < 1e-18 * (sum + tail)) break;
    product *= (s + 2 * j + 1) * (s + 2 * j + 2);
    powers /= x * x;
  }
  return sum + tail;
}

function factorial(n: number): number {
  let f = 1;
  for (let i = 2; i <= n; i++) f *= i;
  return f;
}
