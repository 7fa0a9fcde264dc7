import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { defaultFloat, type DType } from "../base/dtype.js";
import { ShapeError } from "../base/errors.js";
import { formatShape, requireShape, type Shape, sizeOf } from "../base/shape.js";
import { abs, add, bitwiseAnd, bitwiseOr, div, eq, exp, ge, gt, igamma, isFinite, le, lgamma, log, max, mul, neg, pow, sqrt, square, sub } from "../lax/elementwise.js";
import { keepDims, reduceMax, reduceSum } from "../lax/reductions.js";
import { fullLike, select, stopGradient } from "../lax/types.js";
import { reshapeTo } from "../primitives/structural-ops.js";
import { vmap } from "../transforms/vmap.js";
import { whileLoop } from "../transforms/while-loop.js";
import { drawExponential } from "./continuous.js";
import { type Key, requireKey, splitKey, splitKeys } from "./keys.js";
import { drawNormal } from "./normal.js";
import { compiled, drawShape, factsOf, floatDType, type FloatOptions, parameter, spread } from "./options.js";
import { drawSigns, drawUnit } from "./uniform.js";

/**
 * log of one gamma draw: Marsaglia and Tsang, "A simple method for generating gamma variables" (ACM TOMS 26, 2000), with shapes below 1
 * raised by one and brought back by `u^(1/a)`.
 */
function drawOne(key: Key, a: NDArray, logSpace: boolean): NDArray {
  const { dtype } = a;
  const num = (v: number) => scalar(v, dtype, false);
  const large = ge(a, 1);
  const d = sub(select(large, a, add(a, 1)), 1 / 3);
  const c = div(num(1 / 3), sqrt(d));
  const [first, last] = splitKeys(key, 2);
  type State = { key: Key; x2: NDArray; v: NDArray; u: NDArray };
  const { v } = whileLoop<State>(
    ({ x2, v, u }) => bitwiseAnd(ge(u, sub(1, mul(mul(x2, x2), 0.0331))), ge(log(u), add(mul(x2, 0.5), mul(d, add(sub(1, v), log(v)))))),
    (state) => {
      const [next, forNormal, forUniform] = splitKeys(state.key, 3);
      const w = whileLoop<{ key: Key; x: NDArray; w: NDArray }>(
        (s) => le(s.w, 0),
        (s) => {
          const [k, sub1] = splitKeys(s.key, 2);
          const x = drawNormal(sub1!, [], dtype);
          return { key: k!, x, w: add(1, mul(x, c)) };
        },
        { key: forNormal!, x: num(0), w: num(-1) },
      );
      return { key: next!, x2: square(w.x), v: mul(square(w.w), w.w), u: drawUnit(forUniform!, [], dtype) };
    },
    { key: first!, x2: num(0), v: num(1), u: num(2) },
  );
  if (logSpace) {
    const e = neg(drawExponential(last!, [], dtype));
    return add(add(log(d), log(v)), select(bitwiseOr(large, eq(e, 0)), num(0), div(e, a)));
  }
  return mul(mul(d, v), select(large, num(1), pow(sub(1, drawUnit(last!, [], dtype)), div(num(1), a))));
}

/** @internal Gamma draws of shape parameter a, or their logs. */
export function drawGamma(k: Key, a: NDArray, logSpace: boolean): NDArray {
  const n = sizeOf(a.shape);
  if (n === 0) return a;
  const alpha = reshapeTo(a, [n]);
  const fixed = stopGradient(alpha);
  const sample = stopGradient(vmap((one: Key, value: NDArray) => drawOne(one, value, logSpace))(splitKey(k, [n]), fixed));
  return reshapeTo(add(sample, implicitDerivative(sample, alpha, logSpace)), a.shape);
}

/**
 * Zero, with the derivative of the sample x in a at a fixed probability: `dx/da = -(dP(a, x)/da) / p(x)` (Figurnov, Mohamed and Mnih,
 * "Implicit reparameterization gradients", NeurIPS 2018).
 */
function implicitDerivative(sample: NDArray, a: NDArray, logSpace: boolean): NDArray {
  const { tiny } = factsOf(a.dtype);
  const x = logSpace ? max(exp(sample), tiny) : max(sample, tiny);
  const fixed = stopGradient(a);
  // d/dx P = x^(a-1) e^-x / Gamma(a); in log space x dP/dx is needed instead.
  const logDensity = sub(sub(mul(logSpace ? fixed : sub(fixed, 1), log(x)), x), lgamma(fixed));
  const density = exp(logDensity);
  const usable = bitwiseAnd(gt(density, tiny), isFinite(density));
  const p = igamma(a, x);
  const shift = div(neg(sub(p, stopGradient(p))), select(usable, density, fullLike(density, 1)));
  return select(usable, shift, fullLike(shift, 0));
}

const gammaJit = compiled("gamma", (k: Key, a: NDArray, shape: Shape, logSpace: boolean) => drawGamma(k, spread(a, shape, "random.gamma"), logSpace), [2, 3]);

/**
 * Gamma draws of shape parameter a and scale 1, density `x^(a-1) exp(-x) / Gamma(a)`; differentiable in a.
 * @throws ShapeError when a does not broadcast to `shape`.
 * @example random.gamma(random.key(0), 2.5, [3])
 */
export function gamma(key: Key, a: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray {
  const p = parameter(a, floatDType(o.dtype, "random.gamma"), "random.gamma", "a");
  return gammaJit(requireKey(key, "random.gamma"), p, drawShape(shape, [p], "random.gamma"), false);
}

/** Logs of gamma draws, exact also where the draws themselves underflow (small a). */
export function loggamma(key: Key, a: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray {
  const p = parameter(a, floatDType(o.dtype, "random.loggamma"), "random.loggamma", "a");
  return gammaJit(requireKey(key, "random.loggamma"), p, drawShape(shape, [p], "random.loggamma"), true);
}

const betaJit = compiled("beta", (k: Key, a: NDArray, b: NDArray, shape: Shape): NDArray => {
  const [ka, kb] = splitKeys(k, 2);
  const la = drawGamma(ka!, spread(a, shape, "random.beta"), true);
  const lb = drawGamma(kb!, spread(b, shape, "random.beta"), true);
  const top = stopGradient(max(la, lb));
  const [ga, gb] = [exp(sub(la, top)), exp(sub(lb, top))];
  return div(ga, add(ga, gb));
}, [3]);

/**
 * Beta draws, density `x^(a-1) (1-x)^(b-1) / B(a, b)`; differentiable in a and b.
 * @example random.beta(random.key(0), 2, 3, [5])
 */
export function beta(key: Key, a: ArrayLike, b: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray {
  const fn = "random.beta";
  const dtype = floatDType(o.dtype, fn);
  const [p, q] = [parameter(a, dtype, fn, "a"), parameter(b, dtype, fn, "b")];
  return betaJit(requireKey(key, fn), p, q, drawShape(shape, [p, q], fn));
}

const dirichletJit = compiled("dirichlet", (k: Key, alpha: NDArray, shape: Shape): NDArray => {
  const full = [...shape, alpha.shape.at(-1)!];
  const logs = drawGamma(k, spread(alpha, full, "random.dirichlet"), true);
  const last = [shape.length];
  const e = exp(sub(logs, spread(stopGradient(keepDims(reduceMax(logs, last), full, last)), full, "random.dirichlet")));
  return div(e, spread(keepDims(reduceSum(e, last), full, last), full, "random.dirichlet"));
}, [2]);

/**
 * Points of the simplex with Dirichlet density `prod x_i^(alpha_i - 1) / B(alpha)`: shape [...shape, alpha.shape.at(-1)].
 * @throws ShapeError when alpha is a scalar or its leading axes do not broadcast to `shape`.
 */
export function dirichlet(key: Key, alpha: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray {
  const fn = "random.dirichlet";
  const p = parameter(alpha, floatDType(o.dtype, fn), fn, "alpha");
  if (p.ndim === 0) throw new ShapeError({ fn, arg: "alpha", expected: "at least one axis", got: formatShape(p.shape), fix: "give one concentration for each component" });
  const lead = reshapeTo(p, [...p.shape.slice(0, -1), p.shape.at(-1)!]);
  const wanted = shape === undefined || shape === null ? p.shape.slice(0, -1) : requireShape(shape, fn);
  return dirichletJit(requireKey(key, fn), lead, wanted);
}

const drawChisquare = (k: Key, df: NDArray): NDArray => mul(exp(drawGamma(k, div(df, 2), true)), 2);
const chisquareJit = compiled("chisquare", (k: Key, df: NDArray, shape: Shape) => drawChisquare(k, spread(df, shape, "random.chisquare")), [2]);
/** Chi-square draws with df degrees of freedom. */
export function chisquare(key: Key, df: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray {
  const p = parameter(df, floatDType(o.dtype, "random.chisquare"), "random.chisquare", "df");
  return chisquareJit(requireKey(key, "random.chisquare"), p, drawShape(shape, [p], "random.chisquare"));
}

const tJit = compiled("t", (k: Key, df: NDArray, shape: Shape): NDArray => {
  const [kn, kg] = splitKeys(k, 2);
  const half = div(spread(df, shape, "random.t"), 2);
  return mul(drawNormal(kn!, shape, df.dtype), sqrt(div(half, drawGamma(kg!, half, false))));
}, [2]);
/** Student's t draws with df degrees of freedom. */
export function t(key: Key, df: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray {
  const p = parameter(df, floatDType(o.dtype, "random.t"), "random.t", "df");
  return tJit(requireKey(key, "random.t"), p, drawShape(shape, [p], "random.t"));
}

const fJit = compiled("f", (k: Key, num: NDArray, den: NDArray, shape: Shape): NDArray => {
  const [kd, kn] = splitKeys(k, 2);
  const [n, d] = [spread(num, shape, "random.f"), spread(den, shape, "random.f")];
  return div(div(drawChisquare(kn!, n), n), div(drawChisquare(kd!, d), d));
}, [3]);
/** F draws with dfnum and dfden degrees of freedom. */
export function f(key: Key, dfnum: ArrayLike, dfden: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray {
  const dtype = floatDType(o.dtype, "random.f");
  const [n, d] = [parameter(dfnum, dtype, "random.f", "dfnum"), parameter(dfden, dtype, "random.f", "dfden")];
  return fJit(requireKey(key, "random.f"), n, d, drawShape(shape, [n, d], "random.f"));
}

function drawGeneralizedNormal(k: Key, p: number, shape: Shape, dtype: DType): NDArray {
  const [kg, kr] = splitKeys(k, 2);
  const g = drawGamma(kg!, spread(scalar(1 / p, dtype, false), shape, "random.generalizedNormal"), false);
  return mul(drawSigns(kr!, shape, dtype, defaultFloat()), pow(g, 1 / p));
}
const generalizedNormalJit = compiled("generalizedNormal", drawGeneralizedNormal, [1, 2, 3]);
/** Draws with density proportional to `exp(-|x|^p)`. */
export function generalizedNormal(key: Key, p: number, shape: Shape | number = [], o: FloatOptions = {}): NDArray {
  const fn = "random.generalizedNormal";
  return generalizedNormalJit(requireKey(key, fn), p, requireShape(shape, fn), floatDType(o.dtype, fn));
}

const ballJit = compiled("ball", (k: Key, d: number, p: number, shape: Shape, dtype: DType): NDArray => {
  const [k1, k2] = splitKeys(k, 2);
  const g = drawGeneralizedNormal(k1!, p, [...shape, d], dtype);
  const radius = pow(add(reduceSum(pow(abs(g), p), [shape.length]), drawExponential(k2!, shape, dtype)), 1 / p);
  return div(g, spread(reshapeTo(radius, [...shape, 1]), g.shape, "random.ball"));
}, [1, 2, 3, 4]);
/** Points uniform in the unit ball of the p-norm in d dimensions (Barthe, Guedon, Mendelson and Naor 2005): shape [...shape, d]. */
export function ball(key: Key, d: number, p = 2, shape: Shape | number = [], o: FloatOptions = {}): NDArray {
  return ballJit(requireKey(key, "random.ball"), d, p, requireShape(shape, "random.ball"), floatDType(o.dtype, "random.ball"));
}
