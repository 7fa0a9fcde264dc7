import { type ArrayLike, type NDArray, np, tree, whileLoop } from "@hessia/core";
import { valueAndGrad } from "@hessia/autodiff";
import { type Extras, requireExtra, type ValueAndGradFn, type ValueFn } from "../transform/extras.js";
import { LineSearchError } from "../transform/errors.js";
import { concrete, type GradientTransformation, requireParams, transformation } from "../transform/transformation.js";
import { along, castLike, dotTrees, mapTree, scalarDType, scalarOf, scaleTree, zeroCount, zerosLike } from "../transform/tree-math.js";

/** How a line search ended: 0 found, 1 sufficient decrease only, 2 none found, 3 no finite value along the direction. */
export const lineSearchStatus = { found: 0, decreaseOnly: 1, notFound: 2, notFinite: 3 } as const;

/** Outside of transforms a failed search is an error that says why; inside, the status in the state tells. */
export function raiseOnFailure(optimizer: string, status: NDArray, slope: NDArray, onFailure: "throw" | "status"): void {
  if (onFailure === "status") return;
  const code = concrete(status);
  if (code === undefined || Number(code) < 2) return;
  const m = Number(concrete(slope));
  throw new LineSearchError({
    fn: `${optimizer}.update`, arg: "extra.valueFn", expected: "a step with sufficient decrease along the direction",
    got: Number(code) === 3 ? "NaN or infinity at every trial step" : m >= 0 ? `a direction that does not descend (slope ${m})` : "no decrease at any trial step",
    fix: Number(code) === 3 ? "start elsewhere, or shorten the first step" : 'check that grad and valueFn belong to the same function and parameters, allow more steps, or pass { onFailure: "status" } and read the state',
  });
}

/**
 * True where no search can decrease the value any further: the step, or the decrease that the slope promises, is lost in the rounding of
 * the parameters or the value. A search that finds nothing there has not failed; it has arrived.
 */
export function atPrecisionLimit(params: unknown, direction: unknown, grad: unknown, value: NDArray, slope: NDArray): NDArray {
  const eps = value.dtype === "float32" ? 2 ** -23 : Number.EPSILON;
  const largest = (t: unknown) => tree.leaves<ArrayLike>(t).filter((x) => np.asarray(x).size > 0).map((x) => np.max(np.abs(x))).reduce((a, b) => np.maximum(a, b), np.zeros([]));
  const moved = dotTrees(mapTree((g) => np.abs(g), grad), mapTree((p) => np.abs(p), params));
  const small = np.lessEqual(largest(direction), np.multiply(512 * eps, largest(params)));
  return np.logicalOr(small, np.lessEqual(np.abs(slope), np.multiply(64 * eps, np.add(np.abs(value), moved))));
}

export const valueAndGradOf = (extra: Extras, optimizer: string): ValueAndGradFn =>
  extra.valueAndGradFn ? (extra.valueAndGradFn as unknown as ValueAndGradFn) : (valueAndGrad(requireExtra<ValueFn>(extra, "valueFn", optimizer)) as unknown as ValueAndGradFn);

export interface BacktrackingOptions {
  readonly maxBacktrackingSteps: number;
  /** Armijo's constant (default 1e-4). */
  readonly slopeRtol?: ArrayLike;
  /** Default 0.8. */
  readonly decreaseFactor?: ArrayLike;
  /** The first trial is the last step times this (default 1.5). */
  readonly increaseFactor?: ArrayLike;
  readonly maxLearningRate?: ArrayLike;
  /** Tolerance on the decrease, absolute and relative to the value (default 0). */
  readonly atol?: ArrayLike;
  readonly rtol?: ArrayLike;
  /** Keep the gradient at the accepted point in the state. */
  readonly storeGrad?: boolean;
  readonly onFailure?: "throw" | "status";
}
export interface LineSearchInfo { readonly steps: NDArray; readonly decreaseError: NDArray; readonly status: NDArray }
export interface BacktrackingState { readonly learningRate: NDArray; readonly value: NDArray; readonly grad: unknown; readonly info: LineSearchInfo }

/**
 * Shortens the update u until `f(p + t u) <= f(p) + c1 t grad.u` (Armijo 1966). Needs the extra arguments value, grad and valueFn. The
 * updates that come in must be a descent direction, as those of `sgd(1)`.
 * @throws MissingExtraError; LineSearchError (outside of `jit`) when no trial step is acceptable.
 * @example chain(sgd(1), scaleByBacktrackingLinesearch({ maxBacktrackingSteps: 15 }))
 */
export function scaleByBacktrackingLinesearch(options: BacktrackingOptions): GradientTransformation<BacktrackingState> {
  const { maxBacktrackingSteps, slopeRtol = 1e-4, decreaseFactor = 0.8, increaseFactor = 1.5, maxLearningRate = 1, atol = 0, rtol = 0, storeGrad = false, onFailure = "throw" } = options;
  const name = "scaleByBacktrackingLinesearch";
  const init = (params: unknown): BacktrackingState => {
    const dtype = scalarDType(params);
    return { learningRate: scalarOf(1, dtype), value: scalarOf(Infinity, dtype), grad: storeGrad ? zerosLike(params) : null, info: { steps: zeroCount(), decreaseError: scalarOf(Infinity, dtype), status: zeroCount() } };
  };
  return transformation<BacktrackingState>(name, init, (updates, state, given, extra) => {
    const params = requireParams(given, name);
    const dtype = scalarDType(params);
    const value = np.asarray(requireExtra<ArrayLike>(extra, "value", name)).astype(dtype);
    const slope = dotTrees(updates, requireExtra(extra, "grad", name)).astype(dtype);
    const valueFn = requireExtra<ValueFn>(extra, "valueFn", name);
    const error = (t: NDArray, v: NDArray): NDArray => {
      const excess = np.subtract(np.subtract(v, np.multiply(np.add(1, rtol), value)), np.multiply(np.multiply(t, slopeRtol), slope));
      return np.where(np.isnan(excess), Infinity, np.maximum(excess, 0)).astype(dtype);
    };
    const first = np.minimum(np.multiply(increaseFactor, state.learningRate), maxLearningRate).astype(dtype);
    const found = whileLoop(
      (s: { t: NDArray; value: NDArray; error: NDArray; steps: NDArray }) => np.logicalAnd(np.logicalNot(np.lessEqual(s.error, atol)), np.lessEqual(s.steps, maxBacktrackingSteps)),
      (s) => {
        const t = np.where(s.steps.gt(0), np.multiply(decreaseFactor, s.t), s.t).astype(dtype);
        const v = valueFn(along(params, t, updates)).astype(dtype);
        return { t, value: v, error: error(t, v), steps: np.add(s.steps, 1) };
      },
      { t: first, value, error: scalarOf(Infinity, dtype), steps: zeroCount() },
    );
    const dead = np.isinf(found.error);
    const learningRate = np.where(dead, scalarOf(0, dtype), found.t);
    const arrived = atPrecisionLimit(params, updates, requireExtra(extra, "grad", name), value, slope);
    const status = np.where(np.lessEqual(found.error, atol), 0, np.where(arrived, 1, np.where(dead, 3, 2))).astype("int32");
    raiseOnFailure(name, status, slope, onFailure);
    const grad = storeGrad ? castLike(valueAndGradOf(extra, name)(along(params, learningRate, updates))[1], state.grad) : null;
    return [scaleTree(learningRate, updates), { learningRate, value: found.value, grad, info: { steps: found.steps, decreaseError: found.error, status } }];
  });
}
