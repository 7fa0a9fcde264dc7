import { ArgumentError, type ArrayLike, type NDArray, np } from "@hessia/core";
import { scaleByLearningRate, addDecayedWeights } from "../first-order/scaling.js";
import { chain } from "../transform/chain.js";
import { type GradientTransformation, requireParams, type ScalarOrSchedule, transformation } from "../transform/transformation.js";
import { biasCorrection, castLike, increment, like, mapTree, updateMoment, zeroCount, zerosLike } from "../transform/tree-math.js";
import { hutchinsonFor, type HutchinsonState, type KeyLike } from "./hutchinson.js";

/** Your own averaging of one leaf's estimate. */
export type AveragingFn = (estimate: NDArray, param: NDArray) => NDArray;
/**
 * How the estimate `z * Hz` is averaged within a leaf before it is squared:
 * - "paper": over the kernel of convolutions (3-D: one axis, 4-D: the two spatial axes), with its sign; matrices and vectors as they are.
 * - "reference": the same of `|z * Hz|`, as the authors' image classification code does.
 * - "instruction": of `|z * Hz|`, and matrices over their input axis, as the authors' instruction code.
 * - "none": nothing.
 * - {blockSize}: runs of so many consecutive elements of `|z * Hz|`; {blockSizes}: one for 1-, 2-, 3- and 4-D leaves each, -1 for the rule of
 *   "instruction".
 */
export type Averaging = "paper" | "reference" | "instruction" | "none" | { readonly blockSize: number } | { readonly blockSizes: readonly [number, number, number, number] } | AveragingFn;

/** Where the spatial axes of kernels are: "OIHW" (PyTorch, Hessia; matrices [out, in]) or "HWIO" (Flax; matrices [in, out]). */
export type KernelLayout = "OIHW" | "HWIO";

export interface AdaHessianOptions {
  /** Default 0.15. */
  readonly learningRate?: ScalarOrSchedule;
  readonly b1?: ArrayLike;
  readonly b2?: ArrayLike;
  /** Added after the power (default 1e-4). */
  readonly eps?: ArrayLike;
  /** Decoupled (default 0). */
  readonly weightDecay?: ScalarOrSchedule;
  /** k in `sqrt(v)^k`, from 0 (momentum) to 1 (default). */
  readonly hessianPower?: ArrayLike;
  /** Steps for which an estimate is used (default 1). */
  readonly updateEvery?: number;
  readonly nSamples?: number;
  /** Default "paper". */
  readonly averaging?: Averaging;
  readonly layout?: KernelLayout;
  /** A seed or a key (default 0). */
  readonly key?: KeyLike;
}

function meanOver(x: NDArray, axes: readonly number[]): NDArray {
  return axes.length ? np.broadcastTo(np.mean(x, axes, { keepdims: true }), x.shape) : x;
}
/** Spatial axes of a convolution kernel. */
function kernelAxes(ndim: number, layout: KernelLayout): number[] {
  if (ndim < 3) return [];
  return Array.from({ length: ndim - 2 }, (_, d) => (layout === "OIHW" ? d + 2 : d));
}
function meanOfBlocks(x: NDArray, size: number): NDArray {
  if (!Number.isInteger(size) || size < 1 || x.size % size !== 0)
    throw new ArgumentError({ fn: "adaHessian", arg: "averaging", expected: `a block size that divides the ${x.size} elements of a leaf of shape [${x.shape.join(",")}]`, got: String(size), fix: "choose a divisor, or 1" });
  const blocks = x.reshape([-1, size]);
  return np.broadcastTo(np.mean(blocks, 1, { keepdims: true }), blocks.shape).reshape(x.shape);
}
function averageLeaf(x: NDArray, p: NDArray, averaging: Averaging, layout: KernelLayout): NDArray {
  if (typeof averaging === "function") return np.broadcastTo(averaging(x, p), x.shape);
  if (averaging === "none") return x;
  if (averaging === "paper") return meanOver(x, kernelAxes(x.ndim, layout));
  const size = np.abs(x);
  if (averaging === "reference") return meanOver(size, kernelAxes(x.ndim, layout));
  const instruction = () => meanOver(size, x.ndim === 2 ? [layout === "OIHW" ? 1 : 0] : kernelAxes(x.ndim, layout));
  if (averaging === "instruction") return instruction();
  if (typeof averaging === "object" && "blockSize" in averaging) return meanOfBlocks(size, averaging.blockSize);
  if (typeof averaging === "object" && "blockSizes" in averaging) {
    const block = averaging.blockSizes[Math.min(4, Math.max(1, x.ndim)) - 1]!;
    return block === -1 || x.ndim === 0 ? instruction() : meanOfBlocks(size, block);
  }
  throw new ArgumentError({ fn: "adaHessian", arg: "averaging", expected: '"paper", "reference", "instruction", "none", {blockSize}, {blockSizes} or a function', got: String(averaging), fix: "choose one of them" });
}

export interface AdaHessianState { readonly count: NDArray; readonly mu: unknown; readonly nu: unknown; readonly hutchinson: HutchinsonState; readonly diagonal: unknown }

/** AdaHessian's direction `m_hat / (sqrt(v_hat)^k + eps)`, v the average of squared diagonals; state.diagonal is the averaged estimate. */
export function scaleByAdaHessian(options: Omit<AdaHessianOptions, "learningRate" | "weightDecay"> = {}): GradientTransformation<AdaHessianState> {
  const { b1 = 0.9, b2 = 0.999, eps = 1e-4, hessianPower = 1, updateEvery = 1, nSamples = 1, averaging = "paper", layout = "OIHW", key = 0 } = options;
  const estimator = hutchinsonFor("adaHessian", { key, nSamples, updateEvery });
  const init = (p: unknown): AdaHessianState => ({ count: zeroCount(), mu: zerosLike(p), nu: zerosLike(p), hutchinson: estimator.init(p), diagonal: zerosLike(p) });
  return transformation<AdaHessianState>("adaHessian", init, (g, state, given, extra) => {
    const params = requireParams(given, "adaHessian");
    const [raw, next] = estimator.update(g, state.hutchinson, params, extra);
    const diagonal = castLike(mapTree((x, p) => averageLeaf(x, p, averaging, layout), raw, params), state.diagonal);
    const mu = updateMoment(g, state.mu, b1, 1);
    const nu = updateMoment(diagonal, state.nu, b2, 2);
    const count = increment(state.count);
    const root = mapTree((v) => np.sqrt(v), biasCorrection(nu, b2, count));
    const power = hessianPower === 1 ? root : mapTree((r) => np.power(r, like(hessianPower, r)), root);
    const updates = mapTree((m, r) => np.divide(m, np.add(r, like(eps, r))), biasCorrection(mu, b1, count), power);
    return [updates, { count, mu, nu, hutchinson: next, diagonal }];
  });
}

/**
 * AdaHessian: Adam with the Hessian's diagonal, estimated by random signs and averaged in space, in place of the gradient's square
 * (Yao et al. 2021, arXiv:2006.00719). Costs one Hessian product a step (or every `updateEvery` steps). Needs the extra argument hvpFn.
 * @throws MissingExtraError without it; ArgumentError for an unknown averaging.
 * @example const opt = adaHessian({ learningRate: 0.15, averaging: "paper", key: 0 });
 */
export function adaHessian(options: AdaHessianOptions = {}): GradientTransformation<readonly unknown[]> {
  const { learningRate = 0.15, weightDecay = 0, ...rest } = options;
  return chain(scaleByAdaHessian(rest), addDecayedWeights(weightDecay), scaleByLearningRate(learningRate));
}
