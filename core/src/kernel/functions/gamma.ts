import { polynomial } from "./polynomial.js";

// lgamma(x) / ((x-1)(x-2)) around the middles of [1/2, 1], [1, 2] and [2, 3]: dividing out the zeros keeps relative accuracy at them
// (the idea of Boost.Math's lgamma). Chebyshev interpolation in 60 digits, errors below 4e-18.
const logGammaHalf = [
  0.6504990445801452, -0.35235940133201404, 0.29408536722443845, -0.28891120177364593, 0.3072613943483002, -0.34197894986871663,
  0.39194610263425644, -0.45856511641318315, 0.5448302638681655, -0.6551522879864542, 0.795486788783639, -0.973637261111082,
  1.1997449606727315, -1.4871765819103233, 1.8522962958027416, -2.3090685627531586, 2.899296909064626, -3.796027559369021,
  4.799777190724007, -4.476680470283588, 5.6703558519252795, -17.49459768201927, 22.36747717222111,
];
export const logGammaOne = [
  0.4831289505409809, -0.14595989591430608, 0.06291140107456439, -0.031308487501010646, 0.01679709863127416, -0.009425622448525798,
  0.005446457839126065, -0.0032120740737152814, 0.0019229163127905161, -0.0011644145847310124, 0.000711519067515296,
  -0.00043799307479613914, 0.00027131373861446925, -0.0001689178215524898, 0.00010535512483785591, -6.614136022346414e-05,
  4.30276814976503e-05, -2.7201673025504752e-05, 1.3186019073996835e-05, -8.355075869795273e-06, 1.2140008083973407e-05,
  -7.760660152513446e-06,
];
export const logGammaTwo = [
  0.37957716063055885, -0.07466357415449942, 0.01990515430474318, -0.006018768527033188, 0.0019490574889487018, -0.0006586397067739795,
  0.00022905363739927705, -8.130228881990515e-05, 2.9299284312449592e-05, -1.0682329332621241e-05, 3.930575906345698e-06,
  -1.457022694289878e-06, 5.436564684414454e-07, -2.0380010719173372e-07, 7.573826671079655e-08, -2.8618147642799965e-08,
  1.2966891078973113e-08, -4.934519518036778e-09,
];

// B_2k / (2k (2k-1)), DLMF 5.11.1.
export const stirling = [
  1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400, 43867 / 244188,
];

/** `lgamma(x) - ((x - 1/2) log(x) - x + log(2 pi) / 2)` for x >= 10. */
export const stirlingCorrection = (x: number): number => polynomial(stirling, 1 / (x * x)) / x;

/** `sin(pi x)`, exact at multiples of 1/2. */
export function sinPi(x: number): number {
  const r = x - 2 * Math.round(x / 2);
  if (r > 0.5) return Math.sin(Math.PI * (1 - r));
  if (r < -0.5) return Math.sin(Math.PI * (-1 - r));
  return Math.sin(Math.PI * r);
}

/** Logarithm of |gamma(x)| (DLMF 5.2.1, 5.5.3 for negative x); infinite at the poles 0, -1, -2, ... */
export function lgamma(x: number): number {
  if (x >= 0.5) return positiveLogGamma(x);
  if (x === 0 || x === -Infinity) return Infinity;
  if (x > -1e-17 && x < 1e-17) return -Math.log(Math.abs(x));
  if (x > 0) return positiveLogGamma(x + 1) - Math.log(x);
  if (x === Math.floor(x)) return Infinity;
  if (x > -0.5) return lgammaOnePlus(x) - Math.log(-x);
  const s = Math.abs(sinPi(x));
  return Math.log(Math.PI / (s * -x)) - positiveLogGamma(-x);
}

/** lgamma(1 + x) for |x| <= 1/2, with the factor x kept exact. */
export function lgammaOnePlus(x: number): number {
  return x < 0 ? x * (x - 1) * polynomial(logGammaHalf, x + 0.25) : x * (x - 1) * polynomial(logGammaOne, x - 0.5);
}

function positiveLogGamma(x: number): number {
  if (x < 1) return (x - 1) * (x - 2) * polynomial(logGammaHalf, x - 0.75);
  // + 0 for a zero without sign.
  if (x <= 2) return (x - 1) * (x - 2) * polynomial(logGammaOne, x - 1.5) + 0;
  if (x <= 3) return (x - 1) * (x - 2) * polynomial(logGammaTwo, x - 2.5);
  if (x < 12) {
    let product = 1;
    let y = x;
    while (y > 3) product *= --y;
    return Math.log(product) + (y - 1) * (y - 2) * polynomial(logGammaTwo, y - 2.5);
  }
  // (x - 1/2)(log x - 1) + (log(2 pi) - 1) / 2
  const l = Math.log(x) - 1;
  if (x > 1e17) return x * l;
  return (x - 0.5) * l + (0.4189385332046727 + stirlingCorrection(x));
}

// digamma(x) / (x - root) around 3/2 on [1, 2]; the positive root in two parts.
export const digammaRoot = 1.4616321449683622;
export const digammaRootLow = 9.549995429965697e-17;
export const digammaOne = [
  0.9510558760318328, -0.42362742128146047, 0.24054248424078736, -0.14840492305391761, 0.09498872445283, -0.06192213327165706,
  0.04076083394462657, -0.02697579684427536, 0.017907248195969127, -0.011908215172584002, 0.007927024067961237, -0.00528001782089874,
  0.0035180800751066694, -0.002344650082351321, 0.0015635679757533885, -0.001042261556504223, 0.0006899717801166841,
  -0.0004599625144612576, 0.0003268068044141764, -0.0002178682145501451, 9.173383289174792e-05, -6.11554261750751e-05,
  0.00012230983055406747, -8.153978973309418e-05,
];
// B_2k / 2k, DLMF 5.11.2.
export const digammaAsymptotic = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160, 43867 / 14364];

/** Logarithmic derivative of gamma (DLMF 5.2.2). As in SciPy, -Infinity at +0, Infinity at -0 and NaN at the other poles. */
export function digamma(x: number): number {
  if (x === 0) return -1 / x;
  if (x < 0) {
    if (x === Math.floor(x)) return NaN;
    if (x > -0.5) return digamma(1 + x) - 1 / x;
    // digamma(1 - x) - pi / tan(pi x), DLMF 5.5.4; the fraction is exact, and 1/2 has no cotangent.
    const r = x - Math.round(x);
    const cot = Math.abs(r) === 0.5 ? 0 : Math.abs(r) > 0.25 ? Math.tan(Math.PI * (Math.sign(r) * 0.5 - r)) : 1 / Math.tan(Math.PI * r);
    return digamma(1 - x) - Math.PI * cot;
  }
  if (x < 1) return digammaOneTwo(x + 1) - 1 / x;
  if (x <= 2) return digammaOneTwo(x);
  if (x < 12) {
    let sum = 0;
    let y = x;
    while (y > 2) sum += 1 / --y;
    return digammaOneTwo(y) + sum;
  }
  const z = 1 / (x * x);
  return Math.log(x) - (0.5 / x + z * polynomial(digammaAsymptotic, z));
}

const digammaOneTwo = (x: number): number => (x - digammaRoot - digammaRootLow) * polynomial(digammaOne, x - 1.5);
