import { type ArrayLike, np } from "@hessia/core";
import { chain, identity } from "../transform/chain.js";
import { masked, type Mask } from "../transform/masked.js";
import type { GradientTransformation, ScalarOrSchedule } from "../transform/transformation.js";
import { type AdamOptions, scaleByAdam, scaleByAdamax, scaleByAdan, scaleByAmsgrad, scaleByBelief, scaleByLion, scaleByNovograd, scaleByRadam, scaleByYogi } from "./moments.js";
import { clipByBlockRms } from "./clipping.js";
import { scaleByParamBlockRms, scaleByPolyak, scaleByTrustRatio } from "./norms.js";
import { type RmsOptions, scaleByAdadelta, scaleByFactoredRms, scaleByRms, scaleByRprop, scaleByRss, scaleByStddev } from "./rms.js";
import { addDecayedWeights, ema, scale, scaleByLearningRate, scaleByOptimisticGradient, scaleBySign, trace } from "./scaling.js";

/** First-order optimizers: chains of the building blocks, with optax's defaults. Learning rates are constants, traced values or schedules. */

type Optimizer = GradientTransformation<readonly unknown[]>;
export interface DecayOptions {
  readonly weightDecay?: ScalarOrSchedule;
  /** Which leaves decay: a tree of booleans, or a function of the parameters. */
  readonly mask?: Mask;
}

/**
 * Gradient descent `p <- p - lr g`, with `momentum` (Polyak 1964), or Nesterov's variant (Sutskever et al. 2013).
 * @example const opt = sgd(0.1, { momentum: 0.9, nesterov: true });
 */
export const sgd = (learningRate: ScalarOrSchedule, options: { readonly momentum?: ArrayLike; readonly nesterov?: boolean } = {}): Optimizer =>
  chain(options.momentum === undefined ? identity() : trace(options.momentum, { nesterov: options.nesterov ?? false }), scaleByLearningRate(learningRate));

/**
 * Adam: `p <- p - lr m_hat / (sqrt(v_hat + epsRoot) + eps)` (Kingma & Ba 2015).
 * @example const opt = adam(1e-3); let state = opt.init(params);
 */
export const adam = (learningRate: ScalarOrSchedule, options: AdamOptions = {}): Optimizer => chain(scaleByAdam(options), scaleByLearningRate(learningRate));
/** Adam with decoupled weight decay, 1e-4 by default (Loshchilov & Hutter 2019). @example adamw(1e-3, { weightDecay: 0.01, mask: (p) => tree.map((x) => x.ndim > 1, p) }) */
export const adamw = (learningRate: ScalarOrSchedule, options: AdamOptions & DecayOptions = {}): Optimizer =>
  chain(scaleByAdam(options), addDecayedWeights(options.weightDecay ?? 1e-4, options.mask), scaleByLearningRate(learningRate));
/** Adam with Nesterov momentum (Dozat 2016). */
export const nadam = (learningRate: ScalarOrSchedule, options: AdamOptions = {}): Optimizer => adam(learningRate, { ...options, nesterov: true });
export const nadamw = (learningRate: ScalarOrSchedule, options: AdamOptions & DecayOptions = {}): Optimizer => adamw(learningRate, { ...options, nesterov: true });
/** Adam with a second moment that never shrinks (Reddi, Kale & Kumar 2018). */
export const amsgrad = (learningRate: ScalarOrSchedule, options: Omit<AdamOptions, "nesterov"> = {}): Optimizer => chain(scaleByAmsgrad(options), scaleByLearningRate(learningRate));
/** Adam with the infinity norm (Kingma & Ba 2015). */
export const adamax = (learningRate: ScalarOrSchedule, options: Pick<AdamOptions, "b1" | "b2" | "eps"> = {}): Optimizer => chain(scaleByAdamax(options), scaleByLearningRate(learningRate));
export const adamaxw = (learningRate: ScalarOrSchedule, options: Pick<AdamOptions, "b1" | "b2" | "eps"> & DecayOptions = {}): Optimizer =>
  chain(scaleByAdamax(options), addDecayedWeights(options.weightDecay ?? 1e-4, options.mask), scaleByLearningRate(learningRate));
/** AdaBelief (Zhuang et al. 2020). */
export const adabelief = (learningRate: ScalarOrSchedule, options: AdamOptions = {}): Optimizer => chain(scaleByBelief(options), scaleByLearningRate(learningRate));
/** Yogi (Zaheer et al. 2018). */
export const yogi = (learningRate: ScalarOrSchedule, options: Omit<AdamOptions, "nesterov"> = {}): Optimizer => chain(scaleByYogi(options), scaleByLearningRate(learningRate));
/** Rectified Adam (Liu et al. 2020). */
export const radam = (learningRate: ScalarOrSchedule, options: AdamOptions & { readonly threshold?: ArrayLike } = {}): Optimizer => chain(scaleByRadam(options), scaleByLearningRate(learningRate));
/** NovoGrad (Ginsburg et al. 2019). */
export const novograd = (learningRate: ScalarOrSchedule, options: Omit<AdamOptions, "nesterov"> & { readonly weightDecay?: ArrayLike } = {}): Optimizer => chain(scaleByNovograd({ eps: 1e-6, ...options }), scaleByLearningRate(learningRate));
/** Adan (Xie et al. 2022). */
export const adan = (learningRate: ScalarOrSchedule, options: Parameters<typeof scaleByAdan>[0] & DecayOptions = {}): Optimizer =>
  chain(scaleByAdan({ epsRoot: 1e-8, ...options }), addDecayedWeights(options.weightDecay ?? 0, options.mask), scaleByLearningRate(learningRate));
/** Lion (Chen et al. 2023). */
export const lion = (learningRate: ScalarOrSchedule, options: { readonly b1?: ArrayLike; readonly b2?: ArrayLike } & DecayOptions = {}): Optimizer =>
  chain(scaleByLion(options), addDecayedWeights(options.weightDecay ?? 1e-3, options.mask), scaleByLearningRate(learningRate));

/** RMSProp (Tieleman & Hinton 2012), centered or not, with momentum after the learning rate. */
export const rmsprop = (learningRate: ScalarOrSchedule, options: RmsOptions & { readonly centered?: boolean; readonly momentum?: ArrayLike; readonly nesterov?: boolean } = {}): Optimizer =>
  chain(options.centered ? scaleByStddev(options) : scaleByRms(options), scaleByLearningRate(learningRate), options.momentum === undefined ? identity() : trace(options.momentum, { nesterov: options.nesterov ?? false }));
/** AdaGrad (Duchi, Hazan & Singer 2011). */
export const adagrad = (learningRate: ScalarOrSchedule, options: { readonly initialAccumulatorValue?: ArrayLike; readonly eps?: ArrayLike } = {}): Optimizer => chain(scaleByRss(options), scaleByLearningRate(learningRate));
/** AdaDelta (Zeiler 2012). */
export const adadelta = (learningRate: ScalarOrSchedule = 1, options: { readonly rho?: ArrayLike; readonly eps?: ArrayLike } & DecayOptions = {}): Optimizer =>
  chain(addDecayedWeights(options.weightDecay ?? 0, options.mask), scaleByAdadelta(options), scaleByLearningRate(learningRate));
/** Adafactor: factored second moments, clipped, relative to the size of the parameters (Shazeer & Stern 2018). */
export function adafactor(learningRate?: ScalarOrSchedule, options: { readonly minDimSizeToFactor?: number; readonly decayRate?: number; readonly decayOffset?: number; readonly multiplyByParameterScale?: boolean; readonly clippingThreshold?: ArrayLike | null; readonly momentum?: ArrayLike; readonly eps?: number } & DecayOptions = {}): Optimizer {
  const { minDimSizeToFactor = 128, decayRate = 0.8, decayOffset = 0, clippingThreshold = 1, eps = 1e-30 } = options;
  const parts: GradientTransformation[] = [scaleByFactoredRms({ minDimSizeToFactor, decayRate, stepOffset: decayOffset, epsilon: eps })];
  if (clippingThreshold !== null) parts.push(clipByBlockRms(clippingThreshold));
  if (learningRate !== undefined) parts.push(scaleByLearningRate(learningRate, { flipSign: false }));
  if (options.multiplyByParameterScale !== false) parts.push(scaleByParamBlockRms());
  if (options.momentum !== undefined) parts.push(ema(options.momentum, { debias: false, accumulatorDtype: "float32" }));
  if (options.weightDecay !== undefined) parts.push(addDecayedWeights(options.weightDecay, options.mask));
  return chain(...parts, scale(-1));
}
/** LAMB: Adam with a trust ratio for each leaf (You et al. 2020). */
export const lamb = (learningRate: ScalarOrSchedule, options: Omit<AdamOptions, "nesterov"> & DecayOptions = {}): Optimizer =>
  chain(scaleByAdam({ eps: 1e-6, ...options }), addDecayedWeights(options.weightDecay ?? 0, options.mask), scaleByTrustRatio(), scaleByLearningRate(learningRate));
/** LARS: momentum with a trust ratio for each leaf (You, Gitman & Ginsburg 2017). */
export function lars(learningRate: ScalarOrSchedule, options: { readonly weightDecay?: ScalarOrSchedule; readonly weightDecayMask?: Mask; readonly trustCoefficient?: ArrayLike; readonly eps?: ArrayLike; readonly trustRatioMask?: Mask; readonly momentum?: ArrayLike; readonly nesterov?: boolean } = {}): Optimizer {
  const { weightDecay = 0, weightDecayMask, trustCoefficient = 1e-3, eps = 0, trustRatioMask = true, momentum = 0.9, nesterov = false } = options;
  return chain(addDecayedWeights(weightDecay, weightDecayMask), masked(scaleByTrustRatio({ trustCoefficient, eps }), trustRatioMask), scaleByLearningRate(learningRate), trace(momentum, { nesterov }));
}
/** Fromage: steps relative to the norm of each leaf, with the norm's growth undone (Bernstein et al. 2020). */
export function fromage(learningRate: ScalarOrSchedule, options: { readonly minNorm?: ArrayLike } = {}): Optimizer {
  const minNorm = options.minNorm ?? 1e-6;
  const shrink = (lr: ArrayLike) => np.divide(1, np.sqrt(np.add(1, np.square(lr))));
  if (typeof learningRate === "function")
    return chain(scaleByTrustRatio({ minNorm }), scaleByLearningRate((c) => np.multiply(shrink(learningRate(c)), learningRate(c))), addDecayedWeights((c) => np.subtract(shrink(learningRate(c)), 1)));
  const factor = typeof learningRate === "number" ? 1 / Math.sqrt(1 + learningRate ** 2) : shrink(learningRate);
  return chain(scaleByTrustRatio({ minNorm }), scaleByLearningRate(np.multiply(learningRate, factor)), addDecayedWeights(np.subtract(factor, 1)));
}
/** Signs of the gradient (Bernstein et al. 2018). */
export const signSgd = (learningRate: ScalarOrSchedule): Optimizer => chain(scaleBySign(), scaleByLearningRate(learningRate));
/** Signs of the averaged gradient. */
export const signum = (learningRate: ScalarOrSchedule, options: { readonly beta?: ArrayLike } = {}): Optimizer => chain(ema(options.beta ?? 0.9, { debias: false }), scaleBySign(), scaleByLearningRate(learningRate));
/** Resilient propagation (Riedmiller & Braun 1993). */
export const rprop = (learningRate: ArrayLike, options: Parameters<typeof scaleByRprop>[1] = {}): Optimizer => chain(scaleByRprop(learningRate, options), scale(-1));
/** Optimistic gradient descent (Mokhtari et al. 2019). */
export const optimisticGradientDescent = (learningRate: ScalarOrSchedule, options: { readonly alpha?: ArrayLike; readonly beta?: ArrayLike } = {}): Optimizer => chain(scaleByOptimisticGradient(options), scaleByLearningRate(learningRate));
/** Optimistic Adam with Nesterov momentum (Daskalakis et al. 2018). */
export const optimisticAdamV2 = (learningRate: ScalarOrSchedule, options: AdamOptions & { readonly alpha?: ArrayLike; readonly beta?: ArrayLike } = {}): Optimizer =>
  chain(scaleByAdam({ nesterov: true, ...options }), scaleByOptimisticGradient(options), scaleByLearningRate(learningRate));
/**
 * Gradient descent with Polyak's step (Loizou et al. 2021). Needs the extra argument `value`.
 * @throws MissingExtraError without it.
 */
export const polyakSgd = (options: { readonly maxLearningRate?: ArrayLike; readonly scaling?: ScalarOrSchedule; readonly fMin?: ArrayLike; readonly eps?: ArrayLike; readonly variant?: "sps" | "sps+" } = {}): Optimizer =>
  chain(sgd(options.scaling ?? 1), scaleByPolyak(options));
