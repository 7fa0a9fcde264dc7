import { bar, type Case, type Element, type Task } from "../harness/case.js";
import { centered } from "../harness/data.js";

function expected(n: number, dtype: Element) {
  const x = centered(n, 3, dtype, 4);
  let sum = 0;
  let scale = 0;
  for (let i = 0; i < n; i++) {
    const v = x[i]!;
    const term = Math.tanh(v) * Math.exp(-v * v) + 0.5 * v;
    sum += term;
    scale += Math.abs(term);
  }
  // The terms nearly cancel: an error is judged by their sizes.
  return { values: [sum], scale, tolerance: dtype === "float32" ? 1e-5 : 1e-12 };
}

const cases = (dtype: Element): Case[] =>
  [1e6, 1e7].map((n) => ({ name: `${dtype} ${n.toExponential(0)}`, params: { dtype, n }, expected: () => expected(n, dtype), bars: [bar(8, "jax-js"), bar(0.5, "jax")], slow: n > 1e6 }));

export const fused: Task = { name: "fused", title: "sum(tanh(x) * exp(-x*x) + 0.5*x)", cases: [...cases("float32"), ...cases("float64")] };
