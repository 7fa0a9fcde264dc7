import { ArgumentError, type ArrayLike, DTypeError, jit, type NDArray, np, ShapeError, tree } from "@hessia/core";
import { hessian, jacfwd, jacrev, ravelPytree } from "@hessia/autodiff";
import { solve } from "@hessia/linalg";
import { stepWithin } from "./trust-region-step.js";

export interface LeastSquaresOptions<P> {
  /** Levenberg-Marquardt in Moré's trust-region form. */
  readonly method?: "lm";
  /** Jacobian of the residuals: automatic by default, or your own function of the parameters returning [m, n]. */
  readonly jac?: "fwd" | "rev" | ((x: P) => ArrayLike);
  /** Stop when the cost's relative reduction, actual and predicted, is below this (default 1e-15). */
  readonly ftol?: number;
  /** Stop when the step is below this relative to the parameters (default 1e-14). */
  readonly xtol?: number;
  /** Stop when the cosine between residuals and every column of J is below this (default 1e-15). */
  readonly gtol?: number;
  /** Residual evaluations at most (default 200 (n + 1)). */
  readonly maxNfev?: number;
  /** Scale of each parameter, or "jac" (default): the columns' norms of J. */
  readonly xScale?: "jac" | ArrayLike;
  /** First trust radius as a multiple of |D x0| (default 1). */
  readonly factor?: number;
  /** Finish with Newton steps on the exact Hessian of the cost, which reach the last digits where Gauss-Newton converges slowly (default true). */
  readonly polish?: boolean;
  readonly callback?: (state: { readonly x: P; readonly cost: number; readonly nfev: number }) => void;
}

/** Fields as in SciPy's `least_squares`. */
export interface LeastSquaresResult<P> {
  readonly x: P;
  /** Half the sum of squares. */
  readonly cost: number;
  /** Residuals at the solution. */
  readonly fun: NDArray;
  /** Jacobian at the solution, [m, n] over the flattened parameters. */
  readonly jac: NDArray;
  /** J' r. */
  readonly grad: NDArray;
  /** Largest entry of |grad|. */
  readonly optimality: number;
  readonly nfev: number;
  readonly njev: number;
  readonly nhev: number;
  readonly nit: number;
  /** 0: evaluations ran out; 1: gtol; 2: ftol; 3: xtol; 4: both; -1: the residuals are not finite at the start. */
  readonly status: number;
  readonly message: string;
  readonly success: boolean;
}

const messages: Record<number, string> = {
  [-1]: "The residuals or their Jacobian are not finite at the starting point.",
  0: "The maximum number of function evaluations is exceeded.",
  1: "`gtol` termination condition is satisfied.",
  2: "`ftol` termination condition is satisfied.",
  3: "`xtol` termination condition is satisfied.",
  4: "Both `ftol` and `xtol` termination conditions are satisfied.",
};

/**
 * Minimizes half the sum of squared residuals, `F(x) = 1/2 sum_i f_i(x)^2`, with exact Jacobians.
 *
 * Levenberg-Marquardt as a trust-region method with variable scaling (Moré 1978; MINPACK's lmder): steps by QR of the damped Jacobian, the
 * radius adapted by the ratio of actual to predicted reduction. Then, with `polish`, Newton's method on the exact Hessian.
 * @param fun residuals as a function of a pytree of parameters; returns an array or pytree of arrays.
 * @throws ArgumentError for a start that is not finite or residuals that are fewer than the parameters; DTypeError for integer parameters.
 * @example leastSquares((b) => np.subtract(np.multiply(b.get(0), np.exp(np.multiply(b.get(1), t))), y), np.array([1, -1])).x
 */
export function leastSquares<P>(fun: (x: P) => unknown, x0: P, options: LeastSquaresOptions<P> = {}): LeastSquaresResult<P> {
  const [start, unravel] = ravelPytree(x0);
  if (start.dtype !== "float64" && start.dtype !== "float32")
    throw new DTypeError({ fn: "leastSquares", arg: "x0", expected: "float parameters", got: start.dtype, fix: 'convert with astype("float64")' });
  if (options.method !== undefined && options.method !== "lm")
    throw new ArgumentError({ fn: "leastSquares", arg: "method", expected: '"lm"', got: String(options.method), fix: "leave it out" });
  const n = start.size;
  const residuals = (x: NDArray): NDArray => {
    const parts = tree.leaves(fun(unravel(x) as P)).map((r) => np.ravel(np.asarray(r as ArrayLike)));
    return parts.length === 1 ? parts[0]! : np.concatenate(parts, 0);
  };
  const own = typeof options.jac === "function" ? options.jac : undefined;
  const jacobian = own ? (x: NDArray) => np.asarray(own(unravel(x) as P)) : options.jac === "rev" ? jacrev(residuals) : jacfwd(residuals);
  const evaluate = jit((x: NDArray) => residuals(x), { name: "residuals" });
  const evaluateJacobian = jit((x: NDArray) => jacobian(x) as NDArray, { name: "jacobian" });

  let x = start;
  let r = evaluate(x);
  const m = r.size;
  if (m < n)
    throw new ShapeError({ fn: "leastSquares", arg: "fun", expected: `at least ${n} residuals for ${n} parameters`, got: String(m), fix: "add data, or add a penalty on the parameters to the residuals" });
  let cost = halfSquare(r);
  let j = evaluateJacobian(x);
  let [nfev, njev, nhev, nit] = [1, 1, 0, 0];
  const finish = (status: number): LeastSquaresResult<P> => {
    const grad = np.matmul(np.transpose(j), r);
    return { x: unravel(x) as P, cost, fun: r, jac: j, grad, optimality: Number(np.max(np.abs(grad)).item()), nfev, njev, nhev, nit, status, message: messages[status]!, success: status > 0 };
  };
  if (!Number.isFinite(cost) || !isFinite(j)) return finish(-1);

  const { ftol = 1e-15, xtol = 1e-14, gtol = 1e-15, maxNfev = 200 * (n + 1), factor = 1 } = options;
  const fixedScale = options.xScale !== undefined && options.xScale !== "jac" ? np.divide(1, np.broadcastTo(np.asarray(options.xScale), [n])) : undefined;
  const columnNorms = (k: NDArray) => np.sqrt(np.sum(np.square(k), 0));
  const positive = (d: NDArray) => np.where(d.gt(0), d, 1);
  let d = fixedScale ?? positive(columnNorms(j));
  const scaledNorm = (v: NDArray) => Math.sqrt(Number(np.sum(np.square(np.multiply(d, v))).item()));
  let radius = factor * scaledNorm(x) || factor;
  let mu = 0;
  let status = 0;
  outer: while (nfev < maxNfev) {
    const norms = columnNorms(j);
    const g = np.matmul(np.transpose(j), r);
    const cosines = np.divide(np.abs(g), np.multiply(positive(norms), Math.sqrt(2 * cost) || 1));
    if (Number(np.max(cosines).item()) <= gtol) {
      status = 1;
      break;
    }
    if (!fixedScale) d = np.maximum(d, norms);
    for (;;) {
      const step = stepWithin(radius, j, r, d, mu);
      mu = step.mu;
      const length = step.length;
      if (nit === 0) radius = Math.min(radius, length);
      const trial = np.add(x, step.p);
      const rTrial = evaluate(trial);
      nfev++;
      const costTrial = halfSquare(rTrial);
      const actual = costTrial < 100 * cost ? 1 - costTrial / cost : -1;
      const predicted = (0.5 * step.jp2 + mu * length * length) / cost;
      const ratio = predicted > 0 ? actual / predicted : 0;
      if (!(ratio > 0.25)) {
        const slope = -(0.5 * step.jp2 + 0.5 * mu * length * length) / cost;
        let shrink = actual >= 0 ? 0.5 : (0.5 * slope) / (slope + 0.5 * actual);
        if (!(costTrial < 100 * cost) || !(shrink >= 0.1)) shrink = 0.1;
        radius = shrink * Math.min(radius, length / 0.1);
        mu /= shrink;
      } else if (mu === 0 || ratio >= 0.75) {
        radius = 2 * length;
        mu /= 2;
      }
      const accepted = ratio >= 1e-4 && Number.isFinite(costTrial);
      const xNorm = scaledNorm(x);
      const reduced = Math.abs(actual) <= ftol && predicted <= ftol && ratio <= 2;
      const still = radius <= xtol * xNorm || length <= xtol * xNorm;
      if (accepted) {
        [x, r, cost] = [trial, rTrial, costTrial];
        j = evaluateJacobian(x);
        njev++;
        nit++;
        options.callback?.({ x: unravel(x) as P, cost, nfev });
      }
      if (reduced || still || cost === 0) {
        status = reduced && still ? 4 : still ? 3 : 2;
        break outer;
      }
      if (accepted) break;
      if (nfev >= maxNfev) break outer;
    }
  }
  if (options.polish !== false && status > 0 && cost > 0) polish();
  return finish(status);

  /** Newton on the gradient: accepted while steps shrink and the cost rises by no more than rounding. */
  function polish(): void {
    const derivatives = jit((v: NDArray) => ({ h: hessian((u: NDArray) => np.multiply(0.5, np.sum(np.square(residuals(u)))))(v) as NDArray, g: np.matmul(np.transpose(jacobian(v) as NDArray), residuals(v)) }), { name: "polish" });
    let last = Infinity;
    for (let k = 0; k < 8; k++) {
      const { h, g } = derivatives(x);
      nhev++;
      // Scaled by D: the solve is then independent of the parameters' units.
      const scaled = np.divide(h, np.multiply(np.reshape(d, [n, 1]), d));
      const p = np.negative(np.divide(solve(scaled, np.divide(g, d)), d));
      const length = scaledNorm(p);
      if (!Number.isFinite(length) || length >= 0.5 * last || length > 1e-2 * scaledNorm(x)) return;
      const trial = np.add(x, p);
      const rTrial = evaluate(trial);
      nfev++;
      const costTrial = halfSquare(rTrial);
      if (!(costTrial <= cost * (1 + costRounding))) return;
      [x, r, cost, last] = [trial, rTrial, costTrial, length];
      j = evaluateJacobian(x);
      njev++;
      if (length <= 1e-16 * scaledNorm(x)) return;
    }
  }
}

/**
 * How much of the cost may be rounding near the minimum: residuals cancel down to some sqrt(eps) of the data in the best of fits, and are
 * uncertain by eps of the data. Steps themselves have to shrink, so nothing worse than that is let through.
 */
const costRounding = Math.sqrt(Number.EPSILON);

const halfSquare = (r: NDArray): number => 0.5 * Number(np.sum(np.square(r)).item());
const isFinite = (x: NDArray): boolean => Boolean(np.all(np.isfinite(x)).item());
