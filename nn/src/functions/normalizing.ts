import { type ArrayLike, type AxisArg, type DType, jit, lax, type NDArray, np } from "@hessia/core";
import { axesOf, floatArray } from "./arrays.js";
import { asOne } from "./as-one.js";

export interface WhereOption {
  /** Elements that count, broadcast against x; the others are as if they were not there. */
  readonly where?: ArrayLike | null;
}

/** Elements that count, and -inf for the rest. */
const masked = (x: NDArray, where: ArrayLike | null | undefined): NDArray => (where === null || where === undefined ? x : np.where(where, x, -Infinity));

/** x less its largest element along the axes (0 where that is -inf): a shift of which softmax and its kin do not depend. */
function shifted(x: NDArray, axes: readonly number[]): NDArray {
  const top = lax.stopGradient(np.max(x, axes, { keepdims: true, initial: -Infinity }));
  return np.subtract(x, np.where(np.isfinite(top), top, 0));
}

/**
 * `exp(x) / sum(exp(x))` along the axis, without overflow. Elements of -inf or outside `where` get 0 and no derivative; a group in which
 * `where` leaves nothing is all 0.
 * @example nn.softmax([0, Math.log(3)]) // [0.25, 0.75]
 */
export function softmax(x: ArrayLike, axis: AxisArg = -1, o: WhereOption = {}): NDArray {
  const a = masked(floatArray(x), o.where);
  const axes = axesOf(axis, a.ndim, "softmax");
  if (o.where === null || o.where === undefined) return softmaxOf(a, axes);
  const e = np.exp(shifted(a, axes));
  const total = np.sum(e, axes, { keepdims: true });
  return np.divide(e, np.where(np.any(o.where === undefined ? true : np.broadcastTo(o.where, a.shape), axes, { keepdims: true }), total, 1));
}

const softmaxOf = asOne((a: NDArray, axes: readonly number[]) => {
  const e = np.exp(shifted(a, axes));
  return np.divide(e, np.sum(e, axes, { keepdims: true }));
});

/**
 * `x - log(sum(exp(x)))` along the axis. Elements of -inf or outside `where` give -inf and no derivative.
 * The Hessian of one group's normalizer is `diag(p) - p p^T` with p = softmax(x).
 * @example nn.logSoftmax([1000, 0]) // [0, -1000]
 */
export function logSoftmax(x: ArrayLike, axis: AxisArg = -1, o: WhereOption = {}): NDArray {
  const a = masked(floatArray(x), o.where);
  const axes = axesOf(axis, a.ndim, "logSoftmax");
  if (o.where === null || o.where === undefined) return logSoftmaxOf(a, axes);
  const s = shifted(a, axes);
  const total = np.sum(np.exp(s), axes, { keepdims: true });
  return np.where(o.where, np.subtract(s, np.log(np.where(np.equal(total, 0), 1, total))), -Infinity);
}
const logSoftmaxOf = asOne((a: NDArray, axes: readonly number[]) => {
  const s = shifted(a, axes);
  return np.subtract(s, np.log(np.sum(np.exp(s), axes, { keepdims: true })));
});

export interface LogSumExpOptions extends WhereOption {
  /** Weights of the exponentials. */
  readonly b?: ArrayLike | null;
  readonly keepdims?: boolean;
  /** Returns `[log |sum|, sign]`. */
  readonly returnSign?: boolean;
}
/** `log(sum(b exp(x)))` over the axes (all by default); -inf for an empty sum. @example nn.logsumexp([1000, 1000]) // 1000 + log 2 */
export function logsumexp(x: ArrayLike, axis: AxisArg | undefined, o: LogSumExpOptions & { readonly returnSign: true }): [NDArray, NDArray];
export function logsumexp(x: ArrayLike, axis?: AxisArg, o?: LogSumExpOptions & { readonly returnSign?: false }): NDArray;
export function logsumexp(x: ArrayLike, axis: AxisArg = null, o: LogSumExpOptions = {}): NDArray | [NDArray, NDArray] {
  const counted = masked(floatArray(x), o.where);
  // A weight of 0 takes its element out, however large: 0 exp(x) must not be 0 * inf.
  const a = o.b === null || o.b === undefined ? counted : np.where(np.equal(o.b, 0), -Infinity, counted);
  const axes = axesOf(axis, a.ndim, "logsumexp");
  const top = lax.stopGradient(np.max(a, axes, { keepdims: true, initial: -Infinity }));
  const shift = np.where(np.isfinite(top), top, 0);
  const e = np.exp(np.subtract(a, shift));
  const total = np.sum(o.b === null || o.b === undefined ? e : np.multiply(o.b, e), axes, { keepdims: true });
  const drop = (y: NDArray): NDArray => (o.keepdims ? y : np.squeeze(y, axes));
  const size = np.abs(total);
  const empty = np.equal(size, 0);
  const y = drop(np.where(empty, -Infinity, np.add(np.log(np.where(empty, 1, size)), shift)));
  if (o.returnSign) return [y, drop(np.sign(total))];
  return o.b === null || o.b === undefined ? y : np.where(drop(np.less(total, 0)), NaN, y);
}

/** `log(mean(exp(x)))` over the axes (all by default). @example nn.logmeanexp([0, 0]) // 0 */
export function logmeanexp(x: ArrayLike, axis: AxisArg = null, o: WhereOption & { readonly keepdims?: boolean } = {}): NDArray {
  const a = floatArray(x);
  const axes = axesOf(axis, a.ndim, "logmeanexp");
  const count = o.where === null || o.where === undefined ? axes.reduce((n, d) => n * a.shape[d]!, 1) : np.sum(np.broadcastTo(o.where, a.shape), axes, { keepdims: o.keepdims ?? false }).astype(a.dtype);
  return np.subtract(logsumexp(a, axes, { where: o.where ?? null, keepdims: o.keepdims ?? false }), typeof count === "number" ? Math.log(count) : np.log(count));
}

export interface StandardizeOptions extends WhereOption {
  readonly mean?: ArrayLike | null;
  readonly variance?: ArrayLike | null;
  /** Added to the variance (default 1e-5), so that a constant group gives zeros with finite derivatives. */
  readonly epsilon?: ArrayLike;
}
/** `(x - mean) / sqrt(variance + epsilon)` along the axis, with the variance in two passes. @example nn.standardize([1, 3]) // about [-1, 1] */
export function standardize(x: ArrayLike, axis: AxisArg = -1, o: StandardizeOptions = {}): NDArray {
  const a = floatArray(x);
  if (plainEpsilon(o)) return standardizeOf(a, axesOf(axis, a.ndim, "standardize"), o.epsilon ?? 1e-5);
  const options = { keepdims: true, ...(o.where === null || o.where === undefined ? {} : { where: o.where }) };
  const mean = o.mean ?? np.mean(a, axis, options);
  const centred = np.subtract(a, mean);
  const variance = o.variance ?? np.mean(np.square(centred), axis, options);
  return np.multiply(centred, lax.rsqrt(np.add(variance, o.epsilon ?? 1e-5)));
}
/** Whether nothing but a number is set. */
const plainEpsilon = (o: StandardizeOptions): o is { readonly epsilon?: number } =>
  (o.where ?? o.mean ?? o.variance ?? null) === null && (o.epsilon === undefined || typeof o.epsilon === "number");
const standardizeOf = asOne((a: NDArray, axes: readonly number[], epsilon: number) => {
  const centred = np.subtract(a, np.mean(a, axes, { keepdims: true }));
  return np.multiply(centred, lax.rsqrt(np.add(np.mean(np.square(centred), axes, { keepdims: true }), epsilon)));
});
/** Alias of `standardize`. */
export const normalize: typeof standardize = standardize;

export interface OneHotOptions {
  /** Default: the default float. */
  readonly dtype?: DType;
  /** Where the new axis goes; the end by default. */
  readonly axis?: number;
}
const hotOf = jit((index: NDArray, numClasses: number, dtype: DType) => np.equal(np.expandDims(index, -1), np.arange(numClasses)).astype(dtype), { staticArgnums: [1, 2] });
/** 1 at the index, 0 elsewhere; indices outside 0 ... numClasses - 1 give zeros. @example nn.oneHot([0, 2], 3) // [[1, 0, 0], [0, 0, 1]] */
export function oneHot(x: ArrayLike, numClasses: number, o: OneHotOptions = {}): NDArray {
  const typed = hotOf(np.asarray(x), numClasses, o.dtype ?? np.zeros([]).dtype);
  return o.axis === undefined || o.axis === -1 ? typed : np.moveaxis(typed, -1, o.axis);
}

