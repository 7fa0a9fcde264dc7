import { bar, type Case, type Task } from "../harness/case.js";
import { centered } from "../harness/data.js";

export const hidden = 128;
export const steps = 500;
const gates = 4 * hidden;
export const inputWeights = () => centered(hidden * gates, 70, "float32", 0.2) as Float32Array;
export const hiddenWeights = () => centered(hidden * gates, 71, "float32", 0.2) as Float32Array;
export const bias = () => centered(gates, 72, "float32", 0.2) as Float32Array;
export const sequence = (batch: number) => centered(steps * batch * hidden, 73, "float32", 2) as Float32Array;
/** The gradient is compared by its products with these directions. */
export const directions = () => [centered(hidden * gates, 74), centered(hidden * gates, 75), centered(gates, 76)] as Float32Array[];

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Mean over time, batch and units of h^2; gates in the order input, forget, cell, output (Hochreiter and Schmidhuber 1997, with Gers's forget gate). */
function loss(wx: Float64Array, wh: Float64Array, b: Float64Array, xs: Float32Array, batch: number): number {
  const h = new Float64Array(batch * hidden);
  const c = new Float64Array(batch * hidden);
  const z = new Float64Array(gates);
  let sum = 0;
  for (let t = 0; t < steps; t++)
    for (let r = 0; r < batch; r++) {
      z.set(b);
      for (let k = 0; k < hidden; k++) {
        const [x, v] = [xs[(t * batch + r) * hidden + k]!, h[r * hidden + k]!];
        for (let j = 0; j < gates; j++) z[j]! += x * wx[k * gates + j]! + v * wh[k * gates + j]!;
      }
      for (let j = 0; j < hidden; j++) {
        const cell = logistic(z[hidden + j]!) * c[r * hidden + j]! + logistic(z[j]!) * Math.tanh(z[2 * hidden + j]!);
        const out = logistic(z[3 * hidden + j]!) * Math.tanh(cell);
        c[r * hidden + j] = cell;
        h[r * hidden + j] = out;
        sum += out * out;
      }
    }
  return sum / (steps * batch * hidden);
}

/** Loss, and the derivative along `directions` by a central difference in double precision. */
function expected(batch: number) {
  const xs = sequence(batch);
  const start = [inputWeights(), hiddenWeights(), bias()];
  const along = directions();
  const at = (step: number): number => {
    const [wx, wh, b] = start.map((p, k) => Float64Array.from(p, (v, i) => v + step * along[k]![i]!));
    return loss(wx!, wh!, b!, xs, batch);
  };
  const step = 1e-4;
  return { values: [at(0), (at(step) - at(-step)) / (2 * step)], tolerance: 1e-4 };
}

const cases = [1, 16].map((batch): Case => ({ name: `batch ${batch}`, params: { batch }, expected: () => expected(batch), bars: [bar(1, "jax")], slow: batch > 1 }));

export const lstm: Task = { name: "lstm", title: "LSTM, hidden 128, 500 steps, float32: value and gradient, jitted", cases };
