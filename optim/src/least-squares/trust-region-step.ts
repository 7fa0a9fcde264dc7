import { jit, type NDArray, np } from "@hessia/core";
import { qr, solveTriangular } from "@hessia/linalg";

/** `p(mu) = argmin |J p + r|^2 + mu |D p|^2` and what a Newton iteration on mu needs. */
export interface DampedStep {
  readonly p: NDArray;
  /** |D p| */
  readonly length: NDArray;
  /** d |D p| / d mu, negative. */
  readonly slope: NDArray;
  /** |J p|^2 */
  readonly jp2: NDArray;
}

/**
 * The damped step by QR of [J; sqrt(mu) D], never by normal equations: squaring J would halve the digits (Moré 1978, The
 * Levenberg-Marquardt algorithm: implementation and theory). One compiled program.
 */
export const dampedStep = jit((j: NDArray, r: NDArray, d: NDArray, mu: NDArray): DampedStep => {
  const n = d.shape[0]!;
  const { q, r: upper } = qr(np.concatenate([j, np.diag(np.multiply(np.sqrt(mu), d))], 0));
  const rhs = np.matmul(np.transpose(q), np.concatenate([np.negative(r), np.zeros([n], { dtype: r.dtype })], 0));
  const p = solveTriangular(upper, rhs, { lower: false });
  const dp = np.multiply(d, p);
  const length = np.sqrt(np.sum(np.square(dp)));
  // d(phi)/d(mu) = -|R^-T D^2 p|^2 / |D p|
  const w = solveTriangular(upper, np.multiply(d, dp), { lower: false, trans: true });
  const slope = np.negative(np.divide(np.sum(np.square(w)), np.where(length.gt(0), length, 1)));
  return { p, length, slope, jp2: np.sum(np.square(np.matmul(j, p))) };
}, { name: "dampedStep" });

export interface RadiusStep {
  readonly p: NDArray;
  readonly mu: number;
  readonly length: number;
  readonly jp2: number;
}

/**
 * The step for a trust region |D p| <= radius: mu = 0 where the Gauss-Newton step fits, else mu with |D p| within 10% of the radius, by
 * Newton on 1/|D p| (Hebden, Moré; MINPACK's lmpar). `muGuess` is the last iteration's mu.
 */
export function stepWithin(radius: number, j: NDArray, r: NDArray, d: NDArray, muGuess: number): RadiusStep {
  const solve = (mu: number) => {
    const s = dampedStep(j, r, d, np.array(mu));
    return { p: s.p, mu, length: Number(s.length.item()), slope: Number(s.slope.item()), jp2: Number(s.jp2.item()) };
  };
  // A rank-deficient J makes the undamped step infinite: then only positive mu counts.
  const free = solve(0);
  const finite = Number.isFinite(free.length);
  if (finite && free.length <= 1.1 * radius) return free;
  let low = 0;
  const g = np.divide(np.matmul(np.transpose(j), r), d);
  let high = Math.sqrt(Number(np.sum(np.square(g)).item())) / radius;
  if (!Number.isFinite(high) || high === 0) high = Number.MIN_VALUE / Math.min(radius, 0.1);
  let mu = Math.min(Math.max(muGuess, low), high);
  if (mu === 0) mu = Math.max(1e-3 * high, Number.MIN_VALUE);
  let best = solve(mu);
  for (let k = 0; k < 20; k++) {
    const phi = best.length - radius;
    if (Math.abs(phi) <= 0.1 * radius) break;
    if (phi > 0) low = Math.max(low, mu);
    else high = Math.min(high, mu);
    const next = mu - (phi / best.slope) * (best.length / radius);
    mu = Number.isFinite(next) && next > low && next < high ? next : Math.max(1e-3 * high, Math.sqrt(low * high));
    best = solve(mu);
  }
  return best;
}
