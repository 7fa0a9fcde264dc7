import { type ArrayLike, type NDArray, np } from "@hessia/core";
import { chain } from "../transform/chain.js";
import { type GradientTransformation, requireParams, type ScalarOrSchedule, transformation } from "../transform/transformation.js";
import { biasCorrection, increment, like, mapTree, subTrees, updateMoment, zeroCount, zerosLike } from "../transform/tree-math.js";
import type { MomentState } from "./moments.js";
import type { DecayOptions } from "./optimizers.js";
import { addDecayedWeights, scale, scaleByLearningRate } from "./scaling.js";

/** Younger relatives of Adam, with optax's constants. */

type Optimizer = GradientTransformation<readonly unknown[]>;
const zeros = (p: unknown): MomentState => ({ count: zeroCount(), mu: zerosLike(p), nu: zerosLike(p) });

/** Asynchronous centering: the gradient over the root of the last step's variance around the momentum (Zhuang et al. 2021). */
export function scaleByAcprop(options: { readonly b1?: ArrayLike; readonly b2?: ArrayLike; readonly eps?: ArrayLike; readonly epsRoot?: ArrayLike } = {}): GradientTransformation<MomentState> {
  const { b1 = 0.9, b2 = 0.999, eps = 1e-16, epsRoot = 1e-16 } = options;
  return transformation<MomentState>("scaleByAcprop", zeros, (g, state) => {
    const mu = updateMoment(g, state.mu, b1, 1);
    const nu = mapTree((v) => np.add(v, like(epsRoot, v)), updateMoment(subTrees(g, state.mu), state.nu, b2, 2));
    const first = state.count.eq(0);
    const count = increment(state.count);
    const old = biasCorrection(state.nu, b2, np.where(first, count, state.count));
    return [mapTree((x, v) => np.divide(x, np.add(np.sqrt(np.where(first, np.ones(v.shape, { dtype: v.dtype }), v)), like(eps, v))), g, old), { count, mu, nu }];
  });
}
export const acprop = (learningRate: ScalarOrSchedule, options: Parameters<typeof scaleByAcprop>[0] & DecayOptions = {}): Optimizer =>
  chain(scaleByAcprop(options), addDecayedWeights(options.weightDecay ?? 0, options.mask), scaleByLearningRate(learningRate));

export interface AdemamixState { readonly count: NDArray; readonly m1: unknown; readonly m2: unknown; readonly nu: unknown }
/** A fast and a slow momentum, `(m1_hat + alpha m2) / (sqrt(v_hat) + eps)` (Pagliardini, Ablin & Grangier 2024). */
export function scaleByAdemamix(options: { readonly b1?: ArrayLike; readonly b2?: ArrayLike; readonly b3?: ScalarOrSchedule; readonly alpha?: ScalarOrSchedule; readonly eps?: ArrayLike; readonly epsRoot?: ArrayLike } = {}): GradientTransformation<AdemamixState> {
  const { b1 = 0.9, b2 = 0.999, b3 = 0.9999, alpha = 6, eps = 1e-8, epsRoot = 0 } = options;
  return transformation<AdemamixState>("scaleByAdemamix", (p) => ({ count: zeroCount(), m1: zerosLike(p), m2: zerosLike(p), nu: zerosLike(p) }), (g, state) => {
    const at = (h: ScalarOrSchedule): ArrayLike => (typeof h === "function" ? np.asarray(h(state.count)) : h);
    const m1 = updateMoment(g, state.m1, b1, 1);
    const m2 = updateMoment(g, state.m2, at(b3), 1);
    const nu = updateMoment(g, state.nu, b2, 2);
    const count = increment(state.count);
    const a = at(alpha);
    const updates = mapTree((fast, slow, v) => np.divide(np.add(fast, np.multiply(like(a, slow), slow)), np.add(np.sqrt(np.add(v, like(epsRoot, v))), like(eps, v))), biasCorrection(m1, b1, count), m2, biasCorrection(nu, b2, count));
    return [updates, { count, m1, m2, nu }];
  });
}
export const ademamix = (learningRate: ScalarOrSchedule, options: Parameters<typeof scaleByAdemamix>[0] & DecayOptions = {}): Optimizer =>
  chain(scaleByAdemamix({ alpha: 5, ...options }), addDecayedWeights(options.weightDecay ?? 0, options.mask), scaleByLearningRate(learningRate));

/** Adam whose gradient is divided by the last step's second moment before the momentum: converges for any b2 (Taniguchi et al. 2024). */
export function scaleByAdopt(options: { readonly b1?: ArrayLike; readonly b2?: ArrayLike; readonly eps?: ArrayLike; readonly nesterov?: boolean; readonly useClipping?: boolean } = {}): GradientTransformation<MomentState> {
  const { b1 = 0.9, b2 = 0.9999, eps = 1e-6, nesterov = false, useClipping = true } = options;
  return transformation<MomentState>("scaleByAdopt", zeros, (g, state) => {
    const started = state.count.gt(0);
    const [decay1, decay2] = [np.where(started, b1, 1), np.where(started, b2, 0)];
    const nu = updateMoment(g, state.nu, decay2, 2);
    const limit = np.power(state.count.astype("float64"), 0.25);
    const scaled = mapTree((x, v) => {
      const u = np.divide(x, np.maximum(np.sqrt(v), like(eps, v)));
      return useClipping ? np.clip(u, like(np.negative(limit), u), like(limit, u)) : u;
    }, g, state.nu);
    const mu = updateMoment(scaled, state.mu, decay1, 1);
    return [nesterov ? updateMoment(scaled, mu, decay1, 1) : mu, { count: increment(state.count), mu, nu }];
  });
}
export const adopt = (learningRate: ScalarOrSchedule, options: Parameters<typeof scaleByAdopt>[0] = {}): Optimizer => chain(scaleByAdopt(options), scaleByLearningRate(learningRate));

export interface MadgradState { readonly count: NDArray; readonly sumOfSquares: unknown; readonly sum: unknown; readonly start: unknown }
/** Dual averaging with a cube root (Defazio & Jelassi 2022). */
export function madgrad(learningRate: ScalarOrSchedule, options: { readonly momentum?: number; readonly eps?: number; readonly weightDecay?: ScalarOrSchedule } = {}): Optimizer {
  const { momentum = 0.9, eps = 1e-6, weightDecay = 0 } = options;
  const init = (p: unknown): MadgradState => ({ count: zeroCount(), sumOfSquares: zerosLike(p), sum: zerosLike(p), start: mapTree((x) => x, p) });
  const step = transformation<MadgradState>("madgrad", init, (g, state, given) => {
    const params = requireParams(given, "madgrad");
    const rate = np.add(typeof learningRate === "function" ? np.asarray(learningRate(state.count)) : learningRate, eps);
    // In float32, as the reference takes roots of its int32 counters.
    const weight = np.multiply(rate, np.sqrt(np.add(state.count, 1).astype("float32")));
    const sumOfSquares = mapTree((v, x) => np.add(v, np.multiply(like(weight, x), np.square(x))), state.sumOfSquares, g);
    const sum = mapTree((s, x) => np.add(s, np.multiply(like(weight, x), x)), state.sum, g);
    const updates = mapTree((x0, s, v, x) => {
      const z = np.subtract(x0, np.divide(s, np.add(np.cbrt(v), eps)));
      return np.multiply(1 - momentum, np.subtract(z, x));
    }, state.start, sum, sumOfSquares, params);
    return [updates, { count: increment(state.count), sumOfSquares, sum, start: state.start }];
  });
  return chain(addDecayedWeights(weightDecay), step);
}

/** One accumulator for each row and column in place of each element (Anil et al. 2019). */
export function scaleBySm3(options: { readonly b1?: ArrayLike; readonly b2?: number; readonly eps?: ArrayLike } = {}): GradientTransformation<{ readonly accumulators: unknown; readonly momentum: unknown }> {
  const { b1 = 0.9, b2 = 1, eps = 1e-8 } = options;
  type State = { readonly accumulators: unknown; readonly momentum: unknown };
  // Leaves are vectors that hold the accumulators of all axes one after the other.
  const init = (p: unknown): State => ({ accumulators: mapTree((x) => np.zeros([x.shape.reduce((a, b) => a + b, 0)], { dtype: x.dtype }), p), momentum: zerosLike(p) });
  return transformation<State>("scaleBySm3", init, (g, state) => {
    const accumulated = mapTree((x, all) => {
      let at = 0;
      const parts = x.shape.map((n, d) => all.get(`${at}:${(at += n)}`).reshape(x.shape.map((m, k) => (k === d ? m : 1))));
      const bound = parts.length ? parts.map((v) => np.broadcastTo(v, x.shape)).reduce((a, b) => np.minimum(a, b)) : np.zeros([], { dtype: x.dtype });
      return np.add(np.multiply(b2 === 1 ? 1 : 1 - b2, np.square(x)), np.multiply(b2, bound));
    }, g, state.accumulators);
    const updates = mapTree((x, a) => np.multiply(x, np.where(a.gt(0), np.divide(1, np.sqrt(np.add(a, like(eps, a)))), 0)), g, accumulated);
    const accumulators = mapTree((a) => (a.ndim === 0 ? np.zeros([0], { dtype: a.dtype }) : np.concatenate(a.shape.map((_, d) => (a.ndim === 1 ? a : np.max(a, a.shape.map((_m, k) => k).filter((k) => k !== d)))), 0)), accumulated);
    const momentum = updateMoment(updates, state.momentum, b1, 1);
    return [momentum, { accumulators, momentum }];
  });
}
export const sm3 = (learningRate: ArrayLike, options: { readonly momentum?: ArrayLike } = {}): Optimizer => chain(scaleBySm3({ b1: options.momentum ?? 0.9 }), scale(np.negative(learningRate)));

export interface ScheduleFreeState { readonly weightSum: NDArray; readonly count: NDArray; readonly maxRate: NDArray; readonly inner: unknown; readonly z: unknown }
/**
 * Averages iterates in place of decaying the learning rate (Defazio et al. 2024). Gradients are taken between the average and the base
 * optimizer's iterate z; `scheduleFreeEvalParams` gives the average.
 */
export function scheduleFree(base: GradientTransformation, learningRate: ScalarOrSchedule, options: { readonly b1?: number; readonly weightLrPower?: number } = {}): GradientTransformation<ScheduleFreeState> {
  const { b1 = 0.9, weightLrPower = 2 } = options;
  const zero = () => np.zeros([], { dtype: "float64" });
  const init = (p: unknown): ScheduleFreeState => ({ weightSum: zero(), count: increment(zeroCount()), maxRate: zero(), inner: base.init(p), z: mapTree((x) => x, p) });
  return transformation<ScheduleFreeState>("scheduleFree", init, (g, state, given, extra) => {
    const params = requireParams(given, "scheduleFree");
    const rate = np.asarray(typeof learningRate === "function" ? learningRate(state.count) : learningRate).astype("float64");
    const maxRate = np.maximum(state.maxRate, rate);
    const weight = np.power(maxRate, weightLrPower);
    const weightSum = np.add(state.weightSum, weight);
    const c = np.where(weightSum.gt(0), np.divide(weight, np.where(weightSum.gt(0), weightSum, 1)), 0);
    const [updates, inner] = base.update(g, state.inner, params, extra);
    const z = mapTree((a, u) => np.add(a, u).astype(a.dtype), state.z, updates);
    const step = mapTree((y, old, now) => {
      const x = np.divide(np.subtract(y, np.multiply(1 - b1, old)), b1);
      const average = np.add(np.multiply(like(np.subtract(1, c), x), x), np.multiply(like(c, now), now));
      return np.subtract(np.add(np.multiply(b1, average), np.multiply(1 - b1, now)), y);
    }, params, state.z, z);
    return [step, { weightSum, count: increment(state.count), maxRate, inner, z }];
  });
}
/** The averaged parameters, for evaluation. */
export const scheduleFreeEvalParams = <P>(state: ScheduleFreeState, params: P, b1 = 0.9): P => mapTree((y, z) => np.divide(np.subtract(y, np.multiply(1 - b1, z)), b1), params, state.z);
/** Gradient descent with averaged iterates and a constant rate. */
export function scheduleFreeSgd(learningRate: ScalarOrSchedule = 1, options: { readonly b1?: number; readonly weightLrPower?: number; readonly weightDecay?: ScalarOrSchedule } = {}): GradientTransformation<ScheduleFreeState> {
  return scheduleFree(chain(addDecayedWeights(options.weightDecay ?? 0), scaleByLearningRate(learningRate)), learningRate, options);
}
