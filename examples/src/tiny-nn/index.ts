import { type NDArray, np, random, type Shape, tree } from "@hessia/core";
import { valueAndGrad } from "@hessia/autodiff";

/**
 * A network library of a third party, on the public core alone: layers are pairs of pure functions, parameters are plain pytrees, training is a
 * function from parameters to parameters. Everything composes with jit, grad, hvp and vmap, because nothing here knows about them.
 */
export interface Layer<P = unknown> {
  /** Parameters and the shape of the output, without the batch axis. */
  init(key: NDArray, input: Shape): [P, Shape];
  apply(params: P, x: NDArray): NDArray;
}

/** `x W + b`, W drawn with variance 1 / inputs (LeCun). */
export const dense = (features: number): Layer<{ w: NDArray; b: NDArray }> => ({
  init: (key, [inputs]) => [{ w: np.divide(random.normal(key, [inputs!, features]), Math.sqrt(inputs!)), b: np.zeros([features]) }, [features]],
  apply: ({ w, b }, x) => np.add(np.matmul(x, w), b),
});

/** A function without parameters as a layer. */
export const activation = (f: (x: NDArray) => NDArray): Layer<null> => ({ init: (_key, shape) => [null, shape], apply: (_params, x) => f(x) });

export const flatten: Layer<null> = {
  init: (_key, shape) => [null, [shape.reduce((a, b) => a * b, 1)]],
  apply: (_params, x) => np.reshape(x, [x.shape[0]!, -1]),
};

/** x + f(x), for an inner layer that keeps the shape. */
export const residual = <P>(inner: Layer<P>): Layer<P> => ({
  init(key, input) {
    const [params, output] = inner.init(key, input);
    if (output.join() !== input.join()) throw new Error(`residual: the inner layer turns [${input}] into [${output}]`);
    return [params, input];
  },
  apply: (params, x) => np.add(x, inner.apply(params, x)),
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- layers with parameters of any type stand in one list
type AnyLayer = Layer<any>;

/** Layers one after the other; the parameters are the list of theirs. */
export const serial = (...layers: readonly AnyLayer[]): Layer<unknown[]> => ({
  init(key, input) {
    let shape = input;
    const keys = random.split(key, layers.length);
    const params = layers.map((layer, i) => {
      const [p, next] = layer.init(keys.get(i), shape);
      shape = next;
      return p as unknown;
    });
    return [params, shape];
  },
  apply: (params, x) => layers.reduce((y, layer, i) => layer.apply(params[i], y), x),
});

/** log(sum(exp(z))) - z[label], in a form that does not overflow. */
export function crossEntropy(logits: NDArray, labels: NDArray): NDArray {
  const top = np.max(logits, -1, { keepdims: true });
  const shifted = np.subtract(logits, top);
  const picked = np.squeeze(np.takeAlongAxis(shifted, np.expandDims(labels, -1), -1), -1);
  return np.mean(np.subtract(np.log(np.sum(np.exp(shifted), -1)), picked));
}

export interface Momentum<P> {
  readonly params: P;
  readonly velocity: P;
}
export const startMomentum = <P>(params: P): Momentum<P> => ({ params, velocity: tree.map((w: NDArray) => np.zerosLike(w), params) });

/** One step of gradient descent with momentum on `loss(params, ...batch)`: jit it. */
export const momentumStep = <P, B extends readonly unknown[]>(loss: (params: P, ...batch: B) => NDArray, learningRate: number, decay = 0.9) =>
  (state: Momentum<P>, ...batch: B): [Momentum<P>, NDArray] => {
    const [value, gradient] = valueAndGrad(loss)(state.params, ...batch) as [NDArray, P];
    const velocity: P = tree.map((v: NDArray, g: NDArray) => np.add(np.multiply(decay, v), g), state.velocity, gradient);
    return [{ params: tree.map((w: NDArray, v: NDArray) => np.subtract(w, np.multiply(learningRate, v)), state.params, velocity), velocity }, value];
  };
