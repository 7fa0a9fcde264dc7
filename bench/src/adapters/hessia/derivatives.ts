/** Gradients and Hessians, and the loops around them. */
import { jit, type NDArray, np, scan, whileLoop } from "@hessia/core";
import { grad, hessian, hvp, valueAndGrad } from "@hessia/autodiff";
import * as nn from "@hessia/nn";
import { type Adapter, elementOf, numberOf, textOf } from "../../harness/case.js";
import { digest, inner } from "../../harness/data.js";
import * as descent from "../../tasks/descent.js";
import * as logistic from "../../tasks/logistic.js";
import * as lstm from "../../tasks/lstm.js";
import { direction, point } from "../../tasks/rosenbrock.js";
import { array, discard } from "./arrays.js";

function rosenbrock(x: NDArray): NDArray {
  const [later, earlier] = [x.get("1:"), x.get(":-1")];
  return np.sum(np.square(later.sub(np.square(earlier))).mul(100).add(np.square(np.subtract(1, earlier))));
}

type Lstm = readonly [wx: NDArray, wh: NDArray, b: NDArray];

function lstmLoss([wx, wh, b]: Lstm, xs: NDArray): NDArray {
  const batch = xs.shape[1]!;
  const start = np.zeros([batch, lstm.hidden], { dtype: "float32" });
  const [, hs] = scan(
    ([h, c]: readonly [NDArray, NDArray], x: NDArray): readonly [readonly [NDArray, NDArray], NDArray] => {
      const z = np.matmul(x, wx).add(np.matmul(h, wh)).add(b);
      const gate = (k: number) => z.get(":", `${k * lstm.hidden}:${(k + 1) * lstm.hidden}`);
      const cell = nn.sigmoid(gate(1)).mul(c).add(nn.sigmoid(gate(0)).mul(np.tanh(gate(2))));
      const out = nn.sigmoid(gate(3)).mul(np.tanh(cell));
      return [[out, cell], out];
    },
    [start, start] as const,
    xs,
  );
  return np.mean(np.square(hs));
}

export const derivatives: Adapter = {
  rosenbrock(params) {
    const n = numberOf(params, "n");
    const [x, v] = [array(point(n, elementOf(params)), [n]), array(direction(n, elementOf(params)), [n])];
    const functions: Record<string, (x: NDArray, v: NDArray) => NDArray> = {
      grad: (p) => grad(rosenbrock)(p),
      hvp: (p, t) => hvp(rosenbrock, [p], [t])[1],
      hessian: (p) => hessian(rosenbrock)(p),
    };
    const plain = functions[textOf(params, "what")]!;
    const f = textOf(params, "mode") === "jit" ? jit(plain) : plain;
    return { run: () => discard(f(x, v)), digest: () => digest(f(x, v).data) };
  },

  logistic(params) {
    const dtype = elementOf(params);
    const a = array(logistic.features(dtype), [logistic.sampleCount, logistic.featureCount]);
    const y = array(logistic.signs(dtype), [logistic.sampleCount]);
    const w = array(logistic.weights(dtype), [logistic.featureCount]);
    const f = jit(hessian((p: NDArray) => np.mean(nn.softplus(np.negative(np.matmul(a, p).mul(y))))));
    return { run: () => discard(f(w)), digest: () => digest(f(w).data) };
  },

  lstm(params) {
    const batch = numberOf(params, "batch");
    const { hidden, steps } = lstm;
    const p: Lstm = [array(lstm.inputWeights(), [hidden, 4 * hidden]), array(lstm.hiddenWeights(), [hidden, 4 * hidden]), array(lstm.bias(), [4 * hidden])];
    const xs = array(lstm.sequence(batch), [steps, batch, hidden]);
    const f = jit(valueAndGrad(lstmLoss));
    return {
      run: () => discard(f(p, xs)),
      digest() {
        const [value, gradients] = f(p, xs);
        const along = lstm.directions();
        return [value.data[0]!, gradients.reduce((sum, g, k) => sum + inner(g.data, along[k]!), 0)];
      },
    };
  },

  descent(params) {
    const n = numberOf(params, "n");
    const x = array(point(n, "float64"), [n]);
    const f = jit((start: NDArray) => whileLoop(([i]: readonly [NDArray, NDArray]) => i.lt(descent.iterations), ([i, p]) => [i.add(1), p.sub(grad(rosenbrock)(p).mul(descent.rate))] as const, [np.array(0, { dtype: "int32" }), start] as const)[1]);
    return { run: () => discard(f(x)), digest: () => digest(f(x).data) };
  },
};
