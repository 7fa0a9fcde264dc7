import { bar, type Case, javascriptPeers, numberOf, type Params, type Task, textOf } from "../harness/case.js";
import { centered, digest } from "../harness/data.js";

/** A convolution of squares with "same" padding, channels last. */
export interface Convolution {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly size: number;
  readonly window: number;
  readonly stride: number;
  readonly groups: number;
  /** What is asked for: the result, or the derivative of its product with a cotangent by one of both. */
  readonly what: "forward" | "input" | "kernel";
}

export const convolutionOf = (p: Params): Convolution => ({
  batch: numberOf(p, "batch"), inputs: numberOf(p, "inputs"), outputs: numberOf(p, "outputs"), size: numberOf(p, "size"),
  window: numberOf(p, "window"), stride: numberOf(p, "stride"), groups: numberOf(p, "groups"), what: textOf(p, "what") as Convolution["what"],
});
export const outputSize = ({ size, stride }: Convolution): number => Math.ceil(size / stride);

/** Image, kernel (height, width, inputs of a group, outputs) and cotangent. */
export const shapesOf = (c: Convolution): [number[], number[], number[]] => [
  [c.batch, c.size, c.size, c.inputs], [c.window, c.window, c.inputs / c.groups, c.outputs], [c.batch, outputSize(c), outputSize(c), c.outputs],
];
const count = (shape: readonly number[]): number => shape.reduce((x, n) => x * n, 1);
export const arraysOf = (c: Convolution): Float32Array[] => shapesOf(c).map((shape, i) => centered(count(shape), 91 + i) as Float32Array);

function answer(c: Convolution): Float64Array {
  const { batch, inputs, outputs, size, window, stride, groups, what } = c;
  const [x, k, t] = arraysOf(c) as [Float32Array, Float32Array, Float32Array];
  const [perGroup, outPerGroup, n] = [inputs / groups, outputs / groups, outputSize(c)];
  const low = Math.floor(Math.max(0, (n - 1) * stride + window - size) / 2);
  const y = new Float64Array(what === "forward" ? t.length : what === "input" ? x.length : k.length);
  for (let b = 0; b < batch; b++) for (let p = 0; p < n; p++) for (let q = 0; q < n; q++)
    for (let i = 0; i < window; i++) for (let j = 0; j < window; j++) {
      const [r, s] = [p * stride + i - low, q * stride + j - low];
      if (r < 0 || s < 0 || r >= size || s >= size) continue;
      for (let d = 0; d < perGroup; d++) for (let o = 0; o < outputs; o++) {
        const atX = ((b * size + r) * size + s) * inputs + Math.floor(o / outPerGroup) * perGroup + d;
        const atK = ((i * window + j) * perGroup + d) * outputs + o;
        const atY = ((b * n + p) * n + q) * outputs + o;
        if (what === "forward") y[atY]! += x[atX]! * k[atK]!;
        else if (what === "input") y[atX]! += k[atK]! * t[atY]!;
        else y[atK]! += x[atX]! * t[atY]!;
      }
    }
  return y;
}

const kinds: readonly (readonly [name: string, c: Omit<Convolution, "what">])[] = [
  ["1 x 1, 64 to 64", { batch: 4, inputs: 64, outputs: 64, size: 28, window: 1, stride: 1, groups: 1 }],
  ["3 x 3, 32 to 32", { batch: 4, inputs: 32, outputs: 32, size: 28, window: 3, stride: 1, groups: 1 }],
  ["3 x 3, stride 2, 32 to 64", { batch: 4, inputs: 32, outputs: 64, size: 28, window: 3, stride: 2, groups: 1 }],
  ["7 x 7, stride 2, 3 to 64", { batch: 1, inputs: 3, outputs: 64, size: 112, window: 7, stride: 2, groups: 1 }],
  ["3 x 3, each channel alone, 64", { batch: 4, inputs: 64, outputs: 64, size: 28, window: 3, stride: 1, groups: 64 }],
];

const cases = kinds.flatMap(([name, c]) =>
  (["forward", "input", "kernel"] as const).map((what): Case => ({
    name: `${name}: ${what === "forward" ? "forward" : `by ${what}`}`,
    params: { ...c, what },
    expected: () => ({ values: digest(answer({ ...c, what })), tolerance: 1e-5, scale: Math.sqrt(c.window ** 2 * (what === "kernel" ? c.batch * c.size ** 2 : Math.max(c.inputs, c.outputs))) }),
    bars: [bar(1, javascriptPeers)],
    flops: 2 * c.batch * (c.size / c.stride) ** 2 * c.window ** 2 * (c.inputs / c.groups) * c.outputs,
  })));
const pools = (["max", "mean"] as const).flatMap((op) => [2, 3].map((window): Case => ({
  name: `${op} of ${window} x ${window}, stride 2, 64 channels`,
  params: { op, window },
  expected: () => ({ values: digest(pooled(op, window)), tolerance: 1e-6 }),
  bars: [bar(1, javascriptPeers)],
})));

export const pooledShape = [4, 56, 56, 64] as const;
export const pooledImages = () => centered(count(pooledShape), 95) as Float32Array;

/** Windows that lie inside. */
function pooled(op: "max" | "mean", window: number): Float64Array {
  const x = pooledImages();
  const [batch, size, , channels] = pooledShape;
  const n = Math.floor((size - window) / 2) + 1;
  const y = new Float64Array(batch * n * n * channels);
  for (let i = 0; i < y.length; i++) {
    const [c, q, p, b] = [i % channels, Math.floor(i / channels) % n, Math.floor(i / (channels * n)) % n, Math.floor(i / (channels * n * n))];
    let value = op === "max" ? -Infinity : 0;
    for (let r = 0; r < window; r++) for (let s = 0; s < window; s++) {
      const v = x[((b * size + 2 * p + r) * size + 2 * q + s) * channels + c]!;
      value = op === "max" ? Math.max(value, v) : value + v / window ** 2;
    }
    y[i] = value;
  }
  return y;
}

export const convolutions: Task = { name: "convolutions", title: "Convolutions and pooling, float32, channels last, jitted where there is a jit", cases: [...cases, ...pools] };
