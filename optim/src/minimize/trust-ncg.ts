import { np } from "@hessia/core";
import type { Problem } from "./problem.js";
import type { Located } from "./search.js";
import type { Subproblem } from "./trust-region.js";
import { along, dot, norm } from "./vectors.js";

/** Where the ray p + t d leaves the ball: the larger root. */
function toBoundary(p: Parameters<typeof dot>[0], d: Parameters<typeof dot>[0], radius: number): number {
  const [a, b, c] = [dot(d, d), dot(p, d), dot(p, p) - radius * radius];
  const root = Math.sqrt(Math.max(0, b * b - a * c));
  return b > 0 ? -c / (b + root) : (root - b) / a;
}

/** Steihaug's truncated conjugate gradients (1983): stops inside, at the boundary, or follows negative curvature to it. */
export const steihaug = <P>(problem: Problem<P>, { x, g }: Located): Subproblem => ({
  solve(radius) {
    const gNorm = norm(g);
    const tolerance = Math.min(0.5, Math.sqrt(gNorm)) * gNorm;
    let p = np.zeros(x.shape, { dtype: x.dtype });
    let hp = p;
    let r = g;
    let d = np.negative(g);
    let rr = dot(r, r);
    const model = () => -(dot(g, p) + 0.5 * dot(p, hp));
    for (let k = 0; k < 10 * x.size + 20; k++) {
      const hd = problem.hvp(x, d);
      const curvature = dot(d, hd);
      const alpha = rr / curvature;
      const inside = curvature > 0 && norm(along(p, alpha, d)) < radius;
      if (!inside) {
        const t = toBoundary(p, d, radius);
        p = along(p, t, d);
        hp = along(hp, t, hd);
        return { p, onBoundary: true, predicted: model() };
      }
      p = along(p, alpha, d);
      hp = along(hp, alpha, hd);
      r = along(r, alpha, hd);
      const next = dot(r, r);
      if (Math.sqrt(next) < tolerance) break;
      d = along(np.negative(r), next / rr, d);
      rr = next;
    }
    return { p, onBoundary: false, predicted: model() };
  },
});
