import { type ArrayLike, type NDArray, np, whileLoop } from "@hessia/core";
import { type Extras, requireExtra, type ValueFn } from "../transform/extras.js";
import { along, dotTrees, scalarDType, scalarOf, zeroCount } from "../transform/tree-math.js";
import { atPrecisionLimit, raiseOnFailure, valueAndGradOf } from "./backtracking.js";
import { zoomSearch } from "./zoom.js";

export type StepSearch = "backtracking" | "wolfe" | "none";
export interface StepSearchOptions {
  readonly lineSearch: StepSearch;
  /** Default 30. */
  readonly maxSteps?: number;
  readonly onFailure?: "throw" | "status";
}
export interface FoundStep { readonly step: NDArray; readonly value: NDArray; readonly status: NDArray; readonly evaluations: NDArray }

/** A step length for a Newton-like direction, whose natural length is 1. */
export function searchStep(optimizer: string, extra: Extras, params: unknown, direction: unknown, grad: unknown, options: StepSearchOptions): FoundStep {
  const dtype = scalarDType(params);
  const maxSteps = options.maxSteps ?? 30;
  if (options.lineSearch === "none") return { step: scalarOf(1, dtype), value: scalarOf(NaN, dtype), status: zeroCount(), evaluations: zeroCount() };
  const value = np.asarray(requireExtra<ArrayLike>(extra, "value", optimizer)).astype(dtype);
  const slope = dotTrees(direction, grad).astype(dtype);
  const found = options.lineSearch === "wolfe"
    ? ((s) => ({ step: s.step, value: s.value, status: s.status, evaluations: s.evaluations }))(zoomSearch(valueAndGradOf(extra, optimizer), params, direction, { value, grad }, scalarOf(1, dtype), { maxLinesearchSteps: maxSteps }))
    : armijo(requireExtra<ValueFn>(extra, "valueFn", optimizer), params, direction, grad, value, slope, maxSteps);
  raiseOnFailure(optimizer, found.status, slope, options.onFailure ?? "throw");
  return found;
}

/**
 * Halves the step until `f(x + t p) <= f(x) + 1e-4 t g'p` (Armijo 1966), up to rounding of f: near a minimum a Newton step changes f by less
 * than that, and is right all the same. No step at all (t = 0) when none is found.
 */
function armijo(valueFn: ValueFn, params: unknown, direction: unknown, grad: unknown, value: NDArray, slope: NDArray, maxSteps: number): FoundStep {
  const { dtype } = value;
  const rounding = np.multiply(np.abs(value), 64 * (dtype === "float32" ? 2 ** -23 : Number.EPSILON));
  type Search = { t: NDArray; value: NDArray; ok: NDArray; finite: NDArray; count: NDArray };
  const end = whileLoop((s: Search) => np.logicalAnd(np.logicalNot(s.ok), np.less(s.count, maxSteps)), (s): Search => {
    const t = np.where(s.count.eq(0), s.t, np.multiply(0.5, s.t)).astype(dtype);
    const f = valueFn(along(params, t, direction)).astype(dtype);
    const ok = np.lessEqual(f, np.add(np.add(value, np.multiply(np.multiply(1e-4, t), slope)), rounding));
    return { t, value: f, ok: np.logicalAnd(ok, np.lessEqual(slope, 0)), finite: np.logicalOr(s.finite, np.isfinite(f)), count: np.add(s.count, 1) };
  }, { t: scalarOf(1, dtype), value, ok: np.asarray(false), finite: np.asarray(false), count: zeroCount() });
  return {
    step: np.where(end.ok, end.t, scalarOf(0, dtype)), value: np.where(end.ok, end.value, value),
    status: np.where(end.ok, 0, np.where(atPrecisionLimit(params, direction, grad, value, slope), 1, np.where(end.finite, 2, 3))).astype("int32"), evaluations: end.count,
  };
}
