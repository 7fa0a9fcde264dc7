import { jit, type NDArray, np, random, tree } from "@hessia/core";
import * as nn from "@hessia/nn";
import { applyUpdates, type GradientTransformation, oracle } from "@hessia/optim";
import { breathe } from "../terminal/progress.js";
import type { Digits } from "./data.js";

export type Params = nn.Variables;

/** 64 - 32 - 10, tanh: 2410 parameters, smooth everywhere, so that second derivatives mean something. */
export const network = new nn.MLP([32, 10], { activation: nn.tanh });
export const initialParams = (seed: number): Params => network.init(random.key(seed), np.zeros([1, 64], { dtype: "float32" }));

const l2 = 1e-4;

/** Mean cross-entropy with a little weight decay, which bounds the minimum. */
export function loss(params: Params, images: NDArray, labels: NDArray): NDArray {
  const logits = network.apply(params, images);
  const penalty = tree.leaves<NDArray>(params).map((w) => np.sum(np.square(w))).reduce((a, b) => np.add(a, b));
  return np.add(np.mean(nn.softmaxCrossEntropyWithIntegerLabels(logits, labels)), np.multiply(0.5 * l2, penalty));
}

const accuracyOf = jit((params: Params, images: NDArray, labels: NDArray): NDArray => np.mean(np.equal(np.argmax(network.apply(params, images), -1), labels).astype("float32")), { name: "accuracy" });
const lossOf = jit(loss, { name: "loss" });

export interface EpochRecord {
  readonly epoch: number;
  readonly seconds: number;
  readonly trainLoss: number;
  readonly testAccuracy: number;
}

export interface TrainingRun {
  readonly name: string;
  readonly records: readonly EpochRecord[];
  readonly params: Params;
}

export interface TrainingPlan {
  readonly name: string;
  readonly optimizer: GradientTransformation;
  readonly epochs: number;
  /** Examples a step; all of them for full-batch methods. */
  readonly batchSize: number;
}

/** Trains from the same starting point; one compiled step, the loop in JavaScript. The clock counts training alone, not evaluation. */
export async function train(plan: TrainingPlan, data: { train: Digits; test: Digits }, tick: (label: string) => void): Promise<TrainingRun> {
  const { images, labels } = data.train;
  const n = images.shape[0]!;
  const step = jit((params: Params, state: unknown, x: NDArray, y: NDArray): [Params, unknown] => {
    const extra = oracle(loss)(params, x, y);
    const [updates, next] = plan.optimizer.update(extra.grad as Params, state, params, extra);
    return [applyUpdates(params, updates), next];
  }, { name: `step of ${plan.name}` });
  let params = initialParams(1);
  let state = plan.optimizer.init(params);
  const batches = Math.floor(n / plan.batchSize);
  const records: EpochRecord[] = [];
  const record = (epoch: number, seconds: number) => records.push({ epoch, seconds, trainLoss: Number(lossOf(params, images, labels).item()), testAccuracy: Number(accuracyOf(params, data.test.images, data.test.labels).item()) });
  record(0, 0);
  let seconds = 0;
  for (let epoch = 1; epoch <= plan.epochs; epoch++) {
    const begin = performance.now();
    const order = random.permutation(random.foldIn(random.key(7), epoch), n);
    for (let b = 0; b < batches; b++) {
      const full = plan.batchSize === n;
      const indices = full ? order : order.get(`${b * plan.batchSize}:${(b + 1) * plan.batchSize}`);
      [params, state] = step(params, state, full ? images : np.take(images, indices, 0), full ? labels : np.take(labels, indices, 0));
    }
    seconds += (performance.now() - begin) / 1000;
    record(epoch, seconds);
    tick(`${plan.name}, epoch ${epoch}: loss ${records.at(-1)!.trainLoss.toFixed(4)}`);
    await breathe();
  }
  return { name: plan.name, records, params };
}
