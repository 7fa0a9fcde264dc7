import { describe, expect, it } from "vitest";
import { jit, lax, type NDArray, np, scan } from "@hessia/core";
import { grad, hvp } from "./index.js";

type Weights = readonly [wx: NDArray, wh: NDArray, b: NDArray];
type State = readonly [h: NDArray, c: NDArray];
const numbers = (shape: number[], seed: number): NDArray => np.sin(np.arange(shape.reduce((n, d) => n * d, 1)).add(seed).mul(1.7)).reshape(shape);

/** Hochreiter and Schmidhuber's cell with Gers's forget gate. */
function cell([wx, wh, b]: Weights, [h, c]: State, x: NDArray): State {
  const n = h.shape[1]!;
  const z = np.matmul(x, wx).add(np.matmul(h, wh)).add(b);
  const gate = (k: number): NDArray => z.get(":", `${k * n}:${(k + 1) * n}`);
  const next = lax.logistic(gate(1)).mul(c).add(lax.logistic(gate(0)).mul(np.tanh(gate(2))));
  return [lax.logistic(gate(3)).mul(np.tanh(next)), next];
}

describe("a recurrent network", () => {
  it.each([[1, 1, 3], [2, 1, 4], [3, 2, 5], [7, 3, 4]])("%d steps, batch %d, %d units: gradient and Hessian-vector product are those of the loop written out", (steps, batch, n) => {
    const p: Weights = [numbers([2, 4 * n], 1), numbers([n, 4 * n], 2), numbers([4 * n], 3)];
    const v: Weights = [numbers([2, 4 * n], 4), numbers([n, 4 * n], 5), numbers([4 * n], 6)];
    const xs = numbers([steps, batch, 2], 7);
    const start: State = [np.zeros([batch, n]), np.zeros([batch, n])];
    const looped = (w: Weights): NDArray => np.sum(np.square(scan((s: State, x: NDArray): readonly [State, NDArray] => { const next = cell(w, s, x); return [next, next[0]]; }, start, xs)[1]));
    const written = (w: Weights): NDArray => {
      let [state, sum] = [start, np.array(0)];
      for (let t = 0; t < steps; t++) {
        state = cell(w, state, xs.get(t));
        sum = sum.add(np.sum(np.square(state[0])));
      }
      return sum;
    };
    const same = (got: readonly NDArray[], want: readonly NDArray[]): void => {
      got.forEach((y, i) => { y.data.forEach((a, k) => expect(Math.abs(a - want[i]!.data[k]!)).toBeLessThanOrEqual(1e-11 * Math.max(1, Math.abs(a)))); });
    };
    const want = grad(written)(p);
    same(jit(grad(looped))(p), want);
    same(grad(looped)(p), want);
    same(jit((w: Weights) => hvp(looped, [w], [v])[1])(p) as unknown as NDArray[], hvp(written, [p], [v])[1] as unknown as NDArray[]);
  });
});
