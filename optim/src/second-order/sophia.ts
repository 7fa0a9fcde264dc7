import { type ArrayLike, cond, type NDArray, np, random } from "@hessia/core";
import { scaleByLearningRate, addDecayedWeights } from "../first-order/scaling.js";
import type { DecayOptions } from "../first-order/optimizers.js";
import { chain } from "../transform/chain.js";
import { requireExtra, type TreeFn } from "../transform/extras.js";
import { type GradientTransformation, requireParams, type ScalarOrSchedule, transformation } from "../transform/transformation.js";
import { biasCorrection, castLike, increment, like, mapTree, updateMoment, zeroCount, zerosLike } from "../transform/tree-math.js";
import { asKey, estimateDiagonal, freshHvp, type KeyLike } from "./hutchinson.js";

export interface SophiaOptions {
  readonly b1?: ArrayLike;
  readonly b2?: ArrayLike;
  readonly eps?: ArrayLike;
  readonly gamma?: ArrayLike;
  /** null: no clipping. */
  readonly clipThreshold?: ArrayLike | null;
  readonly updateInterval?: number;
  readonly nSamples?: number;
  readonly key?: KeyLike;
}
export interface SophiaState { readonly count: NDArray; readonly mu: unknown; readonly nu: unknown; readonly key: NDArray; /** Part of the elements that were not clipped. */ readonly winRate: NDArray }

/** `clip(m_hat / max(gamma h, eps), +-1)`, h an average of Hutchinson's estimates every `updateInterval` steps. Needs hvpFn. */
export function scaleBySophia(options: SophiaOptions = {}): GradientTransformation<SophiaState> {
  const { b1 = 0.965, b2 = 0.99, eps = 1e-8, gamma = 0.01, clipThreshold = 1, updateInterval = 10, nSamples = 1, key = 0 } = options;
  const init = (p: unknown): SophiaState => ({ count: zeroCount(), mu: zerosLike(p), nu: zerosLike(p), key: asKey(key), winRate: np.zeros([], { dtype: "float32" }) });
  return transformation<SophiaState>("sophia", init, (g, state, given, extra) => {
    const params = requireParams(given, "sophia");
    const count = increment(state.count);
    const mu = updateMoment(g, state.mu, b1, 1);
    const raw = mapTree((m, h) => np.divide(m, np.maximum(np.multiply(like(gamma, h), h), like(eps, h))), biasCorrection(mu, b1, count), state.nu);
    const updates = clipThreshold === null ? raw : mapTree((u) => np.clip(u, like(np.negative(clipThreshold), u), like(clipThreshold, u)), raw);
    let [inside, size] = [np.zeros([], { dtype: "float32" }), 0];
    mapTree((u) => {
      inside = np.add(inside, np.sum(np.less(np.abs(u), clipThreshold ?? Infinity).astype("float32")));
      size += u.size;
      return u;
    }, raw);
    const keys = random.split(state.key, 2);
    const refresh = (hvp: TreeFn) => castLike(updateMoment(estimateDiagonal(keys.get(1), params, extra, nSamples, "sophia", hvp), state.nu, b2, 1), state.nu);
    const hvp = updateInterval === 1 ? requireExtra<TreeFn>(extra, "hvpFn", "sophia") : freshHvp(extra, params, "sophia");
    const nu = updateInterval === 1 ? refresh(hvp) : cond(np.equal(np.mod(state.count, updateInterval), 0), () => refresh(hvp), () => state.nu);
    return [updates, { count, mu, nu, key: keys.get(0), winRate: np.divide(inside, Math.max(1, size)).astype("float32") }];
  });
}

/**
 * Sophia-H: clipped steps by a running estimate of the Hessian's diagonal (Liu et al. 2023, arXiv:2305.14342).
 * @throws MissingExtraError without hvpFn.
 * @example const opt = sophia(1e-2, { gamma: 0.01, updateInterval: 10 });
 */
export const sophia = (learningRate: ScalarOrSchedule, options: SophiaOptions & DecayOptions = {}): GradientTransformation<readonly unknown[]> =>
  chain(scaleBySophia(options), addDecayedWeights(options.weightDecay ?? 1e-4, options.mask), scaleByLearningRate(learningRate));
