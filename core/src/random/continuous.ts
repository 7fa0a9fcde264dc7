import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import type { DType } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import { requireShape, type Shape } from "../base/shape.js";
import { abs, add, div, exp, ge, le, log, log1p, lt, mul, neg, pow, sign, sqrt, square, sub, tan } from "../lax/elementwise.js";
import { reduceSum } from "../lax/reductions.js";
import { sliceInDim } from "../lax/structure.js";
import { select } from "../lax/types.js";
import { reshapeTo } from "../primitives/structural-ops.js";
import { type Key, requireKey, splitKeys } from "./keys.js";
import { drawNormal } from "./normal.js";
import { compiled, drawShape, factsOf, floatDType, type FloatOptions, parameter, spread } from "./options.js";
import { drawUniform, drawUnit } from "./uniform.js";

type Draw = (k: Key, shape: Shape, dtype: DType) => NDArray;
type Standard = (key: Key, shape?: Shape | number, o?: FloatOptions) => NDArray;

/** A distribution without parameters. */
const standard = (name: string, draw: Draw): Standard => {
  const run = compiled(name, draw, [1, 2]);
  const fn = `random.${name}`;
  return (key, shape = [], o = {}) => run(requireKey(key, fn), requireShape(shape, fn), floatDType(o.dtype, fn));
};
const uniformFrom = (k: Key, shape: Shape, dtype: DType, lo: number): NDArray => drawUniform(k, shape, dtype, scalar(lo, dtype, false), scalar(1, dtype, false));

/** @internal */
export const drawExponential: Draw = (k, shape, dtype) => neg(log1p(neg(drawUnit(k, shape, dtype))));
/** Exponential draws of rate 1, `-log(1 - u)`. */
export const exponential: Standard = standard("exponential", drawExponential);
/** Laplace draws, density `exp(-|x|) / 2`. */
export const laplace: Standard = standard("laplace", (k, shape, dtype) => {
  const u = uniformFrom(k, shape, dtype, -1 + factsOf(dtype).epsneg);
  return mul(sign(u), log1p(neg(abs(u))));
});
/** Logistic draws, `log(u / (1 - u))`. */
export const logistic: Standard = standard("logistic", (k, shape, dtype) => {
  const u = uniformFrom(k, shape, dtype, factsOf(dtype).tiny);
  return sub(log(u), log1p(neg(u)));
});
/** Cauchy draws, `tan(pi (u - 1/2))`. */
export const cauchy: Standard = standard("cauchy", (k, shape, dtype) => tan(mul(sub(uniformFrom(k, shape, dtype, factsOf(dtype).eps), 0.5), Math.PI)));
/** Draws with Maxwell's density `sqrt(2/pi) x^2 exp(-x^2/2)`: lengths of standard normal vectors in three dimensions. */
export const maxwell: Standard = standard("maxwell", drawMaxwell);
function drawMaxwell(k: Key, shape: Shape, dtype: DType): NDArray {
  return sqrt(reduceSum(square(drawNormal(k, [...shape, 3], dtype)), [shape.length]));
}

export type GumbelMode = "low" | "high";
/** @internal */
export function drawGumbel(k: Key, shape: Shape, dtype: DType, mode: GumbelMode): NDArray {
  const facts = factsOf(dtype);
  if (mode === "low") return neg(log(neg(log(uniformFrom(k, shape, dtype, facts.tiny)))));
  const both = drawUnit(k, [2, ...shape], dtype);
  const [high, low] = [0, 1].map((i) => reshapeTo(sliceInDim(both, i, i + 1), shape));
  const u = select(ge(high!, 0.5), high!, add(add(high!, mul(low!, 2 ** -facts.mantissa)), facts.tiny));
  return neg(log(neg(log1p(neg(u)))));
}
const gumbelJit = compiled("gumbel", drawGumbel, [1, 2, 3]);

/** @internal */
export function requireMode(mode: GumbelMode | undefined, fn: string): GumbelMode {
  const m = mode ?? "low";
  if (m !== "low" && m !== "high") throw new ArgumentError({ fn, arg: "mode", expected: '"low" or "high"', got: String(mode), fix: "pass one of the two" });
  return m;
}

/** Gumbel draws, `-log(-log(u))`; `mode: "high"` uses two draws for more precision in the far tail. */
export function gumbel(key: Key, shape: Shape | number = [], o: FloatOptions & { mode?: GumbelMode } = {}): NDArray {
  const fn = "random.gumbel";
  return gumbelJit(requireKey(key, fn), requireShape(shape, fn), floatDType(o.dtype, fn), requireMode(o.mode, fn));
}

/** A distribution with parameters that broadcast to the shape of the draw. */
function parametric<N extends number>(name: string, names: readonly string[] & { length: N }, draw: (k: Key, shape: Shape, dtype: DType, ...parameters: NDArray[]) => NDArray) {
  const fn = `random.${name}`;
  const run = compiled(name, (k: Key, parameters: NDArray[], shape: Shape, dtype: DType) => draw(k, shape, dtype, ...parameters.map((p) => spread(p, shape, fn))), [2, 3]);
  return (key: Key, values: readonly ArrayLike[], shape: Shape | number | null | undefined, o: FloatOptions): NDArray => {
    const dtype = floatDType(o.dtype, fn);
    const parameters = values.map((v, i) => parameter(v, dtype, fn, names[i]!));
    return run(requireKey(key, fn), parameters, drawShape(shape, parameters, fn), dtype);
  };
}

const drawPareto = parametric("pareto", ["b"], (k, shape, dtype, b) => exp(div(drawExponential(k, shape, dtype), b!)));
/** Pareto draws with density `b / x^(b+1)` for x >= 1. */
export const pareto = (key: Key, b: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray => drawPareto(key, [b], shape, o);

const drawRayleigh = parametric("rayleigh", ["scale"], (k, shape, dtype, scale) => mul(scale!, sqrt(mul(log(drawUnit(k, shape, dtype)), -2))));
/** Rayleigh draws, `scale sqrt(-2 log u)`. */
export const rayleigh = (key: Key, scale: ArrayLike = 1, shape?: Shape | number | null, o: FloatOptions = {}): NDArray => drawRayleigh(key, [scale], shape, o);

const drawWeibull = parametric("weibullMin", ["scale", "concentration"], (k, shape, dtype, scale, c) => mul(pow(drawExponential(k, shape, dtype), div(1, c!)), scale!));
/** Weibull draws, `scale (-log(1 - u))^(1 / concentration)`. */
export const weibullMin = (key: Key, scale: ArrayLike, concentration: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray => drawWeibull(key, [scale, concentration], shape, o);

const drawTriangular = parametric("triangular", ["left", "mode", "right"], (k, shape, dtype, left, mode, right) => {
  const width = sub(right!, left!);
  const u = drawUnit(k, shape, dtype);
  const below = add(left!, sqrt(mul(mul(u, width), sub(mode!, left!))));
  const above = sub(right!, sqrt(mul(mul(sub(1, u), width), sub(right!, mode!))));
  return select(lt(u, div(sub(mode!, left!), width)), below, above);
});
/** Draws whose density rises from left to mode and falls to right, linearly. */
export const triangular = (key: Key, left: ArrayLike, mode: ArrayLike, right: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray => drawTriangular(key, [left, mode, right], shape, o);

const drawWald = parametric("wald", ["mean"], (k, shape, dtype, mean) => {
  const [k1, k2] = splitKeys(k, 2);
  const y = square(drawNormal(k1!, shape, dtype));
  const z = drawUnit(k2!, shape, dtype);
  const root = sqrt(add(mul(mul(mean!, 4), y), mul(square(mean!), square(y))));
  const x = sub(add(mean!, div(mul(square(mean!), y), 2)), mul(div(mean!, 2), root));
  return select(le(z, div(mean!, add(mean!, x))), x, div(square(mean!), x));
});
/** Inverse Gaussian draws of scale 1 (Michael, Schucany and Haas, Amer. Statist. 30, 1976). */
export const wald = (key: Key, mean: ArrayLike, shape?: Shape | number | null, o: FloatOptions = {}): NDArray => drawWald(key, [mean], shape, o);
