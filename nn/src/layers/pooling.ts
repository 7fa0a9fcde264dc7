import { lax, type NDArray, np } from "@hessia/core";
import { requireInput } from "./options.js";

export interface PoolOptions {
  /** Distance of the windows (default 1 on each axis, as in Flax). */
  readonly strides?: number | readonly number[];
  /** "VALID" (default), "SAME", or [before, after] for each spatial axis. */
  readonly padding?: "SAME" | "VALID" | readonly (readonly [number, number])[];
}
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts in the mean (default true). */
  readonly countIncludePad?: boolean;
}

/** Runs a pooling over [..., spatial, channels] with any number of leading axes. */
function overBatch(x: NDArray, window: readonly number[], fn: string, f: (x: NDArray) => NDArray): NDArray {
  const a = requireInput(x, window.length + 1, fn);
  const lead = a.shape.slice(0, a.ndim - window.length - 1);
  if (lead.length === 1) return f(a);
  const y = f(np.reshape(a, [lead.reduce((p, k) => p * k, 1), ...a.shape.slice(lead.length)]));
  return np.reshape(y, [...lead, ...y.shape.slice(1)]);
}
const settings = <O extends PoolOptions>(o: O): O & { strides: number | readonly number[] } => ({ ...o, strides: o.strides ?? 1 });

/**
 * Largest element of each window, channels last. Of equal elements the first gets the derivative.
 * @example nn.maxPool(images, [2, 2], { strides: [2, 2] }) // [n, 28, 28, c] -> [n, 14, 14, c]
 */
export const maxPool = (x: NDArray, window: readonly number[], o: PoolOptions = {}): NDArray => overBatch(x, window, "maxPool", (a) => lax.maxPool(a, window, settings(o)));
/** Smallest element of each window. */
export const minPool = (x: NDArray, window: readonly number[], o: PoolOptions = {}): NDArray => overBatch(x, window, "minPool", (a) => lax.minPool(a, window, settings(o)));
/** Mean of each window. @example nn.avgPool(x, [2, 2], { strides: [2, 2], padding: "SAME", countIncludePad: false }) */
export const avgPool = (x: NDArray, window: readonly number[], o: AvgPoolOptions = {}): NDArray => overBatch(x, window, "avgPool", (a) => lax.avgPool(a, window, settings(o)));
