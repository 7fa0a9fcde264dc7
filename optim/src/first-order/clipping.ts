import { type ArrayLike, type NDArray, np } from "@hessia/core";
import { type EmptyState, type GradientTransformation, requireParams, withoutState } from "../transform/transformation.js";
import { globalNorm, like, mapTree } from "../transform/tree-math.js";

/** Elements into `[-maxDelta, maxDelta]`. */
export const clip = (maxDelta: ArrayLike): GradientTransformation<EmptyState> =>
  withoutState("clip", (g) => mapTree((x) => np.clip(x, like(np.negative(maxDelta), x), like(maxDelta, x)), g));

/** Scales the whole tree down to a norm of at most `maxNorm` (Pascanu, Mikolov & Bengio 2013). */
export const clipByGlobalNorm = (maxNorm: ArrayLike): GradientTransformation<EmptyState> =>
  withoutState("clipByGlobalNorm", (g) => {
    const norm = globalNorm(g);
    const small = np.less(norm, maxNorm);
    const safe = np.where(small, 1, norm);
    return mapTree((x) => np.where(small, x, np.multiply(np.divide(x, like(safe, x)), like(maxNorm, x))), g);
  });

/** Scales each leaf down to a root mean square of at most `threshold` (Shazeer & Stern 2018). */
export const clipByBlockRms = (threshold: ArrayLike): GradientTransformation<EmptyState> =>
  withoutState("clipByBlockRms", (g) => mapTree((x) => np.divide(x, np.maximum(1, np.divide(np.sqrt(np.mean(np.square(x))), like(threshold, x)))), g));

/** Norm of each unit: over everything for vectors, over all axes but the last for weights. */
function unitNorm(x: NDArray): NDArray {
  const units = x.shape.filter((n) => n !== 1).length <= 1 ? null : Array.from({ length: x.ndim === 3 ? 1 : x.ndim - 1 }, (_, d) => d);
  return np.broadcastTo(np.sqrt(np.sum(np.square(x), units, { keepdims: true })), x.shape);
}

/** Clips each unit's gradient to a part of the norm of its weights (Brock et al. 2021). */
export const adaptiveGradClip = (clipping: ArrayLike, options: { readonly eps?: ArrayLike } = {}): GradientTransformation<EmptyState> =>
  withoutState("adaptiveGradClip", (g, p) => mapTree((x, w) => {
    const norm = unitNorm(x);
    const limit = np.multiply(like(clipping, x), np.maximum(unitNorm(w), like(options.eps ?? 1e-3, x)));
    return np.where(norm.lt(limit), x, np.multiply(x, np.divide(limit, np.maximum(norm, 1e-6))));
  }, g, requireParams(p, "adaptiveGradClip")));
