import { bar, type Task } from "../harness/case.js";
import { centered, uniform } from "../harness/data.js";

export const batch = 128;
export const widths = [784, 256, 128, 10] as const;
export const layerCount = 3;
export const learningRate = 1e-3;
/** Steps whose losses are compared. */
export const checkedSteps = 3;

export const weights = (layer: number): Float32Array => centered(widths[layer]! * widths[layer + 1]!, 10 + layer, "float32", 2 * Math.sqrt(2 / widths[layer]!)) as Float32Array;
export const images = (): Float32Array => uniform(batch * widths[0], 20) as Float32Array;
export const oneHot = (): Float32Array => {
  const out = new Float32Array(batch * 10);
  uniform(batch, 21).forEach((v, i) => { out[i * 10 + Math.floor(v * 10)] = 1; });
  return out;
};

/** x [n, k] times w [k, m]. */
function product(x: Float64Array, w: Float64Array, n: number, k: number, m: number): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let l = 0; l < k; l++) {
      const v = x[i * k + l]!;
      if (v !== 0) for (let j = 0; j < m; j++) out[i * m + j]! += v * w[l * m + j]!;
    }
  return out;
}

function transposed(x: Float64Array, n: number, m: number): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) out[j * n + i] = x[i * m + j]!;
  return out;
}

/** Loss and the derivative by the logits of the mean cross-entropy. */
export function crossEntropy(logits: Float64Array, labels: ArrayLike<number>, n: number, m: number): { loss: number; gradient: Float64Array } {
  const gradient = new Float64Array(n * m);
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const row = logits.subarray(i * m, (i + 1) * m);
    const top = Math.max(...row);
    let sum = 0;
    for (const v of row) sum += Math.exp(v - top);
    for (let j = 0; j < m; j++) {
      const logp = row[j]! - top - Math.log(sum);
      const y = labels[i * m + j]!;
      loss -= (y * logp) / n;
      gradient[i * m + j] = (Math.exp(logp) - y) / n;
    }
  }
  return { loss, gradient };
}

/** The losses of the first Adam steps (Kingma and Ba, arXiv:1412.6980), in double precision. */
function referenceLosses(): number[] {
  const x = Float64Array.from(images());
  const y = oneHot();
  const parameters = Array.from({ length: layerCount }, (_, i) => [Float64Array.from(weights(i)), new Float64Array(widths[i + 1]!)]).flat();
  const first = parameters.map((p) => new Float64Array(p.length));
  const second = parameters.map((p) => new Float64Array(p.length));
  const losses: number[] = [];
  for (let step = 1; step <= checkedSteps; step++) {
    const activations: Float64Array[] = [x];
    for (let i = 0; i < layerCount; i++) {
      const h = product(activations[i]!, parameters[2 * i]!, batch, widths[i]!, widths[i + 1]!);
      const bias = parameters[2 * i + 1]!;
      for (let k = 0; k < h.length; k++) h[k] = h[k]! + bias[k % bias.length]!;
      if (i < layerCount - 1) for (let k = 0; k < h.length; k++) h[k] = Math.max(0, h[k]!);
      activations.push(h);
    }
    const { loss, gradient } = crossEntropy(activations[layerCount]!, y, batch, 10);
    losses.push(loss);
    let back: Float64Array = gradient;
    const gradients: Float64Array[] = [];
    for (let i = layerCount - 1; i >= 0; i--) {
      const [n, m] = [widths[i]!, widths[i + 1]!];
      gradients[2 * i] = product(transposed(activations[i]!, batch, n), back, n, batch, m);
      const bias = new Float64Array(m);
      back.forEach((v, k) => { bias[k % m]! += v; });
      gradients[2 * i + 1] = bias;
      const input = activations[i]!;
      back = product(back, transposed(parameters[2 * i]!, n, m), batch, m, n);
      for (let k = 0; k < back.length; k++) if (input[k]! <= 0) back[k] = 0;
    }
    parameters.forEach((p, k) => {
      for (let i = 0; i < p.length; i++) {
        const g = gradients[k]![i]!;
        const m = (first[k]![i] = 0.9 * first[k]![i]! + 0.1 * g);
        const v = (second[k]![i] = 0.999 * second[k]![i]! + 0.001 * g * g);
        p[i]! -= (learningRate * (m / (1 - 0.9 ** step))) / (Math.sqrt(v / (1 - 0.999 ** step)) + 1e-8);
      }
    });
  }
  return losses;
}

export const mlp: Task = {
  name: "mlp",
  title: "One Adam step of a 784-256-128-10 network, batch 128, float32",
  cases: ["jit", "eager"].map((mode) => ({
    name: mode,
    params: { mode },
    expected: () => ({ values: referenceLosses(), tolerance: 1e-4 }),
    bars: mode === "jit" ? [bar(2, "jax-js", (c) => c.threads === 1), bar(3, "jax-js", (c) => c.threads === 2), bar(0.5, "jax")] : [],
    slow: mode === "eager",
  })),
};
