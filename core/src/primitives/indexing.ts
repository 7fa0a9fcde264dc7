import { scalar } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import { isFloat } from "../base/dtype.js";
import { DTypeError, ShapeError } from "../base/errors.js";
import { contiguousStrides, formatShape, range, type Shape, sizeOf } from "../base/shape.js";
import type { Aval } from "../ir/aval.js";
import type { Primitive } from "../ir/primitive.js";
import { binary, type BufferId, constant, type Expr, gather as gatherExpr, index, load, select } from "../kernel/expr.js";
import { type IndexMode, type ScatterOp, scatterRoutine, type ScatterRoutineParams } from "../kernel/routines/scatter.js";
import { reindex } from "../kernel/reindex.js";
import { axisIndex, fromBuffer, type Lazy, reshapeLazy, view } from "../lower/lazy.js";
import { buffersRead } from "../kernel/traverse.js";
import type { Lowering } from "../lower/lowering.js";
import { definePrimitive } from "../trace/define.js";
import type { BatchDim } from "../trace/batching.js";
import { bind1 } from "../trace/trace.js";
import { moveBatch, toBatch } from "./batch-axes.js";
import { requireSame } from "./elementwise.js";
import { add, max, min, mul } from "./binary.js";
import { iota } from "./structural.js";
import { broadcastTo, reshapeTo } from "./structural-ops.js";


export type { IndexMode, ScatterOp };

/**
 * `x` [B..., n, R...] and int32 `indices` [B..., J...] give `y[b, j, r] = x[b, indices[b, j], r]`, shape [B..., J..., R...]; the first
 * `batchDims` axes are shared. Indices count from 0; negative ones are out of range (numpy's are shifted above).
 */
export interface GatherParams { readonly batchDims: number; readonly mode: IndexMode }
/** Writes `updates` [B..., J..., R...] into a copy of `x`: where an index comes more than once, "set" keeps the last. `uniqueIndices` promises that none does. */
export interface ScatterParams extends GatherParams { readonly op: ScatterOp; readonly uniqueIndices: boolean }

function checkIndices(fn: string, x: Aval, indices: Aval, batchDims: number): void {
  if (indices.dtype !== "int32") throw new DTypeError({ fn, arg: "indices", expected: "int32", got: indices.dtype, fix: 'convert with astype("int32")' });
  if (x.shape.length <= batchDims || range(batchDims).some((d) => x.shape[d] !== indices.shape[d]))
    throw new ShapeError({ fn, arg: "indices", expected: `${batchDims} leading axes as in ${formatShape(x.shape)}`, got: formatShape(indices.shape), fix: "align the batch axes" });
}
const clippedIndex = (i: Expr, count: number): Expr => binary("max", binary("min", i, constant("int32", Math.max(0, count - 1))), constant("int32", 0));
const gatherShape = (x: Aval, indices: Aval, b: number): Shape => [...indices.shape, ...x.shape.slice(b + 1)];

export const gather: Primitive<GatherParams> = definePrimitive({
  name: "gather",
  abstractEval([x, indices], { batchDims }) {
    checkIndices("take", x!, indices!, batchDims);
    return { ...x!, shape: gatherShape(x!, indices!, batchDims) };
  },
  batch(n, [x, i], [dx, di], { batchDims, mode }) {
    if (di === null) {
      // One set of indices for all examples: the batch axis rides along behind the indexed one.
      const y = bind1(gather, [moveBatch(x!, dx!, x!.ndim - 1), i!], { batchDims, mode });
      return { outputs: [y], dims: [y.ndim - 1] };
    }
    if (dx === null && batchDims === 0) return { outputs: [bind1(gather, [x!, moveBatch(i!, di!, 0)], { batchDims, mode })], dims: [0] };
    return { outputs: [bind1(gather, [toBatch(n, x!, dx as BatchDim), moveBatch(i!, di!, 0)], { batchDims: batchDims + 1, mode })], dims: [0] };
  },
  lower(ctx, [x, indices], { batchDims, mode }, [out]) {
    const source = ctx.buffer(x!);
    const ndim = out!.shape.length;
    const count = x!.shape[batchDims]!;
    const strides = contiguousStrides(x!.shape);
    const i = view(ctx.settle(indices!), out!.shape, range(indices!.shape.length).map((d) => axisIndex(ndim, d))).expr;
    const rest = x!.shape.length - batchDims - 1;
    const fixed = index({ offset: 0, strides: range(ndim).map((d) => (d < batchDims ? strides[d]! : d >= ndim - rest ? strides[d - ndim + x!.shape.length]! : 0)) });
    const inside = mode === "fill" ? binary("and", binary("ge", i, constant("int32", 0)), binary("lt", i, constant("int32", count))) : undefined;
    const clipped = clippedIndex(i, count);
    const value = gatherExpr(x!.dtype, source, binary("add", fixed, binary("mul", clipped, constant("int32", strides[batchDims]!))));
    const fill = constant(x!.dtype, isFloat(x!.dtype) ? NaN : 0);
    if (count === 0) return [{ shape: out!.shape, dtype: x!.dtype, expr: fill }];
    return [{ shape: out!.shape, dtype: x!.dtype, expr: inside ? select(inside, value, fill) : value }];
  },
});

export const scatter: Primitive<ScatterParams> = definePrimitive({
  name: "scatter",
  abstractEval([x, indices, updates], { batchDims }) {
    checkIndices("at", x!, indices!, batchDims);
    requireSame("at", [{ ...x!, shape: gatherShape(x!, indices!, batchDims) }, updates!]);
    return { ...x!, weak: x!.weak && updates!.weak };
  },
  batch(n, [x, i, u], [dx, di, du], params) {
    if (di === null) {
      const last = (v: NDArray, d: BatchDim | undefined) => toBatch(n, v, d ?? null, v.ndim - (d === null ? 0 : 1));
      const y = bind1(scatter, [last(x!, dx!), i!, last(u!, du!)], params);
      return { outputs: [y], dims: [y.ndim - 1] };
    }
    return { outputs: [bind1(scatter, [toBatch(n, x!, dx!), toBatch(n, i!, di ?? null), toBatch(n, u!, du!)], { ...params, batchDims: params.batchDims + 1 })], dims: [0] };
  },
  lower(ctx, [x, indices, updates], { batchDims, op: asked, mode }, [out]) {
    const { shape } = x!;
    // The sum of bools is their disjunction, the product their conjunction.
    const op = x!.dtype === "bool" ? (asked === "add" ? "max" : asked === "mul" ? "min" : asked) : asked;
    const params: ScatterRoutineParams = { batch: sizeOf(shape.slice(0, batchDims)), count: shape[batchDims]!, indices: sizeOf(indices!.shape.slice(batchDims)), rest: sizeOf(shape.slice(batchDims + 1)), op, mode };
    if (sizeOf(shape) === 0 || params.indices === 0) return [x!];
    // A copy that is then changed in place: where `x` is needed no more, the copy goes away.
    const source = ctx.buffer(x!);
    const id = ctx.newBuffer(out!.dtype, sizeOf(shape));
    if (params.batch === 1 && params.indices === 1) {
      const write = scatterOne(ctx, indices!, updates!, id, source, params);
      ctx.copy(source, id);
      write();
    } else {
      const operands = [indices!, updates!].map((v) => ({ buffer: ctx.buffer(v), shape: v.shape, dtype: v.dtype }));
      ctx.copy(source, id);
      const target = { buffer: id, shape, dtype: out!.dtype };
      ctx.emit({ kind: "routine", name: scatterRoutine.name, params, inputs: [target, ...operands], outputs: [target] });
    }
    return [fromBuffer(id, shape, out!.dtype)];
  },
});

/** One row is a loop over its elements; what is out of range is written as it was. */
function scatterOne(ctx: Lowering, indices: Lazy, updates: Lazy, target: BufferId, source: BufferId, { count, rest, op, mode }: ScatterRoutineParams): () => void {
  const { dtype } = updates;
  const at = ctx.scalar({ ...indices, shape: [], expr: reindex(indices.expr, indices.shape.map(() => ({ offset: 0, strides: [] })), 0) });
  const row = reshapeLazy(updates, [rest]) ?? fromBuffer(ctx.buffer(updates), [rest], dtype);
  const update = rest > 1 && buffersRead([row.expr]).has(source) ? ctx.materialize(row) : ctx.settle(row);
  const along = { offset: 0, strides: [1] };
  const base = binary("mul", clippedIndex(at, count), constant("int32", rest));
  const old = load(dtype, target, along, base);
  const next = op === "set" ? update.expr : binary(op, old, update.expr);
  const inside = binary("and", binary("ge", at, constant("int32", 0)), binary("lt", at, constant("int32", count)));
  return () => ctx.write({ shape: [rest], dtype, expr: mode === "fill" ? select(inside, next, old) : next }, target, along, base);
}

/** A block of `sizes` that begins at traced int32 starts, moved inside the array where it would stick out. */
export interface DynamicSliceParams { readonly sizes: readonly number[] }

const clampedStart = (start: Expr, n: number, size: number) => binary("max", binary("min", start, constant("int32", n - size)), constant("int32", 0));
const flatStart = (ctx: { scalar(x: Lazy): Expr }, starts: readonly Lazy[], shape: Shape, sizes: readonly number[]): Expr => {
  const strides = contiguousStrides(shape);
  return starts.reduce<Expr>((sum, s, d) => binary("add", sum, binary("mul", clampedStart(ctx.scalar(s), shape[d]!, sizes[d]!), constant("int32", strides[d]!))), constant("int32", 0));
};

function checkDynamic(fn: string, x: Aval, sizes: readonly number[], starts: readonly Aval[]): void {
  if (sizes.length !== x.shape.length || sizes.some((s, d) => s < 0 || s > x.shape[d]!))
    throw new ShapeError({ fn, arg: "sizes", expected: `sizes within ${formatShape(x.shape)}`, got: formatShape(sizes), fix: "take a block no larger than the array" });
  if (starts.length !== x.shape.length || starts.some((s) => s.shape.length !== 0 || s.dtype !== "int32"))
    throw new ShapeError({ fn, arg: "starts", expected: `${x.shape.length} int32 scalars`, got: starts.map((s) => `${s.dtype}${formatShape(s.shape)}`).join(", "), fix: "give one start for each axis" });
}

export const dynamicSlice: Primitive<DynamicSliceParams> = definePrimitive({
  name: "dynamicSlice",
  abstractEval([x, ...starts], { sizes }) {
    checkDynamic("dynamicSlice", x!, sizes, starts);
    return { ...x!, shape: sizes };
  },
  batch(n, [x, ...starts], [dx, ...ds], { sizes }) {
    if (ds.every((d) => d === null)) return { outputs: [bind1(dynamicSlice, [moveBatch(x!, dx!, 0), zeroIndex(), ...starts], { sizes: [n, ...sizes] })], dims: [0] };
    const shape = x!.shape.filter((_, d) => d !== dx);
    const flat = reshapeTo(toBatch(n, x!, dx as BatchDim), [n, sizeOf(shape)]);
    const y = bind1(gather, [flat, blockPositions(n, starts, ds, shape, sizes)], { batchDims: 1, mode: "clip" });
    return { outputs: [reshapeTo(y, [n, ...sizes])], dims: [0] };
  },
  lower(ctx, [x, ...starts], { sizes }, [out]) {
    const source = ctx.buffer(x!);
    return [fromStrided(source, x!, out!.shape, flatStart(ctx, starts, x!.shape, sizes))];
  },
});
const fromStrided = (buffer: number, x: Lazy, shape: Shape, base: Expr): Lazy => ({ shape, dtype: x.dtype, expr: { op: "load", dtype: x.dtype, buffer, index: { offset: 0, strides: contiguousStrides(x.shape) }, base } });

export const dynamicUpdateSlice: Primitive<object> = definePrimitive({
  name: "dynamicUpdateSlice",
  abstractEval([x, update, ...starts]) {
    requireSame("dynamicUpdateSlice", [{ ...x!, shape: [] }, { ...update!, shape: [] }]);
    checkDynamic("dynamicUpdateSlice", x!, update!.shape, starts);
    return { ...x!, weak: x!.weak && update!.weak };
  },
  batch(n, [x, u, ...starts], [dx, du, ...ds]) {
    const [bx, bu] = [toBatch(n, x!, dx!), toBatch(n, u!, du!)];
    if (ds.every((d) => d === null)) return { outputs: [bind1(dynamicUpdateSlice, [bx, bu, zeroIndex(), ...starts], {})], dims: [0] };
    const [shape, sizes] = [bx.shape.slice(1), bu.shape.slice(1)];
    const flat = (v: NDArray) => reshapeTo(v, [n, sizeOf(v.shape.slice(1))]);
    const y = bind1(scatter, [flat(bx), blockPositions(n, starts, ds, shape, sizes), flat(bu)], { batchDims: 1, mode: "clip", op: "set", uniqueIndices: true });
    return { outputs: [reshapeTo(y, bx.shape)], dims: [0] };
  },
  lower(ctx, [x, update, ...starts], _params, [out]) {
    const base = flatStart(ctx, starts, x!.shape, update!.shape);
    const source = ctx.buffer(x!);
    // An update made from other places of `x` must be known before the first of them changes.
    const stored = sizeOf(update!.shape) > 1 && buffersRead([update!.expr]).has(source) ? ctx.materialize(update!) : ctx.settle(update!);
    const id = ctx.newBuffer(out!.dtype, sizeOf(out!.shape));
    ctx.copy(source, id);
    ctx.write(stored, id, { offset: 0, strides: contiguousStrides(x!.shape) }, base);
    return [fromBuffer(id, out!.shape, out!.dtype)];
  },
});

/** Flat positions [n, elements] of each example's block, from one start an axis. */
function blockPositions(n: number, starts: readonly NDArray[], dims: readonly BatchDim[], shape: Shape, sizes: Shape): NDArray {
  const strides = contiguousStrides(shape);
  const full = [n, ...sizes];
  const number = (v: number) => broadcastTo(scalar(v, "int32", false), full, []);
  const total = sizes.reduce<NDArray | undefined>((sum, size, k) => {
    const start = broadcastTo(starts[k]!, full, dims[k] === null ? [] : [0]);
    const clamped = bind1(max, [bind1(min, [start, number(shape[k]! - size)], {}), number(0)], {});
    const along = bind1(iota, [], { shape: full, dtype: "int32", axis: k + 1 });
    const term = bind1(mul, [bind1(add, [clamped, along], {}), number(strides[k]!)], {});
    return sum ? bind1(add, [sum, term], {}) : term;
  }, undefined);
  return reshapeTo(total ?? number(0), [n, sizeOf(sizes)]);
}

const zeroIndex = () => scalar(0, "int32", false);
export const indexingPrimitives = { gather, scatter, dynamicSlice, dynamicUpdateSlice };
