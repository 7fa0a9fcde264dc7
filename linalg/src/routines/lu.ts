import { defineRoutine } from "@hessia/core/extend";

export interface RectangularBatch { readonly batch: number; readonly m: number; readonly n: number }

/**
 * LU with partial pivoting in place: `A[p] = L U`, L unit lower and U upper in one array. Outputs: the array, pivots (row swapped with
 * row i at step i) and the permutation p.
 */
export const luRoutine = defineRoutine<RectangularBatch>({
  name: "linalg.lu",
  reference([a], [lu, pivots, permutation], { batch, m, n }) {
    const out = lu!.data;
    out.set(a!.data);
    const k = Math.min(m, n);
    for (let g = 0; g < batch; g++) {
      const base = g * m * n;
      const p = permutation!.data.subarray(g * m, (g + 1) * m);
      for (let i = 0; i < m; i++) p[i] = i;
      for (let c = 0; c < k; c++) {
        let best = c;
        for (let r = c + 1; r < m; r++) if (Math.abs(out[base + r * n + c]!) > Math.abs(out[base + best * n + c]!)) best = r;
        pivots!.data[g * k + c] = best;
        if (best !== c) {
          for (let j = 0; j < n; j++) {
            const t = out[base + c * n + j]!;
            out[base + c * n + j] = out[base + best * n + j]!;
            out[base + best * n + j] = t;
          }
          const t = p[c]!;
          p[c] = p[best]!;
          p[best] = t;
        }
        const pivot = out[base + c * n + c]!;
        if (pivot === 0) continue;
        for (let r = c + 1; r < m; r++) {
          const row = base + r * n;
          const f = (out[row + c] = out[row + c]! / pivot);
          if (f === 0) continue;
          for (let j = c + 1; j < n; j++) out[row + j] = out[row + j]! - f * out[base + c * n + j]!;
        }
      }
    }
  },
});
