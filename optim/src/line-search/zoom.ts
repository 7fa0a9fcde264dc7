import { type ArrayLike, ArgumentError, type NDArray, np, whileLoop } from "@hessia/core";
import { requireExtra, type ValueAndGradFn } from "../transform/extras.js";
import { type GradientTransformation, requireParams, transformation } from "../transform/transformation.js";
import { along, castLike, dotTrees, scalarDType, scalarOf, scaleTree, select, zeroCount, zerosLike } from "../transform/tree-math.js";
import { atPrecisionLimit, type LineSearchInfo, raiseOnFailure, valueAndGradOf } from "./backtracking.js";

export interface ZoomOptions {
  readonly maxLinesearchSteps: number;
  readonly maxLearningRate?: ArrayLike;
  readonly tol?: ArrayLike;
  /** Growth of the step while an interval is sought (default 2). */
  readonly increaseFactor?: ArrayLike;
  /** c1 (default 1e-4) and c2 (default 0.9) of the strong Wolfe conditions. */
  readonly slopeRtol?: number;
  readonly curvRtol?: number;
  /** Relative tolerance of the approximate decrease condition (default 1e-6); null switches it off. */
  readonly approxDecRtol?: number | null;
  /** Intervals shorter than this are not divided further (default 1e-5). */
  readonly stepsizePrecision?: number;
  /** First trial: the last accepted step ("keep", default) or 1 ("one"). */
  readonly initialGuessStrategy?: "keep" | "one";
  readonly onFailure?: "throw" | "status";
}
export interface ZoomState { readonly learningRate: NDArray; readonly value: NDArray; readonly grad: unknown; readonly info: LineSearchInfo & { readonly curvatureError: NDArray } }

/** Minimizer of the cubic with value and slope at a and values at b and c (Nocedal & Wright 2006, section 3.5). */
function cubicMinimizer(a: NDArray, fa: NDArray, slope: NDArray, b: NDArray, fb: NDArray, c: NDArray, fc: NDArray): NDArray {
  const [db, dc] = [np.subtract(b, a), np.subtract(c, a)];
  const scale = np.multiply(np.square(np.multiply(db, dc)), np.subtract(db, dc));
  const [rb, rc] = [np.subtract(np.subtract(fb, fa), np.multiply(slope, db)), np.subtract(np.subtract(fc, fa), np.multiply(slope, dc))];
  const cube = (x: NDArray) => np.multiply(np.square(x), x);
  const third = np.divide(np.subtract(np.multiply(np.square(dc), rb), np.multiply(np.square(db), rc)), scale);
  const second = np.divide(np.subtract(np.multiply(cube(db), rc), np.multiply(cube(dc), rb)), scale);
  const root = np.sqrt(np.subtract(np.square(second), np.multiply(np.multiply(3, third), slope)));
  return np.add(a, np.divide(np.subtract(root, second), np.multiply(3, third)));
}
/** Minimizer of the parabola with value and slope at a and value at b. */
function quadraticMinimizer(a: NDArray, fa: NDArray, slope: NDArray, b: NDArray, fb: NDArray): NDArray {
  const db = np.subtract(b, a);
  const second = np.divide(np.subtract(np.subtract(fb, fa), np.multiply(slope, db)), np.square(db));
  return np.subtract(a, np.divide(slope, np.multiply(2, second)));
}

export interface WolfeStep { readonly step: NDArray; readonly value: NDArray; readonly grad: unknown; readonly evaluations: NDArray; readonly decreaseError: NDArray; readonly curvatureError: NDArray; readonly status: NDArray; readonly slope: NDArray }

/**
 * A step with the strong Wolfe conditions, or the approximate decrease condition where rounding hides the decrease (Hager & Zhang 2005):
 * first an interval is sought by growing the step, then it is divided by cubic or quadratic interpolation or bisection (Nocedal & Wright
 * 2006, algorithms 3.5 and 3.6). One compiled loop with one evaluation of value and gradient each iteration.
 */
export function zoomSearch(valueAndGrad: ValueAndGradFn, params: unknown, direction: unknown, at: { readonly value: NDArray; readonly grad: unknown }, guess: NDArray, options: Omit<ZoomOptions, "initialGuessStrategy" | "onFailure">): WolfeStep {
  const { maxLinesearchSteps, maxLearningRate, tol = 0, increaseFactor = 2, slopeRtol = 1e-4, curvRtol = 0.9, approxDecRtol = 1e-6, stepsizePrecision = 1e-5 } = options;
  const dtype = scalarDType(params);
  const scalar = (x: ArrayLike) => np.asarray(x).astype(dtype);
  const f0 = scalar(at.value);
  const grad0 = castLike(at.grad, params);
  const m0 = scalar(dotTrees(direction, grad0));
  const nonnegative = (x: NDArray) => np.where(np.isnan(x), Infinity, np.maximum(x, 0));
  const decreaseErrorOf = (t: NDArray, f: NDArray, m: NDArray): NDArray => {
    const exact = np.subtract(np.subtract(f, f0), np.multiply(np.multiply(slopeRtol, t), m0));
    if (approxDecRtol === null) return nonnegative(exact);
    const approximate = np.maximum(np.subtract(m, np.multiply(2 * slopeRtol - 1, m0)), np.subtract(np.subtract(f, f0), np.multiply(approxDecRtol, np.abs(f0))));
    return nonnegative(np.minimum(approximate, exact));
  };
  const curvatureErrorOf = (m: NDArray): NDArray => nonnegative(np.subtract(np.abs(m), np.multiply(curvRtol, np.abs(m0))));
  const [zero, infinity, no] = [scalarOf(0, dtype), scalarOf(Infinity, dtype), np.asarray(false)];

  const start = {
    count: zeroCount(), t: zero, f: f0, m: m0, grad: grad0, decreaseError: infinity, curvatureError: infinity, bracketed: no, done: no, failed: no, small: no,
    low: { t: zero, f: f0, m: m0 }, high: { t: zero, f: f0, m: m0 }, third: { t: zero, f: f0 }, safe: { t: zero, f: f0, grad: grad0 },
  };
  type Search = typeof start;
  const either = <T>(c: NDArray, a: T, b: T): T => select(c, a, b);

  const body = (s: Search): Search => {
    const grown = np.where(s.count.eq(0), guess, np.multiply(increaseFactor, s.t));
    const capped = maxLearningRate === undefined ? no : np.greaterEqual(grown, maxLearningRate);
    const width = np.abs(np.subtract(s.high.t, s.low.t));
    const [left, right] = [np.minimum(s.high.t, s.low.t), np.maximum(s.high.t, s.low.t)];
    const inside = (x: NDArray, margin: number) => np.logicalAnd(np.greater(x, np.add(left, np.multiply(margin, width))), np.less(x, np.subtract(right, np.multiply(margin, width))));
    const cubic = cubicMinimizer(s.low.t, s.low.f, s.low.m, s.high.t, s.high.f, s.third.t, s.third.f);
    const quadratic = quadraticMinimizer(s.low.t, s.low.f, s.low.m, s.high.t, s.high.f);
    const middle = np.where(inside(cubic, 0.2), cubic, np.where(inside(quadratic, 0.1), quadratic, np.divide(np.add(s.low.t, s.high.t), 2)));
    const t = scalar(np.where(s.bracketed, middle, maxLearningRate === undefined ? grown : np.minimum(grown, maxLearningRate)));

    const [value, gradient] = valueAndGrad(along(params, t, direction));
    const grad = castLike(gradient, params);
    const here = { t, f: scalar(value), m: scalar(dotTrees(grad, direction)) };
    const decreaseError = scalar(decreaseErrorOf(t, here.f, here.m));
    const curvatureError = scalar(curvatureErrorOf(here.m));
    const met = np.lessEqual(np.maximum(decreaseError, curvatureError), tol);
    const safe = either(np.logicalAnd(np.lessEqual(decreaseError, tol), np.logicalOr(np.logicalNot(s.bracketed), np.less(here.f, s.safe.f))), { t, f: here.f, grad }, s.safe);
    const last = np.greaterEqual(np.add(s.count, 1), maxLinesearchSteps);
    const rises = decreaseError.gt(0);

    // Growing: the interval is [previous, here], in the order of their values.
    const before = { t: s.t, f: s.f, m: s.m };
    const highHere = np.logicalOr(rises, np.logicalAnd(np.greaterEqual(here.f, s.f), s.count.gt(0)));
    const lowHere = np.logicalAnd(np.greaterEqual(here.m, 0), np.logicalNot(highHere));
    const bracketed = np.logicalOr(np.logicalOr(highHere, lowHere), met);
    const lowGrown = either(lowHere, here, before);
    const highGrown = either(lowHere, before, here);
    const doneGrown = np.logicalOr(met, np.logicalAnd(capped, np.logicalNot(bracketed)));

    // Dividing: here replaces one end; `low` keeps the lowest value with sufficient decrease.
    const highMiddle = np.logicalOr(rises, np.greaterEqual(here.f, s.low.f));
    const highLow = np.logicalAnd(np.greaterEqual(np.multiply(here.m, np.subtract(s.high.t, s.low.t)), 0), np.logicalNot(highMiddle));
    const highDivided = either(highLow, s.low, either(highMiddle, here, s.high));
    const lowDivided = either(highMiddle, s.low, here);
    const moved = np.logicalOr(highMiddle, highLow);
    const thirdDivided = { t: np.where(moved, s.high.t, s.low.t), f: np.where(moved, s.high.f, s.low.f) };
    const small = np.lessEqual(width, stepsizePrecision);

    const done = np.where(s.bracketed, met, doneGrown);
    const failed = np.logicalAnd(np.where(s.bracketed, np.logicalOr(last, np.logicalAnd(small, safe.t.gt(0))), last), np.logicalNot(done));
    return {
      count: np.add(s.count, 1), ...here, grad, decreaseError, curvatureError, bracketed: np.logicalOr(s.bracketed, bracketed), done, failed, small,
      low: either(s.bracketed, lowDivided, lowGrown), high: either(s.bracketed, highDivided, highGrown),
      third: either(s.bracketed, thirdDivided, { t: lowGrown.t, f: lowGrown.f }), safe,
    };
  };
  const end = whileLoop((s: Search) => np.logicalNot(np.logicalOr(s.done, s.failed)), body, start);
  const outside = np.isinf(end.decreaseError);
  const fallBack = np.logicalAnd(end.failed, np.logicalOr(end.safe.t.gt(0), outside));
  const taken = either(fallBack, end.safe, { t: end.t, f: end.f, grad: end.grad });
  const arrived = atPrecisionLimit(params, direction, at.grad, f0, m0);
  const status = np.where(np.logicalNot(end.failed), 0, np.where(np.logicalOr(end.safe.t.gt(0), arrived), 1, np.where(outside, 3, 2))).astype("int32");
  return { step: taken.t, value: taken.f, grad: taken.grad, evaluations: end.count, decreaseError: end.decreaseError, curvatureError: end.curvatureError, status, slope: m0 };
}

/**
 * Scales the update so that the step meets the strong Wolfe conditions. Needs the extra arguments value, grad and valueFn.
 * @throws MissingExtraError; LineSearchError (outside of `jit`) when no step decreases the value.
 * @example chain(scaleByLbfgs(), scale(-1), scaleByZoomLinesearch({ maxLinesearchSteps: 20 }))
 */
export function scaleByZoomLinesearch(options: ZoomOptions): GradientTransformation<ZoomState> {
  const { initialGuessStrategy = "keep", onFailure = "throw", ...search } = options;
  const name = "scaleByZoomLinesearch";
  if (!(search.maxLinesearchSteps >= 1)) throw new ArgumentError({ fn: name, arg: "maxLinesearchSteps", expected: "at least 1", got: String(search.maxLinesearchSteps), fix: "give the number of trial steps, for example 20" });
  const init = (params: unknown): ZoomState => {
    const dtype = scalarDType(params);
    const infinity = scalarOf(Infinity, dtype);
    return { learningRate: scalarOf(1, dtype), value: infinity, grad: zerosLike(params), info: { steps: zeroCount(), decreaseError: infinity, curvatureError: infinity, status: zeroCount() } };
  };
  return transformation<ZoomState>(name, init, (updates, state, given, extra) => {
    const params = requireParams(given, name);
    const value = np.asarray(requireExtra<ArrayLike>(extra, "value", name));
    const grad = requireExtra(extra, "grad", name);
    const guess = initialGuessStrategy === "one" ? scalarOf(1, scalarDType(params)) : state.learningRate;
    const found = zoomSearch(valueAndGradOf(extra, name), params, updates, { value, grad }, guess, search);
    raiseOnFailure(name, found.status, found.slope, onFailure);
    return [scaleTree(found.step, updates), { learningRate: found.step, value: found.value, grad: found.grad, info: { steps: found.evaluations, decreaseError: found.decreaseError, curvatureError: found.curvatureError, status: found.status } }];
  });
}
