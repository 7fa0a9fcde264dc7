import { type NDArray, np, whileLoop } from "@hessia/core";
import type { TreeFn } from "../transform/extras.js";
import { along, castLike, dotTrees, negative, scalarDType, scalarOf, select, zeroCount, zerosLike } from "../transform/tree-math.js";

export interface TruncatedStep {
  readonly direction: unknown;
  readonly iterations: NDArray;
  /** Negative or zero curvature was met. */
  readonly negativeCurvature: NDArray;
  /** Smallest `d'Hd / d'd` seen: an upper bound of the smallest eigenvalue. */
  readonly curvature: NDArray;
  readonly residualNorm: NDArray;
}

/**
 * `H p = -g` by conjugate gradients on Hessian-vector products, until the residual is below `tolerance` or curvature is not positive; then p
 * so far, or -g at the first iteration (Dembo & Steihaug 1983; Nocedal & Wright 2006, algorithm 7.1). Four trees of memory.
 */
export function truncatedCg(hvp: TreeFn, g: unknown, tolerance: NDArray, maxIterations: number): TruncatedStep {
  const dtype = scalarDType(g);
  const tiny = 3 * (dtype === "float32" ? 2 ** -23 : Number.EPSILON);
  const start = { p: zerosLike(g), r: g, d: negative(g), rr: dotTrees(g, g).astype(dtype), k: zeroCount(), stop: np.asarray(false), curvature: scalarOf(Infinity, dtype) };
  type Iterate = typeof start;
  const end = whileLoop((s: Iterate) => np.logicalAnd(np.logicalAnd(np.greater(np.sqrt(s.rr), tolerance), np.less(s.k, maxIterations)), np.logicalNot(s.stop)), (s): Iterate => {
    const hd = castLike(hvp(s.d), g);
    const [dd, dhd] = [dotTrees(s.d, s.d), dotTrees(s.d, hd)];
    const bad = np.logicalNot(np.greater(dhd, np.multiply(tiny, dd)));
    const alpha = np.where(bad, 0, np.divide(s.rr, np.where(bad, 1, dhd)));
    const r = along(s.r, alpha, hd);
    const next = dotTrees(r, r).astype(dtype);
    const p = along(s.p, alpha, s.d);
    const atStart = np.logicalAnd(bad, s.k.eq(0));
    return {
      p: select(atStart, s.d, p), r,
      d: select(bad, s.d, along(negative(r), np.divide(next, np.where(s.rr.gt(0), s.rr, 1)), s.d)),
      rr: next, k: np.add(s.k, 1), stop: bad,
      curvature: np.minimum(s.curvature, np.divide(dhd, np.where(dd.gt(0), dd, 1))).astype(dtype),
    };
  }, start);
  return { direction: end.p, iterations: end.k, negativeCurvature: end.stop, curvature: end.curvature, residualNorm: np.sqrt(end.rr) };
}

/** `v -> H v + damping v` */
export const damped = (hvp: TreeFn, damping: NDArray | number): TreeFn => (damping === 0 ? hvp : (v) => along(castLike(hvp(v), v), damping, v));
