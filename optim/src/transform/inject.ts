import { type ArrayLike, type NDArray, np } from "@hessia/core";
import { type GradientTransformation, type ScalarOrSchedule, transformation } from "./transformation.js";
import { castLike, increment, zeroCount } from "./tree-math.js";

export interface InjectState { readonly count: NDArray; readonly hyperparams: Readonly<Record<string, NDArray>>; readonly inner: unknown }

/**
 * Puts hyperparameters into the state, where they can be read, logged, and changed between steps without compiling again. Schedules are
 * evaluated at each step; other values stay what the state says.
 * @example
 * const opt = injectHyperparams(({ learningRate, b1 }) => adam(learningRate, { b1 }), { learningRate: cosineDecaySchedule(0.1, 1000), b1: 0.9 });
 * opt.init(params).hyperparams.learningRate // 0.1
 */
export function injectHyperparams<H extends Readonly<Record<string, ScalarOrSchedule>>>(make: (hyperparams: { readonly [K in keyof H]: NDArray }) => GradientTransformation, hyperparams: H): GradientTransformation<InjectState> {
  const at = (count: NDArray, kept: Readonly<Record<string, NDArray>> | undefined): Record<string, NDArray> =>
    Object.fromEntries(Object.entries(hyperparams).map(([name, h]) => [name, typeof h === "function" ? np.asarray(h(count)).astype("float64") : (kept?.[name] ?? np.asarray(h as ArrayLike))]));
  return transformation<InjectState>("injectHyperparams", (params) => {
    const values = at(zeroCount(), undefined);
    return { count: zeroCount(), hyperparams: values, inner: make(values as never).init(params) };
  }, (grads, state, params, extra) => {
    const values = castLike(at(state.count, state.hyperparams), state.hyperparams);
    const [updates, inner] = make(values as never).update(grads, state.inner, params, extra);
    return [updates, { count: increment(state.count), hyperparams: values, inner }];
  });
}
