import { ArgumentError, type ArrayLike, type NDArray, np } from "@hessia/core";
import { ravelPytree } from "@hessia/autodiff";
import { type StepSearch, searchStep } from "../line-search/step-search.js";
import { requireExtra, type TreeFn } from "../transform/extras.js";
import { type GradientTransformation, requireParams, transformation } from "../transform/transformation.js";
import { castLike, dotTrees, globalNorm, increment, like, scalarDType, scalarOf, scaleTree, sizeOfTree, zeroCount } from "../transform/tree-math.js";
import { newtonDirection, type Regularization, regularizations } from "./regularize.js";
import { damped, truncatedCg } from "./truncated-cg.js";

export interface NewtonOptions {
  /** Factor of the direction, before the line search (default 1). */
  readonly learningRate?: ArrayLike;
  /** Added to the Hessian: `damping I`, or `damping |diag(H)|` (default 0). */
  readonly damping?: ArrayLike;
  readonly dampingScale?: "identity" | "diagonal";
  /**
   * For Hessians that are not positive definite: "eigFlip" (default; absolute eigenvalues, which leave saddles fastest), "eigClip"
   * (eigenvalues raised to a small positive one), "modifiedCholesky" (Gill & Murray), "levenberg" (a shift), or "none".
   */
  readonly regularize?: Regularization;
  /** Change eigenvalues or pivots in units where the Hessian's diagonal is 1 ("diagonal", default), or in those of the parameters ("none"). */
  readonly scaling?: "diagonal" | "none";
  /** "backtracking" (default): Armijo, halving. "wolfe": strong Wolfe. "none": the full step. */
  readonly lineSearch?: StepSearch;
  /** "cholesky" (default): the dense Hessian. "cg": Hessian products only. */
  readonly solver?: "cholesky" | "cg";
  /** Trial steps of the line search at most (default 30). */
  readonly maxSteps?: number;
  /** Outside of `jit`: throw a LineSearchError (default), or leave it to the state's status. */
  readonly onFailure?: "throw" | "status";
}
export interface NewtonState {
  readonly count: NDArray;
  /** Smallest eigenvalue of the Hessian before damping; with solver "cg" the smallest curvature met. */
  readonly lambdaMin: NDArray;
  /** Step length that the line search chose. */
  readonly stepSize: NDArray;
  /** By how much the loss fell; without a line search, by how much the quadratic model fell. */
  readonly decrease: NDArray;
  /** Newton decrement squared, -g'p: twice the distance to the minimum where the model is good. */
  readonly decrement: NDArray;
  /** 0: found; 1: sufficient decrease only; 2: no step; 3: no finite value. */
  readonly status: NDArray;
  readonly evaluations: NDArray;
}

export function requireChoice(value: string, choices: readonly string[], fn: string, arg: string): void {
  if (!choices.includes(value)) throw new ArgumentError({ fn, arg, expected: choices.map((c) => `"${c}"`).join(", "), got: String(value), fix: "choose one of them" });
}

/**
 * Newton's method: `p <- p - t (H + damping)^-1 g` with the exact Hessian on the flattened parameters; quadratic convergence near a minimum,
 * and a descent direction everywhere unless `regularize` is "none" (Nocedal & Wright 2006, sections 3.4 and 6). Needs grad and hessianFn
 * (hvpFn for "cg"), and for line searches value and valueFn: all from `oracle`.
 * @throws MissingExtraError; LineSearchError (outside of `jit`) when no step decreases the loss.
 * @example
 * const opt = newton(), at = oracle(rosenbrock);
 * let p = np.array([-1.2, 1]), state = opt.init(p);
 * for (let i = 0; i < 25; i++) { const e = at(p); const [u, s] = opt.update(e.grad, state, p, e); p = applyUpdates(p, u); state = s; }
 */
export function newton(options: NewtonOptions = {}): GradientTransformation<NewtonState> {
  const { learningRate = 1, damping = 0, dampingScale = "identity", regularize = "eigFlip", scaling = "diagonal", lineSearch = "backtracking", solver = "cholesky" } = options;
  requireChoice(regularize, regularizations, "newton", "regularize");
  requireChoice(lineSearch, ["backtracking", "wolfe", "none"], "newton", "lineSearch");
  requireChoice(solver, ["cholesky", "cg"], "newton", "solver");
  requireChoice(scaling, ["diagonal", "none"], "newton", "scaling");
  requireChoice(dampingScale, ["identity", "diagonal"], "newton", "dampingScale");
  const init = (params: unknown): NewtonState => {
    const zero = scalarOf(0, scalarDType(params));
    return { count: zeroCount(), lambdaMin: zero, stepSize: zero, decrease: zero, decrement: zero, status: zeroCount(), evaluations: zeroCount() };
  };
  return transformation<NewtonState>("newton", init, (grads, state, given, extra) => {
    const params = requireParams(given, "newton");
    const dtype = scalarDType(params);
    const { direction, lambdaMin, modelDecrease } = solver === "cg" ? byCg(grads) : byFactorization(grads, params);
    const p = scaleTree(learningRate, direction);
    const found = searchStep("newton", extra, params, p, grads, { lineSearch, ...(options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps }), onFailure: options.onFailure ?? "throw" });
    const decrease = lineSearch === "none" ? modelDecrease : np.subtract(np.asarray(requireExtra<ArrayLike>(extra, "value", "newton")), found.value);
    return [castLike(scaleTree(found.step, p), grads), {
      count: increment(state.count), lambdaMin: lambdaMin.astype(dtype), stepSize: found.step, decrease: decrease.astype(dtype),
      decrement: np.negative(dotTrees(direction, grads)).astype(dtype), status: found.status, evaluations: found.evaluations,
    }];

    function byFactorization(gradTree: unknown, at: unknown): Solution {
      const h0 = requireExtra<() => NDArray>(extra, "hessianFn", "newton")();
      const [g, unravel] = ravelPytree(castLike(gradTree, at));
      const diagonal = np.diagonal(h0);
      const added = damping === 0 ? h0 : np.add(h0, np.diag(np.multiply(like(damping, h0), dampingScale === "diagonal" ? np.abs(diagonal) : np.ones(diagonal.shape, { dtype: h0.dtype }))));
      const { direction: d, lambdaMin: lambda } = newtonDirection(added, g, regularize, scaling);
      const model = np.negative(np.add(np.sum(np.multiply(g, d)), np.multiply(0.5, np.sum(np.multiply(d, np.matmul(h0, d))))));
      return { direction: unravel(d), lambdaMin: damping === 0 || dampingScale === "diagonal" ? lambda : np.subtract(lambda, damping), modelDecrease: model };
    }
    function byCg(gradTree: unknown): Solution {
      const hvp = requireExtra<TreeFn>(extra, "hvpFn", "newton");
      const product = damped(hvp, typeof damping === "number" ? damping : np.asarray(damping));
      const norm = globalNorm(gradTree);
      const cg = truncatedCg(product, gradTree, np.multiply(dtype === "float32" ? 1e-6 : 1e-10, norm), 10 * sizeOfTree(gradTree));
      const model = np.negative(np.add(dotTrees(gradTree, cg.direction), np.multiply(0.5, dotTrees(cg.direction, hvp(cg.direction)))));
      return { direction: cg.direction, lambdaMin: np.subtract(cg.curvature, damping), modelDecrease: model };
    }
  });
}
interface Solution { readonly direction: unknown; readonly lambdaMin: NDArray; readonly modelDecrease: NDArray }

export interface NewtonCgTransformOptions {
  /** Upper limit of the relative residual of the inner solve, and where `sqrt |g|` takes over (default 0.5). */
  readonly maxForcing?: number;
  /** Inner iterations at most (default 10 n, at most 200 + n). */
  readonly maxCgIterations?: number;
  readonly damping?: ArrayLike;
  /** Products with "hessian" (default), or the generalized Gauss-Newton matrix "ggn" of `oracle({ model, loss })`. */
  readonly curvature?: "hessian" | "ggn";
  /** Default "wolfe". */
  readonly lineSearch?: StepSearch;
  readonly maxSteps?: number;
  readonly onFailure?: "throw" | "status";
}
export interface NewtonCgState {
  readonly count: NDArray;
  readonly cgIterations: NDArray;
  readonly negativeCurvature: NDArray;
  /** Smallest curvature met by the inner iteration. */
  readonly lambdaMin: NDArray;
  readonly stepSize: NDArray;
  readonly decrease: NDArray;
  readonly status: NDArray;
  readonly evaluations: NDArray;
}

/**
 * Truncated Newton: the direction by conjugate gradients on Hessian products up to `|r| <= min(0.5, sqrt |g|) |g|`, ended early by negative
 * curvature, then a Wolfe step (Dembo & Steihaug 1983; Nocedal & Wright 2006, algorithm 7.1). Memory of a few vectors, never n^2. Needs
 * grad and hvpFn (or ggnvpFn), value and valueFn.
 * @throws MissingExtraError; LineSearchError (outside of `jit`).
 * @example const opt = newtonCG({ maxCgIterations: 20 });
 */
export function newtonCG(options: NewtonCgTransformOptions = {}): GradientTransformation<NewtonCgState> {
  const { maxForcing = 0.5, damping = 0, curvature = "hessian", lineSearch = "wolfe" } = options;
  requireChoice(lineSearch, ["backtracking", "wolfe", "none"], "newtonCG", "lineSearch");
  requireChoice(curvature, ["hessian", "ggn"], "newtonCG", "curvature");
  const init = (params: unknown): NewtonCgState => {
    const zero = scalarOf(0, scalarDType(params));
    return { count: zeroCount(), cgIterations: zeroCount(), negativeCurvature: np.asarray(false), lambdaMin: zero, stepSize: zero, decrease: zero, status: zeroCount(), evaluations: zeroCount() };
  };
  return transformation<NewtonCgState>("newtonCG", init, (grads, state, given, extra) => {
    const params = requireParams(given, "newtonCG");
    const dtype = scalarDType(params);
    const g = castLike(grads, params);
    const product = damped(requireExtra<TreeFn>(extra, curvature === "ggn" ? "ggnvpFn" : "hvpFn", "newtonCG"), typeof damping === "number" ? damping : np.asarray(damping));
    const norm = globalNorm(g);
    const n = sizeOfTree(g);
    const cg = truncatedCg(product, g, np.multiply(np.minimum(maxForcing, np.sqrt(norm)), norm).astype(dtype), options.maxCgIterations ?? Math.min(10 * n, 200 + n));
    const found = searchStep("newtonCG", extra, params, cg.direction, g, { lineSearch, ...(options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps }), onFailure: options.onFailure ?? "throw" });
    const decrease = lineSearch === "none" ? scalarOf(NaN, dtype) : np.subtract(np.asarray(requireExtra<ArrayLike>(extra, "value", "newtonCG")), found.value).astype(dtype);
    return [castLike(scaleTree(found.step, cg.direction), grads), { count: increment(state.count), cgIterations: cg.iterations, negativeCurvature: cg.negativeCurvature, lambdaMin: cg.curvature, stepSize: found.step, decrease, status: found.status, evaluations: found.evaluations }];
  });
}
