import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import type { DType } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import { canonicalAxis, range, requireShape, type Shape, sizeOf } from "../base/shape.js";
import { abs, add, bitwiseAnd, bitwiseNot, bitwiseOr, div, eq, floor, ge, gt, le, lgamma, log, log1p, lt, mul, ne, neg, sqrt, sub } from "../lax/elementwise.js";
import { argmax, reduceAnd, reduceOr } from "../lax/reductions.js";
import { topK } from "../lax/sorting.js";
import { full, fullLike, select } from "../lax/types.js";
import { promoteToFloat } from "../numpy/convert.js";
import { broadcastTo, reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { whileLoop } from "../transforms/while-loop.js";
import { drawGumbel, type GumbelMode, requireMode } from "./continuous.js";
import { type Key, requireKey, splitKeys } from "./keys.js";
import { compiled, drawShape, integerDType, type IntegerOptions, parameter, spread } from "./options.js";
import { drawUnit } from "./uniform.js";

const int = (v: number): NDArray => scalar(v, "int32", false);

/** Small rates: count uniform factors until their product falls below exp(-rate) (Knuth, "The Art of Computer Programming" 2, 3.4.1). */
function poissonByProduct(key: Key, rate: NDArray, dtype: DType): NDArray {
  type State = { key: Key; k: NDArray; logProduct: NDArray };
  const { k } = whileLoop<State>(
    (s) => reduceOr(gt(s.logProduct, neg(rate))),
    (s) => {
      const [next, forDraw] = splitKeys(s.key, 2);
      return { key: next!, k: select(gt(s.logProduct, neg(rate)), add(s.k, 1), s.k), logProduct: add(s.logProduct, log(drawUnit(forDraw!, rate.shape, "float32"))) };
    },
    { key, k: full(rate.shape, int(0), dtype), logProduct: fullLike(rate, 0) },
  );
  return sub(k, 1);
}

/** Large rates: transformed rejection (Hoermann, "The transformed rejection method for generating Poisson random variables", Insurance 12, 1993: PTRS). */
function poissonByRejection(key: Key, rate: NDArray, dtype: DType): NDArray {
  const { shape } = rate;
  const logRate = log(rate);
  const b = add(mul(sqrt(rate), 2.53), 0.931);
  const a = add(mul(b, 0.02483), -0.059);
  const inverseAlpha = add(div(1.1328, sub(b, 3.4)), 1.1239);
  const limit = sub(0.9277, div(3.6224, sub(b, 2)));
  type State = { key: Key; k: NDArray; accepted: NDArray };
  const { k } = whileLoop<State>(
    (s) => bitwiseNot(reduceAnd(s.accepted)),
    (s) => {
      const [next, k0, k1] = splitKeys(s.key, 3);
      const u = sub(drawUnit(k0!, shape, rate.dtype), 0.5);
      const v = drawUnit(k1!, shape, rate.dtype);
      const shifted = sub(0.5, abs(u));
      const candidate = floor(add(add(mul(add(div(mul(a, 2), shifted), b), u), rate), 0.43));
      const left = log(div(mul(v, inverseAlpha), add(div(a, mul(shifted, shifted)), b)));
      const right = sub(add(neg(rate), mul(candidate, logRate)), lgamma(add(candidate, 1)));
      const quick = bitwiseAnd(ge(shifted, 0.07), le(v, limit));
      const reject = bitwiseOr(lt(candidate, 0), bitwiseAnd(lt(shifted, 0.013), gt(v, shifted)));
      const accept = bitwiseOr(quick, bitwiseAnd(bitwiseNot(reject), le(left, right)));
      return { key: next!, k: select(accept, candidate, s.k), accepted: bitwiseOr(s.accepted, accept) };
    },
    { key, k: fullLike(rate, -1), accepted: fullLike(rate, false, { dtype: "bool" }) },
  );
  return convertTo(k, dtype);
}

const poissonJit = compiled("poisson", (key: Key, lam: NDArray, shape: Shape, dtype: DType): NDArray => {
  const rate = spread(lam, shape, "random.poisson");
  // NaN and negative rates count as 0 events here; they get -1 below.
  const small = bitwiseNot(ge(rate, 10));
  const slow = poissonByProduct(key, select(small, rate, fullLike(rate, 0)), dtype);
  const fast = poissonByRejection(key, select(small, fullLike(rate, 1e5), rate), dtype);
  const drawn = select(small, slow, fast);
  return select(eq(rate, 0), fullLike(drawn, 0), drawn);
}, [2, 3]);

/**
 * Poisson draws of rate lam, as int32; -1 where lam is negative or NaN. Computed in float32, as in JAX.
 * @example random.poisson(random.key(0), 3.5, [10])
 */
export function poisson(key: Key, lam: ArrayLike, shape?: Shape | number | null, o: IntegerOptions = {}): NDArray {
  const fn = "random.poisson";
  const rate = parameter(lam, "float32", fn, "lam");
  return poissonJit(requireKey(key, fn), rate, drawShape(shape, [rate], fn), integerDType(o.dtype, fn));
}

const geometricJit = compiled("geometric", (key: Key, p: NDArray, shape: Shape, dtype: DType): NDArray => {
  const u = drawUnit(key, shape, p.dtype);
  const safe = select(ne(u, 0), u, fullLike(u, 1));
  return convertTo(add(floor(div(log(safe), log1p(neg(spread(p, shape, "random.geometric"))))), 1), dtype);
}, [2, 3]);

/** Number of trials until the first success, each of probability p: 1, 2, ... */
export function geometric(key: Key, p: ArrayLike, shape?: Shape | number | null, o: IntegerOptions = {}): NDArray {
  const fn = "random.geometric";
  const [probability] = promoteToFloat([p], fn);
  return geometricJit(requireKey(key, fn), probability!, drawShape(shape, [probability!], fn), integerDType(o.dtype, fn));
}

export interface CategoricalOptions {
  /** Shape of the draw: leading axes, then those of the logits without `axis`. */
  readonly shape?: Shape | number;
  /** With false, the leading axes of `shape` hold different categories. */
  readonly replace?: boolean;
  readonly mode?: GumbelMode;
}

const categoricalJit = compiled("categorical", (key: Key, logits: NDArray, axis: number, lead: Shape, replace: boolean, mode: GumbelMode): NDArray => {
  if (replace) {
    const noise = drawGumbel(key, [...lead, ...logits.shape], logits.dtype, mode);
    return argmax(add(noise, broadcastTo(logits, noise.shape, range(logits.ndim, lead.length))), axis + lead.length);
  }
  const k = sizeOf(lead);
  const noisy = add(drawGumbel(key, logits.shape, logits.dtype, mode), logits);
  const [, indices] = topK(transposeTo(noisy, [...range(logits.ndim).filter((d) => d !== axis), axis]), k);
  const n = indices.ndim - 1;
  return reshapeTo(transposeTo(indices, [n, ...range(n)]), [...lead, ...logits.shape.filter((_, d) => d !== axis)]);
}, [2, 3, 4, 5]);

/**
 * Indices drawn with probability `softmax(logits)` along an axis, by the Gumbel-max trick.
 * @throws ShapeError when the logits' other axes do not broadcast to `shape`; ArgumentError for more draws than categories without replacement.
 * @example random.categorical(random.key(0), np.log([0.2, 0.8]), -1, { shape: [10] })
 */
export function categorical(key: Key, logits: ArrayLike, axis = -1, o: CategoricalOptions = {}): NDArray {
  const fn = "random.categorical";
  const [l] = promoteToFloat([logits], fn, ["logits"]);
  const d = canonicalAxis(axis, l!.ndim, fn);
  const rest = l!.shape.filter((_, k) => k !== d);
  const shape = o.shape === undefined ? rest : requireShape(o.shape, fn);
  drawShape(shape, [fullLike(l!, 0, { shape: rest })], fn);
  const lead = shape.slice(0, shape.length - rest.length);
  const wide = shape.slice(lead.length);
  const full = [...wide.slice(0, d), l!.shape[d]!, ...wide.slice(d)];
  if (o.replace === false && sizeOf(lead) > l!.shape[d]!)
    throw new ArgumentError({ fn, arg: "shape", expected: `at most ${l!.shape[d]} draws without replacement`, got: String(sizeOf(lead)), fix: "draw fewer, or with replacement" });
  return categoricalJit(requireKey(key, fn), spread(l!, full, fn), d, lead, o.replace ?? true, requireMode(o.mode, fn));
}
