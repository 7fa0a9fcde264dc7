import { cumulativeRoutine } from "../../../../kernel/routines/cumulative.js";
import { defineNativeRoutine } from "../../native/index.js";
import { alongColumns, columnScratch } from "./columns.js";
import { running } from "./operation.js";
import { alongRows } from "./rows.js";

/**
 * Running sums, products and extrema. Sums of floats begin anew block by block and carry the rounding errors of the sums before
 * along: `|error| <= 40 eps sum |x|` for any length. Products have the reference's order, everything else is exact.
 */
export const nativeCumulative = defineNativeRoutine(cumulativeRoutine, ({ params: { op, outer, length, inner, reverse }, inputs }) => {
  const { dtype } = inputs[0]!;
  const r = running(op, reverse);
  return {
    dtype,
    scratchBytes: columnScratch({ dtype }, inner) * 8,
    body(c, { inputs: [x], outputs: [y], scratch }) {
      if (inner === 1) alongRows(c, r, outer, length, x!, y!);
      else alongColumns(c, r, outer, length, inner, x!, y!, scratch);
    },
  };
});
