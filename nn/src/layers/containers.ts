import { ArgumentError, type NDArray, np } from "@hessia/core";
import { relu } from "../functions/activations.js";
import type { Initializer } from "../functions/initializers.js";
import { Module, type ModuleOptions } from "../modules/module.js";
import { Linear } from "./linear.js";
import { drop, requireFlag, requireInput } from "./options.js";

export interface DropoutOptions extends ModuleOptions {
  /** Axes along which one draw holds for all elements. */
  readonly broadcastDims?: readonly number[];
  /** True switches it off; may also be given in the call. */
  readonly deterministic?: boolean;
  /** The stream of random keys (default "dropout"). */
  readonly rngCollection?: string;
}
export interface DropoutCall {
  readonly deterministic?: boolean;
  /** A key to use instead of the stream's. */
  readonly rng?: NDArray;
}
const requireRate = (rate: unknown, fn: string): number => {
  if (typeof rate === "number" && rate >= 0 && rate <= 1) return rate;
  throw new ArgumentError({ fn, arg: "rate", expected: "a probability from 0 to 1", got: String(rate), fix: "0.5 drops half of the elements" });
};

/** `x` with each element set to 0 with probability `rate` and the others divided by 1 - rate. @example nn.dropout(key, 0.5, x) */
export const dropout = (key: NDArray, rate: number, x: NDArray, o: { readonly broadcastDims?: readonly number[] } = {}): NDArray => drop(() => key, requireRate(rate, "dropout"), x, o.broadcastDims ?? []);

/**
 * Inverted dropout (Srivastava et al. 2014): keeps each element with probability 1 - rate, and divides by it. Whether it is on is said
 * explicitly, by `deterministic`; the key comes from the stream "dropout". Rates 0 and 1 are exact and need no key.
 * @throws ArgumentError for rates outside [0, 1], without `deterministic`, or without a key.
 * @example net.apply(variables, x, { train: true }, { rngs: { dropout: key } }) // and in call: new nn.Dropout(0.5).call(x, { deterministic: !train })
 */
export class Dropout extends Module {
  static readonly typeName: string = "Dropout";
  constructor(readonly rate: number, readonly options: DropoutOptions = {}) {
    super(options);
    requireRate(rate, new.target.name);
  }
  override call(x: NDArray, o: DropoutCall = {}): NDArray {
    const deterministic = requireFlag(this.options.deterministic, o.deterministic, "Dropout", "deterministic");
    const a = requireInput(x, 0, "Dropout");
    if (deterministic) return a;
    return drop(() => o.rng ?? this.makeRng(this.options.rngCollection ?? "dropout"), this.rate, a, this.options.broadcastDims ?? []);
  }
}

/** A module, or a plain function such as an activation. */
export type Layer = Module | ((x: NDArray) => NDArray);

/**
 * One layer after the other. The first gets all inputs, the others the result before; functions and modules mix.
 * @throws ArgumentError for members that are neither.
 * @example new nn.Sequential([new nn.Dense(32), nn.relu, new nn.Dense(10)])
 */
export class Sequential extends Module {
  static readonly typeName: string = "Sequential";
  readonly layers: readonly Layer[];
  constructor(layers: readonly Layer[], options: ModuleOptions = {}) {
    super(options);
    if (!Array.isArray(layers) || layers.some((l) => typeof l !== "function" && !(l instanceof Module)))
      throw new ArgumentError({ fn: "Sequential", arg: "layers", expected: "an array of modules and functions", got: Array.isArray(layers) ? layers.map((l: unknown) => (l instanceof Module ? "module" : typeof l)).join(", ") : typeof layers, fix: "new Sequential([new Dense(32), relu])" });
    this.layers = layers;
  }
  override call(...inputs: readonly unknown[]): NDArray {
    return this.layers.reduce<readonly unknown[]>((xs, layer) => [layer instanceof Module ? (layer.call(...xs) as unknown) : (layer as (...xs: readonly unknown[]) => unknown)(...xs)], inputs)[0] as NDArray;
  }
}

/** All axes but the first in one: [n, ...] -> [n, size]. */
export class Flatten extends Module {
  static readonly typeName: string = "Flatten";
  override call(x: NDArray): NDArray {
    const a = requireInput(x, 1, "Flatten");
    return np.reshape(a, [a.shape[0]!, a.shape.slice(1).reduce((p, n) => p * n, 1)]);
  }
}

/** Another shape for each example: [n, ...] -> [n, ...shape]; one size may be -1. */
export class Reshape extends Module {
  static readonly typeName: string = "Reshape";
  constructor(readonly shape: readonly number[], options: ModuleOptions = {}) { super(options); }
  override call(x: NDArray): NDArray {
    const a = requireInput(x, 1, "Reshape");
    return np.reshape(a, [a.shape[0]!, ...this.shape]);
  }
}

/** Gives its input back. */
export class Identity extends Module {
  static readonly typeName: string = "Identity";
  override call<T>(x: T): T { return x; }
}

/** `x` for x >= 0, else `negativeSlope x` with a learned slope, 0.01 at first (He et al., arXiv:1502.01852). */
export class PReLU extends Module {
  static readonly typeName: string = "PReLU";
  constructor(readonly options: ModuleOptions & { readonly negativeSlopeInit?: number } = {}) { super(options); }
  override call(x: NDArray): NDArray {
    const a = requireInput(x, 0, "PReLU");
    const slope = this.param("negativeSlope", (_key, _shape, dtype = "float32") => np.full([], this.options.negativeSlopeInit ?? 0.01, { dtype }), []);
    return np.where(np.greaterEqual(a, 0), a, np.multiply(slope, a));
  }
}

export interface MLPOptions extends ModuleOptions {
  /** Between the layers (default relu). */
  readonly activation?: (x: NDArray) => NDArray;
  /** Also after the last layer. */
  readonly activateFinal?: boolean;
  /** Rate of dropout before every layer but the first; then `deterministic` must be given in the call. */
  readonly dropoutRate?: number;
  readonly useBias?: boolean;
  readonly kernelInit?: Initializer;
  readonly biasInit?: Initializer;
}
/**
 * Multilayer perceptron: `Linear` layers of the given widths, `linear_0, linear_1, ...`, with an activation between them.
 * @example new nn.MLP([300, 100, 10], { activation: nn.tanh })
 */
export class MLP extends Module {
  static readonly typeName: string = "MLP";
  readonly layers: readonly Linear[];
  constructor(readonly sizes: readonly number[], readonly options: MLPOptions = {}) {
    super(options);
    if (!Array.isArray(sizes) || sizes.length === 0) throw new ArgumentError({ fn: "MLP", arg: "sizes", expected: "an array of widths", got: JSON.stringify(sizes) ?? String(sizes), fix: "new MLP([32, 10])" });
    const { useBias, kernelInit, biasInit, dropoutRate } = options;
    if (dropoutRate !== undefined) requireRate(dropoutRate, "MLP");
    this.layers = sizes.map((n, i) => new Linear(n, { name: `linear_${i}`, ...(useBias !== undefined && { useBias }), ...(kernelInit && { kernelInit }), ...(biasInit && { biasInit }) }));
  }
  override call(x: NDArray, o: DropoutCall = {}): NDArray {
    const { activation = relu, activateFinal = false, dropoutRate } = this.options;
    const last = this.layers.length - 1;
    return this.layers.reduce((h, layer, i) => {
      const y = layer.call(h);
      if (i === last) return activateFinal ? activation(y) : y;
      const active = activation(y);
      if (dropoutRate === undefined) return active;
      return requireFlag(undefined, o.deterministic, "MLP", "deterministic") ? active : drop(() => o.rng ?? this.makeRng("dropout"), dropoutRate, active, []);
    }, requireInput(x, 1, "MLP"));
  }
}
