import { type ArrayLike, type NDArray, np } from "@hessia/core";
import { requireExtra } from "../transform/extras.js";
import { type EmptyState, type GradientTransformation, requireParams, withoutState } from "../transform/transformation.js";
import { globalNorm, like, mapTree, scaleTree, squaredNorm } from "../transform/tree-math.js";

const leafNorm = (x: NDArray, least: ArrayLike): NDArray => np.maximum(np.sqrt(np.sum(np.square(x))), like(least, x));
const leafRms = (x: NDArray, least: ArrayLike): NDArray => np.maximum(np.sqrt(np.mean(np.square(x))), like(least, x));

/** Scales each leaf by `c |p| / (|u| + eps)`, 1 where a norm is zero (You, Gitman & Ginsburg 2017). */
export function scaleByTrustRatio(options: { readonly minNorm?: ArrayLike; readonly trustCoefficient?: ArrayLike; readonly eps?: ArrayLike } = {}): GradientTransformation<EmptyState> {
  const { minNorm = 0, trustCoefficient = 1, eps = 0 } = options;
  return withoutState("scaleByTrustRatio", (g, params) => mapTree((u, p) => {
    const [pn, un] = [leafNorm(p, minNorm), leafNorm(u, minNorm)];
    const zero = np.logicalOr(pn.eq(0), un.eq(0));
    const ratio = np.divide(np.multiply(like(trustCoefficient, p), pn), np.where(zero, 1, np.add(un, like(eps, u))));
    return np.multiply(u, np.where(zero, 1, ratio));
  }, g, requireParams(params, "scaleByTrustRatio")));
}

/** Scales each leaf by the norm of its parameters, at least `minScale`. */
export const scaleByParamBlockNorm = (minScale: ArrayLike = 1e-3): GradientTransformation<EmptyState> =>
  withoutState("scaleByParamBlockNorm", (g, p) => mapTree((u, w) => np.multiply(u, leafNorm(w, minScale)), g, requireParams(p, "scaleByParamBlockNorm")));
/** Scales each leaf by the root mean square of its parameters, at least `minScale`. */
export const scaleByParamBlockRms = (minScale: ArrayLike = 1e-3): GradientTransformation<EmptyState> =>
  withoutState("scaleByParamBlockRms", (g, p) => mapTree((u, w) => np.multiply(u, leafRms(w, minScale)), g, requireParams(p, "scaleByParamBlockRms")));

/** `c u / (|u| + eps)` over the whole tree. */
export const normalizeByUpdateNorm = (options: { readonly scaleFactor?: ArrayLike; readonly eps?: ArrayLike } = {}): GradientTransformation<EmptyState> =>
  withoutState("normalizeByUpdateNorm", (g) => {
    const norm = np.divide(np.add(globalNorm(g), options.eps ?? 1e-6), options.scaleFactor ?? 1);
    return mapTree((x) => np.divide(x, like(norm, x)), g);
  });

/**
 * Polyak's step `min((f - fMin) / |g|^2, maxLearningRate)` (Loizou et al. 2021). Needs the extra argument `value`.
 * @throws MissingExtraError without it.
 */
export function scaleByPolyak(options: { readonly fMin?: ArrayLike; readonly maxLearningRate?: ArrayLike; readonly eps?: ArrayLike; readonly variant?: "sps" | "sps+" } = {}): GradientTransformation<EmptyState> {
  const { fMin = 0, maxLearningRate = 1, eps = 0, variant = "sps" } = options;
  return withoutState("scaleByPolyak", (g, _params, extra) => {
    const square = np.add(squaredNorm(g), eps);
    const gap = np.subtract(requireExtra<ArrayLike>(extra, "value", "scaleByPolyak"), fMin);
    const still = np.lessEqual(square, Number.EPSILON);
    const step = np.where(still, 0, np.minimum(np.divide(variant === "sps+" ? np.maximum(gap, 0) : gap, np.where(still, 1, square)), maxLearningRate));
    return scaleTree(step, g);
  });
}
