import { ArgumentError, evalShape, type NDArray, np, random, type Shape, ShapeDtype } from "@hessia/core";
import * as act from "./functions/activations.js";
import type { Initializer } from "./functions/initializers.js";
import { logSoftmax, softmax } from "./functions/normalizing.js";
import { dropout } from "./layers/containers.js";
import { Conv as ConvModule, type ConvPadding } from "./layers/conv.js";
import { Dense as DenseModule } from "./layers/linear.js";
import { avgPool, maxPool, type PoolOptions } from "./layers/pooling.js";
import type { Module } from "./modules/module.js";
import type { VariableTree } from "./modules/variables.js";

/**
 * Networks as pairs of pure functions, in the manner of Stax: `init(key, inputShape)` gives the shape of the result and the parameters,
 * `apply(params, x, { key })` computes. Combinators put pairs together. Shapes carry the batch axis; any number does, such as 1.
 */

/** A shape, or one for each branch. */
export type StaxShape = Shape | readonly StaxShape[];
/** Parameters: arrays by name, or a list with an entry for each part. */
export type StaxParams = VariableTree | readonly unknown[];
/** An array, or one for each branch. */
export type StaxValue = NDArray | readonly StaxValue[];
export interface StaxApplyOptions {
  /** For layers that draw at random (Dropout). */
  readonly key?: NDArray | undefined;
}
export type StaxInit = (key: NDArray, inputShape: StaxShape) => readonly [outputShape: StaxShape, params: StaxParams];
export type StaxApply = (params: StaxParams, inputs: StaxValue, options?: StaxApplyOptions) => StaxValue;
export type StaxLayer = readonly [init: StaxInit, apply: StaxApply];

const isShape = (s: StaxShape): s is Shape => (s as readonly unknown[]).every((n) => typeof n === "number");
function requireShape(s: StaxShape, fn: string): Shape {
  if (isShape(s)) return s;
  throw new ArgumentError({ fn, arg: "inputShape", expected: "one shape", got: JSON.stringify(s), fix: "join the branches with FanInSum or FanInConcat first" });
}
function requireBranches<T>(s: T | readonly T[], fn: string, n?: number): readonly T[] {
  if (Array.isArray(s) && s.every((b) => typeof b === "object") && (n === undefined || s.length === n)) return s as readonly T[];
  throw new ArgumentError({ fn, arg: "inputs", expected: n === undefined ? "a list of branches" : `a list of ${n} branches`, got: Array.isArray(s) ? `${s.length} of them` : "one", fix: "make branches with FanOut(n)" });
}
const one = (x: StaxValue): NDArray => x as NDArray;
const keysFor = (key: NDArray | undefined, n: number): (NDArray | undefined)[] => (key === undefined ? Array.from({ length: n }, () => undefined) : [...random.split(key, n)]);

/** A module as such a pair. Its collections other than `params` are not carried along. @example stax.fromModule(new nn.LayerNorm()) */
export function fromModule(module: Module): StaxLayer {
  return [
    (key, inputShape) => {
      const input = new ShapeDtype(requireShape(inputShape, module.constructor.name), "float32");
      const variables = module.init(key, input);
      const output = evalShape((x: NDArray) => module.apply(variables, x) as NDArray, input) as unknown as ShapeDtype;
      return [output.shape, variables["params"] ?? {}];
    },
    (params, inputs, o = {}) => module.apply({ params: params as VariableTree }, one(inputs), { rngs: o.key ? { dropout: o.key } : {} }) as NDArray,
  ];
}

/** A layer without parameters that works on each element, or keeps to `f`'s own shapes. @example stax.elementwise(np.tanh) */
export function elementwise(f: (x: NDArray) => NDArray): StaxLayer {
  return [
    (_key, inputShape) => [(evalShape(f as (...args: never) => unknown, new ShapeDtype(requireShape(inputShape, "elementwise"), "float32")) as unknown as ShapeDtype).shape, {}],
    (_params, x) => f(one(x)),
  ];
}

export interface StaxInitializers { readonly kernelInit?: Initializer; readonly biasInit?: Initializer }
/** Affine map of the last axis to `features` outputs. */
export const Dense = (features: number, o: StaxInitializers = {}): StaxLayer => fromModule(new DenseModule(features, o));
/** Convolution, channels last. */
export const Conv = (features: number, kernelSize: readonly number[], strides: number | readonly number[] = 1, padding: ConvPadding = "VALID", o: StaxInitializers = {}): StaxLayer => fromModule(new ConvModule(features, kernelSize, { strides, padding, ...o }));
export const MaxPool = (window: readonly number[], o: PoolOptions = {}): StaxLayer => elementwise((x) => maxPool(x, window, o));
export const AvgPool = (window: readonly number[], o: PoolOptions = {}): StaxLayer => elementwise((x) => avgPool(x, window, o));
export const SumPool = (window: readonly number[], o: PoolOptions = {}): StaxLayer => elementwise((x) => avgPool(x, window, o).mul(window.reduce((p, n) => p * n, 1)));

export const Relu: StaxLayer = elementwise(act.relu);
export const Tanh: StaxLayer = elementwise(act.tanh);
export const Sigmoid: StaxLayer = elementwise(act.sigmoid);
export const Softplus: StaxLayer = elementwise(act.softplus);
export const Elu: StaxLayer = elementwise((x) => act.elu(x));
export const LeakyRelu: StaxLayer = elementwise((x) => act.leakyRelu(x));
export const Selu: StaxLayer = elementwise(act.selu);
export const Gelu: StaxLayer = elementwise((x) => act.gelu(x));
export const Exp: StaxLayer = elementwise((x) => np.exp(x));
export const Softmax: StaxLayer = elementwise((x) => softmax(x));
export const LogSoftmax: StaxLayer = elementwise((x) => logSoftmax(x));
export const Identity: StaxLayer = [(_key, shape) => [shape, {}], (_params, x) => x];
/** All axes but the first in one. */
export const Flatten: StaxLayer = elementwise((x) => np.reshape(x, [x.shape[0]!, x.shape.slice(1).reduce((p, n) => p * n, 1)]));

/** Keeps elements with probability `keep` (as Stax: not the rate dropped); needs a key in apply. `mode: "test"` switches it off. */
export function Dropout(keep: number, mode: "train" | "test" = "train"): StaxLayer {
  return [
    (_key, shape) => [shape, {}],
    (_params, x, o = {}) => {
      if (mode === "test") return x;
      if (!o.key) throw new ArgumentError({ fn: "stax.Dropout", arg: "key", expected: "a random key", got: "none", fix: "apply(params, x, { key })" });
      return dropout(o.key, 1 - keep, one(x));
    },
  ];
}

/** The input n times, for `parallel`. */
export const FanOut = (n: number): StaxLayer => [(_key, shape) => [Array.from({ length: n }, () => shape), {}], (_params, x) => Array.from({ length: n }, () => x)];
/** The sum of the branches. */
export const FanInSum: StaxLayer = [
  (_key, shapes) => [requireBranches<StaxShape>(shapes, "FanInSum")[0]!, {}],
  (_params, xs) => requireBranches<StaxValue>(xs, "FanInSum").map(one).reduce((a, b) => np.add(a, b)),
];
/** The branches joined along an axis (default the last). */
export const FanInConcat = (axis = -1): StaxLayer => [
  (_key, shapes) => {
    const list = requireBranches<StaxShape>(shapes, "FanInConcat").map((s) => requireShape(s, "FanInConcat"));
    const d = axis < 0 ? axis + list[0]!.length : axis;
    return [list[0]!.map((n, i) => (i === d ? list.reduce((t, s) => t + s[i]!, 0) : n)), {}];
  },
  (_params, xs) => np.concatenate(requireBranches<StaxValue>(xs, "FanInConcat").map(one), axis),
];

/**
 * One layer after the other.
 * @example
 * const [init, apply] = stax.serial(stax.Dense(32), stax.Relu, stax.Dense(10), stax.LogSoftmax);
 * const [shape, params] = init(random.key(0), [1, 64]); // [1, 10]
 */
export function serial(...layers: readonly StaxLayer[]): StaxLayer {
  return [
    (key, inputShape) => {
      let shape = inputShape;
      let rest = key;
      const params = layers.map(([init]) => {
        const pair = random.split(rest);
        rest = pair.get(0);
        const [next, p] = init(pair.get(1), shape);
        shape = next;
        return p;
      });
      return [shape, params];
    },
    (params, inputs, o = {}) => {
      const keys = keysFor(o.key, layers.length);
      const parts = requireParts(params, layers.length, "serial");
      return layers.reduce<StaxValue>((x, [, apply], i) => apply(parts[i]!, x, { key: keys[i] }), inputs);
    },
  ];
}

/** Each layer on its own branch. @example stax.serial(stax.FanOut(2), stax.parallel(stax.Dense(8), stax.Identity), stax.FanInConcat()) */
export function parallel(...layers: readonly StaxLayer[]): StaxLayer {
  return [
    (key, shapes) => {
      const each = requireBranches<StaxShape>(shapes, "parallel", layers.length);
      const keys = [...random.split(key, layers.length)];
      const made = layers.map(([init], i) => init(keys[i]!, each[i]!));
      return [made.map((m) => m[0]), made.map((m) => m[1])];
    },
    (params, inputs, o = {}) => {
      const keys = keysFor(o.key, layers.length);
      const parts = requireParts(params, layers.length, "parallel");
      const xs = requireBranches<StaxValue>(inputs, "parallel", layers.length);
      return layers.map(([, apply], i) => apply(parts[i]!, xs[i]!, { key: keys[i] }));
    },
  ];
}

/** A layer that is made for the shape of its input. @example stax.shapeDependent((shape) => stax.Dense(shape.at(-1)!)) */
export function shapeDependent(make: (inputShape: Shape) => StaxLayer): StaxLayer {
  return [(key, shape) => make(requireShape(shape, "shapeDependent"))[0](key, shape), (params, x, o) => make(one(x).shape)[1](params, x, o)];
}

function requireParts(params: StaxParams, n: number, fn: string): readonly StaxParams[] {
  if (Array.isArray(params) && params.length === n) return params as readonly StaxParams[];
  throw new ArgumentError({ fn: `stax.${fn}`, arg: "params", expected: `a list of ${n} parameters, one for each layer`, got: Array.isArray(params) ? `${params.length}` : typeof params, fix: "pass what init returned" });
}
