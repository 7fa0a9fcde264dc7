import { ArgumentError, lax, type NDArray, np, ShapeError } from "@hessia/core";
import { type Initializer, lecunNormal, zeros } from "../functions/initializers.js";
import { Module, type ModuleOptions } from "../modules/module.js";
import type { LayerDTypes } from "./linear.js";
import { inDType, requireCount, requireInput } from "./options.js";

/**
 * "SAME" keeps ceil(n / stride) positions, "VALID" pads nothing, "CAUSAL" (one spatial axis) pads before, "CIRCULAR" wraps around,
 * "REFLECT" mirrors without the edge; a number, or a number or pair [before, after] for each spatial axis, pads with zeros.
 */
export type ConvPadding = "SAME" | "VALID" | "CAUSAL" | "CIRCULAR" | "REFLECT" | number | readonly (number | readonly [number, number])[];

interface CommonConvOptions extends ModuleOptions, LayerDTypes {
  readonly strides?: number | readonly number[];
  readonly kernelDilation?: number | readonly number[];
  readonly useBias?: boolean;
  readonly kernelInit?: Initializer;
  readonly biasInit?: Initializer;
}
export interface ConvOptions extends CommonConvOptions {
  readonly padding?: ConvPadding;
  readonly inputDilation?: number | readonly number[];
  /** Groups of channels that do not see one another; as many as channels for a depthwise convolution. */
  readonly featureGroupCount?: number;
  /** Multiplied with the kernel, for convolutions in which some weights are fixed at 0. */
  readonly mask?: NDArray;
}
export interface ConvTransposeOptions extends CommonConvOptions {
  readonly padding?: "SAME" | "VALID" | readonly (readonly [number, number])[];
  /** Flips the kernel and swaps its channels, so that this is the derivative of a convolution with the same kernel. */
  readonly transposeKernel?: boolean;
}

const layouts: Record<number, readonly [string, string, string]> = { 1: ["NWC", "WIO", "NWC"], 2: ["NHWC", "HWIO", "NHWC"], 3: ["NDHWC", "DHWIO", "NDHWC"] };

function kernelSizes(kernelSize: number | readonly number[], fn: string): readonly number[] {
  const sizes = typeof kernelSize === "number" ? [kernelSize] : kernelSize;
  if (!Array.isArray(sizes) || sizes.length < 1 || sizes.length > 3) throw new ArgumentError({ fn, arg: "kernelSize", expected: "one to three sizes, one for each spatial axis", got: JSON.stringify(kernelSize) ?? String(kernelSize), fix: "write [3, 3]" });
  sizes.forEach((k) => requireCount(k, fn, "kernelSize"));
  return sizes;
}
function perAxis(value: number | readonly number[] | undefined, n: number, fn: string, arg: string): readonly number[] {
  const list = value === undefined ? Array.from({ length: n }, () => 1) : typeof value === "number" ? Array.from({ length: n }, () => value) : value;
  if (list.length !== n) throw new ArgumentError({ fn, arg, expected: `${n} numbers, one for each spatial axis`, got: JSON.stringify(value), fix: "give one number for all, or one each" });
  list.forEach((k) => requireCount(k, fn, arg));
  return list;
}

/** The input as [batch, ...spatial, channels]: other leading axes are flattened into the batch, and put back afterwards. */
function batched(x: NDArray, spatial: number, fn: string): { input: NDArray; restore: (y: NDArray) => NDArray } {
  const a = requireInput(x, spatial + 1, fn);
  const lead = a.shape.slice(0, a.ndim - spatial - 1);
  if (lead.length === 1) return { input: a, restore: (y) => y };
  const n = lead.reduce((p, k) => p * k, 1);
  return { input: np.reshape(a, [n, ...a.shape.slice(lead.length)]), restore: (y) => np.reshape(y, [...lead, ...y.shape.slice(1)]) };
}

/** Padding that a convolution does not know, done on the input; the rest as pairs. */
function padInput(x: NDArray, padding: ConvPadding, reach: readonly number[], fn: string): { input: NDArray; pairs: "SAME" | "VALID" | (readonly [number, number])[] } {
  if (padding === "SAME" || padding === "VALID") return { input: x, pairs: padding };
  if (padding === "CAUSAL") {
    if (reach.length !== 1) throw new ArgumentError({ fn, arg: "padding", expected: '"CAUSAL" with one spatial axis only', got: `${reach.length} spatial axes`, fix: "give pairs: [[k - 1, 0], ...]" });
    return { input: x, pairs: [[reach[0]! - 1, 0]] };
  }
  if (padding === "CIRCULAR" || padding === "REFLECT") {
    const pairs = reach.map((k) => [Math.floor((k - 1) / 2), Math.floor(k / 2)] as const);
    return { input: np.pad(x, [[0, 0], ...pairs, [0, 0]], padding === "CIRCULAR" ? "wrap" : "reflect"), pairs: "VALID" };
  }
  if (typeof padding === "string") throw new ArgumentError({ fn, arg: "padding", expected: '"SAME", "VALID", "CAUSAL", "CIRCULAR", "REFLECT", a number, or one number or pair for each spatial axis', got: JSON.stringify(padding), fix: "use one of these" });
  const each = typeof padding === "number" ? reach.map(() => padding) : padding;
  if (each.length !== reach.length) throw new ArgumentError({ fn, arg: "padding", expected: `${reach.length} numbers or pairs`, got: JSON.stringify(padding), fix: "give one for each spatial axis" });
  return { input: x, pairs: each.map((p) => (typeof p === "number" ? ([p, p] as const) : p)) };
}

/**
 * Convolution over one to three spatial axes, channels last: [batch, ...spatial, channels] -> [batch, ...positions, features]. Kernel
 * [...kernelSize, channels / groups, features] (HWIO). The batch axis may be missing, or several. Derivatives of every order.
 * @throws ShapeError when channels do not divide into the groups; ArgumentError for bad sizes and paddings.
 * @example new nn.Conv(32, [3, 3], { strides: 2 }).call(images) // [n, 28, 28, 1] -> [n, 14, 14, 32]
 */
export class Conv extends Module {
  static readonly typeName: string = "Conv";
  readonly kernelSize: readonly number[];
  constructor(readonly features: number, kernelSize: number | readonly number[], readonly options: ConvOptions = {}) {
    super(options);
    requireCount(features, new.target.name, "features");
    this.kernelSize = kernelSizes(kernelSize, new.target.name);
  }
  override call(x: NDArray): NDArray {
    const o = this.options;
    const n = this.kernelSize.length;
    const { input, restore } = batched(x, n, "Conv");
    const groups = requireCount(o.featureGroupCount ?? 1, "Conv", "featureGroupCount");
    const channels = input.shape.at(-1)!;
    if (channels % groups !== 0 || this.features % groups !== 0)
      throw new ShapeError({ fn: "Conv", arg: "featureGroupCount", expected: "a divisor of the input's channels and of the features", got: `${groups} groups for ${channels} channels and ${this.features} features`, fix: "change features or the groups" });
    const shape = [...this.kernelSize, channels / groups, this.features];
    const weights = this.param("kernel", o.kernelInit ?? lecunNormal(), shape, o.paramDtype);
    const kernel = o.mask ? np.multiply(weights, o.mask) : weights;
    const bias = (o.useBias ?? true) ? this.param("bias", o.biasInit ?? zeros, [this.features], o.paramDtype) : null;
    const [v, k, b] = inDType(o.dtype, input, kernel, bias);
    const rhsDilation = perAxis(o.kernelDilation, n, "Conv", "kernelDilation");
    const { input: padded, pairs } = padInput(v!, o.padding ?? "SAME", this.kernelSize.map((size, d) => (size - 1) * rhsDilation[d]! + 1), "Conv");
    const y = lax.convGeneralDilated(padded, k!, perAxis(o.strides, n, "Conv", "strides"), pairs, {
      lhsDilation: perAxis(o.inputDilation, n, "Conv", "inputDilation"), rhsDilation, dimensionNumbers: layouts[n]!, featureGroupCount: groups,
    });
    return restore(b ? np.add(y, b) : y);
  }
}

/**
 * Transposed convolution: spreads the input by the strides, then convolves. "SAME" gives `n * stride` positions, "VALID"
 * `n * stride + max(k - stride, 0)`. Kernel [...kernelSize, channels, features], or [..., features, channels] with `transposeKernel`.
 * @example new nn.ConvTranspose(16, [3, 3], { strides: [2, 2] }).call(x) // [n, 7, 7, c] -> [n, 14, 14, 16]
 */
export class ConvTranspose extends Module {
  static readonly typeName: string = "ConvTranspose";
  readonly kernelSize: readonly number[];
  constructor(readonly features: number, kernelSize: number | readonly number[], readonly options: ConvTransposeOptions = {}) {
    super(options);
    requireCount(features, new.target.name, "features");
    this.kernelSize = kernelSizes(kernelSize, new.target.name);
  }
  override call(x: NDArray): NDArray {
    const o = this.options;
    const n = this.kernelSize.length;
    const { input, restore } = batched(x, n, "ConvTranspose");
    const channels = input.shape.at(-1)!;
    const shape = o.transposeKernel ? [...this.kernelSize, this.features, channels] : [...this.kernelSize, channels, this.features];
    const kernel = this.param("kernel", o.kernelInit ?? lecunNormal(), shape, o.paramDtype);
    const bias = (o.useBias ?? true) ? this.param("bias", o.biasInit ?? zeros, [this.features], o.paramDtype) : null;
    const [v, k, b] = inDType(o.dtype, input, kernel, bias);
    const y = lax.convTranspose(v!, k!, perAxis(o.strides, n, "ConvTranspose", "strides"), o.padding ?? "SAME", {
      rhsDilation: perAxis(o.kernelDilation, n, "ConvTranspose", "kernelDilation"), dimensionNumbers: layouts[n]!, transposeKernel: o.transposeKernel ?? false,
    });
    return restore(b ? np.add(y, b) : y);
  }
}
