import { type ArrayLike, type DType, type NDArray, np } from "@hessia/core";
import { masked, type Mask } from "../transform/masked.js";
import { type EmptyState, type GradientTransformation, requireParams, type ScalarOrSchedule, type Schedule, transformation, withoutState } from "../transform/transformation.js";
import { along, biasCorrection, castLike, increment, like, mapTree, scaleTree, zeroCount, zerosLike } from "../transform/tree-math.js";

export interface CountState { readonly count: NDArray }

/** Multiplies updates by a constant. */
export const scale = (factor: ArrayLike): GradientTransformation<EmptyState> => withoutState("scale", (g) => scaleTree(factor, g));

/** Multiplies updates by `schedule(step)`. */
export function scaleBySchedule(schedule: Schedule): GradientTransformation<CountState> {
  return transformation<CountState>("scaleBySchedule", () => ({ count: zeroCount() }), (g, { count }) => [scaleTree(np.asarray(schedule(count)), g), { count: increment(count) }]);
}

/** Multiplies by minus the learning rate: the step downhill. */
export function scaleByLearningRate(learningRate: ScalarOrSchedule, options: { readonly flipSign?: boolean } = {}): GradientTransformation {
  const sign = options.flipSign === false ? 1 : -1;
  if (typeof learningRate === "function") return scaleBySchedule((count) => np.multiply(sign, learningRate(count)));
  return scale(typeof learningRate === "number" ? sign * learningRate : np.multiply(sign, learningRate));
}

export interface TraceState { readonly trace: unknown }
/** Momentum: `t <- g + decay t`; with Nesterov's variant the update is `g + decay t` once more. */
export function trace(decay: ArrayLike, options: { readonly nesterov?: boolean } = {}): GradientTransformation<TraceState> {
  return transformation<TraceState>("trace", (params) => ({ trace: zerosLike(params) }), (g, state) => {
    const next = along(g, decay, state.trace);
    return [options.nesterov ? along(g, decay, next) : next, { trace: next }];
  });
}

export interface EmaState extends CountState { readonly ema: unknown }
/** Exponential moving average `e <- d e + (1 - d) g`, by default divided by `1 - d^t`. */
export function ema(decay: ArrayLike, options: { readonly debias?: boolean; readonly accumulatorDtype?: DType } = {}): GradientTransformation<EmaState> {
  return transformation<EmaState>("ema", (params) => ({ count: zeroCount(), ema: zerosLike(params, options.accumulatorDtype) }), (g, state) => {
    // The old average decays in the dtype it is kept in.
    const next = mapTree((x, e) => np.add(np.multiply(like(np.subtract(1, decay), x), x), np.multiply(like(decay, e), e)).astype(x.dtype), g, state.ema);
    const count = increment(state.count);
    return [options.debias === false ? next : biasCorrection(next, decay, count), { count, ema: castLike(next, state.ema) }];
  });
}

/** Adds `decay * params` to the updates: weight decay, decoupled when it follows the preconditioner (Loshchilov & Hutter 2019). */
export function addDecayedWeights(weightDecay: ScalarOrSchedule = 0, mask?: Mask): GradientTransformation {
  const plain: GradientTransformation = typeof weightDecay === "function"
    ? transformation<CountState>("addDecayedWeights", () => ({ count: zeroCount() }), (g, { count }, p) => [along(g, np.asarray(weightDecay(count)), requireParams(p, "addDecayedWeights")), { count: increment(count) }])
    : withoutState("addDecayedWeights", (g, p) => (weightDecay === 0 ? g : along(g, weightDecay, requireParams(p, "addDecayedWeights"))));
  return mask === undefined || mask === null ? plain : masked(plain, mask);
}

/** The sign of each element. */
export const scaleBySign = (): GradientTransformation<EmptyState> => withoutState("scaleBySign", (g) => mapTree((x) => np.sign(x), g));

/** Subtracts from each row its mean over the other axes (Yong et al. 2020). Vectors stay as they are. */
export const centralize = (): GradientTransformation<EmptyState> =>
  withoutState("centralize", (g) => mapTree((x) => (x.ndim > 1 ? np.subtract(x, np.mean(x, Array.from({ length: x.ndim - 1 }, (_, d) => d + 1), { keepdims: true })) : x), g));

/** NaN becomes 0; the state tells which leaves had any. */
export function zeroNans(): GradientTransformation<{ readonly foundNan: unknown }> {
  return transformation<{ readonly foundNan: unknown }>("zeroNans", (params) => ({ foundNan: mapTree(() => np.asarray(false), params) }), (g) => [
    mapTree((x) => np.where(np.isnan(x), np.zeros(x.shape, { dtype: x.dtype }), x), g),
    { foundNan: mapTree((x) => np.any(np.isnan(x)), g) },
  ]);
}

export interface OptimisticState { readonly isInitialStep: NDArray; readonly previousGradient: unknown }
/** `(alpha + beta) g_t - beta g_{t-1}` (Mokhtari et al. 2019). */
export function scaleByOptimisticGradient(options: { readonly alpha?: ArrayLike; readonly beta?: ArrayLike } = {}): GradientTransformation<OptimisticState> {
  const { alpha = 1, beta = 1 } = options;
  return transformation<OptimisticState>("scaleByOptimisticGradient", (params) => ({ isInitialStep: np.asarray(true), previousGradient: zerosLike(params) }), (g, state) => [
    mapTree((x, last) => np.subtract(np.multiply(like(np.add(alpha, beta), x), x), np.multiply(like(beta, x), np.where(state.isInitialStep, x, last))), g, state.previousGradient),
    { isInitialStep: np.logicalAnd(state.isInitialStep, false), previousGradient: g },
  ]);
}

