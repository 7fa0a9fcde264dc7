import { grad } from "@hessia/autodiff";
import { np } from "@hessia/core";

const f = (x: np.NDArray) => np.sum(np.multiply(x, np.sin(x)));
const x = np.array([1, 2, 3]);
const slope = (grad(f)(x) as np.NDArray).toArray() as number[];
for (const [i, value] of [1, 2, 3].entries()) {
  const exact = Math.sin(value) + value * Math.cos(value);
  if (!(Math.abs(slope[i]! - exact) < 1e-14)) throw new Error(`slope[${i}] = ${slope[i]}, expected ${exact}`);
}
console.log("slope is exact");
