import { expect, it } from "vitest";
import { jit, type NDArray, np, vmap } from "../index.js";

/** The line of this file that an error names as where a value was made. */
function lineOf(f: (x: NDArray) => NDArray): number {
  try {
    jit((x: NDArray) => np.add(x, Number(f(x))))(np.ones([2]));
  } catch (e) {
    return Number(/made at .*call-site\.test\.ts:(\d+)/.exec(String(e))?.[1]);
  }
  return NaN;
}

it("values are from the line that calls the operation, also those that a rule makes", () => {
  const direct = lineOf((x) => {
    const y = x.mul(2);
    return y.add(1);
  });
  const byRule = lineOf((x) => {
    const y = vmap((row: NDArray) => {
      const z = row.mul(2);
      return z.add(1);
    })(x);
    return y;
  });
  expect(byRule - direct).toBe(5);
});
