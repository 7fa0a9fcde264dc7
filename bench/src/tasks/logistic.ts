import { bar, type Case, type Element, type Task } from "../harness/case.js";
import { centered, digest, uniform } from "../harness/data.js";

export const sampleCount = 1000;
export const featureCount = 200;
export const features = (dtype: Element) => centered(sampleCount * featureCount, 40, dtype, 2);
export const signs = (dtype: Element) => uniform(sampleCount, 41, dtype).map((v) => (v < 0.5 ? -1 : 1));
export const weights = (dtype: Element) => centered(featureCount, 42, dtype, 0.2);

/** H = A^T diag(s (1 - s)) A / m with s = logistic(-y A w). */
function hessian(dtype: Element): Float64Array {
  const a = features(dtype);
  const y = signs(dtype);
  const w = weights(dtype);
  const h = new Float64Array(featureCount * featureCount);
  for (let r = 0; r < sampleCount; r++) {
    const row = a.subarray(r * featureCount, (r + 1) * featureCount);
    let margin = 0;
    for (let j = 0; j < featureCount; j++) margin += row[j]! * w[j]!;
    const s = 1 / (1 + Math.exp(margin * y[r]!));
    const weight = (s * (1 - s)) / sampleCount;
    for (let i = 0; i < featureCount; i++) for (let j = 0; j < featureCount; j++) h[i * featureCount + j]! += weight * row[i]! * row[j]!;
  }
  return h;
}

const cases = (["float32", "float64"] as const).map((dtype): Case => ({
  name: `${dtype} Hessian`,
  params: { dtype },
  expected: () => ({ values: digest(hessian(dtype)), tolerance: dtype === "float32" ? 1e-5 : 1e-12 }),
  bars: [bar(dtype === "float32" ? 4 : 15, "jax-js"), bar(0.5, "jax")],
}));

export const logistic: Task = { name: "logistic", title: "Hessian of logistic regression, 200 parameters, 1000 samples, jitted", cases };
