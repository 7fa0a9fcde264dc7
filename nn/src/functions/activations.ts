import { type ArrayLike, lax, type NDArray, np } from "@hessia/core";
import { floatArray } from "./arrays.js";
import { asOne } from "./as-one.js";

/**
 * Elementwise activations. All are composites of smooth pieces chosen so that value, gradient and curvature are finite at every
 * finite input: a branch that is not taken is fed a harmless value, for `where` alone lets NaN through in derivatives.
 * Values are those of `jax.nn`; at kinks the derivative named in each docstring is a choice.
 */
export type Activation = (x: ArrayLike) => NDArray;

/** `min(x, 0)` as a choice between branches: its derivative is 0 or 1, and 1 at 0. */
const negativePart = (x: NDArray): NDArray => np.where(np.greater(x, 0), 0, x);
/** `-|x|`, smooth from the left at 0. */
const minusAbs = (x: NDArray): NDArray => np.where(np.greater(x, 0), np.negative(x), x);

/** `x` itself. @example nn.identity(np.array([1, 2])) // [1, 2] */
export const identity: Activation = (x) => floatArray(x);

/** Rectified linear unit `max(x, 0)`; `relu'(0) = 0` and `relu'' = 0`. NaN stays NaN. @example nn.relu([-1, 2]) // [0, 2] */
export const relu: Activation = asOne((a) => np.where(np.lessEqual(a, 0), 0, a));

/** `min(max(x, 0), 6)`; its derivative is 0 at 0 and at 6 (Krizhevsky 2010). @example nn.relu6([-1, 2, 8]) // [0, 2, 6] */
export const relu6: Activation = asOne((a) => np.where(np.lessEqual(a, 0), 0, np.where(np.greaterEqual(a, 6), 6, a)));

/** `1 / (1 + exp(-x))`. Its derivatives keep their relative accuracy on both sides. @example nn.sigmoid(0) // 0.5 */
export const sigmoid: Activation = (x) => lax.logistic(x);

/** Hyperbolic tangent. @example nn.tanh(0) // 0 */
export const tanh: Activation = (x) => np.tanh(x);

/** `log(1 + exp(x))`, never overflowing; its second derivative is `sigmoid(x) sigmoid(-x)`. @example nn.softplus(0) // log 2 */
export const softplus: Activation = asOne((a) => np.add(relu(a), np.log1p(np.exp(minusAbs(a)))));

/** `log(sigmoid(x)) = -softplus(-x)`. @example nn.logSigmoid(-1000) // -1000 */
export const logSigmoid: Activation = asOne((a) => np.negative(softplus(np.negative(a))));

/** `x sigmoid(x)`, also known as swish (Hendrycks and Gimpel, arXiv:1606.08415). @example nn.silu(0) // 0 */
export const silu: Activation = asOne((a) => np.multiply(a, lax.logistic(a)));
/** Alias of `silu`. */
export const swish: Activation = silu;

/** `x / (1 + |x|)`. @example nn.softSign(1) // 0.5 */
export const softSign: Activation = asOne((a) => np.divide(a, np.subtract(1, minusAbs(a))));

/** `x` for x > 0, else `alpha (exp(x) - 1)` (Clevert et al., arXiv:1511.07289). At 0 the branch of x <= 0 counts. @example nn.elu(-1) // exp(-1) - 1 */
export function elu(x: ArrayLike, alpha: ArrayLike = 1): NDArray {
  const a = floatArray(x);
  return np.where(np.greater(a, 0), a, np.multiply(alpha, np.expm1(negativePart(a))));
}

/** `x` for x > 0, else `alpha (exp(x / alpha) - 1)`: continuously differentiable (Barron, arXiv:1704.07483). @example nn.celu(-1, 2) */
export function celu(x: ArrayLike, alpha: ArrayLike = 1): NDArray {
  const a = floatArray(x);
  return np.where(np.greater(a, 0), a, np.multiply(alpha, np.expm1(np.divide(negativePart(a), alpha))));
}

const seluAlpha = 1.6732632423543772848170429916717;
const seluScale = 1.0507009873554804934193349852946;
/** `scale elu(x, alpha)` with the constants of self-normalizing networks (Klambauer et al., arXiv:1706.02515). @example nn.selu(1) // 1.0507... */
export const selu: Activation = asOne((a) => np.multiply(seluScale, elu(a, seluAlpha)));

export interface GeluOptions {
  /** The formula with tanh (default), or the exact one with the normal distribution function. */
  readonly approximate?: boolean;
}
/**
 * Gaussian error linear unit (Hendrycks and Gimpel, arXiv:1606.08415): exactly `x Phi(x)`, or by default
 * `x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2`.
 * @example nn.gelu(1); nn.gelu(1, { approximate: false }) // 0.8413...
 */
export const gelu = (x: ArrayLike, o: GeluOptions = {}): NDArray => geluOf(x, o.approximate ?? true);
const geluOf = asOne((a: NDArray, approximate: boolean) => {
  if (approximate) {
    // (1 + tanh u) / 2 = sigmoid(2 u), which does not cancel. Beyond 30 it is 0 or 1 in every format, and x^3 may overflow.
    const far = np.greater(np.abs(a), 30);
    const z = np.where(far, 0, a);
    const u = np.multiply(2 * Math.sqrt(2 / Math.PI), np.multiply(z, np.add(1, np.multiply(0.044715, np.square(z)))));
    const step = np.where(np.greater(a, 0), 1, 0).astype(a.dtype);
    return np.multiply(a, np.where(far, step, lax.logistic(u)));
  }
  const z = np.where(np.greater(np.abs(a), 100), np.multiply(np.sign(a), 100), a);
  return np.multiply(np.multiply(a, 0.5), lax.erfc(np.multiply(z, -Math.SQRT1_2)));
});

/** Gated linear unit: splits an axis in halves `a, b` and gives `a sigmoid(b)` (Dauphin et al., arXiv:1612.08083). @throws ShapeError when the axis is odd. @example nn.glu([1, 0]) // [0.5] */
export function glu(x: ArrayLike, axis = -1): NDArray {
  const [a, b] = np.split(floatArray(x), 2, axis);
  return np.multiply(a!, lax.logistic(b!));
}

/** `x` for x >= 0, else `negativeSlope x`. @example nn.leakyRelu(-1) // -0.01 */
export function leakyRelu(x: ArrayLike, negativeSlope: ArrayLike = 0.01): NDArray {
  const a = floatArray(x);
  return np.where(np.greaterEqual(a, 0), a, np.multiply(negativeSlope, a));
}

/** `x` between -1 and 1 (where the derivative is 1, ends included), else the nearer of them. @example nn.hardTanh([-2, 0.5]) // [-1, 0.5] */
export const hardTanh: Activation = (x) => {
  const a = floatArray(x);
  return np.where(np.greater(a, 1), 1, np.where(np.less(a, -1), -1, a));
};

/** `relu6(x + 3) / 6`. @example nn.hardSigmoid(0) // 0.5 */
export const hardSigmoid: Activation = (x) => np.divide(relu6(np.add(floatArray(x), 3)), 6);

/** `x hardSigmoid(x)` (Howard et al., arXiv:1905.02244). @example nn.hardSilu(3) // 3 */
export const hardSilu: Activation = (x) => {
  const a = floatArray(x);
  return np.multiply(a, hardSigmoid(a));
};
/** Alias of `hardSilu`. */
export const hardSwish: Activation = hardSilu;

/** `x tanh(softplus(x))` (Misra, arXiv:1908.08681). @example nn.mish(0) // 0 */
export const mish: Activation = asOne((a) => np.multiply(a, np.tanh(softplus(a))));

/**
 * `(x + sqrt(x^2 + b)) / 2` (Barron, arXiv:2112.11687), written for x <= 0 as `b / (2 (sqrt(x^2 + b) - x))`, which does not cancel.
 * `b` must be positive for finite derivatives at 0.
 * @example nn.squareplus(0) // 1
 */
export function squareplus(x: ArrayLike, b: ArrayLike = 4): NDArray {
  const a = floatArray(x);
  // From where x^2 could overflow float32, sqrt(x^2 + b) = |x| sqrt(1 + b / x^2) is used.
  const far = np.greater(np.abs(a), 1e15);
  const near = np.where(far, 1, a);
  const large = np.where(far, np.negative(minusAbs(a)), 1);
  const root = np.where(far, np.multiply(large, np.sqrt(np.add(1, np.divide(np.divide(b, large), large)))), np.sqrt(np.add(np.square(near), b)));
  const positive = np.greater(a, 0);
  const gap = np.subtract(root, np.where(positive, 0, a));
  return np.where(positive, np.divide(np.add(a, root), 2), np.divide(b, np.multiply(2, np.where(positive, 1, gap))));
}

/** 0 below -1, `(x + 1)^2 / 4` up to 1, then x: softplus with compact curvature. @example nn.sparsePlus(0) // 0.25 */
export const sparsePlus: Activation = (x) => {
  const a = floatArray(x);
  const inside = np.where(np.greaterEqual(np.abs(a), 1), 0, a);
  return np.where(np.lessEqual(a, -1), 0, np.where(np.greaterEqual(a, 1), a, np.divide(np.square(np.add(inside, 1)), 4)));
};

/** The derivative of `sparsePlus`: `(x + 1) / 2` kept within 0 and 1; at the two kinks its slope is 1/4. @example nn.sparseSigmoid(0) // 0.5 */
export const sparseSigmoid: Activation = (x) => np.multiply(0.5, np.clip(np.add(floatArray(x), 1), 0, 2));

/** `log(1 - exp(-x))` for x > 0, without cancellation (Mächler, "Accurately computing log(1 - exp(-|a|))", 2012). @example nn.log1mexp(1) */
export const log1mexp: Activation = (x) => {
  const a = floatArray(x);
  const small = np.less(a, Math.LN2);
  const near = np.where(small, a, 1);
  const far = np.where(small, 1, a);
  return np.where(small, np.log(np.negative(np.expm1(np.negative(near)))), np.log1p(np.negative(np.exp(np.negative(far)))));
};
