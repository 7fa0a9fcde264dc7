import { describe, expect, it } from "vitest";
import { ArgumentError, jit, type NDArray, np, random } from "@hessia/core";
import { checkGrads } from "@hessia/autodiff";
import { expm, matrixPower } from "./index.js";

const error = (a: NDArray, b: NDArray): number => Number(np.max(np.abs(np.subtract(a, b))).item());
const normal = (seed: number, shape: number[]) => random.normal(random.key(seed), shape, { dtype: "float64" });

describe("matrix functions", () => {
  it("matrixPower", () => {
    expect(matrixPower(np.array([[1, 1], [1, 0]]), 10).toArray()).toEqual([[89, 55], [55, 34]]);
    const a = normal(1, [3, 3]);
    expect(error(matrixPower(a, 0), np.eye(3))).toBe(0);
    expect(error(np.matmul(matrixPower(a, -2), matrixPower(a, 2)), np.eye(3))).toBeLessThan(1e-9);
    expect(() => matrixPower(a, 0.5)).toThrow(ArgumentError);
    checkGrads((x: NDArray) => np.sum(np.sin(matrixPower(x, 3))), [a], { order: 2 });
  });
  it("expm", () => {
    for (const angle of [1e-8, 0.3, Math.PI, 40, 3000]) {
      const r = expm(np.array([[0, -angle], [angle, 0]]));
      expect(error(r, np.array([[Math.cos(angle), -Math.sin(angle)], [Math.sin(angle), Math.cos(angle)]]))).toBeLessThan(1e-14 * Math.max(1, angle) * 20);
    }
    expect(error(expm(np.diag(np.array([-30, 0, 2]))), np.diag(np.exp(np.array([-30, 0, 2]))))).toBeLessThan(1e-13);
    const a = np.stack([normal(2, [3, 3]), np.multiply(20, normal(3, [3, 3]))]);
    expect(error(np.matmul(expm(a), expm(np.negative(a))).get(0), np.eye(3))).toBeLessThan(1e-13);
    expect(error(jit((x: NDArray) => expm(x))(a.get(0)), expm(a).get(0))).toBeLessThan(1e-13);
    checkGrads((x: NDArray) => np.sum(np.sin(expm(x))), [normal(4, [3, 3])], { order: 2 });
  });
});
