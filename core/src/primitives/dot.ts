import { ShapeError } from "../base/errors.js";
import { formatShape, range } from "../base/shape.js";
import { binary, type Expr } from "../kernel/expr.js";
import { axisIndex, type Lazy, view } from "../lower/lazy.js";
import type { Primitive } from "../ir/primitive.js";
import { definePrimitive } from "../trace/define.js";
import { bind1 } from "../trace/trace.js";
import { moveBatch } from "./batch-axes.js";
import type { DotParams } from "./dot-params.js";
import { simplifyDot } from "./dot-simplify.js";
import { requireSame } from "./elementwise.js";

export type { DotParams };

const free = (ndim: number, ...used: (readonly number[])[]) => range(ndim).filter((d) => !used.some((u) => u.includes(d)));

export const dot: Primitive<DotParams> = definePrimitive({
  name: "dot",
  simplify: (known, inputs, params) => simplifyDot(known, dot, inputs, params),
  abstractEval([a, b], { contract, batch }) {
    requireSame("dot", [{ ...a!, shape: [] }, { ...b!, shape: [] }]);
    for (const [da, db] of [...contract[0].map((d, i) => [d, contract[1][i]!]), ...batch[0].map((d, i) => [d, batch[1][i]!])] as [number, number][])
      if (a!.shape[da] !== b!.shape[db])
        throw new ShapeError({ fn: "matmul", arg: "b", expected: `size ${a!.shape[da]} on axis ${db} of b, to meet axis ${da} of a, ${formatShape(a!.shape)}`, got: formatShape(b!.shape), fix: "transpose one of them or reshape" });
    const shape = [...batch[0].map((d) => a!.shape[d]!), ...free(a!.shape.length, contract[0], batch[0]).map((d) => a!.shape[d]!), ...free(b!.shape.length, contract[1], batch[1]).map((d) => b!.shape[d]!)];
    return { shape, dtype: a!.dtype, weak: a!.weak && b!.weak };
  },
  batch(_n, [a, b], [da, db], { contract, batch }) {
    const shift = (axes: readonly number[]) => axes.map((d) => d + 1);
    if (da !== null && db !== null) {
      const out = bind1(dot, [moveBatch(a!, da!, 0), moveBatch(b!, db!, 0)], { contract: [shift(contract[0]), shift(contract[1])], batch: [[0, ...shift(batch[0])], [0, ...shift(batch[1])]] });
      return { outputs: [out], dims: [0] };
    }
    // A batch axis of one operand alone is one more free axis: the product stays one large product.
    if (da !== null) {
      const out = bind1(dot, [moveBatch(a!, da!, 0), b!], { contract: [shift(contract[0]), contract[1]], batch: [shift(batch[0]), batch[1]] });
      return { outputs: [out], dims: [batch[0].length] };
    }
    const freeA = free(a!.ndim, contract[0], batch[0]).length;
    const out = bind1(dot, [a!, moveBatch(b!, db!, 0)], { contract: [contract[0], shift(contract[1])], batch: [batch[0], shift(batch[1])] });
    return { outputs: [out], dims: [batch[0].length + freeA] };
  },
  lower(ctx, [a, b], { contract, batch }) {
    const [nb, nc] = [batch[0].length, contract[0].length];
    const [freeA, freeB] = [free(a!.shape.length, contract[0], batch[0]), free(b!.shape.length, contract[1], batch[1])];
    const sizes = (x: Lazy, axes: readonly number[]) => axes.map((d) => x.shape[d]!);
    // Loop axes: batch, rest of a, rest of b, contracted.
    const shape = [...sizes(a!, batch[0]), ...sizes(a!, freeA), ...sizes(b!, freeB), ...sizes(a!, contract[0])];
    const rest = nb + freeA.length + freeB.length;
    const factor = (x: Lazy, side: 0 | 1, freeAxes: readonly number[], at: number): Expr => {
      const to: number[] = [];
      batch[side].forEach((d, i) => (to[d] = i));
      freeAxes.forEach((d, i) => (to[d] = at + i));
      contract[side].forEach((d, i) => (to[d] = rest + i));
      return view(x, shape, to.map((d) => axisIndex(shape.length, d))).expr;
    };
    const logical = a!.dtype === "bool";
    const product = (x: Lazy, y: Lazy): Lazy => ({ shape, dtype: a!.dtype, expr: binary(logical ? "and" : "mul", factor(x, 0, freeA, nb), factor(y, 1, freeB, nb + freeA.length)) });
    let terms = product(ctx.settle(a!), ctx.settle(b!));
    if (nc > 0 && ctx.hasStructure(terms)) {
      const few = ctx.sumOfDiagonals(terms, range(nc, rest));
      if (few) return [few];
      // A product of matrices after all: each is read many times.
      const whole = (x: Lazy): Lazy => (ctx.hasStructure(x) ? ctx.materialize(x) : ctx.settle(x));
      terms = product(whole(a!), whole(b!));
    }
    return [nc === 0 ? terms : ctx.reduce(terms, range(nc, rest), logical ? "or" : "add", a!.dtype)];
  },
});

export const dotPrimitives = { dot };
