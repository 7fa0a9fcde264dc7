import type { ArrayLike, NDArray } from "../array/ndarray.js";
import type { DType } from "../base/dtype.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { formatShape, range } from "../base/shape.js";
import { promoteOperands } from "../numpy/convert.js";
import { conv as convPrimitive } from "../primitives/convolution.js";
import { transposeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { dilatedSize, type Padding, perAxis, resolvePadding } from "./padding.js";
import { rev, transpose } from "./structure.js";

/** Layouts of input, kernel and result: N batch, C channels, I and O the kernel's channels, other letters spatial, as in `["NHWC", "HWIO", "NHWC"]`. */
export type ConvLayout = readonly [input: string, kernel: string, output: string];

/** For each layout the places of batch (O), channels (I) and of the spatial axes in the kernel's order. */
export interface ConvDimensionNumbers {
  readonly lhsSpec: readonly number[];
  readonly rhsSpec: readonly number[];
  readonly outSpec: readonly number[];
}

/**
 * Reads layout strings.
 * @throws ArgumentError when a letter is missing, doubled or not in all three.
 */
export function convDimensionNumbers(lhsShape: readonly number[], rhsShape: readonly number[], layout?: ConvLayout | null): ConvDimensionNumbers {
  const n = lhsShape.length;
  const fail = (expected: string, got: string) => new ArgumentError({ fn: "convDimensionNumbers", arg: "layout", expected, got, fix: 'for example ["NHWC", "HWIO", "NHWC"]' });
  if (rhsShape.length !== n || n < 2) throw new ShapeError({ fn: "convDimensionNumbers", arg: "rhs", expected: `${n} axes, as the input ${formatShape(lhsShape)}`, got: formatShape(rhsShape), fix: "give input and kernel equally many axes" });
  if (!layout) return { lhsSpec: range(n), rhsSpec: range(n), outSpec: range(n) };
  const [lhs, rhs, out] = layout;
  const spatial = (spec: string, special: string) => [...spec].filter((c) => !special.includes(c));
  const axes = (spec: string, special: string): number[] => {
    const letters = [...spec];
    if (letters.length !== n || new Set(letters).size !== n || ![...special].every((c) => letters.includes(c))) throw fail(`${n} different letters with ${[...special].join(" and ")}`, spec);
    const order = spatial(rhs, "OI");
    const mine = spatial(spec, special);
    if (mine.length !== order.length || mine.some((c) => !order.includes(c))) throw fail(`the spatial letters ${order.join("")} of the kernel in every layout`, spec);
    return [...special, ...order].map((c) => letters.indexOf(c));
  };
  return { lhsSpec: axes(lhs, "NC"), rhsSpec: axes(rhs, "OI"), outSpec: axes(out, "NC") };
}

export interface ConvOptions {
  /** Spacing of the input's elements, with zeros between them: the convolution is then a transposed one. */
  readonly lhsDilation?: number | readonly number[];
  /** Spacing of the kernel's elements. */
  readonly rhsDilation?: number | readonly number[];
  /** Layouts; `["NCHW", "OIHW", "NCHW"]` in spirit when not given: batch, channels, spatial axes. */
  readonly dimensionNumbers?: ConvLayout | ConvDimensionNumbers | null;
  /** The channels fall into this many groups that do not see one another. */
  readonly featureGroupCount?: number;
  /** The batch falls into this many groups, each with its own output channels. */
  readonly batchGroupCount?: number;
  /** Operands are converted to this dtype first. */
  readonly preferredElementType?: DType;
}

/**
 * Convolution as neural networks mean it (cross-correlation) in any number of dimensions:
 * `y[b, o, p] = sum_{c, w} x[b, c, p * stride + w * rhsDilation - low] k[o, c, w]`, with the axes as `dimensionNumbers` says.
 * Semantics of XLA's `Convolution`.
 * @throws ShapeError when the channels do not fit; ArgumentError for bad layouts, strides or padding.
 * @example lax.convGeneralDilated(images, kernel, [2, 2], "SAME", { dimensionNumbers: ["NHWC", "HWIO", "NHWC"] })
 */
export function convGeneralDilated(lhs: ArrayLike, rhs: ArrayLike, windowStrides: readonly number[], padding: Padding, o: ConvOptions = {}): NDArray {
  const fn = "convGeneralDilated";
  const [x, k] = promoteOperands([lhs, rhs], fn, ["lhs", "rhs"]).map((v) => (o.preferredElementType ? convertTo(v, o.preferredElementType) : v));
  const numbers = o.dimensionNumbers;
  const { lhsSpec, rhsSpec, outSpec } = numbers && "lhsSpec" in numbers ? numbers : convDimensionNumbers(x!.shape, k!.shape, numbers);
  const spatial = x!.ndim - 2;
  const input = transposeTo(x!, lhsSpec);
  const kernel = transposeTo(k!, rhsSpec);
  const strides = perAxis(windowStrides, spatial, fn, "windowStrides");
  const inputDilation = perAxis(o.lhsDilation, spatial, fn, "lhsDilation");
  const kernelDilation = perAxis(o.rhsDilation, spatial, fn, "rhsDilation");
  if (typeof padding === "string" && inputDilation.some((d) => d > 1)) throw new ArgumentError({ fn, arg: "padding", expected: "pairs where lhsDilation is used", got: padding, fix: "use convTranspose, or give [low, high] pairs" });
  const pairs = resolvePadding(padding, input.shape.slice(2), kernel.shape.slice(2).map((n, d) => dilatedSize(n, kernelDilation[d]!)), strides, fn);
  const groups = positive(o.featureGroupCount, fn, "featureGroupCount");
  const batchGroups = positive(o.batchGroupCount, fn, "batchGroupCount");
  if (groups > 1 && batchGroups > 1) throw new ArgumentError({ fn, arg: "batchGroupCount", expected: "groups of features or of the batch, not both", got: `${groups} and ${batchGroups}`, fix: "set one of them to 1" });
  const y = bind1(convPrimitive, [input, kernel], { strides, low: pairs.map((p) => p[0]), high: pairs.map((p) => p[1]), inputDilation, kernelDilation, groups, batchGroups });
  return transposeTo(y, range(y.ndim).map((d) => outSpec.indexOf(d)));
}
function positive(n: number | undefined, fn: string, arg: string): number {
  if (n === undefined) return 1;
  if (!Number.isInteger(n) || n < 1) throw new ArgumentError({ fn, arg, expected: "a positive integer", got: String(n), fix: "use 1 for no groups" });
  return n;
}

/** Convolution in the layout [batch, channels, ...spatial] by [out, channels, ...spatial], without dilation. */
export const conv = (lhs: ArrayLike, rhs: ArrayLike, windowStrides: readonly number[], padding: Padding): NDArray => convGeneralDilated(lhs, rhs, windowStrides, padding);

/** As `conv`, with dilations. */
export const convWithGeneralPadding = (lhs: ArrayLike, rhs: ArrayLike, windowStrides: readonly number[], padding: Padding, lhsDilation?: readonly number[], rhsDilation?: readonly number[]): NDArray =>
  convGeneralDilated(lhs, rhs, windowStrides, padding, { ...(lhsDilation && { lhsDilation }), ...(rhsDilation && { rhsDilation }) });

export interface ConvTransposeOptions {
  readonly rhsDilation?: number | readonly number[];
  /** Channels last when not given: `["NHWC", "HWIO", "NHWC"]` and its kin. */
  readonly dimensionNumbers?: ConvLayout | null;
  /** Flips the kernel and swaps its channels: then this is the derivative of the convolution with the same kernel. */
  readonly transposeKernel?: boolean;
  readonly preferredElementType?: DType;
}
const channelsLast: Record<number, ConvLayout> = { 3: ["NHC", "HIO", "NHC"], 4: ["NHWC", "HWIO", "NHWC"], 5: ["NHWDC", "HWDIO", "NHWDC"] };

/**
 * Transposed ("fractionally strided") convolution: the input is spread by the strides, then convolved. `"SAME"` gives `n * stride`
 * positions, `"VALID"` `n * stride + max(k - stride, 0)`.
 */
export function convTranspose(lhs: ArrayLike, rhs: ArrayLike, strides: readonly number[], padding: Padding, o: ConvTransposeOptions = {}): NDArray {
  const fn = "convTranspose";
  const [x, k0] = promoteOperands([lhs, rhs], fn, ["lhs", "rhs"]);
  const layout = o.dimensionNumbers ?? channelsLast[x!.ndim];
  if (!layout) throw new ArgumentError({ fn, arg: "dimensionNumbers", expected: "a layout for this number of axes", got: `${x!.ndim} axes and none`, fix: "give dimensionNumbers" });
  const numbers = convDimensionNumbers(x!.shape, k0!.shape, layout);
  const spatial = numbers.rhsSpec.slice(2);
  const steps = perAxis(strides, spatial.length, fn, "strides");
  const rhsDilation = perAxis(o.rhsDilation, spatial.length, fn, "rhsDilation");
  const sizes = spatial.map((d, i) => dilatedSize(k0!.shape[d]!, rhsDilation[i]!));
  const pairs = padding === "SAME" || padding === "VALID" ? sizes.map((k, i) => transposePadding(k, steps[i]!, padding)) : padding;
  const [out, into] = numbers.rhsSpec as [number, number];
  const k = o.transposeKernel ? transpose(rev(k0!, spatial), range(k0!.ndim).map((d) => (d === out ? into : d === into ? out : d))) : k0!;
  return convGeneralDilated(x!, k, steps.map(() => 1), pairs, { lhsDilation: steps, rhsDilation, dimensionNumbers: numbers, ...(o.preferredElementType && { preferredElementType: o.preferredElementType }) });
}
function transposePadding(k: number, stride: number, padding: "SAME" | "VALID"): [number, number] {
  const total = k + stride - 2 + (padding === "VALID" ? Math.max(k - stride, 0) : 0);
  const low = padding === "VALID" || stride > k - 1 ? k - 1 : Math.ceil(total / 2);
  return [low, total - low];
}
