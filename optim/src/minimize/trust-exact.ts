import { np } from "@hessia/core";
import { eigh } from "@hessia/linalg";
import type { Problem } from "./problem.js";
import type { Located } from "./search.js";
import type { Subproblem } from "./trust-region.js";

/**
 * The exact solution of the subproblem (Moré & Sorensen 1983) in the eigenbasis of the Hessian: `(H + lambda I) p = -g` with the smallest
 * lambda >= max(0, -lambda_1) for which p fits; in the hard case completed along the lowest eigenvector.
 */
export function exactSubproblem<P>(problem: Problem<P>, { x, g }: Located): Subproblem {
  const hess = problem.hessian(x);
  const { eigenvalues, eigenvectors } = eigh(hess);
  const w = Float64Array.from(eigenvalues.data);
  const c = Float64Array.from(np.matmul(np.transpose(eigenvectors), g).data);
  const n = w.length;
  const lowest = w[0] ?? 0;
  const scale = Math.max(Math.abs(lowest), Math.abs(w[n - 1] ?? 0), Number.MIN_VALUE);
  const length = (lambda: number) => Math.hypot(...c.map((ci, i) => (ci === 0 ? 0 : ci / (w[i]! + lambda))));

  const step = (coefficients: ArrayLike<number>, onBoundary: boolean) => {
    let model = 0;
    for (let i = 0; i < n; i++) model += c[i]! * coefficients[i]! + 0.5 * w[i]! * coefficients[i]! ** 2;
    const p = np.matmul(eigenvectors, np.asarray(Float64Array.from(coefficients)).astype(x.dtype));
    return { p, onBoundary, predicted: -model };
  };

  return {
    hess,
    solve(radius) {
      if (lowest > 0 && length(0) <= radius) return step(c.map((ci, i) => -ci / w[i]!), false);
      const floor = Math.max(0, -lowest);
      // Hard case: g has no part along the lowest eigenvectors, so no lambda above the floor makes p long enough.
      const tiny = 1e-14 * scale;
      const rest = Math.hypot(...c.map((ci, i) => (w[i]! + floor <= tiny ? 0 : ci / (w[i]! + floor))));
      const along = Math.hypot(...c.map((ci, i) => (w[i]! + floor <= tiny ? ci : 0)));
      if (along <= 1e-15 * Math.hypot(...c) && rest <= radius) {
        const p = Float64Array.from(c, (ci, i) => (w[i]! + floor <= tiny ? 0 : -ci / (w[i]! + floor)));
        p[0] = p[0]! + Math.sqrt(Math.max(0, radius * radius - rest * rest));
        return step(p, true);
      }
      // Newton on 1/radius - 1/|p(lambda)|, which is nearly linear in lambda, kept within a bracket.
      let [low, high] = [floor, floor + Math.hypot(...c) / radius + tiny];
      let lambda = Math.max(floor + 1e-3 * (high - floor), low);
      for (let k = 0; k < 100; k++) {
        const len = length(lambda);
        if (Math.abs(len - radius) <= 1e-12 * radius) break;
        if (len > radius) low = lambda;
        else high = lambda;
        let slope = 0;
        for (let i = 0; i < n; i++) if (c[i] !== 0) slope += c[i]! ** 2 / (w[i]! + lambda) ** 3;
        const next = lambda + ((len * len) / slope) * ((len - radius) / radius);
        lambda = Number.isFinite(next) && next > low && next < high ? next : 0.5 * (low + high);
        if (high - low <= 1e-16 * high) break;
      }
      return step(c.map((ci, i) => (ci === 0 ? 0 : -ci / (w[i]! + lambda))), true);
    },
  };
}
