import type { NDArray } from "@hessia/core";
import { ArgumentError } from "@hessia/core";
import { bind1, type ConvParams, primitiveFamilies, reshapeTo, shape, transposeTo } from "@hessia/core/extend";
import { bilinear, type DerivativeRules } from "../derivative.js";
import { fill } from "../zero.js";

const { conv } = primitiveFamilies.convolution;
const { reverse } = primitiveFamilies.structural;
const { range } = shape;
const dilated = (n: number, d: number): number => (n === 0 ? 0 : (n - 1) * d + 1);
const swapFirst = (x: NDArray): NDArray => transposeTo(x, [1, 0, ...range(x.ndim - 2, 2)]);

function requireOneGrouping(p: ConvParams): void {
  if (p.groups > 1 && p.batchGroups > 1) throw new ArgumentError({ fn: "conv", arg: "groups", expected: "groups or batchGroups, not both, in a convolution that is differentiated", got: `${p.groups} and ${p.batchGroups}`, fix: "split the convolution" });
}

/**
 * Input cotangent: the output cotangent, spread by the strides, convolved with the flipped kernel whose channels are exchanged within
 * each group. Dumoulin and Visin 2016, "A guide to convolution arithmetic", section 4.
 */
function byInput(ct: NDArray, k: NDArray, x: NDArray["aval"], p: ConvParams): NDArray {
  requireOneGrouping(p);
  const spatial = x.shape.length - 2;
  if (ct.size === 0) return fill(x, 0);
  const groups = p.groups * p.batchGroups;
  const [out, channels] = [k.shape[0]!, k.shape[1]!];
  const window = k.shape.slice(2);
  // [groups, out / groups, channels, ...] -> [groups * channels, out / groups, ...]
  const grouped = transposeTo(reshapeTo(k, [groups, out / groups, channels, ...window]), [0, 2, 1, ...range(spatial, 3)]);
  const swapped = reshapeTo(grouped, [groups * channels, out / groups, ...window]);
  const flipped = bind1(reverse, [swapped], { axes: range(spatial, 2) });
  const low = range(spatial).map((d) => (window[d]! - 1) * p.kernelDilation[d]! - p.low[d]!);
  const high = range(spatial).map((d) => (x.shape[d + 2]! - 1) * p.inputDilation[d]! - low[d]! - dilated(ct.shape[d + 2]!, p.strides[d]!) + dilated(window[d]!, p.kernelDilation[d]!));
  const y = bind1(conv, [ct, flipped], { strides: p.inputDilation, low, high, inputDilation: p.strides, kernelDilation: p.kernelDilation, groups, batchGroups: 1 });
  if (p.batchGroups === 1) return y;
  // [batch / groups, groups * channels, ...] -> [batch, channels, ...]
  const split = reshapeTo(y, [y.shape[0]!, groups, channels, ...x.shape.slice(2)]);
  return reshapeTo(transposeTo(split, [1, 0, 2, ...range(spatial, 3)]), x.shape);
}

/** Kernel cotangent: the input convolved with the output cotangent, batch and channels exchanged; strides and kernel dilation change places. */
function byKernel(ct: NDArray, x: NDArray, k: NDArray["aval"], p: ConvParams): NDArray {
  requireOneGrouping(p);
  const spatial = x.ndim - 2;
  if (ct.size === 0) return fill(k, 0);
  const high = range(spatial).map((d) => (k.shape[d + 2]! - 1) * p.kernelDilation[d]! - p.low[d]! - dilated(x.shape[d + 2]!, p.inputDilation[d]!) + dilated(ct.shape[d + 2]!, p.strides[d]!));
  const y = bind1(conv, [swapFirst(x), swapFirst(ct)], { strides: p.kernelDilation, low: p.low, high, inputDilation: p.inputDilation, kernelDilation: p.strides, groups: p.batchGroups, batchGroups: p.groups });
  return swapFirst(y);
}

export const convolutionRules: DerivativeRules<typeof primitiveFamilies.convolution> = {
  conv: bilinear((ct, k, x, p) => byInput(ct, k, x.aval, p), (ct, x, k, p) => byKernel(ct, x, k.aval, p)),
};
