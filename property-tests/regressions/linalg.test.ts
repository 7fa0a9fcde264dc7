import { expect, it } from "vitest";
import { np, withDevice } from "@hessia/core";
import { eigh, qr, solve, solveTriangular, svd } from "@hessia/linalg";

const largest = (x: ReturnType<typeof np.abs>): number => Number(np.max(np.abs(x)).item());

// Beside a diagonal of rounding nothing was ever negligible (no convergence, NaN), and reflectors of subnormal numbers were not orthogonal.
it.each(["wasm", "reference"])("eigh of matrices of rank one converges (%s)", (device) => {
  withDevice(device, () => {
    for (const n of [49, 97]) {
      const { eigenvalues, eigenvectors } = eigh(np.ones([n, n]));
      expect(eigenvalues.data[n - 1]).toBeCloseTo(n, 11);
      expect(largest(np.subtract(np.matmul(np.multiply(eigenvectors, eigenvalues), np.transpose(eigenvectors)), 1))).toBeLessThan(n * n * Number.EPSILON);
      expect(largest(np.subtract(np.matmul(np.transpose(eigenvectors), eigenvectors), np.eye(n)))).toBeLessThan(n * n * Number.EPSILON);
    }
  });
});

// Columns that depend on others leave rounding errors of rounding errors, in the end subnormal numbers.
it.each(["wasm", "reference"])("qr of equal columns is orthogonal (%s)", (device) => {
  withDevice(device, () => {
    const n = 97;
    const { q, r } = qr(np.ones([n, n]));
    expect(largest(np.subtract(np.matmul(np.transpose(q), q), np.eye(n)))).toBeLessThan(n * Number.EPSILON);
    expect(largest(np.subtract(np.matmul(q, r), 1))).toBeLessThan(n * n * Number.EPSILON);
  });
});

// Squares of large elements overflowed, those of small ones vanished.
it.each(["wasm", "reference"])("svd knows no scale (%s)", (device) => {
  withDevice(device, () => {
    const x = np.array([[3, 1, 0], [1, 2, -1], [0.5, 0, 4], [1, 1, 1]]);
    const { s } = svd(x);
    for (const scale of [1e-290, 1e290]) svd(np.multiply(x, scale)).s.data.forEach((v, i) => expect(v / scale / s.data[i]!).toBeCloseTo(1, 12));
  });
});

// Truthy values of `trans` meant different things on different backends, one of them wrong.
it("solveTriangular wants booleans", () => {
  expect(() => solveTriangular(np.eye(2), np.ones([2]), { trans: 1 as unknown as boolean })).toThrow("trans");
  expect(() => solve(np.eye(2), np.ones([2]), { transposed: "T" as unknown as boolean })).toThrow("transposed");
});
