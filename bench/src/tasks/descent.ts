import { bar, type Case, type Task } from "../harness/case.js";
import { digest } from "../harness/data.js";
import { gradient, point } from "./rosenbrock.js";

export const iterations = 10_000;
export const rate = 2e-4;

function minimum(n: number): Float64Array {
  const x = Float64Array.from(point(n, "float64"));
  for (let i = 0; i < iterations; i++) gradient(x).forEach((g, k) => { x[k]! -= rate * g; });
  return x;
}

const cases = [10, 100].map((n): Case => ({ name: `n=${n}`, params: { n }, expected: () => ({ values: digest(minimum(n)), tolerance: 1e-9 }), bars: [bar(1, "jax")] }));

export const descent: Task = { name: "descent", title: "10,000 iterations of gradient descent on Rosenbrock in float64, in one whileLoop (jax-js has no loop: a jitted step called 10,000 times)", cases };
