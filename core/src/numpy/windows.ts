import type { NDArray } from "../array/ndarray.js";
import { array } from "./creation.js";
import { requireInteger } from "./options.js";

/** A window of m samples, from NumPy's formula in `n = 1 - m, 3 - m, ..., m - 1`. */
const window = (fn: string, sample: (n: number, m: number) => number) => (m: number): NDArray => {
  requireInteger(m, fn, "m", 0);
  return array(m === 1 ? [1] : Array.from({ length: m }, (_, i) => sample(1 - m + 2 * i, m)));
};
/** Triangle that is 0 at both ends. */
export const bartlett: (m: number) => NDArray = window("bartlett", (n, m) => (n <= 0 ? 1 + n / (m - 1) : 1 - n / (m - 1)));
/** `0.42 + 0.5 cos(pi n / (m - 1)) + 0.08 cos(2 pi n / (m - 1))`. */
export const blackman: (m: number) => NDArray = window("blackman", (n, m) => 0.42 + 0.5 * Math.cos((Math.PI * n) / (m - 1)) + 0.08 * Math.cos((2 * Math.PI * n) / (m - 1)));
/** `0.54 + 0.46 cos(pi n / (m - 1))`. */
export const hamming: (m: number) => NDArray = window("hamming", (n, m) => 0.54 + 0.46 * Math.cos((Math.PI * n) / (m - 1)));
/** `0.5 + 0.5 cos(pi n / (m - 1))`. */
export const hanning: (m: number) => NDArray = window("hanning", (n, m) => 0.5 + 0.5 * Math.cos((Math.PI * n) / (m - 1)));
