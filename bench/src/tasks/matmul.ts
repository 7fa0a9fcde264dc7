import { type Bar, bar, type Case, type Element, javascriptPeers, type Task } from "../harness/case.js";
import { centered, samplePositions } from "../harness/data.js";

const sizes = [64, 256, 512, 1024, 2048];

const bars = (dtype: Element): Bar[] =>
  dtype === "float64"
    ? [bar(1.7, "numpy-ts", (c) => c.threads === 1), bar(0.5, "numpy", (c) => c.threads === 1)]
    : [
        bar(1.5, javascriptPeers, (c) => c.threads === 1 && c.relaxedSimd),
        bar(0.95, javascriptPeers, (c) => c.threads === 1 && !c.relaxedSimd),
        bar(0.5, "numpy", (c) => c.threads === 1 && c.relaxedSimd && !c.revectorized),
        bar(0.75, "numpy", (c) => c.threads === 1 && c.relaxedSimd && c.revectorized),
        bar(1.6, "jax-js", (c) => c.threads === 2),
      ];

/** The sampled elements of the product, each by its own dot product. */
function expected(n: number, dtype: Element) {
  const a = centered(n * n, 1, dtype);
  const b = centered(n * n, 2, dtype);
  const values = samplePositions(n * n).map((position) => {
    const i = Math.floor(position / n);
    const j = position % n;
    let sum = 0;
    for (let k = 0; k < n; k++) sum += a[i * n + k]! * b[k * n + j]!;
    return sum;
  });
  return { values, tolerance: dtype === "float32" ? 1e-4 : 1e-12 };
}

const cases = (dtype: Element): Case[] =>
  sizes.map((n) => ({ name: `${dtype} ${n}`, params: { dtype, n }, expected: () => expected(n, dtype), bars: bars(dtype), flops: 2 * n ** 3, slow: n > 512 }));

export const matmul: Task = { name: "matmul", title: "Matrix product of two N x N matrices, jitted where there is a jit", cases: [...cases("float32"), ...cases("float64")] };
