import { type ArrayLike, type NDArray, np } from "@hessia/core";
import { type GradientTransformation, transformation } from "../transform/transformation.js";
import { biasCorrection, fullLike, increment, like, mapTree, updateMoment, zeroCount, zerosLike } from "../transform/tree-math.js";

export interface RmsOptions {
  /** Default 0.9. */
  readonly decay?: ArrayLike;
  readonly eps?: ArrayLike;
  /** First value of the second moment (default 0). */
  readonly initialScale?: ArrayLike;
  /** `1/sqrt(v + eps)` (default), else `1/(sqrt(v) + eps)`. */
  readonly epsInSqrt?: boolean;
  readonly biasCorrection?: boolean;
}
export interface RmsState { readonly count: NDArray; readonly nu: unknown }

const inverseRoot = (v: NDArray, eps: ArrayLike, inside: boolean): NDArray => (inside ? np.divide(1, np.sqrt(np.add(v, like(eps, v)))) : np.divide(1, np.add(np.sqrt(v), like(eps, v))));

/** Divides by the root of the second moment (Tieleman & Hinton 2012). */
export function scaleByRms(options: RmsOptions = {}): GradientTransformation<RmsState> {
  const { decay = 0.9, eps = 1e-8, initialScale = 0, epsInSqrt = true } = options;
  return transformation<RmsState>("scaleByRms", (p) => ({ count: zeroCount(), nu: fullLike(p, initialScale) }), (g, state) => {
    const nu = updateMoment(g, state.nu, decay, 2);
    const count = increment(state.count);
    const v = options.biasCorrection ? biasCorrection(nu, decay, count) : nu;
    return [mapTree((x, n) => np.multiply(inverseRoot(n, eps, epsInSqrt), x), g, v), { count, nu }];
  });
}

/** Divides by the standard deviation, `v - m^2` (Graves 2013): "centered" RMSProp. */
export function scaleByStddev(options: RmsOptions = {}): GradientTransformation<RmsState & { readonly mu: unknown }> {
  const { decay = 0.9, eps = 1e-8, initialScale = 0, epsInSqrt = true } = options;
  return transformation<RmsState & { readonly mu: unknown }>("scaleByStddev", (p) => ({ count: zeroCount(), mu: zerosLike(p), nu: fullLike(p, initialScale) }), (g, state) => {
    const mu = updateMoment(g, state.mu, decay, 1);
    const nu = updateMoment(g, state.nu, decay, 2);
    const count = increment(state.count);
    const [m, v] = options.biasCorrection ? [biasCorrection(mu, decay, count), biasCorrection(nu, decay, count)] : [mu, nu];
    return [mapTree((x, a, n) => np.multiply(inverseRoot(np.subtract(n, np.square(a)), eps, epsInSqrt), x), g, m, v), { count, mu, nu }];
  });
}

/** Divides by the root of the sum of squares (Duchi, Hazan & Singer 2011). */
export function scaleByRss(options: { readonly initialAccumulatorValue?: ArrayLike; readonly eps?: ArrayLike } = {}): GradientTransformation<{ readonly sumOfSquares: unknown }> {
  const { initialAccumulatorValue = 0.1, eps = 1e-7 } = options;
  return transformation<{ readonly sumOfSquares: unknown }>("scaleByRss", (p) => ({ sumOfSquares: fullLike(p, initialAccumulatorValue) }), (g, state) => {
    const sumOfSquares = mapTree((s, x) => np.add(np.square(x), s), state.sumOfSquares, g);
    return [mapTree((x, s) => np.multiply(np.where(s.gt(0), inverseRoot(s, eps, true), 0), x), g, sumOfSquares), { sumOfSquares }];
  });
}

export interface AdadeltaState { readonly meanSquareGrad: unknown; readonly meanSquareUpdate: unknown }
/** `sqrt(E[u^2] + eps) / sqrt(E[g^2] + eps) g` (Zeiler 2012). */
export function scaleByAdadelta(options: { readonly rho?: ArrayLike; readonly eps?: ArrayLike } = {}): GradientTransformation<AdadeltaState> {
  const { rho = 0.9, eps = 1e-6 } = options;
  return transformation<AdadeltaState>("scaleByAdadelta", (p) => ({ meanSquareGrad: zerosLike(p), meanSquareUpdate: zerosLike(p) }), (g, state) => {
    const meanSquareGrad = updateMoment(g, state.meanSquareGrad, rho, 2);
    const updates = mapTree((x, a, b) => np.multiply(np.divide(np.sqrt(np.add(b, like(eps, b))), np.sqrt(np.add(a, like(eps, a)))), x), g, meanSquareGrad, state.meanSquareUpdate);
    return [updates, { meanSquareGrad, meanSquareUpdate: updateMoment(updates, state.meanSquareUpdate, rho, 2) }];
  });
}

export interface RpropState { readonly stepSizes: unknown; readonly previous: unknown }
/** Step sizes of each element by agreement of signs (Riedmiller & Braun 1993). As in optax a step is applied one update after it was found. */
export function scaleByRprop(learningRate: ArrayLike, options: { readonly etaMinus?: ArrayLike; readonly etaPlus?: ArrayLike; readonly minStepSize?: ArrayLike; readonly maxStepSize?: ArrayLike } = {}): GradientTransformation<RpropState> {
  const { etaMinus = 0.5, etaPlus = 1.2, minStepSize = 1e-6, maxStepSize = 50 } = options;
  return transformation<RpropState>("scaleByRprop", (p) => ({ stepSizes: fullLike(p, learningRate), previous: zerosLike(p) }), (g, state) => {
    const agreement = mapTree((x, last) => np.multiply(x, last), g, state.previous);
    const stepSizes = mapTree((s, size) => np.where(s.eq(0), size, np.clip(np.multiply(size, like(np.where(s.gt(0), etaPlus, etaMinus), size)), like(minStepSize, size), like(maxStepSize, size))), agreement, state.stepSizes);
    const previous = mapTree((s, x, size) => np.where(s.lt(0), 0, np.multiply(size, np.sign(x))), agreement, g, stepSizes);
    const updates = mapTree((s, last) => np.where(s.lt(0), 0, last), agreement, state.previous);
    return [updates, { stepSizes, previous }];
  });
}

export interface FactoredState { readonly count: NDArray; readonly row: unknown; readonly column: unknown; readonly full: unknown }
/** The two largest axes of a shape, if both are large enough: [second largest, largest]. */
function factoredAxes(shape: readonly number[], least: number): [number, number] | undefined {
  const order = shape.map((n, d) => [n, d] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  if (order.length < 2 || order.at(-2)![0] < least) return undefined;
  return [order.at(-2)![1], order.at(-1)![1]];
}
/** Second moments of matrices as an outer product of row and column means: memory n + m in place of n m (Adafactor, Shazeer & Stern 2018). */
export function scaleByFactoredRms(options: { readonly minDimSizeToFactor?: number; readonly decayRate?: number; readonly stepOffset?: number; readonly epsilon?: number } = {}): GradientTransformation<FactoredState> {
  const { minDimSizeToFactor = 128, decayRate = 0.8, stepOffset = 0, epsilon = 1e-30 } = options;
  const without = (shape: readonly number[], axis: number) => shape.filter((_, d) => d !== axis);
  const empty = (x: NDArray) => np.zeros([1], { dtype: x.dtype });
  const init = (params: unknown): FactoredState => ({
    count: zeroCount(),
    row: mapTree((x) => { const a = factoredAxes(x.shape, minDimSizeToFactor); return a ? np.zeros(without(x.shape, a[1]), { dtype: x.dtype }) : empty(x); }, params),
    column: mapTree((x) => { const a = factoredAxes(x.shape, minDimSizeToFactor); return a ? np.zeros(without(x.shape, a[0]), { dtype: x.dtype }) : empty(x); }, params),
    full: mapTree((x) => (factoredAxes(x.shape, minDimSizeToFactor) ? empty(x) : np.zeros(x.shape, { dtype: x.dtype })), params),
  });
  return transformation<FactoredState>("scaleByFactoredRms", init, (g, state) => {
    const t = np.add(np.subtract(state.count, stepOffset), 1).astype("float32");
    const decay = np.subtract(1, np.power(t, -decayRate));
    const mix = (old: NDArray, fresh: NDArray) => np.add(np.multiply(like(decay, old), old), np.multiply(like(np.subtract(1, decay), old), fresh));
    const squares = mapTree((x) => np.add(np.square(x), epsilon), g);
    const row = mapTree((v, s) => { const a = factoredAxes(s.shape, minDimSizeToFactor); return a ? mix(v, np.mean(s, a[1])) : v; }, state.row, squares);
    const column = mapTree((v, s) => { const a = factoredAxes(s.shape, minDimSizeToFactor); return a ? mix(v, np.mean(s, a[0])) : v; }, state.column, squares);
    const full = mapTree((v, s) => (factoredAxes(s.shape, minDimSizeToFactor) ? v : mix(v, s)), state.full, squares);
    const updates = mapTree((x, r, c, v) => {
      const a = factoredAxes(x.shape, minDimSizeToFactor);
      if (!a) return np.multiply(x, np.power(v, -0.5));
      const reduced = a[0] > a[1] ? a[0] - 1 : a[0];
      const rowFactor = np.power(np.divide(r, np.mean(r, reduced, { keepdims: true })), -0.5);
      return np.multiply(np.multiply(x, np.expandDims(rowFactor, a[1])), np.expandDims(np.power(c, -0.5), a[0]));
    }, g, row, column, full);
    return [updates, { count: increment(state.count), row, column, full }];
  });
}
