import { type NDArray, np } from "@hessia/core";
import { isFinitePoint, type Problem } from "./problem.js";
import { type MethodResult, messages } from "./result.js";
import { type Located, searchAlong } from "./search.js";
import { along, dot, norm } from "./vectors.js";

export interface NewtonCgOptions {
  /** Stop when the mean absolute step is below this. */
  readonly xtol: number;
  readonly gtol: number;
  readonly maxiter: number;
  readonly c1: number;
  readonly c2: number;
  readonly callback: (x: NDArray, f: number) => boolean;
}

/** Approximate Newton step by conjugate gradients on Hessian-vector products; stops at negative curvature (Nocedal & Wright 2006, alg. 7.1). */
function truncatedStep<P>(problem: Problem<P>, { x, g }: Located): NDArray {
  const gNorm = norm(g);
  const tolerance = Math.min(0.5, Math.sqrt(gNorm)) * gNorm;
  let p = np.zeros(x.shape, { dtype: x.dtype });
  let r = g;
  let d = np.negative(g);
  let rr = dot(r, r);
  for (let k = 0; k < 20 * x.size; k++) {
    if (Math.sqrt(rr) <= tolerance) break;
    const hd = problem.hvp(x, d);
    const curvature = dot(d, hd);
    if (curvature <= 3 * Number.EPSILON * dot(d, d)) return k === 0 ? np.multiply(curvature < 0 && Number.isFinite(curvature) ? Math.min(1, rr / -curvature) || 1 : 1, d) : p;
    const alpha = rr / curvature;
    p = along(p, alpha, d);
    r = along(r, alpha, hd);
    const next = dot(r, r);
    d = along(np.negative(r), next / rr, d);
    rr = next;
  }
  return p;
}

/** Newton-CG with strong Wolfe steps: memory of a few vectors. */
export function newtonCg<P>(problem: Problem<P>, o: NewtonCgOptions): MethodResult {
  let at: Located = { x: problem.start, ...problem.valueAndGrad(problem.start) };
  const result = (nit: number, status: number, message: string): MethodResult => ({ x: at.x, f: at.f, g: at.g, nit, status, message });
  if (!isFinitePoint(at)) return result(0, 3, messages.nan);
  const n = Math.max(1, problem.start.size);
  for (let nit = 0; ; nit++) {
    if (norm(at.g) <= o.gtol) return result(nit, 0, messages.success);
    if (nit >= o.maxiter) return result(nit, 1, messages.maxiter);
    const p = truncatedStep(problem, at);
    const found = searchAlong(problem, at, p, 1, o);
    if (!found) {
      // At the limit of precision a Newton step no longer decreases the value measurably: that is convergence.
      if (Number(np.sum(np.abs(p)).item()) <= Math.max(o.xtol, 1e-12) * n * Math.max(1, norm(at.x))) return result(nit, 0, messages.success);
      return result(nit, 2, messages.precisionLoss);
    }
    const step = Number(np.sum(np.abs(np.subtract(found.point.data.x, at.x))).item()) / n;
    at = found.point.data;
    if (!isFinitePoint(at)) return result(nit + 1, 3, messages.nan);
    if (o.callback(at.x, at.f)) return result(nit + 1, 99, messages.callback);
    if (step <= o.xtol) return result(nit + 1, 0, messages.success);
  }
}
