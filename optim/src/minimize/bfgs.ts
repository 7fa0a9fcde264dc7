import { jit, type NDArray, np } from "@hessia/core";
import { isFinitePoint, type Problem } from "./problem.js";
import { type MethodResult, messages } from "./result.js";
import { type Located, searchAlong } from "./search.js";
import { dot, maxAbs, norm } from "./vectors.js";

export interface QuasiNewtonOptions {
  readonly gtol: number;
  readonly ftol: number;
  readonly xrtol: number;
  readonly maxiter: number;
  readonly maxcor: number;
  readonly c1: number;
  readonly c2: number;
  readonly callback: (x: NDArray, f: number) => boolean;
}

/** H+ = (I - rho s y') H (I - rho y s') + rho s s', rho = 1 / y's (Nocedal & Wright 2006, eq. 6.17), in the form without n^3 work. */
const inverseUpdate = jit((h: NDArray, s: NDArray, y: NDArray): NDArray => {
  const sy = np.sum(np.multiply(s, y));
  const hy = np.matmul(h, y);
  const factor = np.divide(np.add(sy, np.sum(np.multiply(y, hy))), np.square(sy));
  const cross = np.outer(hy, s);
  return np.subtract(np.add(h, np.multiply(factor, np.outer(s, s))), np.divide(np.add(cross, np.transpose(cross)), sy));
}, { name: "bfgs update" });

/** BFGS with a dense inverse Hessian and strong Wolfe steps. */
export function bfgs<P>(problem: Problem<P>, o: QuasiNewtonOptions): MethodResult {
  const n = problem.start.size;
  let at: Located = { x: problem.start, ...problem.valueAndGrad(problem.start) };
  let h = np.eye(n, undefined, 0, { dtype: problem.start.dtype });
  const result = (nit: number, status: number, message: string): MethodResult => ({ x: at.x, f: at.f, g: at.g, hessInv: h, nit, status, message });
  if (!isFinitePoint(at)) return result(0, 3, messages.nan);
  let previous = at.f + norm(at.g) / 2;
  for (let nit = 0; ; nit++) {
    if (maxAbs(at.g) <= o.gtol) return result(nit, 0, messages.success);
    if (nit >= o.maxiter) return result(nit, 1, messages.maxiter);
    let p = np.negative(np.matmul(h, at.g));
    let slope = dot(at.g, p);
    if (!(slope < 0)) {
      h = np.eye(n, undefined, 0, { dtype: h.dtype });
      p = np.negative(at.g);
      slope = dot(at.g, p);
    }
    // First trial as SciPy: the step that would repeat the last decrease.
    const guess = (1.01 * 2 * (at.f - previous)) / slope;
    const found = searchAlong(problem, at, p, guess > 0 ? Math.min(1, guess) : 1, o);
    if (!found) return result(nit, 2, messages.precisionLoss);
    const next = found.point.data;
    const s = np.subtract(next.x, at.x);
    const y = np.subtract(next.g, at.g);
    previous = at.f;
    const still = norm(s) <= o.xrtol * (o.xrtol + norm(next.x));
    at = next;
    if (!isFinitePoint(at)) return result(nit + 1, 3, messages.nan);
    if (o.callback(at.x, at.f)) return result(nit + 1, 99, messages.callback);
    if (maxAbs(at.g) > o.gtol && still) return result(nit + 1, 0, messages.success);
    const sy = dot(s, y);
    // Without positive curvature along the step the update would lose definiteness.
    if (sy > 1e-300 && Number.isFinite(1 / sy)) {
      if (nit === 0) h = np.multiply(h, sy / dot(y, y));
      h = inverseUpdate(h, s, y);
    }
  }
}
