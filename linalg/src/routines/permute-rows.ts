import { defineRoutine } from "@hessia/core/extend";

export interface PermuteRowsSizes { readonly batch: number; readonly n: number; readonly columns: number; readonly inverse: boolean }

/** `y[i] = x[p[i]]`, or `y[p[i]] = x[i]` for the inverse. */
export const permuteRowsRoutine = defineRoutine<PermuteRowsSizes>({
  name: "linalg.permuteRows",
  reference([x, p], [y], { batch, n, columns, inverse }) {
    for (let g = 0; g < batch; g++)
      for (let i = 0; i < n; i++) {
        const other = p!.data[g * n + i]!;
        const [from, to] = inverse ? [i, other] : [other, i];
        const start = (g * n + from) * columns;
        y!.data.set(x!.data.subarray(start, start + columns), (g * n + to) * columns);
      }
  },
});
