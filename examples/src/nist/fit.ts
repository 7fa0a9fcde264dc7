import { type NDArray, np } from "@hessia/core";
import { leastSquares, minimize } from "@hessia/optim";
import { certifiedDigits, type NistProblem } from "./problems.js";

export interface Fit {
  readonly digits: number;
  /** Evaluations of the model. */
  readonly evaluations: number;
  /** Jacobians (Levenberg-Marquardt) or Hessians (Newton). */
  readonly derivatives: number;
  readonly parameters: readonly number[];
}

/** Levenberg-Marquardt with exact Jacobians. */
export function fitLevenbergMarquardt(problem: NistProblem, start: readonly number[]): Fit {
  const r = leastSquares(problem.residuals, np.array([...start]));
  const parameters = r.x.toArray() as number[];
  return { digits: certifiedDigits(parameters, problem), evaluations: r.nfev, derivatives: r.njev, parameters };
}

/**
 * Newton's method with the exact Hessian of the sum of squares, in a trust region. The parameters are counted in units of the starting
 * values, since they differ by up to ten orders of magnitude; the sum of squares in units of its starting value.
 */
export function fitNewton(problem: NistProblem, start: readonly number[]): Fit {
  const unit = np.array([...start]);
  const first = Number(np.sum(np.square(problem.residuals(unit))).item());
  const objective = (s: NDArray) => np.divide(np.sum(np.square(problem.residuals(np.multiply(unit, s)))), first);
  const r = minimize(objective, np.ones([start.length]), { method: "trust-exact", options: { gtol: 1e-15, maxiter: 500 } });
  const parameters = np.multiply(unit, r.x).toArray() as number[];
  return { digits: certifiedDigits(parameters, problem), evaluations: r.nfev, derivatives: r.nhev, parameters };
}
