import type { NDArray } from "../array/ndarray.js";
import { range } from "../base/shape.js";
import type { BatchDim } from "../trace/batching.js";
import { broadcastTo, transposeTo } from "./structural-ops.js";

/** Moves a value's batch axis. */
export function moveBatch(x: NDArray, from: number, to: number): NDArray {
  if (from === to) return x;
  const order = range(x.ndim).filter((d) => d !== from);
  order.splice(to, 0, from);
  return transposeTo(x, order);
}

/** The value with its batch axis at `to`: moved there, or made by repeating. */
export function toBatch(axisSize: number, x: NDArray, dim: BatchDim, to = 0): NDArray {
  if (dim !== null) return moveBatch(x, dim, to);
  const shape = [...x.shape];
  shape.splice(to, 0, axisSize);
  return broadcastTo(x, shape, range(x.ndim).map((d) => (d < to ? d : d + 1)));
}

/** All values with their batch axis in front. */
export const alignBatch = (axisSize: number, values: readonly NDArray[], dims: readonly BatchDim[]): NDArray[] => values.map((x, i) => toBatch(axisSize, x, dims[i]!));
