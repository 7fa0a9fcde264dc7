import { type ArrayLike, type NDArray, np } from "@hessia/core";
import { type GradientTransformation, requireParams, transformation } from "../transform/transformation.js";
import { along, biasCorrection, castLike, fullLike, increment, like, mapTree, select, subTrees, updateMoment, zeroCount, zerosLike } from "../transform/tree-math.js";

export interface MomentState { readonly count: NDArray; readonly mu: unknown; readonly nu: unknown }
export interface AdamOptions {
  /** Decay of the first moment (default 0.9). */
  readonly b1?: ArrayLike;
  /** Decay of the second moment (default 0.999). */
  readonly b2?: ArrayLike;
  /** Added outside of the root (default 1e-8). */
  readonly eps?: ArrayLike;
  /** Added inside of the root (default 0). */
  readonly epsRoot?: ArrayLike;
  readonly nesterov?: boolean;
}

const zeros = (params: unknown): MomentState => ({ count: zeroCount(), mu: zerosLike(params), nu: zerosLike(params) });
const oneMinus = (b: ArrayLike): ArrayLike => (typeof b === "number" ? 1 - b : np.subtract(1, b));
/** `b1 m_hat(t+1) + (1 - b1) g / (1 - b1^t)` (Dozat 2016). */
const nesterovMoment = (mu: unknown, g: unknown, b1: ArrayLike, count: NDArray): unknown =>
  mapTree((m, x) => np.add(np.multiply(like(b1, m), m), np.multiply(like(oneMinus(b1), m), x)), biasCorrection(mu, b1, increment(count)), biasCorrection(g, b1, count));
const overRoot = (m: unknown, v: unknown, eps: ArrayLike, epsRoot: ArrayLike): unknown =>
  mapTree((a, b) => np.divide(a, np.add(np.sqrt(epsRoot === 0 ? b : np.add(b, like(epsRoot, b))), like(eps, b))), m, v);

/** `m_hat / (sqrt(v_hat + epsRoot) + eps)` (Kingma & Ba 2015). */
export function scaleByAdam(options: AdamOptions = {}): GradientTransformation<MomentState> {
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0, nesterov = false } = options;
  return transformation<MomentState>("scaleByAdam", zeros, (g, state) => {
    const mu = updateMoment(g, state.mu, b1, 1);
    const nu = updateMoment(g, state.nu, b2, 2);
    const count = increment(state.count);
    const first = nesterov ? nesterovMoment(mu, g, b1, count) : biasCorrection(mu, b1, count);
    return [castLike(overRoot(first, biasCorrection(nu, b2, count), eps, epsRoot), g), { count, mu, nu }];
  });
}

/** Adam that divides by the largest second moment so far (Reddi, Kale & Kumar 2018). */
export function scaleByAmsgrad(options: Omit<AdamOptions, "nesterov"> = {}): GradientTransformation<MomentState & { readonly nuMax: unknown }> {
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0 } = options;
  return transformation<MomentState & { readonly nuMax: unknown }>("scaleByAmsgrad", (p) => ({ ...zeros(p), nuMax: zerosLike(p) }), (g, state) => {
    const mu = updateMoment(g, state.mu, b1, 1);
    const nu = updateMoment(g, state.nu, b2, 2);
    const count = increment(state.count);
    const nuMax = mapTree((a, b) => np.maximum(a, b), state.nuMax, biasCorrection(nu, b2, count));
    return [overRoot(biasCorrection(mu, b1, count), nuMax, eps, epsRoot), { count, mu, nu, nuMax }];
  });
}

/** `m_hat / u`, `u <- max(|g| + eps, b2 u)` (Kingma & Ba 2015, section 7). */
export function scaleByAdamax(options: Pick<AdamOptions, "b1" | "b2" | "eps"> = {}): GradientTransformation<MomentState> {
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8 } = options;
  return transformation<MomentState>("scaleByAdamax", zeros, (g, state) => {
    const count = increment(state.count);
    const mu = updateMoment(g, state.mu, b1, 1);
    const nu = mapTree((u, x) => np.maximum(np.add(np.abs(x), like(eps, x)), np.multiply(like(b2, u), u)), state.nu, g);
    return [mapTree((m, u) => np.divide(m, u), biasCorrection(mu, b1, count), nu), { count, mu, nu }];
  });
}

/** Adam with the variance around the momentum in place of the second moment (Zhuang et al. 2020). */
export function scaleByBelief(options: AdamOptions = {}): GradientTransformation<MomentState> {
  const { b1 = 0.9, b2 = 0.999, eps = 1e-16, epsRoot = 1e-16, nesterov = false } = options;
  return transformation<MomentState>("scaleByBelief", zeros, (g, state) => {
    const mu = updateMoment(g, state.mu, b1, 1);
    const nu = mapTree((v) => np.add(v, like(epsRoot, v)), updateMoment(subTrees(g, mu), state.nu, b2, 2));
    const count = increment(state.count);
    const first = nesterov ? nesterovMoment(mu, g, b1, count) : biasCorrection(mu, b1, count);
    return [overRoot(first, biasCorrection(nu, b2, count), eps, 0), { count, mu, nu }];
  });
}

/** `v <- v - (1 - b2) sign(v - g^2) g^2`: the second moment grows additively (Zaheer et al. 2018). */
export function scaleByYogi(options: Omit<AdamOptions, "nesterov"> & { readonly initialAccumulatorValue?: ArrayLike } = {}): GradientTransformation<MomentState> {
  const { b1 = 0.9, b2 = 0.999, eps = 1e-3, epsRoot = 0, initialAccumulatorValue = 1e-6 } = options;
  return transformation<MomentState>("scaleByYogi", (p) => ({ count: zeroCount(), mu: fullLike(p, initialAccumulatorValue), nu: fullLike(p, initialAccumulatorValue) }), (g, state) => {
    const mu = updateMoment(g, state.mu, b1, 1);
    const nu = mapTree((v, x) => {
      const square = np.square(x);
      return np.subtract(v, np.multiply(np.multiply(like(oneMinus(b2), v), np.sign(np.subtract(v, square))), square));
    }, state.nu, g);
    const count = increment(state.count);
    return [overRoot(biasCorrection(mu, b1, count), biasCorrection(nu, b2, count), eps, epsRoot), { count, mu, nu }];
  });
}

/** Adam whose variance is rectified, and left out while it has too few samples (Liu et al. 2020). */
export function scaleByRadam(options: AdamOptions & { readonly threshold?: ArrayLike } = {}): GradientTransformation<MomentState> {
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0, threshold = 5, nesterov = false } = options;
  const limit = np.subtract(np.divide(2, oneMinus(b2)), 1);
  return transformation<MomentState>("scaleByRadam", zeros, (g, state) => {
    const mu = updateMoment(g, state.mu, b1, 1);
    const nu = updateMoment(g, state.nu, b2, 2);
    const count = increment(state.count);
    const decay = np.power(b2, count);
    const length = np.subtract(limit, np.divide(np.multiply(np.multiply(2, count), decay), np.subtract(1, decay)));
    const first = nesterov ? nesterovMoment(mu, g, b1, count) : biasCorrection(mu, b1, count);
    const enough = np.greaterEqual(length, threshold);
    const safe = np.where(enough, length, 5);
    const r = np.sqrt(np.divide(np.multiply(np.multiply(np.subtract(safe, 4), np.subtract(safe, 2)), limit), np.multiply(np.multiply(np.subtract(limit, 4), np.subtract(limit, 2)), safe)));
    const rectified = mapTree((u) => np.multiply(like(r, u), u), overRoot(first, biasCorrection(nu, b2, count), eps, epsRoot));
    return [select(enough, rectified, first), { count, mu, nu }];
  });
}

/** `g / sqrt(v)` with one second moment for each leaf, then momentum (Ginsburg et al. 2019). */
export function scaleByNovograd(options: Omit<AdamOptions, "nesterov"> & { readonly weightDecay?: ArrayLike } = {}): GradientTransformation<MomentState> {
  const { b1 = 0.9, b2 = 0.25, eps = 1e-8, epsRoot = 0, weightDecay = 0 } = options;
  return transformation<MomentState>("scaleByNovograd", (p) => ({ count: zeroCount(), mu: zerosLike(p), nu: mapTree((x) => np.zeros([], { dtype: x.dtype }), p) }), (g, state, p) => {
    const params = requireParams(p, "scaleByNovograd");
    const count = increment(state.count);
    const first = np.equal(count, 1);
    const norms = mapTree((x) => np.sum(np.square(x)), g);
    const nu = select(first, norms, updateMoment(norms, state.nu, b2, 1));
    const scaled = mapTree((x, v, w) => np.add(np.divide(x, np.add(np.sqrt(np.add(v, like(epsRoot, v))), like(eps, v))), np.multiply(like(weightDecay, w), w)), g, nu, params);
    const mu = mapTree((m, x) => np.where(first, x, np.add(np.multiply(like(b1, m), m), x)), state.mu, scaled);
    return [mu, { count, mu, nu }];
  });
}

export interface AdanState { readonly count: NDArray; readonly m: unknown; readonly v: unknown; readonly n: unknown; readonly g: unknown }
/** Nesterov momentum from gradients and their differences (Xie et al. 2022). */
export function scaleByAdan(options: { readonly b1?: ArrayLike; readonly b2?: ArrayLike; readonly b3?: ArrayLike; readonly eps?: ArrayLike; readonly epsRoot?: ArrayLike } = {}): GradientTransformation<AdanState> {
  const { b1 = 0.98, b2 = 0.92, b3 = 0.99, eps = 1e-8, epsRoot = 0 } = options;
  return transformation<AdanState>("scaleByAdan", (p) => ({ count: zeroCount(), m: zerosLike(p), v: zerosLike(p), n: zerosLike(p), g: zerosLike(p) }), (g, state) => {
    const difference = select(np.equal(state.count, 0), zerosLike(g), subTrees(g, state.g));
    const m = updateMoment(g, state.m, b1, 1);
    const v = updateMoment(difference, state.v, b2, 1);
    const n = updateMoment(along(g, oneMinus(b2), difference), state.n, b3, 2);
    const count = increment(state.count);
    const u = along(biasCorrection(m, b1, count), oneMinus(b2), biasCorrection(v, b2, count));
    return [overRoot(u, biasCorrection(n, b3, count), eps, epsRoot), { count, m, v, n, g }];
  });
}

export interface LionState { readonly count: NDArray; readonly mu: unknown }
/** `sign(b1 m + (1 - b1) g)`, the momentum itself with b2 (Chen et al. 2023). */
export function scaleByLion(options: { readonly b1?: ArrayLike; readonly b2?: ArrayLike } = {}): GradientTransformation<LionState> {
  const { b1 = 0.9, b2 = 0.99 } = options;
  return transformation<LionState>("scaleByLion", (p) => ({ count: zeroCount(), mu: zerosLike(p) }), (g, state) => [
    mapTree((x) => np.sign(x), updateMoment(g, state.mu, b1, 1)),
    { count: increment(state.count), mu: updateMoment(g, state.mu, b2, 1) },
  ]);
}
