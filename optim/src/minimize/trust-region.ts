import { type NDArray, np } from "@hessia/core";
import { isFinitePoint, type Problem } from "./problem.js";
import { type MethodResult, messages } from "./result.js";
import type { Located } from "./search.js";
import { norm } from "./vectors.js";

export interface TrustRegionOptions {
  readonly gtol: number;
  readonly maxiter: number;
  readonly initialTrustRadius: number;
  readonly maxTrustRadius: number;
  /** A step is taken when the actual reduction is more than this part of the predicted one. */
  readonly eta: number;
  readonly callback: (x: NDArray, f: number) => boolean;
}

/** Minimizer of the quadratic model within a radius. */
export interface SubproblemStep {
  readonly p: NDArray;
  readonly onBoundary: boolean;
  /** f - model(p) */
  readonly predicted: number;
}

/** The model at one point; asked again with smaller radii when steps are rejected, without new derivatives. */
export interface Subproblem {
  solve(radius: number): SubproblemStep;
  readonly hess?: NDArray;
}

/** The trust-region loop that "trust-ncg" and "trust-exact" share (Nocedal & Wright 2006, alg. 4.1; SciPy's constants). */
export function trustRegion<P>(problem: Problem<P>, subproblemAt: (at: Located) => Subproblem, o: TrustRegionOptions): MethodResult {
  let at: Located = { x: problem.start, ...problem.valueAndGrad(problem.start) };
  let model: Subproblem | undefined;
  const result = (nit: number, status: number, message: string): MethodResult => ({ x: at.x, f: at.f, g: at.g, ...(model?.hess ? { hess: model.hess } : {}), nit, status, message });
  if (!isFinitePoint(at)) return result(0, 3, messages.nan);
  let radius = o.initialTrustRadius;
  for (let nit = 0; ; nit++) {
    if (norm(at.g) < o.gtol) return result(nit, 0, messages.success);
    if (nit >= o.maxiter) return result(nit, 1, messages.maxiter);
    model ??= subproblemAt(at);
    const { p, onBoundary, predicted } = model.solve(radius);
    const length = norm(p);
    const trial = np.add(at.x, p);
    const f = problem.value(trial);
    const actual = at.f - f;
    // Where both reductions drown in rounding, the model is as good as the function can tell: compare gradients instead.
    const rounding = 1e-14 * Math.abs(at.f);
    const blind = Math.abs(actual) <= rounding && predicted <= rounding;
    let ratio = Number.isFinite(f) && predicted > 0 ? actual / predicted : -1;
    if (blind) {
      const g = problem.valueAndGrad(trial);
      if (!isFinitePoint(g) || norm(g.g) >= norm(at.g)) return result(nit, norm(at.g) <= Math.sqrt(rounding) ? 0 : 2, norm(at.g) <= Math.sqrt(rounding) ? messages.success : messages.precisionLoss);
      ratio = 1;
    }
    if (ratio < 0.25) radius = 0.25 * Math.min(radius, length || radius);
    else if (ratio > 0.75 && onBoundary) radius = Math.min(2 * radius, o.maxTrustRadius);
    if (ratio > o.eta) {
      at = { x: trial, ...problem.valueAndGrad(trial) };
      model = undefined;
      if (!isFinitePoint(at)) return result(nit + 1, 3, messages.nan);
      if (o.callback(at.x, at.f)) return result(nit + 1, 99, messages.callback);
    } else if (radius < 1e-300 || length === 0) return result(nit + 1, 2, messages.precisionLoss);
  }
}
