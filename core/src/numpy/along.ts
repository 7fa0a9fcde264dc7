import type { NDArray } from "../array/ndarray.js";
import { slice } from "../primitives/structural.js";
import { bind1 } from "../trace/trace.js";

/** Elements `from` to `to` (exclusive; negative counts from the end) along an axis. */
export function along(x: NDArray, axis: number, from: number, to: number = x.shape[axis]!): NDArray {
  const n = x.shape[axis]!;
  const end = to < 0 ? n + to : Math.min(to, n);
  const start = Math.min(from < 0 ? n + from : from, Math.max(end, 0));
  return bind1(slice, [x], { start: x.shape.map((_, d) => (d === axis ? Math.max(0, start) : 0)), limit: x.shape.map((m, d) => (d === axis ? Math.max(0, start, end) : m)), strides: x.shape.map(() => 1) });
}
