import { defineNativeRoutine, type NativeGenerator, template, transposeRows } from "@hessia/core/native";
import { eighRoutine as routine, eigvalshRoutine as valuesRoutine } from "../routines/eigh.js";
import type { MatrixBatch } from "../routines/cholesky.js";
import { baseSize, divideAndConquer, mergeIntegers, mergeVectors } from "./divide-and-conquer.js";
import { implicitQl } from "./implicit-ql.js";
import { ascendingOrder } from "./order.js";
import { multiplyByReflectors, reflectOne, togetherSize } from "./reflectors.js";
import { layOut } from "./room.js";
import { unitFactor } from "./scaling.js";
import { panelColumns, tridiagonalize } from "./tridiagonal.js";

/** Copies the lower triangle of `from`, times a factor, to the upper one of `to`. Both have rows n apart. */
const copyTransposed = (from: "pointer to float32" | "pointer to float64") => template(`linalg.copyTransposed.${from}`, { n: "index", factor: "real", from, to: "pointer" }, "nothing", (c, { n, factor, from: source, to }) => {
  const tile = 8;
  c.range(0, n, (i0) => {
    const iEnd = c.let(i0.plus(tile).min(n));
    c.range(0, iEnd, (j0) => c.range(i0, iEnd, (i) => {
      const end = c.let(j0.plus(tile).min(i.plus(1)));
      c.range(j0, end, (j) => to.store(source.load(i.times(n).plus(j)).times(factor), j.times(n).plus(i)));
    }), tile);
  }, tile);
});

/** Largest magnitude in the lower triangle; infinite where an element is not finite. */
const largestLower = (from: "pointer to float32" | "pointer to float64") => template(`linalg.largestLower.${from}`, { n: "index", a: from }, "real", (c, { n, a }) => {
  const largest = c.real(0);
  c.range(0, n, (i) => {
    const row = c.let(a.at(i.times(n)));
    c.range(0, i.plus(1), (j) => largest.set(largest.max(row.load(j).abs())));
  });
  return c.choose(largest.less(Infinity), largest, Infinity);
});

const forType = {
  float32: { copyTransposed: copyTransposed("pointer to float32"), largestLower: largestLower("pointer to float32") },
  float64: { copyTransposed: copyTransposed("pointer to float64"), largestLower: largestLower("pointer to float64") },
};

/** As `multiplyByReflectors`, one at a time, for small n. */
const applyReductionSmall = template("linalg.applyReductionSmall", { n: "index", a: "pointer", tau: "pointer", z: "pointer", work: "pointer" }, "nothing", (c, { n, a, tau, z, work }) => {
  c.range(n.minus(3), -1, (j) => c.call(reflectOne, { m: n, n: n.minus(j).minus(1), tau: tau.load(j), v: a.at(j.times(n.plus(1)).plus(1)), x: z.at(j.plus(1)), xRow: n, work }), -1);
});

const generator = (vectors: boolean): NativeGenerator<MatrixBatch> => ({ params: { batch, n }, inputs, gemmScratchBytes }) => {
  const { dtype } = inputs[0]!;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  const { copyTransposed, largestLower } = forType[dtype];
  const converts = dtype === "float32";
  const large = vectors && n > baseSize;
  const sizes = {
    a: n * n, z: vectors ? n * n : 0, rows: large ? n * n : 0, system: large ? n * n : 0, work: Math.max(3 * panelColumns, 2 * togetherSize) * n, v: large ? togetherSize * n : 0, w: large ? togetherSize * n : 0,
    d: n, e: n, tau: n, dots: 2 * panelColumns, merge: mergeVectors * Math.max(n, 4), order: n, integers: mergeIntegers * n,
  };
  const { starts, total } = layOut(sizes);
  return {
    dtype: "float64",
    scratchBytes: total * 8 + (n > baseSize ? gemmScratchBytes("float64") : 0),
    body(c, { inputs: [input], outputs: [spectrum, output], scratch: room }) {
      const part = (name: keyof typeof sizes) => c.let(room.at(starts[name]));
      const [a, z, rows, system, work, v, w] = [part("a"), part("z"), part("rows"), part("system"), part("work"), part("v"), part("w")];
      const [d, e, tau, dots, merge] = [part("d"), part("e"), part("tau"), part("dots"), part("merge")];
      const [order, integers] = [c.let(part("order").bytes(0, "int32")), c.let(part("integers").bytes(0, "int32"))];
      const scratch = c.let(room.at(total));
      c.range(0, batch, (g) => {
        const from = c.let(input!.at(g.times(n * n)));
        const values = c.let(spectrum!.at(g.times(n)));
        const largest = c.call(largestLower, { n, a: from });
        const failed = c.index(0);
        c.when(largest.less(Infinity).not(), () => failed.set(1), () => {
          const factor = unitFactor(c, largest);
          c.call(copyTransposed, { n, factor, from, to: a });
          c.call(tridiagonalize, { n, a, d, e, tau, work, dots, scratch });
          if (vectors) {
            c.clear(n * n, z);
            failed.set(c.call(divideAndConquer, { n, d, e, z, zRow: n, order, vectors: merge, integers, rows, system, scratch }));
          } else {
            failed.set(c.call(implicitQl, { n, d, e, z, zRow: 0, count: 0 }));
            c.call(ascendingOrder, { n, d, order });
          }
          c.when(failed.equals(0), () => {
            c.range(0, n, (i) => values.store(d.load(order.loadIndex(i)).over(factor), i));
            if (!output) return;
            const columns = c.let(output.at(g.times(n * n)));
            if (large) c.call(multiplyByReflectors, { n, count: n - 2, offset: 1, a, tau, z, v, w, work, scratch });
            else c.call(applyReductionSmall, { n, a, tau, z, work });
            transposeRows(c, n, n, (i) => z.at(order.loadIndex(i).times(n)), converts ? a : columns, n);
            if (converts) c.range(0, n * n, (i) => columns.store(a.load(i), i));
          });
        });
        c.when(failed.differs(0), () => {
          c.range(0, n, (i) => values.store(NaN, i));
          if (output) c.range(0, n * n, (i) => output.store(NaN, g.times(n * n).plus(i)));
        });
      });
    },
  };
};

/**
 * Symmetric eigenproblems in WebAssembly, in double precision for both float types: reduction to tridiagonal form, divide and conquer, and back; for the eigenvalues alone
 * reduction and implicit QL.
 */
export const eighRoutine = defineNativeRoutine(routine, generator(true));
export const eigvalshRoutine = defineNativeRoutine(valuesRoutine, generator(false));
