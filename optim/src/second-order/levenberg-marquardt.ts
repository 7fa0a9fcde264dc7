import { type ArrayLike, type NDArray, np, ShapeError, tree } from "@hessia/core";
import { jacfwd, jacrev, jvp, linearize, linearTranspose, ravelPytree } from "@hessia/autodiff";
import { qr, solve, solveTriangular } from "@hessia/linalg";
import { type StepSearch, searchStep } from "../line-search/step-search.js";
import { type Extras, requireExtra, type TreeFn } from "../transform/extras.js";
import { type GradientTransformation, requireParams, transformation } from "../transform/transformation.js";
import { castLike, globalNorm, increment, like, scalarDType, scalarOf, scaleTree, sizeOfTree, zeroCount } from "../transform/tree-math.js";
import { requireChoice } from "./newton.js";
import { damped, truncatedCg } from "./truncated-cg.js";

export type LeastSquaresSolver = "qr" | "cholesky" | "cg";

const square = (x: NDArray): NDArray => np.sum(np.square(x));

/** Residuals as a function of flattened parameters. */
function flatResiduals(extra: Extras, unravel: (x: NDArray) => unknown, optimizer: string): (x: NDArray) => NDArray {
  const residualFn = requireExtra<(p: unknown) => unknown>(extra, "residualFn", optimizer);
  return (x) => {
    const parts = tree.leaves<ArrayLike>(residualFn(unravel(x))).map((r) => np.ravel(r));
    if (parts.length === 0) throw new ShapeError({ fn: `${optimizer}.update`, arg: "extra.residualFn", expected: "at least one residual", got: "an empty tree", fix: "return the residuals" });
    return parts.length === 1 ? parts[0]! : np.concatenate(parts, 0);
  };
}

interface DampedProblem {
  readonly r: NDArray;
  /** `argmin |J p + b|^2 + |D p|^2` */
  solve(b: NDArray, d: NDArray): NDArray;
  /** `J' v` and `J v` */
  pull(v: NDArray): NDArray;
  push(v: NDArray): NDArray;
  /** Norms of the columns of J; of all of them together with "cg". */
  columnSquares(): NDArray;
}

function linearizeResiduals(residuals: (x: NDArray) => NDArray, x: NDArray, solver: LeastSquaresSolver): DampedProblem {
  const n = x.size;
  if (solver === "cg") {
    const [r, push] = linearize(residuals, x);
    const transpose = linearTranspose(push as unknown as (v: NDArray) => NDArray, x);
    const pull = (v: NDArray): NDArray => transpose(v)[0] as NDArray;
    const apply = push as unknown as (v: NDArray) => NDArray;
    return {
      r, pull, push: apply,
      columnSquares: () => np.broadcastTo(square(pull(r)), [n]),
      solve: (b, d) => {
        const g = pull(b);
        const product: TreeFn = (v) => np.add(pull(apply(v as NDArray)), np.multiply(np.square(d), v as NDArray));
        return truncatedCg(product, g, np.multiply(1e-12, globalNorm(g)), 4 * n).direction as NDArray;
      },
    };
  }
  const r = residuals(x);
  const j = (r.size < n ? jacrev(residuals) : jacfwd(residuals))(x) as NDArray;
  return {
    r,
    pull: (v) => np.matmul(np.transpose(j), v),
    push: (v) => np.matmul(j, v),
    columnSquares: () => np.sum(np.square(j), 0),
    solve: (b, d) => {
      if (solver === "cholesky") {
        const normal = np.add(np.matmul(np.transpose(j), j), np.diag(np.square(d)));
        return np.negative(solve(normal, np.matmul(np.transpose(j), b), { assumeA: "pos", checkFinite: false }));
      }
      // QR of [J; D] and not of the normal equations, whose condition is the square (Moré 1978).
      const { q, r: upper } = qr(np.concatenate([j, np.diag(d)], 0));
      const rhs = np.matmul(np.transpose(q), np.concatenate([np.negative(b), np.zeros([n], { dtype: b.dtype })], 0));
      return solveTriangular(upper, rhs, { lower: false });
    },
  };
}

export interface LevenbergMarquardtOptions {
  /** First damping, relative to the largest squared column norm of J (default 1e-6); with scaling "diagonal" absolute. */
  readonly damping0?: number;
  /** "nielsen" (default; Nielsen 1999): smooth in the gain ratio. "marquardt": a tenth after success, ten times after failure. */
  readonly update?: "marquardt" | "nielsen";
  /** Damping of `I` (default), or of the largest column norms so far (Moré 1978): steps do not depend on the parameters' units. */
  readonly scaling?: "identity" | "diagonal";
  /** Add the second-order correction of Transtrum & Sethna (2012, arXiv:1201.5885) where it is small. */
  readonly geodesic?: boolean;
  /** "qr" (default) of [J; sqrt(mu) D], "cholesky" of the normal equations, or "cg" without the Jacobian. */
  readonly solver?: LeastSquaresSolver;
  readonly gtol?: number;
  readonly ftol?: number;
  readonly xtol?: number;
}
export interface LevenbergMarquardtState {
  readonly count: NDArray;
  /** mu for the next step. */
  readonly damping: NDArray;
  readonly factor: NDArray;
  /** Scales D of the damping, flattened. */
  readonly scale: NDArray;
  /** Half the sum of squares at the parameters before the step, and after it. */
  readonly value: NDArray;
  readonly newValue: NDArray;
  /** Actual by predicted reduction; the step was taken when `accepted`. */
  readonly gainRatio: NDArray;
  readonly accepted: NDArray;
  readonly gradNorm: NDArray;
  /** 0: go on; 1: gtol; 2: ftol; 3: xtol met. */
  readonly status: NDArray;
}

/**
 * Levenberg-Marquardt for `1/2 sum r(p)^2`: the step minimizes `|J p + r|^2 + mu |D p|^2`; it is taken if it decreases the cost (else the
 * updates are zero), and mu follows the gain ratio (Levenberg 1944, Marquardt 1963, Nielsen 1999). One trial each call. Needs the extra
 * argument residualFn: `oracle({ residuals })`.
 * @throws MissingExtraError without it.
 * @example
 * const at = oracle({ residuals: (b, x, y) => np.subtract(model(b, x), y) }), opt = levenbergMarquardt();
 * const e = at(b, x, y); const [u, s] = opt.update(e.grad, state, b, e);
 */
export function levenbergMarquardt(options: LevenbergMarquardtOptions = {}): GradientTransformation<LevenbergMarquardtState> {
  const { damping0 = 1e-6, update = "nielsen", scaling = "identity", geodesic = false, solver = "qr", gtol = 1e-10, ftol = 1e-15, xtol = 1e-12 } = options;
  const name = "levenbergMarquardt";
  requireChoice(update, ["nielsen", "marquardt"], name, "update");
  requireChoice(scaling, ["identity", "diagonal"], name, "scaling");
  requireChoice(solver, ["qr", "cholesky", "cg"], name, "solver");
  const init = (params: unknown): LevenbergMarquardtState => {
    const dtype = scalarDType(params);
    const zero = scalarOf(0, dtype);
    return { count: zeroCount(), damping: zero, factor: scalarOf(2, dtype), scale: np.zeros([sizeOfTree(params)], { dtype }), value: scalarOf(Infinity, dtype), newValue: scalarOf(Infinity, dtype), gainRatio: zero, accepted: np.asarray(false), gradNorm: scalarOf(Infinity, dtype), status: zeroCount() };
  };
  return transformation<LevenbergMarquardtState>(name, init, (grads, state, given, extra) => {
    const params = requireParams(given, name);
    const dtype = scalarDType(params);
    const [x, unravel] = ravelPytree(params);
    const residuals = flatResiduals(extra, unravel, name);
    const problem = linearizeResiduals(residuals, x, solver);
    const first = state.count.eq(0);
    const columns = problem.columnSquares();
    const norms = np.sqrt(columns);
    const scale = scaling === "identity" ? np.ones([x.size], { dtype }) : np.maximum(state.scale, np.where(norms.gt(0), norms, np.where(state.scale.gt(0), state.scale, 1)));
    const start = scaling === "identity" ? np.multiply(damping0, np.maximum(np.max(columns), 1e-300)) : scalarOf(damping0, dtype);
    const mu = np.where(first, start, state.damping).astype(dtype);
    const d = np.multiply(np.sqrt(mu), scale);
    const g = problem.pull(problem.r);
    const cost = np.multiply(0.5, square(problem.r));
    const length = (v: NDArray) => np.sqrt(square(np.multiply(scale, v)));
    const velocity = problem.solve(problem.r, d);
    const p = geodesic ? corrected(velocity) : velocity;
    const trial = np.add(x, p);
    const newCost = np.multiply(0.5, square(residuals(trial)));
    // m(0) - m(p) = |J p|^2 / 2 + mu |D p|^2 for the damped solution p
    const predicted = np.add(np.multiply(0.5, square(problem.push(velocity))), square(np.multiply(d, velocity)));
    const actual = np.subtract(cost, newCost);
    // Where both reductions drown in the rounding of the cost, the model is the better judge.
    const rounding = np.multiply(64 * (dtype === "float32" ? 2 ** -23 : Number.EPSILON), cost);
    const blind = np.logicalAnd(np.lessEqual(predicted, rounding), np.lessEqual(np.abs(actual), rounding));
    const ratio = np.where(blind, 1, np.where(predicted.gt(0), np.divide(actual, np.where(predicted.gt(0), predicted, 1)), 0));
    const accepted = np.logicalAnd(np.isfinite(newCost), np.logicalOr(blind, np.logicalAnd(actual.gt(0), ratio.gt(0))));
    const safeRatio = np.where(accepted, ratio, 0);
    const cube = np.power(np.subtract(np.multiply(2, safeRatio), 1), 3);
    const damping = update === "nielsen"
      ? np.where(accepted, np.multiply(mu, np.maximum(1 / 3, np.subtract(1, cube))), np.multiply(mu, state.factor))
      : np.where(accepted, np.multiply(mu, 0.1), np.multiply(mu, 10));
    const factor = np.where(accepted, 2, np.minimum(np.multiply(2, state.factor), 1e30));
    const gradNorm = np.max(np.abs(g));
    const status = np.where(np.lessEqual(gradNorm, gtol), 1, np.where(np.logicalAnd(np.lessEqual(np.abs(actual), np.multiply(ftol, cost)), np.lessEqual(predicted, np.multiply(ftol, cost))), 2, np.where(np.lessEqual(length(velocity), np.multiply(xtol, np.add(length(x), xtol))), 3, 0)));
    const updates = castLike(unravel(np.where(accepted, p, np.zeros([x.size], { dtype: x.dtype }))), grads);
    const cast = (v: NDArray) => v.astype(dtype);
    return [updates, { count: increment(state.count), damping: cast(damping), factor: cast(factor), scale: cast(scale), value: cast(cost), newValue: cast(np.where(accepted, newCost, cost)), gainRatio: cast(ratio), accepted, gradNorm: cast(gradNorm), status: status.astype("int32") }];

    /** `p + a/2` with `a = -(J'J + mu D^2)^-1 J' r''`, r'' the second derivative along p, where `2 |a| <= 0.75 |p|`. */
    function corrected(v: NDArray): NDArray {
      const slope = (y: NDArray): NDArray => (jvp(residuals as never, [y] as never, [v] as never) as unknown as [NDArray, NDArray])[1];
      const [, bend] = jvp(slope as never, [x] as never, [v] as never) as unknown as [NDArray, NDArray];
      const a = problem.solve(bend, d);
      const fits = np.lessEqual(np.multiply(2, length(a)), np.multiply(0.75, length(v)));
      return np.where(fits, np.add(v, np.multiply(0.5, a)), v);
    }
  });
}

export interface GaussNewtonOptions {
  readonly learningRate?: ArrayLike;
  /** Added to J'J as a multiple of I (default 0). */
  readonly damping?: ArrayLike;
  /** "qr" (default with residuals), "cholesky", or "cg" (default for `{ model, loss }`), which needs products only. */
  readonly solver?: LeastSquaresSolver;
  /** Default "backtracking". */
  readonly lineSearch?: StepSearch;
  readonly maxCgIterations?: number;
  readonly onFailure?: "throw" | "status";
}
export interface GaussNewtonState { readonly count: NDArray; readonly stepSize: NDArray; readonly decrease: NDArray; readonly status: NDArray; readonly cgIterations: NDArray }

/**
 * Gauss-Newton: `p <- p - t (G + damping)^-1 g` with `G = J'J` for residuals, or the generalized Gauss-Newton matrix `J' H_L J` of a model
 * and a loss (Schraudolph 2002), always a descent direction. Needs residualFn (`oracle({ residuals })`) or ggnvpFn (`oracle({ model, loss })`).
 * @throws MissingExtraError; LineSearchError (outside of `jit`).
 * @example const opt = gaussNewton({ damping: 1e-6 });
 */
export function gaussNewton(options: GaussNewtonOptions = {}): GradientTransformation<GaussNewtonState> {
  const { learningRate = 1, damping = 0, lineSearch = "backtracking" } = options;
  const name = "gaussNewton";
  requireChoice(lineSearch, ["backtracking", "wolfe", "none"], name, "lineSearch");
  const init = (params: unknown): GaussNewtonState => {
    const zero = scalarOf(0, scalarDType(params));
    return { count: zeroCount(), stepSize: zero, decrease: zero, status: zeroCount(), cgIterations: zeroCount() };
  };
  return transformation<GaussNewtonState>(name, init, (grads, state, given, extra) => {
    const params = requireParams(given, name);
    const dtype = scalarDType(params);
    const solver = options.solver ?? (extra.residualFn === undefined ? "cg" : "qr");
    let direction: unknown;
    let iterations = zeroCount();
    if (solver === "cg") {
      const g = castLike(grads, params);
      const product = damped(requireExtra<TreeFn>(extra, "ggnvpFn", name), typeof damping === "number" ? damping : np.asarray(damping));
      const cg = truncatedCg(product, g, np.multiply(dtype === "float32" ? 1e-6 : 1e-10, globalNorm(g)), options.maxCgIterations ?? 10 * sizeOfTree(g));
      direction = cg.direction;
      iterations = cg.iterations;
    } else {
      const [x, unravel] = ravelPytree(params);
      const problem = linearizeResiduals(flatResiduals(extra, unravel, name), x, solver);
      direction = unravel(problem.solve(problem.r, np.broadcastTo(np.sqrt(np.asarray(like(damping, x))).astype(x.dtype), [x.size])));
    }
    const p = scaleTree(learningRate, direction);
    const found = searchStep(name, extra, params, p, grads, { lineSearch, onFailure: options.onFailure ?? "throw" });
    const decrease = lineSearch === "none" ? scalarOf(NaN, dtype) : np.subtract(np.asarray(requireExtra<ArrayLike>(extra, "value", name)), found.value).astype(dtype);
    return [castLike(scaleTree(found.step, p), grads), { count: increment(state.count), stepSize: found.step, decrease, status: found.status, cgIterations: iterations }];
  });
}
