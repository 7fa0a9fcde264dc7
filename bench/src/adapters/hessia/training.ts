/** Training steps of networks. */
import { jit, lax, type NDArray, np } from "@hessia/core";
import { valueAndGrad } from "@hessia/autodiff";
import * as nn from "@hessia/nn";
import { type Adapter, textOf } from "../../harness/case.js";
import * as cnn from "../../tasks/cnn.js";
import * as mlp from "../../tasks/mlp.js";
import { array, discard } from "./arrays.js";

interface AdamState { readonly p: NDArray[]; readonly m: NDArray[]; readonly v: NDArray[]; readonly t: NDArray }

function mlpLoss(p: readonly NDArray[], x: NDArray, y: NDArray): NDArray {
  let h = x;
  for (let i = 0; i < mlp.layerCount; i++) {
    h = np.matmul(h, p[2 * i]!).add(p[2 * i + 1]!);
    if (i < mlp.layerCount - 1) h = nn.relu(h);
  }
  return np.sum(nn.logSoftmax(h).mul(y)).mul(-1 / mlp.batch);
}

function adamStep(s: AdamState, x: NDArray, y: NDArray): readonly [AdamState, NDArray] {
  const [loss, g] = valueAndGrad(mlpLoss)(s.p, x, y);
  const t = s.t.add(1);
  const m = s.m.map((a, i) => a.mul(0.9).add(g[i]!.mul(0.1)));
  const v = s.v.map((a, i) => a.mul(0.999).add(np.square(g[i]!).mul(0.001)));
  const [c1, c2] = [np.subtract(1, np.power(0.9, t)), np.subtract(1, np.power(0.999, t))];
  const p = s.p.map((a, i) => a.sub(m[i]!.div(c1).mul(mlp.learningRate).div(np.sqrt(v[i]!.div(c2)).add(1e-8))));
  return [{ p, m, v, t }, loss];
}

/** Repeats a step from its start; `run` is one more step, with its loss read. */
function stepping<S>(step: (state: S) => readonly [S, NDArray], start: S, checked: number) {
  const losses = (count: number): number[] => {
    let state = start;
    return Array.from({ length: count }, () => {
      const [next, loss] = step(state);
      state = next;
      return Number(loss.data[0]);
    });
  };
  let state = start;
  return {
    run() {
      const [next, loss] = step(state);
      if (state !== start) discard(state);
      state = next;
      void loss.data[0];
    },
    digest: () => losses(checked),
  };
}

function cnnLoss(p: readonly NDArray[], x: NDArray, y: NDArray): NDArray {
  const pool = (h: NDArray) => lax.maxPool(h, [2, 2], { layout: "channelsFirst" });
  let h = pool(nn.relu(lax.conv(x, p[0]!, [1, 1], "SAME").add(p[1]!)));
  h = pool(nn.relu(lax.conv(h, p[2]!, [1, 1], "SAME").add(p[3]!))).reshape([cnn.batch, 1568]);
  return np.sum(nn.logSoftmax(np.matmul(h, p[4]!).add(p[5]!)).mul(y)).mul(-1 / cnn.batch);
}

const zeros = (shape: number[]): NDArray => np.zeros(shape, { dtype: "float32" });

export const training: Adapter = {
  mlp(params) {
    const p = Array.from({ length: mlp.layerCount }, (_, i) => [array(mlp.weights(i), [mlp.widths[i]!, mlp.widths[i + 1]!]), zeros([mlp.widths[i + 1]!])]).flat();
    const start: AdamState = { p, m: p.map((a) => zeros([...a.shape])), v: p.map((a) => zeros([...a.shape])), t: np.array(0, { dtype: "float32" }) };
    const [x, y] = [array(mlp.images(), [mlp.batch, mlp.widths[0]]), array(mlp.oneHot(), [mlp.batch, 10])];
    const f = textOf(params, "mode") === "jit" ? jit(adamStep) : adamStep;
    return stepping((state: AdamState) => f(state, x, y), start, mlp.checkedSteps);
  },

  cnn(params) {
    const start = [array(cnn.kernel1(), [16, 1, 3, 3]), zeros([16, 1, 1]), array(cnn.kernel2(), [32, 16, 3, 3]), zeros([32, 1, 1]), array(cnn.dense(), [1568, 10]), zeros([10])];
    const [x, y] = [array(cnn.images(), [cnn.batch, 1, 28, 28]), array(cnn.oneHot(), [cnn.batch, 10])];
    if (textOf(params, "what") === "forward") {
      const f = jit(cnnLoss);
      return { run: () => void f(start, x, y).data[0], digest: () => [Number(f(start, x, y).data[0])] };
    }
    const step = jit((p: NDArray[], a: NDArray, b: NDArray): readonly [NDArray[], NDArray] => {
      const [loss, g] = valueAndGrad(cnnLoss)(p, a, b);
      return [p.map((q, i) => q.sub(g[i]!.mul(cnn.learningRate))), loss];
    });
    return stepping((p: NDArray[]) => step(p, x, y), start, cnn.checkedSteps);
  },
};
