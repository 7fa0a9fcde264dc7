import { defineNativeRoutine } from "@hessia/core/native";
import { permuteRowsRoutine as routine } from "../routines/permute-rows.js";

/** Rows up to this length are copied element by element. */
const shortRow = 16;

export const permuteRowsRoutine = defineNativeRoutine(routine, ({ params: { batch, n, columns, inverse }, outputs }) => {
  const dtype = outputs[0]!.dtype;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  return {
    dtype,
    scratchBytes: 0,
    body(c, { inputs: [x, p], outputs: [y] }) {
      c.range(0, batch, (g) => {
        const from = c.let(x!.at(g.times(n * columns)));
        const to = c.let(y!.at(g.times(n * columns)));
        c.range(0, n, (i) => {
          const other = c.let(p!.loadIndex(g.times(n).plus(i)));
          const [source, target] = inverse ? [i, other] : [other, i];
          const left = c.let(from.at(source.times(columns)));
          const right = c.let(to.at(target.times(columns)));
          if (columns <= shortRow) for (let j = 0; j < columns; j++) right.store(left.load(j), j);
          else c.copy(columns, left, right);
        });
      });
    },
  };
});
