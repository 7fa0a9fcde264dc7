import { grad } from "@hessia/autodiff";
import { explain, jit, np, setThreads } from "@hessia/core";

const f = (x: np.NDArray) => np.sum(np.multiply(x, np.sin(x)));
const x = np.array([1, 2, 3]);
const slope = (grad(f)(x) as np.NDArray).toArray() as number[];
for (const [i, value] of [1, 2, 3].entries()) {
  const exact = Math.sin(value) + value * Math.cos(value);
  if (!(Math.abs(slope[i]! - exact) < 1e-14)) throw new Error(`slope[${i}] = ${slope[i]}, expected ${exact}`);
}
console.log("slope is exact");

// Workers have to start from the package as it is, in Node and from a bundle in a page.
setThreads(2);
const sum = jit((x: np.NDArray) => np.sum(np.tanh(x)));
const ones = np.ones([1_000_000]);
for (let round = 0; round < 20; round++) {
  const total = sum(ones).item() as number;
  if (!(Math.abs(total / (1e6 * Math.tanh(1)) - 1) < 1e-14)) throw new Error(`two threads sum to ${total}`);
  await new Promise((resolve) => setTimeout(resolve, 10));
}
if (explain(sum, ones).splitKernels !== 1) throw new Error("the sum was not split");
console.log("two threads agree");
