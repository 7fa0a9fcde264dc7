import { ArgumentError, lax, NDArray, np, ShapeError } from "@hessia/core";
import { type Initializer, ones, zeros } from "../functions/initializers.js";
import { Module, type ModuleOptions } from "../modules/module.js";
import type { LayerDTypes } from "./linear.js";
import { requireCount, requireFlag, requireInput } from "./options.js";

export interface NormOptions extends ModuleOptions, LayerDTypes {
  /** Added to the variance: keeps derivatives of constant inputs finite. */
  readonly epsilon?: number;
  readonly useScale?: boolean;
  readonly useBias?: boolean;
  readonly scaleInit?: Initializer;
  readonly biasInit?: Initializer;
}
type Axes = number | readonly number[];

const canonical = (axes: Axes, ndim: number, fn: string): number[] => (typeof axes === "number" ? [axes] : [...axes]).map((d) => {
  if (!Number.isInteger(d) || d < -ndim || d >= ndim) throw new ShapeError({ fn, arg: "x", expected: `an axis ${d}`, got: `${ndim} axes`, fix: "check the axes of the layer" });
  return d < 0 ? d + ndim : d;
}).sort((a, b) => a - b);

/** Ones of a shape but for some axes. */
const kept = (x: NDArray, axes: readonly number[]): number[] => x.shape.map((n, d) => (axes.includes(d) ? n : 1));

interface Stats { readonly mean: NDArray; readonly variance: NDArray }
/** Mean and variance in two passes, which keeps accuracy where the mean is large. */
function statistics(x: NDArray, axes: readonly number[], mask?: NDArray): Stats {
  const o = { keepdims: true, ...(mask ? { where: mask } : {}) };
  const mean = np.mean(x, axes, o);
  return { mean, variance: np.mean(np.square(np.subtract(x, mean)), axes, o) };
}

/** What all normalizing layers end with: scale and shift by learned vectors over the feature axes. */
abstract class Norm extends Module {
  constructor(readonly options: NormOptions) { super(options); }
  protected finish(x: NDArray, y: NDArray, features: readonly number[], useBias: boolean): NDArray {
    const o = this.options;
    const sizes = features.map((d) => x.shape[d]!);
    const spread = (v: NDArray): NDArray => np.reshape(v, kept(x, features));
    const scaled = (o.useScale ?? true) ? np.multiply(y, spread(this.param("scale", o.scaleInit ?? ones, sizes, o.paramDtype))) : y;
    const shifted = useBias ? np.add(scaled, spread(this.param("bias", o.biasInit ?? zeros, sizes, o.paramDtype))) : scaled;
    return o.dtype === undefined ? shifted : shifted.astype(o.dtype);
  }
}

export interface BatchNormOptions extends NormOptions {
  /** Feature axes (default -1): all others are averaged over. */
  readonly axis?: Axes;
  /** Weight of the past in the running statistics (default 0.99). */
  readonly momentum?: number;
  readonly useRunningAverage?: boolean;
}
export interface BatchNormCall {
  readonly useRunningAverage?: boolean;
  /** Positions that count in the statistics. */
  readonly mask?: NDArray;
}

/**
 * Batch normalization (Ioffe and Szegedy, arXiv:1502.03167): `(x - mean) / sqrt(var + epsilon) * scale + bias`, over all axes but
 * `axis`. With `useRunningAverage: false` mean and variance are the batch's and the running ones in the collection `batchStats` move
 * (`momentum` old + (1 - `momentum`) new), so `apply` needs `{ mutable: ["batchStats"] }`; with true the running ones are used.
 * The Hessian is exact: it contains the coupling of the examples of a batch through their statistics.
 * @throws ArgumentError without `useRunningAverage`, or when statistics must move and the collection is not mutable.
 * @example const [y, { batchStats }] = net.apply(variables, x, { mutable: ["batchStats"] });
 */
export class BatchNorm extends Norm {
  static readonly typeName: string = "BatchNorm";
  declare readonly options: BatchNormOptions;
  constructor(options: BatchNormOptions = {}) { super(options); }
  override call(x: NDArray, o: BatchNormCall = {}): NDArray {
    const a = requireInput(x, 1, "BatchNorm");
    const s = this.options;
    const running = requireFlag(s.useRunningAverage, o.useRunningAverage, "BatchNorm", "useRunningAverage");
    const features = canonical(s.axis ?? -1, a.ndim, "BatchNorm");
    const sizes = features.map((d) => a.shape[d]!);
    const dtype = s.paramDtype ?? "float32";
    const mean = this.variable("batchStats", "mean", () => np.zeros(sizes, { dtype }));
    const variance = this.variable("batchStats", "var", () => np.ones(sizes, { dtype }));
    const spread = (v: NDArray): NDArray => np.reshape(this.checked(v, sizes), kept(a, features));
    let stats: Stats;
    if (running) stats = { mean: spread(mean.value), variance: spread(variance.value) };
    else {
      stats = statistics(a, a.shape.map((_, d) => d).filter((d) => !features.includes(d)), o.mask);
      if (!this.isInitializing()) {
        const momentum = s.momentum ?? 0.99;
        const move = (old: NDArray, now: NDArray): NDArray => np.add(np.multiply(momentum, this.checked(old, sizes)), np.multiply(1 - momentum, np.reshape(now, sizes))).astype(old.dtype);
        mean.value = move(mean.value, stats.mean);
        variance.value = move(variance.value, stats.variance);
      }
    }
    const y = np.multiply(np.subtract(a, stats.mean), lax.rsqrt(np.add(stats.variance, s.epsilon ?? 1e-5)));
    return this.finish(a, y, features, s.useBias ?? true);
  }
  private checked(v: unknown, sizes: readonly number[]): NDArray {
    if (v instanceof NDArray && v.ndim === sizes.length && v.shape.every((n, d) => n === sizes[d])) return v;
    throw new ShapeError({ fn: "BatchNorm", arg: ["batchStats", ...this.path].join("."), expected: `statistics of shape [${sizes.join(",")}]`, got: v instanceof NDArray ? `[${v.shape.join(",")}]` : typeof v, fix: "use the batchStats that init returned for inputs of this size" });
  }
}

export interface LayerNormOptions extends NormOptions {
  /** Axes to average over (default -1). */
  readonly reductionAxes?: Axes;
  /** Axes of scale and bias (default -1). */
  readonly featureAxes?: Axes;
}
/**
 * Layer normalization (Ba et al., arXiv:1607.06450): every example on its own, over `reductionAxes`; epsilon 1e-6.
 * @example new nn.LayerNorm().call(x)
 */
export class LayerNorm extends Norm {
  static readonly typeName: string = "LayerNorm";
  declare readonly options: LayerNormOptions;
  constructor(options: LayerNormOptions = {}) { super(options); }
  override call(x: NDArray, o: { readonly mask?: NDArray } = {}): NDArray {
    const a = requireInput(x, 1, "LayerNorm");
    const s = this.options;
    const { mean, variance } = statistics(a, canonical(s.reductionAxes ?? -1, a.ndim, "LayerNorm"), o.mask);
    const y = np.multiply(np.subtract(a, mean), lax.rsqrt(np.add(variance, s.epsilon ?? 1e-6)));
    return this.finish(a, y, canonical(s.featureAxes ?? -1, a.ndim, "LayerNorm"), s.useBias ?? true);
  }
}

/** `x / sqrt(mean(x^2) + epsilon) * scale` over `reductionAxes` (Zhang and Sennrich, arXiv:1910.07467); epsilon 1e-6, no bias. */
export class RMSNorm extends Norm {
  static readonly typeName: string = "RMSNorm";
  declare readonly options: LayerNormOptions;
  constructor(options: Omit<LayerNormOptions, "useBias" | "biasInit"> = {}) { super(options); }
  override call(x: NDArray, o: { readonly mask?: NDArray } = {}): NDArray {
    const a = requireInput(x, 1, "RMSNorm");
    const s = this.options;
    const square = np.mean(np.square(a), canonical(s.reductionAxes ?? -1, a.ndim, "RMSNorm"), { keepdims: true, ...(o.mask ? { where: o.mask } : {}) });
    return this.finish(a, np.multiply(a, lax.rsqrt(np.add(square, s.epsilon ?? 1e-6))), canonical(s.featureAxes ?? -1, a.ndim, "RMSNorm"), false);
  }
}

export interface GroupNormOptions extends NormOptions {
  /** Number of groups of channels (default 32), or null to give `groupSize`. */
  readonly numGroups?: number | null;
  readonly groupSize?: number | null;
}
/**
 * Group normalization (Wu and He, arXiv:1803.08494) of [batch, ..., channels]: every example and group of neighbouring channels on
 * its own; epsilon 1e-6.
 * @throws ArgumentError unless just one of `numGroups` and `groupSize` is given and divides the channels.
 * @example new nn.GroupNorm({ numGroups: 4 }).call(images)
 */
export class GroupNorm extends Norm {
  static readonly typeName: string = "GroupNorm";
  declare readonly options: GroupNormOptions;
  constructor(options: GroupNormOptions = {}) { super(options); }
  override call(x: NDArray): NDArray {
    const a = requireInput(x, 2, "GroupNorm");
    const channels = a.shape.at(-1)!;
    const groups = this.groupsFor(channels);
    const parts = np.reshape(a, [...a.shape.slice(0, -1), groups, channels / groups]);
    const { mean, variance } = statistics(parts, parts.shape.map((_, d) => d).filter((d) => d !== 0 && d !== parts.ndim - 2));
    const y = np.multiply(np.subtract(parts, mean), lax.rsqrt(np.add(variance, this.options.epsilon ?? 1e-6)));
    return this.finish(a, np.reshape(y, a.shape), [a.ndim - 1], this.options.useBias ?? true);
  }
  private groupsFor(channels: number): number {
    const { numGroups, groupSize } = this.options;
    const bad = (got: string): ArgumentError => new ArgumentError({ fn: "GroupNorm", arg: "numGroups", expected: `numGroups or groupSize, the one or the other, dividing the ${channels} channels`, got, fix: "for example { numGroups: 4 } or { groupSize: 8, numGroups: null }" });
    if (groupSize !== undefined && groupSize !== null) {
      if (numGroups !== undefined && numGroups !== null) throw bad(`numGroups ${numGroups} and groupSize ${groupSize}`);
      if (channels % requireCount(groupSize, "GroupNorm", "groupSize") !== 0) throw bad(`groupSize ${groupSize}`);
      return channels / groupSize;
    }
    if (numGroups === null) throw bad("neither");
    const n = requireCount(numGroups ?? 32, "GroupNorm", "numGroups");
    if (channels % n !== 0) throw bad(`numGroups ${n}`);
    return n;
  }
}

/** `GroupNorm` with one channel a group (Ulyanov et al., arXiv:1607.08022). */
export class InstanceNorm extends Norm {
  static readonly typeName: string = "InstanceNorm";
  constructor(options: NormOptions = {}) { super(options); }
  override call(x: NDArray): NDArray {
    const a = requireInput(x, 3, "InstanceNorm");
    const { mean, variance } = statistics(a, a.shape.map((_, d) => d).slice(1, -1));
    const y = np.multiply(np.subtract(a, mean), lax.rsqrt(np.add(variance, this.options.epsilon ?? 1e-6)));
    return this.finish(a, y, [a.ndim - 1], this.options.useBias ?? true);
  }
}
