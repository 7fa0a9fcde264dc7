import { isFloat } from "../base/dtype.js";
import { ShapeError } from "../base/errors.js";
import { formatShape, range, sizeOf } from "../base/shape.js";
import { binary } from "../kernel/expr.js";
import type { MatmulParams } from "../kernel/matmul.js";
import { defineRoutine } from "../kernel/routine.js";
import { axisIndex, fromBuffer, type Lazy, transposeLazy, view } from "../lower/lazy.js";
import type { Primitive } from "../ir/primitive.js";
import { definePrimitive } from "../trace/define.js";
import { bind1 } from "../trace/trace.js";
import { moveBatch } from "./batch-axes.js";
import type { DotParams } from "./dot-params.js";
import { simplifyDot } from "./dot-simplify.js";
import { requireSame } from "./elementwise.js";
import type { Lowering } from "../lower/lowering.js";

export type { DotParams };

export const matmulRoutine = defineRoutine<MatmulParams>({
  name: "matmul",
  reference([a, b], [c], { batch, m, n, k, transposeA, transposeB }) {
    const [x, y, z] = [a!.data, b!.data, c!.data];
    for (let g = 0; g < batch; g++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++) sum += x[g * m * k + (transposeA ? p * m + i : i * k + p)]! * y[g * k * n + (transposeB ? j * k + p : p * n + j)]!;
          z[(g * m + i) * n + j] = sum;
        }
  },
});

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
  lower(ctx, [a, b], { contract, batch }, [out]) {
    const freeA = free(a!.shape.length, contract[0], batch[0]);
    const freeB = free(b!.shape.length, contract[1], batch[1]);
    const sizes = (x: Lazy, axes: readonly number[]) => sizeOf(axes.map((d) => x.shape[d]!));
    const [g, m, n, k] = [sizes(a!, batch[0]), sizes(a!, freeA), sizes(b!, freeB), sizes(a!, contract[0])];
    if (!isFloat(out!.dtype) || m * n === 1 || k <= 1 || g * m * n * k <= 64) return [dotKernel(ctx, a!, b!, contract, batch, freeA, freeB)];
    const left = layout(ctx, a!, batch[0], freeA, contract[0]);
    const right = layout(ctx, b!, batch[1], contract[1], freeB);
    const [y] = ctx.routine("matmul", [left.x, right.x], [out!], { batch: g, m, n, k, transposeA: left.transposed, transposeB: right.transposed });
    return [y!];
  },
});

/** The operand as [batch, rows, columns], or with rows and columns swapped where it lies so already. */
function layout(ctx: Lowering, x: Lazy, batch: readonly number[], rows: readonly number[], columns: readonly number[]): { x: Lazy; transposed: boolean } {
  const straight = transposeLazy(x, [...batch, ...rows, ...columns]);
  const swapped = transposeLazy(x, [...batch, ...columns, ...rows]);
  const isWhole = (y: Lazy) => ctx.isWhole(y);
  const transposed = !isWhole(straight) && isWhole(swapped);
  return { x: fromBuffer(ctx.buffer(transposed ? swapped : straight), (transposed ? swapped : straight).shape, x.dtype), transposed };
}

/** Products too small or of integers: one loop over multiply and add, fused with what comes before. */
function dotKernel(ctx: Lowering, a: Lazy, b: Lazy, contract: DotParams["contract"], batch: DotParams["batch"], freeA: readonly number[], freeB: readonly number[]): Lazy {
  const [nb, na, nf, nc] = [batch[0].length, freeA.length, freeB.length, contract[0].length];
  const ndim = nb + na + nf + nc;
  const place = (axes: readonly number[], offset: number, into: number[]) => axes.forEach((d, i) => (into[d] = offset + i));
  const inA: number[] = [];
  const inB: number[] = [];
  place(batch[0], 0, inA); place(freeA, nb, inA); place(contract[0], nb + na + nf, inA);
  place(batch[1], 0, inB); place(freeB, nb + na, inB); place(contract[1], nb + na + nf, inB);
  const shape = [...batch[0].map((d) => a.shape[d]!), ...freeA.map((d) => a.shape[d]!), ...freeB.map((d) => b.shape[d]!), ...contract[0].map((d) => a.shape[d]!)];
  const spread = (x: Lazy, to: readonly number[]) => view(ctx.settle(x), shape, to.map((d) => axisIndex(ndim, d)));
  const product = a.dtype === "bool" ? binary("and", spread(a, inA).expr, spread(b, inB).expr) : binary("mul", spread(a, inA).expr, spread(b, inB).expr);
  if (nc === 0) return { shape, dtype: a.dtype, expr: product };
  return ctx.reduce({ shape, dtype: a.dtype, expr: product }, range(nc, nb + na + nf), a.dtype === "bool" ? "or" : "add", a.dtype);
}

export const dotPrimitives = { dot };
