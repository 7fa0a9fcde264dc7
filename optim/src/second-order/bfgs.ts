import { type NDArray, np } from "@hessia/core";
import { ravelPytree } from "@hessia/autodiff";
import { scaleByZoomLinesearch } from "../line-search/zoom.js";
import { scale, scaleByLearningRate } from "../first-order/scaling.js";
import { chain, identity } from "../transform/chain.js";
import { type GradientTransformation, requireParams, type ScalarOrSchedule, transformation } from "../transform/transformation.js";
import { increment, zeroCount } from "../transform/tree-math.js";

export interface BfgsState {
  readonly count: NDArray;
  readonly params: NDArray;
  readonly grad: NDArray;
  /** Estimate of the inverse Hessian over the flattened parameters, [n, n]. */
  readonly hessInv: NDArray;
}

const dot = (a: NDArray, b: NDArray): NDArray => np.sum(np.multiply(a, b));

/**
 * Multiplies gradients by the dense inverse Hessian estimate of BFGS, `H+ = (I - rho s y') H (I - rho y s') + rho s s'`, `rho = 1/s'y`
 * (Nocedal & Wright 2006, eq. 6.17; first scaled by s'y/y'y, eq. 6.20). Pairs with s'y <= eps y'y do not count.
 */
export function scaleByBfgs(): GradientTransformation<BfgsState> {
  const init = (params: unknown): BfgsState => {
    const [{ size, dtype }] = ravelPytree(params);
    return { count: zeroCount(), params: np.zeros([size], { dtype }), grad: np.zeros([size], { dtype }), hessInv: np.eye(size, undefined, 0, { dtype }) };
  };
  return transformation<BfgsState>("scaleByBfgs", init, (updates, state, given) => {
    const [x] = ravelPytree(requireParams(given, "scaleByBfgs"));
    const [g, unravel] = ravelPytree(updates);
    const [s, y] = [np.subtract(x, state.params), np.subtract(g, state.grad)];
    const [sy, yy] = [dot(s, y), dot(y, y)];
    const usable = np.logicalAnd(state.count.gt(0), np.greater(sy, np.multiply(x.dtype === "float32" ? 2 ** -23 : Number.EPSILON, yy)));
    const safe = np.where(usable, sy, 1);
    const eye = np.eye(x.size, undefined, 0, { dtype: x.dtype });
    const norm = np.sqrt(dot(g, g));
    const first = np.multiply(eye, np.minimum(1, np.divide(1, np.where(norm.gt(0), norm, 1))));
    const before = np.where(np.logicalAnd(state.count.eq(1), usable), np.multiply(np.divide(safe, np.where(usable, yy, 1)), eye), state.hessInv);
    const hy = np.matmul(before, y);
    const cross = np.outer(hy, s);
    const updated = np.subtract(np.add(before, np.multiply(np.divide(np.add(safe, dot(y, hy)), np.square(safe)), np.outer(s, s))), np.divide(np.add(cross, np.transpose(cross)), safe));
    const hessInv = np.where(state.count.eq(0), first, np.where(usable, updated, state.hessInv)).astype(state.hessInv.dtype);
    return [unravel(np.matmul(hessInv, g)), { count: increment(state.count), params: x.astype(state.params.dtype), grad: g.astype(state.grad.dtype), hessInv }];
  });
}

export interface BfgsOptions {
  readonly learningRate?: ScalarOrSchedule;
  readonly lineSearch?: "zoom" | "none" | GradientTransformation;
}
/**
 * BFGS with strong Wolfe steps and a dense inverse Hessian; for many parameters use `lbfgs`. Needs value, grad and valueFn of `oracle`.
 * @throws MissingExtraError; LineSearchError (outside of `jit`).
 * @example const opt = bfgs();
 */
export function bfgs(options: BfgsOptions = {}): GradientTransformation<readonly unknown[]> {
  const { lineSearch = "zoom", learningRate } = options;
  const search = lineSearch === "zoom" ? scaleByZoomLinesearch({ maxLinesearchSteps: 20, initialGuessStrategy: "one" }) : lineSearch === "none" ? identity() : lineSearch;
  return chain(scaleByBfgs(), learningRate === undefined ? scale(-1) : scaleByLearningRate(learningRate), search);
}
