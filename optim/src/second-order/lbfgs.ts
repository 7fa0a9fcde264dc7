import { ArgumentError, type NDArray, np, scan } from "@hessia/core";
import { ravelPytree } from "@hessia/autodiff";
import { scaleByZoomLinesearch } from "../line-search/zoom.js";
import { scale, scaleByLearningRate } from "../first-order/scaling.js";
import { chain, identity } from "../transform/chain.js";
import { type GradientTransformation, requireParams, type ScalarOrSchedule, transformation } from "../transform/transformation.js";
import { increment, zeroCount } from "../transform/tree-math.js";

export interface LbfgsState {
  readonly count: NDArray;
  /** Last parameters and gradient, flattened. */
  readonly params: NDArray;
  readonly grad: NDArray;
  /** Differences of parameters and of gradients, [memorySize, n], the newest last; rows not yet filled are zero. */
  readonly s: NDArray;
  readonly y: NDArray;
  /** 1 / s'y of each pair, 0 for pairs that do not count. */
  readonly rho: NDArray;
}

const dot = (a: NDArray, b: NDArray): NDArray => np.sum(np.multiply(a, b));

/** `H v` from stored pairs, by the two-loop recursion (Nocedal 1980); `gamma` scales the initial matrix. */
export function twoLoopProduct(pairs: Pick<LbfgsState, "s" | "y" | "rho">, v: NDArray, gamma: NDArray | number): NDArray {
  const { s, y, rho } = pairs;
  const [q, alphas] = scan((q: NDArray, row: { s: NDArray; y: NDArray; rho: NDArray }) => {
    const alpha = np.multiply(row.rho, dot(row.s, q));
    return [np.subtract(q, np.multiply(alpha, row.y)), alpha] as const;
  }, v, { s, y, rho }, { reverse: true });
  const [r] = scan((r: NDArray, row: { s: NDArray; y: NDArray; rho: NDArray; alpha: NDArray }) => {
    const beta = np.multiply(row.rho, dot(row.y, r));
    return [np.add(r, np.multiply(np.subtract(row.alpha, beta), row.s)), null] as const;
  }, np.multiply(gamma, q), { s, y, rho, alpha: alphas });
  return r;
}

export interface ScaleByLbfgsOptions {
  /** Pairs kept (default 10). */
  readonly memorySize?: number;
  /** Scale the initial matrix by s'y / y'y, and the first step by min(1, 1/|g|) (default true). */
  readonly scaleInitPrecond?: boolean;
  /** Pairs with s'y <= curvatureEps y'y do not count (default 2e-16). null keeps every pair with s'y != 0. */
  readonly curvatureEps?: number | null;
}

/**
 * Multiplies gradients by the inverse Hessian estimate of L-BFGS, 2 `memorySize` vectors of memory (Liu & Nocedal 1989).
 * @throws ArgumentError for a memory below 1.
 * @example chain(scaleByLbfgs(), scale(-1), scaleByZoomLinesearch({ maxLinesearchSteps: 20 }))
 */
export function scaleByLbfgs(options: ScaleByLbfgsOptions = {}): GradientTransformation<LbfgsState> {
  const { memorySize = 10, scaleInitPrecond = true, curvatureEps = Number.EPSILON } = options;
  if (!Number.isInteger(memorySize) || memorySize < 1) throw new ArgumentError({ fn: "scaleByLbfgs", arg: "memorySize", expected: "an integer of at least 1", got: String(memorySize), fix: "10 is usual" });
  const init = (params: unknown): LbfgsState => {
    const [flat] = ravelPytree(params);
    const { dtype, size } = flat;
    return { count: zeroCount(), params: np.zeros([size], { dtype }), grad: np.zeros([size], { dtype }), s: np.zeros([memorySize, size], { dtype }), y: np.zeros([memorySize, size], { dtype }), rho: np.zeros([memorySize], { dtype }) };
  };
  return transformation<LbfgsState>("scaleByLbfgs", init, (updates, state, given) => {
    const [params] = ravelPytree(requireParams(given, "scaleByLbfgs"));
    const [g, unravel] = ravelPytree(updates);
    const started = state.count.gt(0);
    const ds = np.where(started, np.subtract(params, state.params), 0);
    const dy = np.where(started, np.subtract(g, state.grad), 0);
    const [sy, yy] = [dot(ds, dy), dot(dy, dy)];
    const counts = curvatureEps === null ? np.notEqual(sy, 0) : np.greater(sy, np.multiply(curvatureEps, yy));
    const weight = np.where(counts, np.divide(1, np.where(counts, sy, 1)), 0);
    // Before the second step there is no pair to store.
    const push = (memory: NDArray, row: NDArray) => np.where(started, np.concatenate([memory.get("1:"), np.expandDims(row, 0)], 0), memory).astype(memory.dtype);
    const pairs = { s: push(state.s, ds), y: push(state.y, dy), rho: push(state.rho, weight) };
    let gamma: NDArray | number = 1;
    if (scaleInitPrecond) {
      const norm = np.sqrt(dot(g, g));
      const usable = np.logicalAnd(yy.gt(0), counts);
      gamma = np.where(started, np.where(usable, np.divide(sy, np.where(usable, yy, 1)), 1), np.minimum(1, np.divide(1, np.where(norm.gt(0), norm, 1)))).astype(g.dtype);
    }
    const direction = twoLoopProduct(pairs, g, gamma);
    return [unravel(direction), { count: increment(state.count), params: params.astype(state.params.dtype), grad: g.astype(state.grad.dtype), ...pairs }];
  });
}

export interface LbfgsOptions extends ScaleByLbfgsOptions {
  readonly learningRate?: ScalarOrSchedule;
  /** "zoom" (default; strong Wolfe), none, or a transformation of your own. */
  readonly lineSearch?: "zoom" | "none" | GradientTransformation;
}

/**
 * L-BFGS with strong Wolfe steps (Liu & Nocedal 1989). With the line search it needs the extra arguments of `oracle`.
 * @throws MissingExtraError without them; LineSearchError (outside of `jit`) when no step decreases the loss.
 * @example
 * const opt = lbfgs(), at = oracle(loss);
 * const extra = at(params); const [u, s] = opt.update(extra.grad, state, params, extra);
 */
export function lbfgs(options: LbfgsOptions = {}): GradientTransformation<readonly unknown[]> {
  const { lineSearch = "zoom", learningRate } = options;
  // Without a line search nothing keeps s'y positive; like the reference, use every pair then unless told otherwise.
  const curvatureEps = options.curvatureEps !== undefined ? options.curvatureEps : lineSearch === "none" ? null : Number.EPSILON;
  const search = lineSearch === "zoom" ? scaleByZoomLinesearch({ maxLinesearchSteps: 20, initialGuessStrategy: "one" }) : lineSearch === "none" ? identity() : lineSearch;
  return chain(scaleByLbfgs({ ...options, curvatureEps }), learningRate === undefined ? scale(-1) : scaleByLearningRate(learningRate), search);
}
