import { defineNativeRoutine } from "@hessia/core/native";
import { triangularSolveRoutine as routine } from "../routines/triangular-solve.js";
import { forwardSolve, solveVector, substitute } from "./triangular.js";

/** So few right sides are solved one by one. */
const fewColumns = 3;
/** Below, plain substitution takes less time than calls. */
const smallSize = 28;

/** Triangular systems in WebAssembly: one right side by dot products or multiples of rows, many by blocks. */
export const triangularSolveRoutine = defineNativeRoutine(routine, ({ params: { batch, n, columns, lower, transpose, unitDiagonal }, outputs, gemmScratchBytes }) => {
  const dtype = outputs[0]!.dtype;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  const unit = unitDiagonal ? 1 : 0;
  const few = columns <= fewColumns;
  const vectors = few && n > smallSize;
  return {
    dtype,
    scratchBytes: vectors ? (columns > 1 ? n * 8 : 0) : few ? 0 : gemmScratchBytes(dtype),
    body(c, { inputs: [a, b], outputs: [x], scratch }) {
      c.copy(batch * n * columns, b!, x!);
      if (n === 0) return;
      c.range(0, batch, (g) => {
        const matrix = c.let(a!.at(g.times(n * n)));
        const rhs = c.let(x!.at(g.times(n * columns)));
        const flags = { lower: lower ? 1 : 0, transpose: transpose ? 1 : 0, unit };
        if (vectors && columns === 1) c.call(solveVector, { n, a: matrix, ...flags, x: rhs });
        else if (vectors)
          c.range(0, columns, (j) => {
            c.range(0, n, (i) => scratch.store(rhs.load(i.times(columns).plus(j)), i));
            c.call(solveVector, { n, a: matrix, ...flags, x: scratch });
            c.range(0, n, (i) => rhs.store(scratch.load(i), i.times(columns).plus(j)));
          });
        else {
          const [tRow, tColumn] = transpose ? [1, n] : [n, 1];
          // Backward substitution is forward substitution from the last row up.
          const [start, sign] = lower !== transpose ? [0, 1] : [n - 1, -1];
          const system = { n, columns, t: matrix.at(start * (n + 1)), tRow: sign * tRow, tColumn: sign * tColumn, unit, x: rhs.at(start * columns), xRow: sign * columns };
          if (few) c.call(substitute, system);
          else c.call(forwardSolve, { ...system, scratch });
        }
      });
    },
  };
});
