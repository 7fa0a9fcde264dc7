import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { ShapeError } from "../base/errors.js";
import { conv } from "../primitives/convolution.js";
import { gather } from "../primitives/indexing.js";
import { concatenate, reverse } from "../primitives/structural.js";
import { reshapeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind, bind1 } from "../trace/trace.js";
import { sort } from "../primitives/sort.js";
import { asOne } from "./as-one.js";
import { describe, promoteOperands, promoteToFloat } from "./convert.js";
import { along } from "./along.js";
import { choose, floatArray } from "./elementwise.js";
import { equal, greater, less } from "./logic.js";
import { add, clip, divide, multiply, remainder, subtract } from "./math.js";
import { requireChoice, requireOptions } from "./options.js";
import { searchsorted } from "./sorting.js";

const modes = ["full", "same", "valid"] as const;
/** How far the second array may stick out of the first: "full" any overlap, "same" the longer one's length, "valid" no sticking out. */
export type ConvolveMode = (typeof modes)[number];

function vectors(a: ArrayLike, v: ArrayLike, fn: string): [NDArray, NDArray] {
  const [x, k] = promoteOperands([a, v], fn, ["a", "v"]).map((y) => (y.dtype === "bool" ? convertTo(y, "int32") : y)) as [NDArray, NDArray];
  for (const [y, name] of [[x, "a"], [k, "v"]] as const)
    if (y.ndim !== 1 || y.size === 0) throw new ShapeError({ fn, arg: name, expected: "a vector that is not empty", got: describe(y), fix: "ravel it, or use signal.convolve for more axes" });
  return [x, k];
}

const flipped = (x: NDArray): NDArray => bind1(reverse, [x], { axes: [0] });

/** `y[j] = sum_w x[j + w - low] k[w]`, for x no shorter than k. */
function slide(x: NDArray, k: NDArray, mode: ConvolveMode): NDArray {
  const m = k.size;
  const low = mode === "full" ? m - 1 : mode === "same" ? Math.floor(m / 2) : 0;
  const high = mode === "full" ? m - 1 : mode === "same" ? m - 1 - low : 0;
  const y = bind1(conv, [reshapeTo(x, [1, 1, x.size]), reshapeTo(k, [1, 1, m])], { strides: [1], low: [low], high: [high], inputDilation: [1], kernelDilation: [1], groups: 1, batchGroups: 1 });
  return reshapeTo(y, [y.size]);
}

/**
 * Discrete convolution of two vectors: `y[n] = sum_m a[m] v[n - m]`.
 * @throws ShapeError for arrays that are no vectors, or empty.
 * @example np.convolve([1, 2, 3], [0, 1, 0.5]) // [0, 1, 2.5, 4, 1.5]
 */
export function convolve(a: ArrayLike, v: ArrayLike, mode: ConvolveMode = "full"): NDArray {
  requireChoice(mode, modes, "convolve", "mode");
  const [x, k] = vectors(a, v, "convolve");
  return x.size >= k.size ? slide(x, flipped(k), mode) : slide(k, flipped(x), mode);
}
/** Cross-correlation of two vectors: `y[k] = sum_n a[n + k] v[n]`. @example np.correlate([1, 2, 3], [0, 1, 0.5]) // [3.5] */
export function correlate(a: ArrayLike, v: ArrayLike, mode: ConvolveMode = "valid"): NDArray {
  requireChoice(mode, modes, "correlate", "mode");
  const [x, k] = vectors(a, v, "correlate");
  return x.size >= k.size ? slide(x, k, mode) : flipped(slide(k, x, mode));
}

export interface InterpOptions {
  /** Value below xp[0]; default fp[0]. */
  readonly left?: ArrayLike;
  /** Value above xp[-1]; default fp[-1]. */
  readonly right?: ArrayLike;
  /** Period of x: xp is brought into it and sorted, left and right do not count. */
  readonly period?: number;
}

const element = (x: NDArray, i: number): NDArray => reshapeTo(along(x, 0, i, i + 1), []);

/**
 * Piecewise linear interpolation at x through the points (xp, fp), xp increasing. Differentiable in x, xp and fp.
 * @throws ShapeError when xp and fp are no vectors of one size.
 * @example np.interp([0.5, 5], [0, 1, 2], [0, 10, 20]) // [5, 20]
 */
export function interp(x: ArrayLike, xp: ArrayLike, fp: ArrayLike, options?: InterpOptions): NDArray {
  return asOne("interp", [x, xp, fp], [options], (x, xp, fp) => interpOf(x!, xp!, fp!, options));
}
function interpOf(x: ArrayLike, xp: ArrayLike, fp: ArrayLike, options?: InterpOptions): NDArray {
  const { left, right, period } = requireOptions(options, "interp", ["left", "right", "period"]);
  let [at, px, py] = promoteToFloat([x, xp, fp], "interp", ["x", "xp", "fp"]) as [NDArray, NDArray, NDArray];
  if (px.ndim !== 1 || py.ndim !== 1 || px.size !== py.size || px.size === 0)
    throw new ShapeError({ fn: "interp", arg: "fp", expected: "xp and fp as vectors of one size", got: `${describe(px)} and ${describe(py)}`, fix: "give one value for each point" });
  if (period !== undefined) {
    const length = Math.abs(period);
    at = remainder(at, length);
    const [sortedX, sortedY] = bind(sort, [remainder(px, length), py].map((v) => convertTo(v, v.dtype)), { axis: 0, keys: 1 }) as [NDArray, NDArray];
    const n = px.size;
    const ends = (first: NDArray, middle: NDArray, last: NDArray) => bind1(concatenate, [first, middle, last].map((v) => convertTo(v, middle.dtype)), { axis: 0 });
    px = ends(subtract(along(sortedX, 0, n - 1), length), sortedX, add(along(sortedX, 0, 0, 1), length));
    py = ends(along(sortedY, 0, n - 1), sortedY, along(sortedY, 0, 0, 1));
  }
  const n = px.size;
  if (n === 1) return bounds(choose(equal(at, at), element(py, 0), at), at, px, py, period === undefined ? left : undefined, period === undefined ? right : undefined);
  const i = clip(searchsorted(px, at, { side: "right" }), 1, n - 1);
  const take = (v: NDArray, k: NDArray) => bind1(gather, [v, k], { batchDims: 0, mode: "clip" });
  const below = subtract(i, 1);
  const [x0, x1, y0, y1] = [take(px, below), take(px, i), take(py, below), take(py, i)];
  const width = subtract(x1, x0);
  const flat = equal(width, 0);
  const slope = divide(subtract(y1, y0), choose(flat, 1, width));
  const line = choose(flat, y0, add(y0, multiply(subtract(at, x0), slope)));
  return bounds(line, at, px, py, period === undefined ? left : undefined, period === undefined ? right : undefined);
}

function bounds(y: NDArray, x: NDArray, xp: NDArray, fp: NDArray, left: ArrayLike | undefined, right: ArrayLike | undefined): NDArray {
  const last = element(xp, xp.size - 1);
  const value = (v: ArrayLike | undefined, i: number, name: string) => (v === undefined ? element(fp, i) : convertTo(floatArray(v, "interp", name), y.dtype));
  // At the last point the value itself is exact, and differentiable through fp.
  const inside = choose(equal(x, last), element(fp, fp.size - 1), y);
  return choose(less(x, element(xp, 0)), value(left, 0, "left"), choose(greater(x, last), value(right, fp.size - 1, "right"), inside));
}
