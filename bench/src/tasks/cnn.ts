import { bar, type Task } from "../harness/case.js";
import { centered, uniform } from "../harness/data.js";
import { crossEntropy } from "./mlp.js";

export const batch = 64;
export const learningRate = 0.05;
export const checkedSteps = 3;
export const kernel1 = () => centered(16 * 9, 50, "float32", 2 / 3) as Float32Array;
export const kernel2 = () => centered(32 * 16 * 9, 51, "float32", 2 / 12) as Float32Array;
export const dense = () => centered(1568 * 10, 52, "float32", 2 / 40) as Float32Array;
export const images = () => uniform(batch * 784, 53) as Float32Array;
export const oneHot = (): Float32Array => {
  const out = new Float32Array(batch * 10);
  uniform(batch, 54).forEach((v, i) => { out[i * 10 + Math.floor(v * 10)] = 1; });
  return out;
};

interface Layer { readonly inputs: number; readonly outputs: number; readonly size: number; readonly kernel: Float64Array; readonly bias: Float64Array }

/** Every product of one 3 x 3 convolution with padding 1: output, input and kernel positions. */
function eachTap(b: number, l: Layer, visit: (y: number, x: number, k: number, run: number) => void): void {
  const { inputs, outputs, size } = l;
  for (let o = 0; o < outputs; o++)
    for (let c = 0; c < inputs; c++)
      for (let t = 0; t < 9; t++) {
        const [di, dj] = [Math.floor(t / 3) - 1, (t % 3) - 1];
        const from = Math.max(0, -dj);
        const run = size - Math.abs(dj);
        for (let i = Math.max(0, -di); i < size - Math.max(0, di); i++)
          visit(((b * outputs + o) * size + i) * size + from, ((b * inputs + c) * size + i + di) * size + from + dj, (o * inputs + c) * 9 + t, run);
      }
}

/** Convolution, bias, relu and 2 x 2 maximum; `winners` are the places of the maxima. */
function forward(l: Layer, x: Float64Array): { y: Float64Array; winners: Int32Array } {
  const { outputs, size } = l;
  const z = new Float64Array(batch * outputs * size * size);
  for (let b = 0; b < batch; b++)
    eachTap(b, l, (to, from, k, run) => {
      const w = l.kernel[k]!;
      for (let r = 0; r < run; r++) z[to + r]! += w * x[from + r]!;
    });
  for (let k = 0; k < z.length; k++) z[k] = Math.max(0, z[k]! + l.bias[Math.floor(k / (size * size)) % outputs]!);
  const half = size / 2;
  const y = new Float64Array(batch * outputs * half * half);
  const winners = new Int32Array(y.length);
  for (let k = 0; k < y.length; k++) {
    const [plane, i, j] = [Math.floor(k / (half * half)), Math.floor(k / half) % half, k % half];
    const corner = (plane * size + 2 * i) * size + 2 * j;
    let best = corner;
    for (const place of [corner + 1, corner + size, corner + size + 1]) if (z[place]! > z[best]!) best = place;
    y[k] = z[best]!;
    winners[k] = best;
  }
  return { y, winners };
}

/** Takes a step down the gradient in place and returns the derivative by the input. */
function backward(l: Layer, x: Float64Array, y: Float64Array, winners: Int32Array, gradient: Float64Array): Float64Array {
  const { outputs, size } = l;
  const dz = new Float64Array(batch * outputs * size * size);
  // Where the maximum is 0, relu cut it off.
  for (let k = 0; k < y.length; k++) if (y[k]! > 0) dz[winners[k]!] = gradient[k]!;
  const dx = new Float64Array(x.length);
  const dk = new Float64Array(l.kernel.length);
  for (let b = 0; b < batch; b++)
    eachTap(b, l, (to, from, k, run) => {
      const w = l.kernel[k]!;
      let sum = 0;
      for (let r = 0; r < run; r++) {
        const d = dz[to + r]!;
        sum += d * x[from + r]!;
        dx[from + r]! += w * d;
      }
      dk[k]! += sum;
    });
  dk.forEach((v, k) => { l.kernel[k]! -= learningRate * v; });
  dz.forEach((v, k) => { l.bias[Math.floor(k / (size * size)) % outputs]! -= learningRate * v; });
  return dx;
}

/** The losses of the first steps of plain gradient descent, in double precision. */
function referenceLosses(): number[] {
  const x = Float64Array.from(images());
  const labels = oneHot();
  const one: Layer = { inputs: 1, outputs: 16, size: 28, kernel: Float64Array.from(kernel1()), bias: new Float64Array(16) };
  const two: Layer = { inputs: 16, outputs: 32, size: 14, kernel: Float64Array.from(kernel2()), bias: new Float64Array(32) };
  const w = Float64Array.from(dense());
  const bias = new Float64Array(10);
  const losses: number[] = [];
  for (let step = 0; step < checkedSteps; step++) {
    const a = forward(one, x);
    const c = forward(two, a.y);
    const logits = new Float64Array(batch * 10);
    for (let b = 0; b < batch; b++)
      for (let j = 0; j < 10; j++) {
        let sum = bias[j]!;
        for (let k = 0; k < 1568; k++) sum += c.y[b * 1568 + k]! * w[k * 10 + j]!;
        logits[b * 10 + j] = sum;
      }
    const { loss, gradient } = crossEntropy(logits, labels, batch, 10);
    losses.push(loss);
    const dh = new Float64Array(batch * 1568);
    const dw = new Float64Array(w.length);
    for (let b = 0; b < batch; b++)
      for (let j = 0; j < 10; j++) {
        const d = gradient[b * 10 + j]!;
        for (let k = 0; k < 1568; k++) {
          dh[b * 1568 + k]! += d * w[k * 10 + j]!;
          dw[k * 10 + j]! += d * c.y[b * 1568 + k]!;
        }
        bias[j]! -= learningRate * d;
      }
    dw.forEach((v, k) => { w[k]! -= learningRate * v; });
    backward(one, x, a.y, a.winners, backward(two, a.y, c.y, c.winners, dh));
  }
  return losses;
}

export const cnn: Task = {
  name: "cnn",
  title: "Small convolutional network on 28 x 28, batch 64, float32: conv 16, conv 32, each with relu and 2 x 2 maximum, dense 10",
  cases: [
    { name: "SGD step", params: { what: "step" }, expected: () => ({ values: referenceLosses(), tolerance: 1e-4 }), bars: [bar(20, "jax-js"), bar(1.5, "jax")] },
    { name: "forward", params: { what: "forward" }, expected: () => ({ values: referenceLosses().slice(0, 1), tolerance: 1e-5 }), bars: [bar(0.8, "tfjs")] },
  ],
};
