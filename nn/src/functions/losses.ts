import { type ArrayLike, type AxisArg, DTypeError, type NDArray, np, ShapeError } from "@hessia/core";
import { logSigmoid, softplus } from "./activations.js";
import { axesOf, floatArray } from "./arrays.js";
import { logSoftmax, logsumexp, softmax, type WhereOption } from "./normalizing.js";

/**
 * Losses, one value for each example and never reduced: take `np.mean` yourself. Values are optax's. Each is a composite whose
 * second derivatives are exact and finite at extreme inputs, Hessians of fused cross-entropies included.
 */

function errorsOf(predictions: ArrayLike, targets: ArrayLike | null | undefined, fn: string): NDArray {
  const p = floatArray(predictions);
  if (targets === null || targets === undefined) return p;
  const t = np.asarray(targets);
  if (t.ndim > 0 && (t.ndim !== p.ndim || t.shape.some((n, d) => n !== p.shape[d])))
    throw new ShapeError({ fn, arg: "targets", expected: `the shape of predictions, [${p.shape.join(",")}]`, got: `[${t.shape.join(",")}]`, fix: "reshape one of them: losses do not broadcast, for [n] against [n,1] would give [n,n]" });
  return np.subtract(p, targets);
}
const total = (x: NDArray, axes: readonly number[], where: ArrayLike | null | undefined): NDArray => np.sum(x, axes, where === null || where === undefined ? {} : { where });

/** `(predictions - targets)^2`. @throws ShapeError for different shapes. @example nn.squaredError([1, 3], [0, 1]) // [1, 4] */
export const squaredError = (predictions: ArrayLike, targets?: ArrayLike | null): NDArray => np.square(errorsOf(predictions, targets, "squaredError"));

/** `(predictions - targets)^2 / 2`. @example nn.l2Loss([1, 3], [0, 1]) // [0.5, 2] */
export const l2Loss = (predictions: ArrayLike, targets?: ArrayLike | null): NDArray => np.multiply(0.5, np.square(errorsOf(predictions, targets, "l2Loss")));

export interface HuberOptions {
  /** Where the parabola becomes a line (default 1). */
  readonly delta?: ArrayLike;
}
/** `e^2 / 2` for |e| <= delta, else `delta (|e| - delta / 2)` (Huber 1964). @example nn.huberLoss([0.5, 3], [0, 0]) // [0.125, 2.5] */
export function huberLoss(predictions: ArrayLike, targets?: ArrayLike | null, o: HuberOptions = {}): NDArray {
  const e = errorsOf(predictions, targets, "huberLoss");
  const delta = o.delta ?? 1;
  const size = np.abs(e);
  const inside = np.lessEqual(size, delta);
  return np.where(inside, np.multiply(0.5, np.square(np.where(inside, e, 0))), np.multiply(delta, np.subtract(size, np.multiply(0.5, delta))));
}

/** `log(cosh(predictions - targets))`: `e^2 / 2` near 0, `|e| - log 2` far away. @example nn.logCosh([0]) // [0] */
export function logCosh(predictions: ArrayLike, targets?: ArrayLike | null): NDArray {
  const e = errorsOf(predictions, targets, "logCosh");
  const small = np.less(np.abs(e), 1);
  const near = np.where(small, e, 0);
  const far = np.where(small, 1, e);
  return np.where(small, np.multiply(0.5, np.log1p(np.square(np.sinh(near)))), np.subtract(np.subtract(softplus(np.multiply(2, far)), far), Math.LN2));
}

export interface ClassAxisOptions extends WhereOption {
  /** Axis of the classes (default -1). */
  readonly axis?: AxisArg;
}

/**
 * `-sum(labels log softmax(logits))` over the classes; labels are probabilities. Where a label is 0 and the log-probability -inf, the term is 0.
 * Its Hessian in the logits is `sum(labels) (diag(p) - p p^T)`.
 * @example nn.softmaxCrossEntropy([[0, 0]], [[1, 0]]) // [log 2]
 */
export function softmaxCrossEntropy(logits: ArrayLike, labels: ArrayLike, o: ClassAxisOptions = {}): NDArray {
  const a = floatArray(logits);
  const axes = axesOf(o.axis === undefined ? -1 : o.axis, a.ndim, "softmaxCrossEntropy");
  const logp = logSoftmax(a, axes, o);
  const impossible = np.logicalAnd(np.equal(labels, 0), np.equal(logp, -Infinity));
  return np.negative(total(np.multiply(labels, np.where(impossible, 0, logp)), axes, o.where));
}
/** Alias of `softmaxCrossEntropy`, which is safe already. */
export const safeSoftmaxCrossEntropy = (logits: ArrayLike, labels: ArrayLike): NDArray => softmaxCrossEntropy(logits, labels);

export interface ClassLabelOptions extends WhereOption {
  /** Axis of the classes (default -1). */
  readonly axis?: number;
}
/**
 * `logsumexp(logits) - logits[label]`, with labels as class numbers and one axis fewer than the logits.
 * @throws DTypeError for labels that are no integers; ShapeError when their shape is not that of the logits without the class axis.
 * @example nn.softmaxCrossEntropyWithIntegerLabels([[0, 0]], np.array([1], { dtype: "int32" })) // [log 2]
 */
export function softmaxCrossEntropyWithIntegerLabels(logits: ArrayLike, labels: ArrayLike, o: ClassLabelOptions = {}): NDArray {
  const fn = "softmaxCrossEntropyWithIntegerLabels";
  const a = floatArray(logits);
  const [axis] = axesOf(o.axis ?? -1, a.ndim, fn);
  const y = integerLabels(labels, fn);
  const batch = a.shape.filter((_, d) => d !== axis);
  if (y.ndim !== batch.length || y.shape.some((n, d) => n !== batch[d]))
    throw new ShapeError({ fn, arg: "labels", expected: `the shape of the logits without the class axis, [${batch.join(",")}]`, got: `[${y.shape.join(",")}]`, fix: "pass one class number for each example, or use softmaxCrossEntropy for probabilities" });
  const picked = np.squeeze(np.takeAlongAxis(a, np.expandDims(y, axis!), axis!), axis!);
  const loss = np.subtract(logsumexp(a, axis!, { where: o.where ?? null }), picked);
  if (o.where === null || o.where === undefined) return loss;
  return np.where(np.any(np.broadcastTo(o.where, a.shape), axis!), loss, 0);
}
function integerLabels(labels: ArrayLike, fn: string): NDArray {
  const y = np.asarray(labels);
  if (y.dtype === "int32" || y.dtype === "uint32") return y;
  // Plain JavaScript numbers arrive as floats: whole ones are meant as classes.
  if (Array.isArray(labels) && (y.toArray() as unknown[]).flat(Infinity).every(Number.isInteger)) return y.astype("int32");
  throw new DTypeError({ fn, arg: "labels", expected: "class numbers of an integer dtype", got: y.dtype, fix: 'convert with labels.astype("int32")' });
}

/**
 * `-labels log sigmoid(x) - (1 - labels) log(1 - sigmoid(x))`, elementwise. Its second derivative is `sigmoid(x) sigmoid(-x)`.
 * @example nn.sigmoidBinaryCrossEntropy([0], [1]) // [log 2]
 */
export function sigmoidBinaryCrossEntropy(logits: ArrayLike, labels: ArrayLike): NDArray {
  const x = floatArray(logits);
  const y = np.astype(labels, x.dtype);
  return np.add(np.multiply(y, softplus(np.negative(x))), np.multiply(np.subtract(1, y), softplus(x)));
}

export interface FocalOptions {
  /** Weight of the positive class; none by default. */
  readonly alpha?: ArrayLike | null;
  /** How strongly easy examples are played down (default 2). */
  readonly gamma?: ArrayLike;
}
/** Binary cross-entropy times `(1 - p_t)^gamma` (Lin et al., arXiv:1708.02002). @example nn.sigmoidFocalLoss([0], [1]) // [log(2) / 4] */
export function sigmoidFocalLoss(logits: ArrayLike, labels: ArrayLike, o: FocalOptions = {}): NDArray {
  const x = floatArray(logits);
  const y = np.astype(labels, x.dtype);
  const miss = np.subtract(1, y);
  const logs = np.stack([logSigmoid(x), logSigmoid(np.negative(x))], -1);
  const weight = np.exp(np.multiply(o.gamma ?? 2, logsumexp(logs, -1, { b: np.stack([miss, y], -1) })));
  const loss = np.multiply(sigmoidBinaryCrossEntropy(x, y), weight);
  if (o.alpha === null || o.alpha === undefined) return loss;
  return np.multiply(np.add(np.multiply(o.alpha, y), np.multiply(np.subtract(1, o.alpha), miss)), loss);
}

/** Cross-entropy plus `epsilon` times the probability missed (Leng et al., arXiv:2204.12511). */
export function polyLossCrossEntropy(logits: ArrayLike, labels: ArrayLike, o: ClassAxisOptions & { readonly epsilon?: ArrayLike } = {}): NDArray {
  const a = floatArray(logits);
  const axes = axesOf(o.axis === undefined ? -1 : o.axis, a.ndim, "polyLossCrossEntropy");
  const missed = total(np.multiply(labels, np.subtract(1, softmax(a, axes, o))), axes, o.where);
  return np.add(softmaxCrossEntropy(a, labels, o), np.multiply(o.epsilon ?? 2, missed));
}

/** `max(0, 1 - outputs targets)` for targets -1 and 1; ties share the derivative. @example nn.hingeLoss([0.5], [1]) // [0.5] */
export const hingeLoss = (outputs: ArrayLike, targets: ArrayLike): NDArray => np.maximum(0, np.subtract(1, np.multiply(floatArray(outputs), targets)));

/** `max(0, -outputs targets)` for targets -1 and 1. @example nn.perceptronLoss([-0.5], [1]) // [0.5] */
export const perceptronLoss = (outputs: ArrayLike, targets: ArrayLike): NDArray => np.maximum(0, np.negative(np.multiply(floatArray(outputs), targets)));

/** `sum(targets (log targets - logPredictions))`; a target of 0 adds nothing. @example nn.klDivergence([Math.log(0.5), Math.log(0.5)], [1, 0]) // log 2 */
export function klDivergence(logPredictions: ArrayLike, targets: ArrayLike, o: ClassAxisOptions = {}): NDArray {
  const p = floatArray(logPredictions);
  const t = floatArray(targets);
  const none = np.equal(t, 0);
  const terms = np.multiply(t, np.subtract(np.where(none, 0, np.log(np.where(none, 1, t))), p));
  return total(terms, axesOf(o.axis === undefined ? -1 : o.axis, terms.ndim, "klDivergence"), o.where);
}

/** `klDivergence` with the targets given by their logarithms. */
export function klDivergenceWithLogTargets(logPredictions: ArrayLike, logTargets: ArrayLike, o: ClassAxisOptions = {}): NDArray {
  const t = floatArray(logTargets);
  const terms = np.multiply(np.exp(t), np.subtract(t, floatArray(logPredictions)));
  return total(terms, axesOf(o.axis === undefined ? -1 : o.axis, terms.ndim, "klDivergenceWithLogTargets"), o.where);
}

export interface CosineOptions extends ClassAxisOptions {
  /** Least squared norm (default 0: a zero vector gives NaN). */
  readonly epsilon?: ArrayLike;
}
/** `a b / (|a| |b|)` along the axis. @example nn.cosineSimilarity([1, 0], [1, 1]) // 0.7071... */
export function cosineSimilarity(predictions: ArrayLike, targets: ArrayLike, o: CosineOptions = {}): NDArray {
  const a = floatArray(predictions);
  const b = floatArray(targets);
  const axes = axesOf(o.axis === undefined ? -1 : o.axis, a.ndim, "cosineSimilarity");
  const options = { keepdims: true, ...(o.where === null || o.where === undefined ? {} : { where: o.where }) };
  const unit = (v: NDArray): NDArray => np.divide(v, np.sqrt(np.maximum(np.sum(np.square(v), axes, options), o.epsilon ?? 0)));
  return total(np.multiply(unit(a), unit(b)), axes, o.where);
}
/** `1 - cosineSimilarity`. */
export const cosineDistance = (predictions: ArrayLike, targets: ArrayLike, o: CosineOptions = {}): NDArray => np.subtract(1, cosineSimilarity(predictions, targets, o));

/** `(1 - alpha) labels + alpha / classes`. @example nn.smoothLabels([1, 0], 0.2) // [0.9, 0.1] */
export function smoothLabels(labels: ArrayLike, alpha: ArrayLike, o: ClassAxisOptions = {}): NDArray {
  const y = floatArray(labels);
  const axes = axesOf(o.axis === undefined ? -1 : o.axis, y.ndim, "smoothLabels");
  const classes = o.where === null || o.where === undefined ? axes.reduce((n, d) => n * y.shape[d]!, 1) : np.sum(np.broadcastTo(o.where, y.shape), axes, { keepdims: true }).astype(y.dtype);
  return np.add(np.multiply(np.subtract(1, alpha), y), np.divide(alpha, classes));
}
