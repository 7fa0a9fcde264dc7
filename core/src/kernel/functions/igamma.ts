import { erfc } from "./erf.js";
import { lgamma, lgammaOnePlus, stirlingCorrection } from "./gamma.js";
import { polynomial } from "./polynomial.js";

/**
 * Regularized incomplete gamma functions P(a, x) and Q(a, x) = 1 - P (DLMF 8.2.4). The choice of method by region follows Cephes as
 * SciPy has it: power series, continued fraction, and Temme's uniform expansion near x = a for large a (DLMF 8.12).
 */

/** P(a, x) for a >= 0, x >= 0; NaN elsewhere and at (0, 0), (Infinity, Infinity). */
export function igamma(a: number, x: number): number {
  if (!(a >= 0) || !(x >= 0)) return NaN;
  if (a === 0) return x > 0 ? 1 : NaN;
  if (x === 0) return 0;
  if (a === Infinity) return x === Infinity ? NaN : 0;
  if (x === Infinity) return 1;
  if (isUniform(a, x)) return uniform(a, x, -1);
  if (x > 1 && x > a) return 1 - igammac(a, x);
  return lowerSeries(a, x);
}

/** Q(a, x) for a >= 0, x >= 0; NaN elsewhere and at (0, 0), (Infinity, Infinity). */
export function igammac(a: number, x: number): number {
  if (!(a >= 0) || !(x >= 0)) return NaN;
  if (a === 0) return x > 0 ? 0 : NaN;
  if (x === 0) return 1;
  if (a === Infinity) return x === Infinity ? NaN : 1;
  if (x === Infinity) return 0;
  if (isUniform(a, x)) return uniform(a, x, 1);
  if (x > 1.1) return x < a ? 1 - lowerSeries(a, x) : continuedFraction(a, x);
  if (x <= 0.5 ? -0.4 / Math.log(x) < a : x * 1.1 < a) return 1 - lowerSeries(a, x);
  return upperSeries(a, x);
}

/** log(1 + x) - x without cancellation. */
function log1pMinusX(x: number): number {
  if (x < -0.4 || x > 0.6) return Math.log1p(x) - x;
  // log(1+x) = 2 atanh(r), r = x/(2+x), and x = 2r/(1-r): the difference is 2 (r^3/3 + r^5/5 + ...) - x r.
  const r = x / (2 + x);
  const z = r * r;
  let s = 0;
  let t = z * r;
  for (let k = 3; ; k += 2) {
    const u = t / k;
    s += u;
    if (!(Math.abs(u) > Math.abs(s) * 1e-18)) break;
    t *= z;
  }
  return 2 * s - x * r;
}

/** x^a e^-x / gamma(a + 1). */
function prefactor(a: number, x: number): number {
  if (a < 10) {
    if (x < 200 && a >= 1e-3) return (Math.pow(x, a) * Math.exp(-x)) / Math.exp(lgamma1(a));
    return Math.exp(a * Math.log(x) - x - lgamma1(a));
  }
  // With u = (x-a)/a and Stirling's formula: exp(a (log(1+u) - u) - correction) / sqrt(2 pi a).
  const u = (x - a) / a;
  const phase = x < 0.6 * a ? Math.log(x / a) - u : log1pMinusX(u);
  return Math.exp(a * phase - stirlingCorrection(a)) / Math.sqrt(2 * Math.PI * a);
}

/** log gamma(1 + a). */
const lgamma1 = (a: number): number => (a <= 0.5 ? lgammaOnePlus(a) : lgamma(a + 1));

/** P by x^a e^-x / gamma(a+1) * sum of x^n / ((a+1)...(a+n)), DLMF 8.11.4. */
function lowerSeries(a: number, x: number): number {
  const front = prefactor(a, x);
  if (front === 0) return 0;
  let r = a;
  let term = 1;
  let sum = 1;
  for (let i = 0; i < 100000; i++) {
    r += 1;
    term *= x / r;
    sum += term;
    if (term <= 1e-17 * sum) break;
  }
  return front * sum;
}

/** Q for small x: 1 - x^a / gamma(a+1) and the rest of the series in x, each without cancellation (DLMF 8.7.1). */
function upperSeries(a: number, x: number): number {
  let factor = 1;
  let sum = 0;
  for (let n = 1; n < 2000; n++) {
    factor *= -x / n;
    const term = factor / (a + n);
    sum += term;
    if (Math.abs(term) <= 1e-17 * Math.abs(sum)) break;
  }
  const logX = Math.log(x);
  const lg = lgamma1(a);
  return -Math.expm1(a * logX - lg) - Math.exp(a * logX - lg) * a * sum;
}

/** Q by Legendre's continued fraction (DLMF 8.9.2), evaluated by Lentz's algorithm. */
function continuedFraction(a: number, x: number): number {
  const front = prefactor(a, x);
  if (front === 0) return 0;
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < 100000; i++) {
    const an = i * (a - i);
    b += 2;
    d = an * d + b;
    if (Math.abs(d) < tiny) d = tiny;
    c = b + an / c;
    if (Math.abs(c) < tiny) c = tiny;
    d = 1 / d;
    const delta = d * c;
    h *= delta;
    if (Math.abs(delta - 1) < 2e-16) break;
  }
  return front * a * h;
}

const isUniform = (a: number, x: number): boolean => a > 200 && Math.abs(x - a) < 0.3 * a;

// Coefficients d_{k,n} of DLMF 8.12.8 in powers of eta, by the recurrence of DiDonato and Morris (ACM TOMS 12, 1986), in 60 digits.
const temme: readonly (readonly number[])[] = [
  [-0.3333333333333333, 0.08333333333333333, -0.014814814814814815, 0.0011574074074074073, 0.0003527336860670194, -0.0001787551440329218, 3.919263178522438e-05, -2.185448510679992e-06, -1.85406221071516e-06, 8.296711340953087e-07, -1.7665952736826078e-07, 6.707853543401498e-09, 1.0261809784240309e-08, -4.382036018453353e-09, 9.14769958223679e-10, -2.5514193994946248e-11, -5.830772132550426e-11],
  [-0.001851851851851852, -0.003472222222222222, 0.0026455026455026454, -0.0009902263374485596, 0.00020576131687242798, -4.018775720164609e-07, -1.8098550334489977e-05, 7.64916091608111e-06, -1.6120900894563446e-06, 4.647127802807434e-09, 1.378633446915721e-07, -5.752545603517705e-08, 1.1951628599778148e-08, -1.7543241719747647e-11, -1.0091543710600413e-09],
  [0.004133597883597883, -0.0026813271604938273, 0.0007716049382716049, 2.0093878600823047e-06, -0.0001073665322636516, 5.2923448829120125e-05, -1.2760635188618728e-05, 3.423578734096138e-08, 1.3721957309062934e-06, -6.298992138380055e-07, 1.4280614206064242e-07, -2.0477098421990866e-10, -1.409252991086752e-08],
  [0.0006494341563786008, 0.00022947209362139917, -0.0004691894943952557, 0.00026772063206283885, -7.561801671883977e-05, -2.396505113867297e-07, 1.1082654115347302e-05, -5.6749528269915965e-06, 1.4230900732435883e-06, -2.7861080291528143e-11, -1.6958404091930278e-07],
  [-0.0008618882909167117, 0.0007840392217200666, -0.0002990724803031902, -1.4638452578843418e-06, 6.641498215465122e-05, -3.968365047179435e-05, 1.1375726970678419e-05, 2.507497226237533e-10, -1.6954149536558305e-06],
  [-0.00033679855336635813, -6.972813758365857e-05, 0.0002772753244959392, -0.00019932570516188847, 6.797780477937208e-05, 1.419062920643967e-07, -1.3594048189768693e-05],
  [0.0005313079364639922, -0.0005921664373536939, 0.0002708782096718045, 7.902353232660328e-07, -8.153969367561969e-05],
  [0.00034436760689237765, 5.171790908260592e-05, -0.00033493161081142234],
];

/** `erfc(sign eta sqrt(a/2))/2 + sign R(a, eta)`: Q for sign 1, P for sign -1 (DLMF 8.12.3 and 8.12.4). */
function uniform(a: number, x: number, sign: 1 | -1): number {
  const mu = (x - a) / a;
  const halfEtaSquared = -log1pMinusX(mu);
  const eta = (mu < 0 ? -1 : 1) * Math.sqrt(2 * halfEtaSquared);
  let s = 0;
  for (let k = temme.length - 1; k >= 0; k--) s = s / a + polynomial(temme[k]!, eta);
  const rest = (Math.exp(-a * halfEtaSquared) / Math.sqrt(2 * Math.PI * a)) * s;
  return 0.5 * erfc(sign * eta * Math.sqrt(a / 2)) + sign * rest;
}
