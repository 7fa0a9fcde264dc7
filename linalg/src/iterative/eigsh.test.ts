import { describe, expect, it } from "vitest";
import { ArgumentError, type NDArray, np, random } from "@hessia/core";
import { eigvalsh } from "../index.js";
import { eigsh } from "./eigsh.js";

const symmetric = (seed: number, n: number) => {
  const a = random.normal(random.key(seed), [n, n], { dtype: "float64" });
  return np.add(a, np.transpose(a));
};

describe("eigsh", () => {
  it.each(["LA", "SA", "LM"] as const)("%s of a matrix and of a function", (which) => {
    const a = symmetric(1, 60);
    const all = Array.from(eigvalsh(a).data);
    const want = [...all].sort((x, y) => (which === "LA" ? y - x : which === "SA" ? x - y : Math.abs(y) - Math.abs(x))).slice(0, 4).sort((x, y) => x - y);
    for (const op of [a, (v: NDArray) => np.matmul(a, v)]) {
      const r = eigsh(op, { k: 4, which, n: 60 });
      expect(r.converged).toBe(true);
      Array.from(r.eigenvalues.data).forEach((w, i) => expect(w).toBeCloseTo(want[i]!, 8));
      const residual = np.max(np.abs(np.subtract(np.matmul(a, r.eigenvectors), np.multiply(r.eigenvectors, r.eigenvalues))));
      expect(Number(residual.item())).toBeLessThan(1e-7);
    }
  });
  it("goes on after an invariant subspace", () => {
    const r = eigsh(np.diag(np.array([5, 1, 3, 3])), { k: 4, v0: np.array([1, 0, 0, 0]) });
    Array.from(r.eigenvalues.data).forEach((w, i) => expect(w).toBeCloseTo([1, 3, 3, 5][i]!, 10));
  });
  it("names what is wrong", () => {
    expect(() => eigsh((v) => v)).toThrow(ArgumentError);
    expect(() => eigsh(np.eye(3), { k: 4 })).toThrow(/from 1 to 3/);
  });
});
