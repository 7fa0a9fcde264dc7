import { defineRoutine } from "@hessia/core/extend";

export interface MatrixBatch { readonly batch: number; readonly n: number }

/**
 * Lower Cholesky factor of each matrix, row by row: `L[i,j] = (A[i,j] - L[i,:j] . L[j,:j]) / L[j,j]`. Reads the lower triangle.
 * A matrix that is not positive definite gives NaN throughout.
 */
export const choleskyRoutine = defineRoutine<MatrixBatch>({
  name: "linalg.cholesky",
  reference([a], [l], { batch, n }) {
    const [from, to] = [a!.data, l!.data];
    for (let g = 0; g < batch; g++) {
      const base = g * n * n;
      to.fill(0, base, base + n * n);
      for (let i = 0; i < n; i++) {
        const row = base + i * n;
        for (let j = 0; j <= i; j++) {
          const other = base + j * n;
          let sum = from[row + j]!;
          for (let k = 0; k < j; k++) sum -= to[row + k]! * to[other + k]!;
          to[row + j] = i === j ? Math.sqrt(sum) : sum / to[other + j]!;
        }
        if (!(to[row + i]! > 0)) {
          to.fill(NaN, base, base + n * n);
          break;
        }
      }
    }
  },
});
