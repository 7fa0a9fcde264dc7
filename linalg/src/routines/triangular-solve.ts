import { defineRoutine } from "@hessia/core/extend";

export interface TriangularSolveSizes { readonly batch: number; readonly n: number; readonly columns: number; readonly lower: boolean; readonly transpose: boolean; readonly unitDiagonal: boolean }

/** Solves `op(A) X = B` by substitution, with op(A) = A or its transpose; only the named triangle of A is read. */
export const triangularSolveRoutine = defineRoutine<TriangularSolveSizes>({
  name: "linalg.triangularSolve",
  reference([a, b], [x], { batch, n, columns, lower, transpose, unitDiagonal }) {
    const [m, out] = [a!.data, x!.data];
    out.set(b!.data);
    const forward = lower !== transpose;
    for (let g = 0; g < batch; g++) {
      const matrix = g * n * n;
      const rhs = g * n * columns;
      for (let step = 0; step < n; step++) {
        const i = forward ? step : n - 1 - step;
        const row = rhs + i * columns;
        for (let k = forward ? 0 : i + 1; k < (forward ? i : n); k++) {
          const c = m[matrix + (transpose ? k * n + i : i * n + k)]!;
          if (c === 0) continue;
          const other = rhs + k * columns;
          for (let j = 0; j < columns; j++) out[row + j] = out[row + j]! - c * out[other + j]!;
        }
        if (unitDiagonal) continue;
        const d = m[matrix + i * n + i]!;
        for (let j = 0; j < columns; j++) out[row + j] = out[row + j]! / d;
      }
    }
  },
});
