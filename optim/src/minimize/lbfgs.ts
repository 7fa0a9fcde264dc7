import { type NDArray, np } from "@hessia/core";
import type { QuasiNewtonOptions } from "./bfgs.js";
import { isFinitePoint, type Problem } from "./problem.js";
import { type MethodResult, messages } from "./result.js";
import { type Located, searchAlong } from "./search.js";
import { along, dot, maxAbs, norm } from "./vectors.js";

interface Pair { readonly s: NDArray; readonly y: NDArray; readonly rho: number }

/** H v from the stored pairs, the newest last (two-loop recursion, Nocedal 1980). */
export function twoLoop(pairs: readonly Pair[], v: NDArray): NDArray {
  const alphas: number[] = [];
  let q = v;
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { s, y, rho } = pairs[i]!;
    alphas[i] = rho * dot(s, q);
    q = along(q, -alphas[i]!, y);
  }
  const last = pairs.at(-1);
  let r = last ? np.multiply(1 / (last.rho * dot(last.y, last.y)), q) : q;
  pairs.forEach(({ s, y, rho }, i) => {
    r = along(r, alphas[i]! - rho * dot(y, r), s);
  });
  return r;
}

/** Limited-memory BFGS with strong Wolfe steps: 2 `maxcor` vectors of memory. */
export function lbfgs<P>(problem: Problem<P>, o: QuasiNewtonOptions): MethodResult {
  let at: Located = { x: problem.start, ...problem.valueAndGrad(problem.start) };
  let pairs: Pair[] = [];
  const result = (nit: number, status: number, message: string): MethodResult => ({ x: at.x, f: at.f, g: at.g, hessInv: (v) => twoLoop(pairs, v), nit, status, message });
  if (!isFinitePoint(at)) return result(0, 3, messages.nan);
  for (let nit = 0; ; nit++) {
    if (maxAbs(at.g) <= o.gtol) return result(nit, 0, messages.success);
    if (nit >= o.maxiter) return result(nit, 1, messages.maxiter);
    let p = np.negative(twoLoop(pairs, at.g));
    if (!(dot(at.g, p) < 0)) {
      pairs = [];
      p = np.negative(at.g);
    }
    let found = searchAlong(problem, at, p, pairs.length ? 1 : Math.min(1, 1 / norm(at.g)), o);
    if (!found && pairs.length) {
      // Stale curvature can spoil the direction: once more from steepest descent.
      pairs = [];
      p = np.negative(at.g);
      found = searchAlong(problem, at, p, Math.min(1, 1 / norm(at.g)), o);
    }
    if (!found) return result(nit, 2, messages.precisionLoss);
    const next = found.point.data;
    const s = np.subtract(next.x, at.x);
    const y = np.subtract(next.g, at.g);
    const sy = dot(s, y);
    const reduction = (at.f - next.f) / Math.max(Math.abs(at.f), Math.abs(next.f), 1);
    at = next;
    if (!isFinitePoint(at)) return result(nit + 1, 3, messages.nan);
    if (o.callback(at.x, at.f)) return result(nit + 1, 99, messages.callback);
    if (sy > Number.EPSILON * dot(y, y)) pairs = [...pairs, { s, y, rho: 1 / sy }].slice(-o.maxcor);
    if (reduction <= o.ftol && maxAbs(at.g) > o.gtol) return result(nit + 1, 0, messages.success);
  }
}
