/** The circle constant. */
export const pi: number = Math.PI;
/** Euler's number. */
export const e: number = Math.E;
/** Infinity. */
export const inf: number = Infinity;
/** Not a number. */
export const nan: number = NaN;
/** The Euler-Mascheroni constant. */
export const eulerGamma = 0.5772156649015329;
/** A new axis in an index: `x.get(np.newaxis)`. */
export const newaxis = null;
