import { type NDArray, np } from "@hessia/core";

/** Small vector algebra of the drivers, on flattened parameters. */
export const dot = (a: NDArray, b: NDArray): number => Number(np.sum(np.multiply(a, b)).item());
export const norm = (a: NDArray): number => {
  const largest = maxAbs(a);
  return largest === 0 || !Number.isFinite(largest) ? largest : largest * Math.sqrt(Number(np.sum(np.square(np.divide(a, largest))).item()));
};
export const maxAbs = (a: NDArray): number => (a.size === 0 ? 0 : Number(np.max(np.abs(a)).item()));
/** `x + t p` */
export const along = (x: NDArray, t: number, p: NDArray): NDArray => np.add(x, np.multiply(t, p));
