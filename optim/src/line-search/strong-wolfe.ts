/** Value and slope of the objective along a direction. */
export interface LinePoint<T> {
  readonly f: number;
  /** Directional derivative. */
  readonly slope: number;
  /** Whatever belongs to the point: its coordinates, its gradient. */
  readonly data: T;
}

export interface WolfeOptions {
  /** Sufficient decrease (default 1e-4). */
  readonly c1?: number;
  /** Curvature (default 0.9). */
  readonly c2?: number;
  readonly maxStep?: number;
  readonly maxEvaluations?: number;
}

export interface LineSearchResult<T> {
  readonly alpha: number;
  readonly point: LinePoint<T>;
  readonly evaluations: number;
}

/** Minimizer of the cubic through two points with slopes; NaN where there is none (Nocedal & Wright 2006, eq. 3.59). */
function cubicMinimizer(a: number, fa: number, da: number, b: number, fb: number, db: number): number {
  const d1 = da + db - (3 * (fa - fb)) / (a - b);
  const square = d1 * d1 - da * db;
  if (!(square >= 0)) return NaN;
  const d2 = Math.sign(b - a) * Math.sqrt(square);
  return b - ((b - a) * (db + d2 - d1)) / (db - da + 2 * d2);
}

/**
 * A step with `f(a) <= f(0) + c1 a f'(0)` and `|f'(a)| <= c2 |f'(0)|` (Nocedal & Wright 2006, algorithms 3.5 and 3.6), where rounding hides
 * the decrease with the approximate condition of Hager & Zhang 2005. Undefined when none is found.
 */
export function strongWolfe<T>(evaluate: (alpha: number) => LinePoint<T>, start: LinePoint<T>, first: number, options: WolfeOptions = {}): LineSearchResult<T> | undefined {
  const { c1 = 1e-4, c2 = 0.9, maxStep = 1e20, maxEvaluations = 60 } = options;
  const { f: f0, slope: d0 } = start;
  if (!(d0 < 0)) return undefined;
  let evaluations = 0;
  const at = (alpha: number) => {
    evaluations++;
    return evaluate(alpha);
  };
  const tiny = 1e-14 * Math.abs(f0);
  const decreases = (alpha: number, p: LinePoint<T>) => p.f <= f0 + c1 * alpha * d0 || (p.f <= f0 + tiny && Math.abs(alpha * d0) <= 1e-10 * Math.max(Math.abs(f0), 1e-300) && p.slope <= (2 * c1 - 1) * d0);
  const flat = (p: LinePoint<T>) => Math.abs(p.slope) <= -c2 * d0;
  const done = (alpha: number, point: LinePoint<T>): LineSearchResult<T> => ({ alpha, point, evaluations });

  let [previous, before] = [0, start];
  let alpha = Math.min(first, maxStep);
  for (let i = 0; evaluations < maxEvaluations; i++) {
    const p = at(alpha);
    // Outside of the domain (NaN, infinity): the interval ends here.
    if (!Number.isFinite(p.f) || !Number.isFinite(p.slope) || !decreases(alpha, p) || (i > 0 && p.f >= before.f && p.f > f0 + tiny)) return zoom(previous, before, alpha, p);
    if (flat(p)) return done(alpha, p);
    if (p.slope >= 0) return zoom(alpha, p, previous, before);
    if (alpha >= maxStep) return done(alpha, p);
    [previous, before] = [alpha, p];
    alpha = Math.min(2 * alpha, maxStep);
  }
  return undefined;

  /** `lo` has the lowest value with sufficient decrease; an acceptable step lies between. */
  function zoom(lo: number, atLo: LinePoint<T>, hi: number, atHi: LinePoint<T>): LineSearchResult<T> | undefined {
    while (evaluations < maxEvaluations) {
      const width = hi - lo;
      let next = Number.isFinite(atHi.f) && Number.isFinite(atHi.slope) ? cubicMinimizer(lo, atLo.f, atLo.slope, hi, atHi.f, atHi.slope) : NaN;
      const [low, high] = width > 0 ? [lo + 0.1 * width, hi - 0.1 * width] : [hi - 0.1 * width, lo + 0.1 * width];
      if (!(next >= Math.min(low, high) && next <= Math.max(low, high))) next = lo + 0.5 * width;
      if (next === lo || next === hi || Math.abs(width) < 1e-16 * Math.max(1, Math.abs(lo))) break;
      const p = at(next);
      if (!Number.isFinite(p.f) || !decreases(next, p) || (p.f >= atLo.f && p.f > f0 + tiny)) [hi, atHi] = [next, p];
      else {
        if (flat(p)) return done(next, p);
        if (p.slope * (hi - lo) >= 0) [hi, atHi] = [lo, atLo];
        [lo, atLo] = [next, p];
      }
    }
    // No room left for the curvature condition: a decrease is still a step.
    return lo > 0 && atLo.f < f0 ? done(lo, atLo) : undefined;
  }
}
