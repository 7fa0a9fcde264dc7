import { scalar } from "../array/concrete.js";
import { ShapeError } from "../base/errors.js";
import type { DType } from "../base/dtype.js";
import { contiguousStrides, formatShape, range, type Shape, shapesEqual, sizeOf } from "../base/shape.js";
import type { Aval } from "../ir/aval.js";
import { cast, constant, type Expr, guard, index, structuralZero } from "../kernel/expr.js";
import { axisIndex, fromBuffer, guarded, type Lazy, view } from "../lower/lazy.js";
import type { Lowering } from "../lower/lowering.js";
import type { Primitive } from "../ir/primitive.js";
import { definePrimitive } from "../trace/define.js";
import { bind1 } from "../trace/trace.js";
import { requireDTypes, requireSame } from "./elementwise.js";
import { alignBatch, moveBatch, toBatch } from "./batch-axes.js";
import { full } from "./late-broadcast.js";
import { broadcast, broadcastTo, reshape, transpose } from "./structural-ops.js";
import { sumMeetings } from "./phases.js";
import { select } from "./types.js";

const at0 = <T>(list: readonly T[], first: T): T[] => [first, ...list];

/** `x[start[d] : limit[d] : strides[d]]` on every axis, with positive strides. */
export const slice: Primitive<{ start: readonly number[]; limit: readonly number[]; strides: readonly number[] }> = definePrimitive({
  name: "slice",
  linear: true,
  view: true,
  simplify: (_known, [x], _params, out) => (shapesEqual(x!.aval.shape, out.shape) ? x : undefined),
  abstractEval([x], { start, limit, strides }) {
    const ok = [start, limit, strides].every((a) => a.length === x!.shape.length) && start.every((s, d) => s >= 0 && s <= limit[d]! && limit[d]! <= x!.shape[d]! && strides[d]! >= 1);
    if (!ok)
      throw new ShapeError({ fn: "slice", expected: `0 <= start <= limit <= size on each axis of ${formatShape(x!.shape)} and strides >= 1`, got: `start ${formatShape(start)}, limit ${formatShape(limit)}, strides ${formatShape(strides)}`, fix: "keep the bounds inside the array" });
    return { ...x!, shape: start.map((s, d) => Math.ceil((limit[d]! - s) / strides[d]!)) };
  },
  batch(n, [x], [d], { start, limit, strides }) {
    return { outputs: [bind1(slice, [moveBatch(x!, d!, 0)], { start: at0(start, 0), limit: at0(limit, n), strides: at0(strides, 1) })], dims: [0] };
  },
  lower(_ctx, [x], { start, strides }, [out]) {
    const ndim = out!.shape.length;
    return [view(x!, out!.shape, start.map((s, d) => axisIndex(ndim, d, strides[d], s)))];
  },
});

/** XLA's pad: `interior[d]` copies of the value between elements, `low`/`high` at the ends (negative ones remove elements). */
export const pad: Primitive<{ low: readonly number[]; high: readonly number[]; interior: readonly number[] }> = definePrimitive({
  name: "pad",
  linear: true,
  simplify: (_known, [x], { low, high, interior }) => ([low, high, interior].every((a) => a.every((k) => k === 0)) ? x : undefined),
  abstractEval([x, value], { low, high, interior }) {
    requireSame("pad", [{ ...x!, shape: [] }, value!]);
    const shape = x!.shape.map((n, d) => low[d]! + high[d]! + n + Math.max(0, n - 1) * interior[d]!);
    if (shape.some((n) => n < 0) || interior.some((n) => n < 0))
      throw new ShapeError({ fn: "pad", expected: "padding that leaves no negative size", got: `low ${formatShape(low)}, high ${formatShape(high)}, interior ${formatShape(interior)} on ${formatShape(x!.shape)}`, fix: "remove fewer elements" });
    return { ...x!, shape, weak: x!.weak && value!.weak };
  },
  batch(n, [x, value], [d, dv], { low, high, interior }) {
    const front = toBatch(n, x!, d!);
    const wide = { low: at0(low, 0), high: at0(high, 0), interior: at0(interior, 0) };
    if (dv === null) return { outputs: [bind1(pad, [front, value!], wide)], dims: [0] };
    // Each example has its own padding value: pad with zero, and choose by a padded mask.
    const filled = bind1(pad, [front, scalar(0, x!.dtype, false)], wide);
    const inside = bind1(pad, [broadcastTo(scalar(true, "bool", false), front.shape, []), scalar(false, "bool", false)], wide);
    return { outputs: [bind1(select, [inside, filled, broadcastTo(value!, filled.shape, [0])], {})], dims: [0] };
  },
  lower(ctx, [x, value], { low, interior }, [out]) {
    const ndim = out!.shape.length;
    // The fill is read at every element outside: it is computed once.
    const fill = view(ctx.settle(value!), out!.shape, []);
    const bounds = range(ndim).flatMap((d) => {
      const hi = low[d]! + x!.shape[d]!;
      return low[d]! <= 0 && hi >= out!.shape[d]! ? [] : [{ index: axisIndex(ndim, d), lo: low[d]!, hi, step: 1 }];
    });
    // Between spread elements the old index is not an affine function of the new one: those go through memory.
    if (interior.every((k) => k === 0)) return [guarded(view(x!, out!.shape, range(ndim).map((d) => axisIndex(ndim, d, 1, -low[d]!))), bounds, fill.expr)];
    return [spreadPad(ctx, x!, out!.shape, low, interior, fill)];
  },
});


/** Interior padding writes: fill a buffer, then put the elements at their places. */
function spreadPad(ctx: Lowering, x: Lazy, shape: Shape, low: readonly number[], interior: readonly number[], fill: Lazy): Lazy {
  const out = ctx.newBuffer(x.dtype, sizeOf(shape));
  ctx.write(fill, out);
  const strides = contiguousStrides(shape);
  // Elements that negative padding removes are cut off first.
  const keep = x.shape.map((n, d) => {
    const step = interior[d]! + 1;
    const first = low[d]! < 0 ? Math.ceil(-low[d]! / step) : 0;
    const last = Math.min(n - 1, Math.floor((shape[d]! - 1 - low[d]!) / step));
    return { first, count: Math.max(0, last - first + 1) };
  });
  const ndim = shape.length;
  const kept = view(x, keep.map((k) => k.count), keep.map((k, d) => axisIndex(ndim, d, 1, k.first)));
  ctx.write(kept, out, {
    offset: keep.reduce((sum, k, d) => sum + (low[d]! + k.first * (interior[d]! + 1)) * strides[d]!, 0),
    strides: strides.map((s, d) => s * (interior[d]! + 1)),
  });
  return fromBuffer(out, shape, x.dtype);
}

/** Reverses axes. */
export const reverse: Primitive<{ axes: readonly number[] }> = definePrimitive({
  name: "reverse",
  linear: true,
  view: true,
  involution: true,
  simplify: (_known, [x], { axes }) => (axes.every((d) => x!.aval.shape[d] === 1) ? x : undefined),
  abstractEval: ([x]) => x!,
  batch: (_n, [x], [d], { axes }) => ({ outputs: [bind1(reverse, [x!], { axes: axes.map((a) => (a >= d! ? a + 1 : a)) })], dims: [d!] }),
  lower: (_ctx, [x], { axes }) => [view(x!, x!.shape, x!.shape.map((n, d) => (axes.includes(d) ? axisIndex(x!.shape.length, d, -1, n - 1) : axisIndex(x!.shape.length, d))))],
});

/** Joins arrays along an axis. */
export const concatenate: Primitive<{ axis: number }> = definePrimitive({
  name: "concatenate",
  linear: true,
  simplify: (_known, inputs) => (inputs.length === 1 ? inputs[0] : undefined),
  abstractEval(inputs, { axis }) {
    const first = inputs[0]!;
    requireSame("concatenate", inputs.map((t) => ({ ...t, shape: t.shape.map((n, d) => (d === axis ? 0 : n)) })));
    return { shape: first.shape.map((n, d) => (d === axis ? inputs.reduce((s, t) => s + t.shape[axis]!, 0) : n)), dtype: first.dtype, weak: inputs.every((t) => t.weak) };
  },
  batch(n, values, dims, { axis }) {
    return { outputs: [bind1(concatenate, alignBatch(n, values, dims), { axis: axis + 1 })], dims: [0] };
  },
  lower(ctx, inputs, { axis }, [out]) {
    if (inputs.every((x) => ctx.isDiagonal(x))) return [joined(inputs, axis, out!)];
    const id = ctx.newBuffer(out!.dtype, sizeOf(out!.shape));
    const strides = contiguousStrides(out!.shape);
    let offset = 0;
    for (const x of inputs) {
      ctx.write(x, id, { offset: offset * strides[axis]!, strides });
      offset += x.shape[axis]!;
    }
    return [fromBuffer(id, out!.shape, out!.dtype)];
  },
});

/** Joins values without a buffer: each within its bounds. */
function joined(inputs: readonly Lazy[], axis: number, { shape, dtype }: Aval): Lazy {
  const ndim = shape.length;
  let at = shape[axis]!;
  const expr = inputs.reduceRight<Expr>((outside, x) => {
    const hi = at;
    at -= x.shape[axis]!;
    return guard([{ index: axisIndex(ndim, axis), lo: at, hi, step: 1 }], view(x, shape, range(ndim).map((d) => axisIndex(ndim, d, 1, d === axis ? -at : 0))).expr, outside);
  }, structuralZero(dtype));
  return { shape, dtype, expr };
}

/** 0, 1, 2, ... along one axis. */
export const iota: Primitive<{ shape: Shape; dtype: DType; axis: number }> = definePrimitive({
  name: "iota",
  simplify: (known, _inputs, { shape, axis }, out) => (shape[axis] === 1 ? full(known, 0, out) : undefined),
  abstractEval: (_inputs, { shape, dtype }) => ({ shape, dtype, weak: false }),
  lower: (_ctx, _inputs, { shape, dtype, axis }) => [{ shape, dtype, expr: cast(dtype, index(axisIndex(shape.length, axis))) }],
});

/**
 * The unit vectors of `count` directions for an array of `shape` whose elements are those from `offset` on: `[count, ...shape]`, 1 where the
 * direction is that of the element. The zeros are structural: what is linear in these vectors is zero where they are, whatever it is
 * multiplied by, so compiled derivatives compute what their directions reach and nothing else.
 */
export const unitVectors: Primitive<{ shape: Shape; dtype: DType; count: number; offset: number }> = definePrimitive({
  name: "unitVectors",
  abstractEval: (_inputs, { shape, dtype, count }) => ({ shape: [count, ...shape], dtype, weak: false }),
  lower(ctx, _inputs, { dtype, offset }, [out]) {
    const element = { offset: -offset, strides: [1, ...contiguousStrides(out!.shape.slice(1)).map((s) => -s)] };
    return [ctx.structured({ shape: out!.shape, dtype, expr: guard([{ index: element, lo: 0, hi: 1, step: 1 }], constant(dtype, 1), structuralZero(dtype)) })];
  },
});

/**
 * All windows of an array that slide over its axes: shape `[...positions, ...window]`, element `[p, w] = x[p * strides + w * dilation]`.
 * A view; pooling reduces its window axes.
 */
export interface WindowParams { readonly window: readonly number[]; readonly strides: readonly number[]; readonly dilation: readonly number[] }
const windowCount = (n: number, w: number, stride: number, dilation: number) => Math.max(0, Math.floor((n - (w - 1) * dilation - 1) / stride) + 1);

export const windows: Primitive<WindowParams> = definePrimitive({
  name: "windows",
  linear: true,
  view: true,
  abstractEval([x], { window, strides, dilation }) {
    if ([window, strides, dilation].some((a) => a.length !== x!.shape.length || a.some((k) => k < 1)))
      throw new ShapeError({ fn: "windows", expected: `positive window, strides and dilation for each of ${x!.shape.length} axes`, got: `window ${formatShape(window)}, strides ${formatShape(strides)}, dilation ${formatShape(dilation)}`, fix: "give one number an axis" });
    return { ...x!, shape: [...x!.shape.map((n, d) => windowCount(n, window[d]!, strides[d]!, dilation[d]!)), ...window] };
  },
  batch(_n, [x], [d], { window, strides, dilation }) {
    const y = bind1(windows, [moveBatch(x!, d!, 0)], { window: at0(window, 1), strides: at0(strides, 1), dilation: at0(dilation, 1) });
    return { outputs: [bind1(reshape, [y], { shape: y.shape.filter((_, k) => k !== window.length + 1) })], dims: [0] };
  },
  lower(ctx, [x], { strides, dilation }, [out]) {
    const ndim = out!.shape.length;
    const half = ndim / 2;
    return [view(ctx.settle(x!), out!.shape, range(half).map((d) => ({ offset: 0, strides: range(ndim).map((k) => (k === d ? strides[d]! : k === d + half ? dilation[d]! : 0)) })))];
  },
});

/** Transpose of `windows`: adds every window element back to its place in an array of `shape`. */
export const overlapAdd: Primitive<WindowParams & { readonly shape: Shape }> = definePrimitive({
  name: "overlapAdd",
  linear: true,
  abstractEval([x], { shape, window, strides, dilation }) {
    requireDTypes("overlapAdd", [x!], "number");
    const expected = [...shape.map((n, d) => windowCount(n, window[d]!, strides[d]!, dilation[d]!)), ...window];
    if (expected.join() !== x!.shape.join()) throw new ShapeError({ fn: "overlapAdd", expected: formatShape(expected), got: formatShape(x!.shape), fix: "pass windows of an array of this shape" });
    return { ...x!, shape };
  },
  batch(n, [x], [d], { shape, window, strides, dilation }) {
    const front = moveBatch(x!, d!, 0);
    const withUnit = bind1(reshape, [front], { shape: [...front.shape.slice(0, shape.length + 1), 1, ...window] });
    return { outputs: [bind1(overlapAdd, [withUnit], { shape: at0(shape, n), window: at0(window, 1), strides: at0(strides, 1), dilation: at0(dilation, 1) })], dims: [0] };
  },
  lower(ctx, [x], { shape, window, strides, dilation }) {
    const n = shape.length;
    const positions = x!.shape.slice(0, n);
    if (window.every((w, d) => w === 1 || (w - 1) * dilation[d]! < strides[d]!)) return [placeWindows(ctx, x!, shape, strides, dilation)];
    // out[p] = sum over w of x[i, w] where i * stride + w * dilation = p: each element is read once.
    const axes = range(n).map((d) => ({ positions: shape[d]!, window: window[d]!, stride: 1, tap: -dilation[d]!, low: 0, dilation: strides[d]! }));
    return [sumMeetings(ctx, x!.dtype, [], [], axes, positions, (terms) =>
      guarded(view(x!, terms.dims, [...terms.source, ...terms.window]), terms.bounds, constant(x!.dtype, 0)))];
  },
});

/** Windows that do not overlap: each element has a place of its own, with zeros between. */
function placeWindows(ctx: Lowering, x: Lazy, shape: Shape, strides: readonly number[], dilation: readonly number[]): Lazy {
  const out = ctx.newBuffer(x.dtype, sizeOf(shape));
  const steps = contiguousStrides(shape);
  if (sizeOf(x.shape) !== sizeOf(shape)) ctx.write(view({ shape: [], dtype: x.dtype, expr: constant(x.dtype, 0) }, shape, []), out);
  ctx.write(x, out, { offset: 0, strides: [...steps.map((s, d) => s * strides[d]!), ...steps.map((s, d) => s * dilation[d]!)] });
  return fromBuffer(out, shape, x.dtype);
}

export const structuralPrimitives = { transpose, broadcast, reshape, slice, pad, reverse, concatenate, iota, unitVectors, windows, overlapAdd };
export { broadcast, reshape, transpose, toBatch };
