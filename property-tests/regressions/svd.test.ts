import { expect, it } from "vitest";
import { np, withDevice } from "@hessia/core";
import { svd } from "@hessia/linalg";

// The remains of dependent columns were rotated forever, down to the smallest numbers: no convergence, NaN.
it.each(["wasm", "reference"])("svd of equal columns converges (%s)", (device) => {
  withDevice(device, () => {
    const { u, s, vt } = svd(np.ones([20, 20]));
    expect(s.data[0]).toBeCloseTo(20, 12);
    expect(Number(np.max(np.abs(np.subtract(np.matmul(np.multiply(u, s), vt), 1))).item())).toBeLessThan(1e-13);
    expect(Number(np.max(np.abs(np.subtract(np.matmul(np.transpose(u), u), np.eye(20)))).item())).toBeLessThan(1e-13);
  });
});
