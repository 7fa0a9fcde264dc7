import { ArgumentError, type ArrayLike, type DType, type NDArray, np, tree } from "@hessia/core";
import { type GradientTransformation, transformation } from "../transform/transformation.js";
import { addTrees, castLike, increment, like, mapTree, select, zeroCount, zerosLike } from "../transform/tree-math.js";

function requireCount(k: number, fn: string): void {
  if (!Number.isInteger(k) || k < 1) throw new ArgumentError({ fn, arg: "k", expected: "an integer of at least 1", got: String(k), fix: "give the number of steps" });
}

/** Adds up updates and lets their sum out every k steps; zeros in between. */
export function applyEvery(k = 1): GradientTransformation<{ readonly count: NDArray; readonly sum: unknown }> {
  requireCount(k, "applyEvery");
  return transformation<{ readonly count: NDArray; readonly sum: unknown }>("applyEvery", (p) => ({ count: zeroCount(), sum: zerosLike(p) }), (g, state) => {
    const sum = mapTree((x, s) => np.add(np.where(state.count.eq(0), np.zeros(s.shape, { dtype: s.dtype }), s), x), g, state.sum);
    const emit = state.count.eq(k - 1);
    return [mapTree((s) => np.where(emit, s, np.zeros(s.shape, { dtype: s.dtype })), sum), { count: np.where(emit, zeroCount(), increment(state.count)), sum }];
  });
}

export interface MultiStepsState { readonly miniStep: NDArray; readonly gradientStep: NDArray; readonly inner: unknown; readonly accumulated: unknown }
/**
 * Averages the gradients of k steps (or sums them) and moves once: large batches in parts. k may be a schedule of the number of moves.
 * Between the moves sums are kept in `accumulatorDtype`, float32 unless told otherwise, as in the reference.
 * @example multiSteps(adam(1e-3), 4, { accumulatorDtype: "float64" })
 */
export function multiSteps(inner: GradientTransformation, everyK: number | ((gradientStep: NDArray) => ArrayLike), options: { readonly useGradMean?: boolean; readonly accumulatorDtype?: DType } = {}): GradientTransformation<MultiStepsState> {
  if (typeof everyK === "number") requireCount(everyK, "multiSteps");
  const { useGradMean = true, accumulatorDtype = "float32" } = options;
  const init = (p: unknown): MultiStepsState => ({ miniStep: zeroCount(), gradientStep: zeroCount(), inner: inner.init(p), accumulated: zerosLike(p, accumulatorDtype) });
  return transformation<MultiStepsState>("multiSteps", init, (g, state, params, extra) => {
    const k = typeof everyK === "number" ? everyK : everyK(state.gradientStep);
    const n = np.add(state.miniStep, 1);
    const accumulated = useGradMean ? mapTree((x, a) => np.add(a, np.divide(np.subtract(x, a), like(n.astype("float64"), x))), g, castLike(state.accumulated, g)) : addTrees(castLike(state.accumulated, g), g);
    const emit = np.greaterEqual(n, k);
    const [updates, next] = inner.update(accumulated, state.inner, params, extra);
    return [
      select(emit, updates, zerosLike(updates)),
      {
        miniStep: np.where(emit, zeroCount(), n).astype("int32"),
        gradientStep: np.where(emit, increment(state.gradientStep), state.gradientStep),
        inner: castLike(select(emit, next, state.inner), state.inner),
        accumulated: castLike(select(emit, zerosLike(accumulated), accumulated), state.accumulated),
      },
    ];
  });
}

export interface ApplyIfFiniteState { readonly notFiniteCount: NDArray; readonly lastFinite: NDArray; readonly totalNotFinite: NDArray; readonly inner: unknown }
/** Skips steps whose gradients hold NaN or infinity, up to `maxConsecutiveErrors` in a row. */
export function applyIfFinite(inner: GradientTransformation, maxConsecutiveErrors: number): GradientTransformation<ApplyIfFiniteState> {
  const init = (p: unknown): ApplyIfFiniteState => ({ notFiniteCount: zeroCount(), lastFinite: np.asarray(true), totalNotFinite: zeroCount(), inner: inner.init(p) });
  return transformation<ApplyIfFiniteState>("applyIfFinite", init, (g, state, params, extra) => {
    const finite = tree.leaves<NDArray>(g).map((x) => np.all(np.isfinite(x))).reduce((a, b) => np.logicalAnd(a, b), np.asarray(true));
    const notFiniteCount = np.where(finite, zeroCount(), increment(state.notFiniteCount));
    const move = np.logicalOr(finite, np.greater(notFiniteCount, maxConsecutiveErrors));
    const [updates, next] = inner.update(g, state.inner, params, extra);
    return [select(move, updates, zerosLike(updates)), { notFiniteCount, lastFinite: finite, totalNotFinite: np.where(finite, state.totalNotFinite, increment(state.totalNotFinite)), inner: castLike(select(move, next, state.inner), state.inner) }];
  });
}

export interface LookaheadParams<P = unknown> { readonly fast: P; readonly slow: P }
export interface LookaheadState { readonly fast: unknown; readonly stepsSinceSync: NDArray }
/**
 * Every `syncPeriod` steps the slow parameters move a part of the way to the fast ones, and these start there again (Zhang et al. 2019).
 * Works on pairs `{fast, slow}` of parameters; gradients are those of the fast ones.
 * @example const opt = lookahead(sgd(0.1), 5, 0.5); let params = lookaheadInit(start);
 */
export function lookahead(fastOptimizer: GradientTransformation, syncPeriod: number, slowStepSize: ArrayLike): { init(params: LookaheadParams): LookaheadState; update(grads: unknown, state: LookaheadState, params: LookaheadParams): [LookaheadParams, LookaheadState] } {
  requireCount(syncPeriod, "lookahead");
  return {
    init: (params) => ({ fast: fastOptimizer.init(params.fast), stepsSinceSync: zeroCount() }),
    update(grads, state, params) {
      const [updates, fast] = fastOptimizer.update(grads, state.fast, params.fast);
      const sync = state.stepsSinceSync.eq(syncPeriod - 1);
      const difference = mapTree((f, u, s) => np.subtract(np.add(f, u), s), params.fast, updates, params.slow);
      return [
        {
          slow: mapTree((d) => np.where(sync, np.multiply(like(slowStepSize, d), d), np.zeros(d.shape, { dtype: d.dtype })), difference),
          fast: mapTree((u, d) => np.where(sync, np.subtract(u, np.multiply(like(np.subtract(1, slowStepSize), d), d)), u), updates, difference),
        },
        { fast, stepsSinceSync: np.where(sync, zeroCount(), increment(state.stepsSinceSync)) },
      ];
    },
  };
}
export const lookaheadInit = <P>(params: P): LookaheadParams<P> => ({ fast: params, slow: params });
