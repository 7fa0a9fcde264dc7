import { polynomial } from "./polynomial.js";
import { truncateLow } from "./rounding.js";

// erf(x)/x in powers of x^2 on [0, 1]: Chebyshev interpolation in 60 digits, error 7e-18.
export const erfSmall: readonly number[] = [
  1.1283791670955126, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792, 0.0052239776248180145, -0.000854832698083379,
  0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06, -1.6350312701054695e-07, 1.4659775274047436e-08,
  -1.1372848856791674e-09, 5.957176147748911e-11,
];

// (1 + 2x) exp(x^2) erfc(x) in powers of t = (x-3)/(x+3) for x in [1/2, 28], error 5e-18.
// The form is Shepherd and Laframboise's (Math. Comp. 36, 1981), where one polynomial serves the whole half line.
export const erfcScaled: readonly number[] = [
  1.2530080582697296, -0.1356211061245812, -0.0475622943534507, 0.12964515870276203, -0.11927366341531179, 0.06830802734394434,
  -0.02377051491853638, 0.002529391816335117, 0.0018886903564002055, -0.0007798322714918795, -0.00010515976008945177,
  0.00012509932758636072, 4.9491714476033325e-06, -2.0100376113106087e-05, -7.300550882569987e-07, 3.471616676593574e-06,
  3.52693258412998e-07, -6.146346341425417e-07, -1.3432312409451292e-07, 9.877438074940672e-08, 3.42329907978226e-08,
  -1.0659628807393203e-08, -4.325370719107278e-09,
];

/** Error function, `2/sqrt(pi) * integral of exp(-t^2) over [0, x]` (DLMF 7.2.1). */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 1) return x * polynomial(erfSmall, x * x);
  if (a < 6) return Math.sign(x) * (1 - erfcTail(a));
  return Number.isNaN(x) ? x : Math.sign(x);
}

/** `1 - erf(x)` without cancellation (DLMF 7.2.2). */
export function erfc(x: number): number {
  if (x < -6) return 2;
  if (x < -0.5) return 2 - erfcTail(-x);
  if (x < 0.5) return 1 - x * polynomial(erfSmall, x * x);
  if (x < 28) return erfcTail(x);
  return Number.isNaN(x) ? x : 0;
}

/** `erfc(x)` for x in [1/2, 28]. exp(-x^2) is split so that the rounding of x^2 does not enter, and halved so that it stays normal. */
function erfcTail(x: number): number {
  const f = polynomial(erfcScaled, (x - 3) / (x + 3)) / (1 + 2 * x);
  const z = truncateLow(x);
  const low = (z - x) * (z + x);
  if (x < 20) return Math.exp(-z * z) * (f + f * Math.expm1(low));
  const h = Math.exp(-0.5 * z * z);
  return h * (f + f * Math.expm1(low)) * h;
}
