import { ArgumentError, type ArrayLike, NDArray, np } from "@hessia/core";
import type { Schedule } from "../transform/transformation.js";

/** Schedules: functions of the step count, which may be a number or a traced array. Numbers as in optax. */

const asFloat = (step: ArrayLike): ArrayLike => (step instanceof NDArray && step.dtype !== "float32" ? step.astype("float64") : step);
/** The reference divides int32 counters in float32 (numbers and float steps in float64): runs agree to the last digit only if this does too. */
const asRatio = (step: ArrayLike): ArrayLike => (step instanceof NDArray && step.dtype === "int32" ? step.astype("float32") : step);
function requirePositive(value: number, fn: string, arg: string): void {
  if (!(value > 0)) throw new ArgumentError({ fn, arg, expected: "a positive number of steps", got: String(value), fix: "give the length of the schedule in steps" });
}

/** The same value at every step. */
export const constantSchedule = (value: ArrayLike): Schedule => () => value;

/**
 * `(init - end) (1 - t/T)^power + end` for t steps after `transitionBegin`, then `end`.
 * @example polynomialSchedule(1, 0.1, 2, 100)(50)
 */
export function polynomialSchedule(initValue: ArrayLike, endValue: ArrayLike, power: ArrayLike, transitionSteps: number, transitionBegin = 0): Schedule {
  if (transitionSteps <= 0) return constantSchedule(initValue);
  const begin = Math.max(0, transitionBegin);
  return (step) => {
    const t = np.clip(np.subtract(asRatio(step), begin), 0, transitionSteps);
    const left = np.subtract(1, np.divide(t, transitionSteps));
    return np.add(np.multiply(np.subtract(initValue, endValue), np.power(left, power)), endValue);
  };
}

/** From `initValue` to `endValue` on a straight line. @example linearSchedule(1, 0, 100) */
export const linearSchedule = (initValue: ArrayLike, endValue: ArrayLike, transitionSteps: number, transitionBegin = 0): Schedule => polynomialSchedule(initValue, endValue, 1, transitionSteps, transitionBegin);

export interface ExponentialDecayOptions {
  readonly transitionBegin?: number;
  /** Decay at whole multiples of `transitionSteps` only. */
  readonly staircase?: boolean;
  /** Where decay stops. */
  readonly endValue?: ArrayLike;
}
/** `init * rate^(t / T)`. @example exponentialDecay(0.1, 1000, 0.96, { staircase: true }) */
export function exponentialDecay(initValue: ArrayLike, transitionSteps: number, decayRate: number, options: ExponentialDecayOptions = {}): Schedule {
  if (transitionSteps <= 0 || decayRate === 0) return constantSchedule(initValue);
  const { transitionBegin = 0, staircase = false, endValue } = options;
  const begin = Math.max(0, transitionBegin);
  return (step) => {
    const t = np.subtract(asRatio(step), begin);
    const ratio = np.divide(t, transitionSteps);
    const p = staircase ? np.floor(ratio) : ratio;
    const decayed = np.where(np.lessEqual(t, 0), initValue, np.multiply(initValue, np.power(decayRate, p)));
    return endValue === undefined ? decayed : decayRate < 1 ? np.maximum(decayed, endValue) : np.minimum(decayed, endValue);
  };
}

/**
 * `init ((1 - alpha) c^exponent + alpha)`, `c = (1 + cos(pi t / T)) / 2`: SGDR without restarts (Loshchilov & Hutter 2017).
 * @throws ArgumentError unless `decaySteps` is positive.
 */
export function cosineDecaySchedule(initValue: ArrayLike, decaySteps: number, alpha: ArrayLike = 0, exponent: ArrayLike = 1): Schedule {
  requirePositive(decaySteps, "cosineDecaySchedule", "decaySteps");
  return (step) => {
    const t = np.minimum(asFloat(step), decaySteps);
    const c = np.multiply(0.5, np.add(1, np.cos(np.divide(np.multiply(Math.PI, t), decaySteps))));
    return np.multiply(initValue, np.add(np.multiply(np.subtract(1, alpha), np.power(c, exponent)), alpha));
  };
}

/**
 * Schedules one after the other; each counts from its own boundary.
 * @throws ArgumentError unless there is one boundary fewer than schedules.
 */
export function joinSchedules(schedules: readonly Schedule[], boundaries: readonly number[]): Schedule {
  if (schedules.length === 0 || schedules.length !== boundaries.length + 1)
    throw new ArgumentError({ fn: "joinSchedules", arg: "boundaries", expected: `${Math.max(0, schedules.length - 1)} boundaries for ${schedules.length} schedules`, got: String(boundaries.length), fix: "give the steps at which the next schedule takes over" });
  return (step) => {
    const values = schedules.map((schedule, i) => schedule(i === 0 ? step : np.subtract(step, boundaries[i - 1]!)));
    // One dtype for the whole schedule, that of its float32 pieces if there are any.
    const single = values.some((v) => v instanceof NDArray && v.dtype === "float32");
    const [first, ...rest] = single ? values.map((v) => np.asarray(v).astype("float32")) : values;
    return rest.reduce<ArrayLike>((value, next, i) => np.where(np.less(step, boundaries[i]!), value, next), first!);
  };
}

/** Scales the value by each factor once its step is reached. @example piecewiseConstantSchedule(1, { 100: 0.1, 200: 0.1 }) */
export function piecewiseConstantSchedule(initValue: ArrayLike, boundariesAndScales: Readonly<Record<number, number>> = {}): Schedule {
  const entries = sorted(boundariesAndScales, "piecewiseConstantSchedule");
  // A step counts as beyond the boundary once it equals it.
  return (step) => entries.reduce<ArrayLike>((v, [boundary, scale]) => np.multiply(v, np.where(np.less(step, boundary), 1, scale)), initValue);
}

/** Between boundaries the value moves to the next factor along a line or a half cosine. */
export function piecewiseInterpolateSchedule(kind: "linear" | "cosine", initValue: ArrayLike, boundariesAndScales: Readonly<Record<number, number>> = {}): Schedule {
  if (kind !== "linear" && kind !== "cosine") throw new ArgumentError({ fn: "piecewiseInterpolateSchedule", arg: "kind", expected: '"linear" or "cosine"', got: String(kind), fix: "choose one of them" });
  const entries = sorted(boundariesAndScales, "piecewiseInterpolateSchedule");
  return (step) => {
    let result: ArrayLike = initValue;
    let [from, value] = [0, initValue];
    for (const [boundary, scale] of entries) {
      const to = np.multiply(value, scale);
      const fraction = np.divide(np.subtract(asFloat(step), from), Math.max(1, boundary - from));
      const between = kind === "linear" ? np.add(np.multiply(np.subtract(to, value), fraction), value) : np.add(to, np.multiply(np.divide(np.subtract(value, to), 2), np.add(np.cos(np.multiply(Math.PI, fraction)), 1)));
      result = np.where(np.less(step, from), result, between);
      [from, value] = [boundary, to];
    }
    return np.where(np.less(step, from), result, value);
  };
}

function sorted(table: Readonly<Record<number, number>>, fn: string): [number, number][] {
  const entries = Object.entries(table).map(([k, v]) => [Number(k), v] as [number, number]).sort((a, b) => a[0] - b[0]);
  const bad = entries.find(([k, v]) => !Number.isFinite(k) || !(v >= 0));
  if (bad) throw new ArgumentError({ fn, arg: "boundariesAndScales", expected: "steps with factors that are not negative", got: `${bad[0]}: ${bad[1]}`, fix: "give { step: factor }" });
  return entries;
}

/** Linear warm-up, then constant. */
export const warmupConstantSchedule = (initValue: ArrayLike, peakValue: ArrayLike, warmupSteps: number): Schedule => linearSchedule(initValue, peakValue, warmupSteps);

/** Linear warm-up, then cosine decay; `decaySteps` counts both. */
export function warmupCosineDecaySchedule(initValue: number, peakValue: number, warmupSteps: number, decaySteps: number, endValue = 0, exponent = 1): Schedule {
  const alpha = peakValue === 0 ? 0 : endValue / peakValue;
  return joinSchedules([linearSchedule(initValue, peakValue, warmupSteps), cosineDecaySchedule(peakValue, decaySteps - warmupSteps, alpha, exponent)], [warmupSteps]);
}

/** Linear warm-up, then exponential decay. */
export function warmupExponentialDecaySchedule(initValue: ArrayLike, peakValue: ArrayLike, warmupSteps: number, transitionSteps: number, decayRate: number, options: ExponentialDecayOptions = {}): Schedule {
  return joinSchedules([linearSchedule(initValue, peakValue, warmupSteps), exponentialDecay(peakValue, transitionSteps, decayRate, options)], [warmupSteps]);
}

/** One cycle in straight lines: up to the peak, down, and off (Smith & Topin 2019). */
export function linearOnecycleSchedule(transitionSteps: number, peakValue: number, options: { readonly pctStart?: number; readonly pctFinal?: number; readonly divFactor?: number; readonly finalDivFactor?: number } = {}): Schedule {
  requirePositive(transitionSteps, "linearOnecycleSchedule", "transitionSteps");
  const { pctStart = 0.3, pctFinal = 0.85, divFactor = 25, finalDivFactor = 1e4 } = options;
  return piecewiseInterpolateSchedule("linear", peakValue / divFactor, { [Math.trunc(pctStart * transitionSteps)]: divFactor, [Math.trunc(pctFinal * transitionSteps)]: 1 / divFactor, [transitionSteps]: 1 / finalDivFactor });
}

/** One cycle in half cosines. */
export function cosineOnecycleSchedule(transitionSteps: number, peakValue: number, options: { readonly pctStart?: number; readonly divFactor?: number; readonly finalDivFactor?: number } = {}): Schedule {
  requirePositive(transitionSteps, "cosineOnecycleSchedule", "transitionSteps");
  const { pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options;
  return piecewiseInterpolateSchedule("cosine", peakValue / divFactor, { [Math.trunc(pctStart * transitionSteps)]: divFactor, [transitionSteps]: 1 / (divFactor * finalDivFactor) });
}

export interface CosineCycle { readonly initValue: number; readonly peakValue: number; readonly warmupSteps: number; readonly decaySteps: number; readonly endValue?: number; readonly exponent?: number }
/** Warm-up and cosine decay, restarted for each cycle (SGDR, Loshchilov & Hutter 2017). */
export function sgdrSchedule(cycles: readonly CosineCycle[]): Schedule {
  const ends: number[] = [];
  cycles.reduce((s, c) => (ends.push(s + c.decaySteps), s + c.decaySteps), 0);
  return joinSchedules(cycles.map((c) => warmupCosineDecaySchedule(c.initValue, c.peakValue, c.warmupSteps, c.decaySteps, c.endValue, c.exponent)), ends.slice(0, -1));
}
