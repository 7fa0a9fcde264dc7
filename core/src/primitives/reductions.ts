import { DTypeError, ShapeError } from "../base/errors.js";
import type { DType } from "../base/dtype.js";
import type { PrimitiveFacts, Primitive } from "../ir/primitive.js";
import type { ReduceOp } from "../kernel/schedule.js";
import { definePrimitive } from "../trace/define.js";
import { bind1 } from "../trace/trace.js";
import { accepts, type DTypeClass } from "./elementwise.js";

export interface ReduceParams { readonly axes: readonly number[] }

function reduction(name: string, op: ReduceOp, takes: DTypeClass, facts: PrimitiveFacts & { gives?: DType; nonEmpty?: boolean } = {}) {
  const { gives, nonEmpty, ...rest } = facts;
  const primitive: Primitive<ReduceParams> = definePrimitive({
    name,
    ...rest,
    abstractEval([x], { axes }) {
      if (!accepts[takes](x!.dtype)) throw new DTypeError({ fn: name, expected: `${takes} dtype`, got: x!.dtype, fix: "convert with astype" });
      if (nonEmpty && axes.some((d) => x!.shape[d] === 0))
        throw new ShapeError({ fn: name, expected: "at least one element along the reduced axes", got: `shape [${x!.shape.join(",")}]`, fix: "an empty reduction has no extremum: check the size first, or use the initial option" });
      return { shape: x!.shape.filter((_, d) => !axes.includes(d)), dtype: gives ?? x!.dtype, weak: gives ? false : x!.weak };
    },
    batch(_n, [x], [d], { axes }) {
      const moved = axes.map((a) => (a >= d! ? a + 1 : a));
      return { outputs: [bind1(primitive, [x!], { axes: moved })], dims: [d! - moved.filter((a) => a < d!).length] };
    },
    simplify: (_known, [x], { axes }) => (axes.length === 0 && !gives ? x : undefined),
    lower: (ctx, [x], { axes }, [out]) => [ctx.reduce(x!, axes, op, out!.dtype)],
  });
  return primitive;
}

export const reduceSum = reduction("reduceSum", "add", "number", { linear: true });
export const reduceProd = reduction("reduceProd", "mul", "number");
export const reduceMax = reduction("reduceMax", "max", "any", { nonEmpty: true });
export const reduceMin = reduction("reduceMin", "min", "any", { nonEmpty: true });
/** As `reduceMax`, but of equal elements the first, row-major over the axes, gets the whole derivative. */
export const firstMax = reduction("firstMax", "max", "any", { nonEmpty: true });
export const firstMin = reduction("firstMin", "min", "any", { nonEmpty: true });
export const reduceAnd = reduction("reduceAnd", "and", "bits");
export const reduceOr = reduction("reduceOr", "or", "bits");
export const reduceXor = reduction("reduceXor", "xor", "bits");
/** First position of the largest element, row-major over the axes; a NaN counts as largest. */
export const argmax = reduction("argmax", "argmax", "any", { gives: "int32", nonEmpty: true });
export const argmin = reduction("argmin", "argmin", "any", { gives: "int32", nonEmpty: true });

export const reductionPrimitives = { reduceSum, reduceProd, reduceMax, reduceMin, firstMax, firstMin, reduceAnd, reduceOr, reduceXor, argmax, argmin };
