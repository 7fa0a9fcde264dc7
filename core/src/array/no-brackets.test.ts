import { expect, it } from "vitest";
import { jit, type NDArray, np } from "../index.js";

it("brackets say what to write instead", () => {
  const x = np.array([1, 2]) as unknown as Record<number, unknown>;
  expect(() => x[0]).toThrow(/x\.get\(0\)/);
  expect(() => (x[0] = 5)).toThrow(/x\.at\(0\)\.set\(value\)/);
  expect(() => jit((a: NDArray) => (a as unknown as NDArray[])[1]!)(np.array([1, 2]))).toThrow(/x\.get\(1\)/);
});

it("all else behaves as an object does", async () => {
  const x = np.array([1, 2]);
  expect((await Promise.resolve(x)) === x).toBe(true);
  expect((x as unknown as { missing?: unknown }).missing).toBeUndefined();
  expect(x instanceof Object && "shape" in x && JSON.stringify(x) === "[1,2]").toBe(true);
});
