import type { NDArray } from "../array/ndarray.js";
import { scalar } from "../array/concrete.js";
import { ShapeError } from "../base/errors.js";
import { formatShape, range, type Shape } from "../base/shape.js";
import { type Aval, formatAval } from "../ir/aval.js";
import type { Primitive } from "../ir/primitive.js";
import { type Affine, binary, constant } from "../kernel/expr.js";
import { axisIndex, fromBuffer, guarded, view } from "../lower/lazy.js";
import { definePrimitive } from "../trace/define.js";
import { bind1 } from "../trace/trace.js";
import { moveBatch } from "./batch-axes.js";
import { requireSame } from "./elementwise.js";
import { sumMeetings } from "./phases.js";
import { concatenate, slice } from "./structural.js";
import { broadcastTo, reshapeTo } from "./structural-ops.js";

/**
 * Cross-correlation in the layout [batch, channels, ...spatial] by [out channels, channels / groups, ...spatial]:
 * `y[b, o, p] = sum_{c, w} x[b, g(o) c, (p * strides + w * kernelDilation - low) / inputDilation] k[o, c, w]`, where the input counts
 * only at whole positions. Other layouts are transposed above. `batchGroups` splits the batch instead (gradients of grouped kernels need it).
 */
export interface ConvParams {
  readonly strides: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly inputDilation: readonly number[];
  readonly kernelDilation: readonly number[];
  readonly groups: number;
  readonly batchGroups: number;
}

const dilated = (n: number, d: number) => (n === 0 ? 0 : (n - 1) * d + 1);

export function convShape(x: Aval, k: Aval, p: ConvParams): Shape {
  const spatial = x.shape.length - 2;
  if (spatial < 0 || k.shape.length !== spatial + 2 || [p.strides, p.low, p.high, p.inputDilation, p.kernelDilation].some((a) => a.length !== spatial))
    throw new ShapeError({ fn: "conv", arg: "kernel", expected: `as many axes as the input ${formatAval(x)}, and parameters for each of its ${Math.max(spatial, 0)} spatial axes`, got: formatAval(k), fix: "input [batch, channels, ...spatial], kernel [out, channels / groups, ...spatial]" });
  if (x.shape[1] !== k.shape[1]! * p.groups || k.shape[0]! % p.groups !== 0 || x.shape[0]! % p.batchGroups !== 0 || k.shape[0]! % p.batchGroups !== 0)
    throw new ShapeError({ fn: "conv", arg: "kernel", expected: `${x.shape[1]! / p.groups} input channels an output, and output channels divisible by the ${p.groups * p.batchGroups} groups`, got: formatShape(k.shape), fix: "make the channels agree, or set groups" });
  const out = range(spatial).map((d) => Math.floor((p.low[d]! + p.high[d]! + dilated(x.shape[d + 2]!, p.inputDilation[d]!) - dilated(k.shape[d + 2]!, p.kernelDilation[d]!)) / p.strides[d]!) + 1);
  return [x.shape[0]! / p.batchGroups, k.shape[0]!, ...out.map((n) => Math.max(0, n))];
}

export const conv: Primitive<ConvParams> = definePrimitive({
  name: "conv",
  abstractEval([x, k], params) {
    requireSame("conv", [{ ...x!, shape: [] }, { ...k!, shape: [] }]);
    return { shape: convShape(x!, k!, params), dtype: x!.dtype, weak: x!.weak && k!.weak };
  },
  batch(n, [x, k], [dx, dk], params) {
    if (dk === null && params.batchGroups === 1) {
      const front = moveBatch(x!, dx!, 0);
      const y = bind1(conv, [reshapeTo(front, [n * front.shape[1]!, ...front.shape.slice(2)]), k!], params);
      return { outputs: [reshapeTo(y, [n, y.shape[0]! / n, ...y.shape.slice(1)])], dims: [0] };
    }
    if (dx === null && params.groups === 1 && params.batchGroups === 1) {
      const front = moveBatch(k!, dk!, 0);
      const y = bind1(conv, [x!, reshapeTo(front, [n * front.shape[1]!, ...front.shape.slice(2)])], params);
      return { outputs: [reshapeTo(y, [y.shape[0]!, n, y.shape[1]! / n, ...y.shape.slice(2)])], dims: [1] };
    }
    return convEachExample(n, x!, k!, dx!, dk!, params);
  },
  lower(ctx, [x, k], p, [out]) {
    const spatial = x!.shape.length - 2;
    const [batch, channels] = [out!.shape[0]!, k!.shape[1]!];
    const outPerGroup = k!.shape[0]! / (p.groups * p.batchGroups);
    const groups = p.groups * p.batchGroups;
    const source = ctx.settle(x!);
    const taps = ctx.settle(k!);
    const axes = range(spatial).map((d) => ({ positions: out!.shape[d + 2]!, window: k!.shape[d + 2]!, stride: p.strides[d]!, tap: p.kernelDilation[d]!, low: p.low[d]!, dilation: p.inputDilation[d]! }));
    const y = sumMeetings(ctx, x!.dtype, [batch, groups, outPerGroup], [channels], axes, x!.shape.slice(2), ({ dims, window, source: place, bounds }) => {
      const ndim = dims.length;
      const channel = 3 + 2 * spatial;
      const affine = (...entries: (readonly [number, number])[]): Affine => ({ offset: 0, strides: range(ndim).map((d) => entries.find(([e]) => e === d)?.[1] ?? 0) });
      const batchIndex = p.batchGroups > 1 ? affine([0, 1], [1, batch]) : axisIndex(ndim, 0);
      const channelIndex = p.groups > 1 ? affine([1, channels], [channel, 1]) : axisIndex(ndim, channel);
      const input = guarded({ ...view(source, dims, [batchIndex, channelIndex, ...place]), shape: dims }, bounds, constant(x!.dtype, 0));
      const kernel = view(taps, dims, [affine([1, outPerGroup], [2, 1]), axisIndex(ndim, channel), ...window]);
      return { shape: dims, dtype: x!.dtype, expr: binary("mul", input.expr, kernel.expr) };
    });
    return [fromBuffer(ctx.buffer(y), out!.shape, out!.dtype)];
  },
});


/** Both operands batched: the examples become groups where the convolution has none, else one convolution an example. */
function convEachExample(n: number, x: NDArray, k: NDArray, dx: number | null, dk: number | null, params: ConvParams): { outputs: NDArray[]; dims: number[] } {
  if (dx !== null && dk !== null && params.batchGroups === 1) {
    // [n, b, c, ...] -> [b, n * c, ...]; [n, o, c/g, ...] -> [n * o, c/g, ...]; groups n * g.
    const xs = moveBatch(x, dx, 1);
    const ks = moveBatch(k, dk, 0);
    const y = bind1(conv, [reshapeTo(xs, [xs.shape[0]!, n * xs.shape[2]!, ...xs.shape.slice(3)]), reshapeTo(ks, [n * ks.shape[1]!, ...ks.shape.slice(2)])], { ...params, groups: n * params.groups });
    return { outputs: [reshapeTo(y, [y.shape[0]!, n, y.shape[1]! / n, ...y.shape.slice(2)])], dims: [1] };
  }
  const example = (v: NDArray, d: number | null, i: number) => {
    if (d === null) return v;
    const front = moveBatch(v, d, 0);
    return reshapeTo(bind1(slice, [front], { start: front.shape.map((_, a) => (a === 0 ? i : 0)), limit: front.shape.map((m, a) => (a === 0 ? i + 1 : m)), strides: front.shape.map(() => 1) }), front.shape.slice(1));
  };
  if (n === 0) {
    const one = (v: NDArray, d: number | null) => (d === null ? v.aval : { ...v.aval, shape: v.shape.filter((_, a) => a !== d) });
    const [y] = conv.abstractEval([one(x, dx), one(k, dk)], params);
    return { outputs: [broadcastTo(scalar(0, y!.dtype, y!.weak), [0, ...y!.shape], [])], dims: [0] };
  }
  const ys = range(n).map((i) => {
    const y = bind1(conv, [example(x, dx, i), example(k, dk, i)], params);
    return reshapeTo(y, [1, ...y.shape]);
  });
  return { outputs: [bind1(concatenate, ys, { axis: 0 })], dims: [0] };
}
export const convolutionPrimitives = { conv };
