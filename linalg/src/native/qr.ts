import { defineNativeRoutine, template, transposeInto } from "@hessia/core/native";
import { qrRoutine as routine } from "../routines/qr.js";
import { makeReflector, makeTriangle, reflectOne, reflectRows } from "./reflectors.js";
import { layOut } from "./room.js";

/** Reflectors that are applied together. */
const blockSize = 32;
/** Up to so many columns blocks gain nothing. */
const unblockedColumns = 24;

/** Factorizes the n columns (rows of `w`, m >= n elements each) one after the other; R stays above the diagonal, reflectors below it, tau aside. */
const panel = template("linalg.qrPanel", { m: "index", n: "index", w: "pointer", row: "index", tau: "pointer", work: "pointer" }, "nothing", (c, { m, n, w, row, tau, work }) => {
  c.range(0, n.min(m), (j) => {
    const v = c.let(w.at(j.times(row.plus(1))));
    const length = c.let(m.minus(j));
    const factor = c.let(c.call(makeReflector, { n: length, x: v }));
    tau.store(factor, j);
    c.when(factor.differs(0), () => {
      const beta = c.let(v.load());
      v.store(1);
      c.call(reflectOne, { m: n.minus(j).minus(1), n: length, tau: factor, v, x: v.at(row), xRow: row, work });
      v.store(beta);
    });
  });
});

/** Copies k reflectors of n elements out of a panel, with the ones and zeros that are not stored there. */
const copyReflectors = template("linalg.copyReflectors", { n: "index", k: "index", w: "pointer", row: "index", v: "pointer" }, "nothing", (c, { n, k, w, row, v }) => {
  c.range(0, k, (j) => {
    const to = c.let(v.at(j.times(n)));
    c.clear(j, to);
    to.store(1, j);
    c.copy(n.minus(j).minus(1), w.at(j.times(row).plus(j).plus(1)), to.at(j.plus(1)));
  });
});

/** Blocked Householder QR in WebAssembly, in double precision for both float types. */
export const qrRoutine = defineNativeRoutine(routine, ({ params: { batch, m, n, columns }, inputs, gemmScratchBytes }) => {
  const { dtype } = inputs[0]!;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  const k = Math.min(m, n);
  const converts = dtype === "float32";
  const block = Math.min(k, blockSize);
  const blocked = k > unblockedColumns;
  // Columns of A, then of Q, are rows here. In numbers: where the parts of the scratch room begin.
  const sizes = { w: n * m, q: columns * m, v: block * m, t: block * block, tau: k, work: 2 * block * Math.max(n, columns), converted: converts ? Math.max(m * n, m * columns) : 0 };
  const { starts, total } = layOut(sizes);
  return {
    dtype: "float64",
    scratchBytes: total * 8 + (blocked ? gemmScratchBytes("float64") : 0),
    body(c, { inputs: [a], outputs: [q, r], scratch: room }) {
      const part = (name: keyof typeof sizes) => c.let(room.at(starts[name]));
      const [w, qt, v, t, tau, work, converted] = [part("w"), part("q"), part("v"), part("t"), part("tau"), part("work"), part("converted")];
      const scratch = c.let(room.at(total));
      c.range(0, batch, (g) => {
        const from = c.let(a!.at(g.times(m * n)));
        if (converts) c.range(0, m * n, (i) => converted.store(from.load(i), i));
        c.call(transposeInto, { m, n, a: converts ? converted : from, aRow: n, b: w, bRow: m });
        if (!blocked) c.call(panel, { m, n, w, row: m, tau, work });
        else
          c.range(0, k, (j) => {
            const width = c.let(c.index(k).minus(j).min(blockSize));
            const corner = c.let(w.at(j.times(m + 1)));
            const length = c.let(c.index(m).minus(j));
            const right = c.let(c.index(n).minus(j).minus(width));
            c.call(panel, { m: length, n: width, w: corner, row: m, tau: tau.at(j), work });
            c.when(right.greater(0), () => {
              c.call(copyReflectors, { n: length, k: width, w: corner, row: m, v });
              c.call(makeTriangle, { n: length, k: width, v, vRow: length, tau: tau.at(j), t, scratch });
              // H' from the left on columns: H = I - V T V' on vectors stored by rows.
              c.call(reflectRows, { m: right, n: length, k: width, v, vRow: length, t, transpose: 0, x: corner.at(width.times(m)), xRow: m, work, scratch });
            });
          }, blockSize);
        const upper = c.let(r!.at(g.times(columns * n)));
        c.range(0, columns, (i) => c.range(0, n, (j) => {
          const element = c.real(0);
          c.when(i.atMost(j).and(i.less(k)), () => element.set(w.load(j.times(m).plus(i))));
          upper.store(element, i.times(n).plus(j));
        }));
        // Q = H_0 H_1 ... applied to the identity, from the last reflector: columns before a reflector are still those of the identity.
        c.clear(columns * m, qt);
        c.range(0, columns, (j) => qt.store(1, j.times(m + 1)));
        if (!blocked)
          c.range(k - 1, -1, (j) => {
            const reflector = c.let(w.at(j.times(m + 1)));
            reflector.store(1);
            c.call(reflectOne, { m: c.index(columns).minus(j), n: c.index(m).minus(j), tau: tau.load(j), v: reflector, x: qt.at(j.times(m + 1)), xRow: m, work });
          }, -1);
        else
          c.range(Math.floor((k - 1) / blockSize) * blockSize, -1, (j) => {
            const width = c.let(c.index(k).minus(j).min(blockSize));
            const length = c.let(c.index(m).minus(j));
            c.call(copyReflectors, { n: length, k: width, w: w.at(j.times(m + 1)), row: m, v });
            c.call(makeTriangle, { n: length, k: width, v, vRow: length, tau: tau.at(j), t, scratch });
            c.call(reflectRows, { m: c.index(columns).minus(j), n: length, k: width, v, vRow: length, t, transpose: 1, x: qt.at(j.times(m + 1)), xRow: m, work, scratch });
          }, -blockSize);
        const orthogonal = c.let(q!.at(g.times(m * columns)));
        c.call(transposeInto, { m: columns, n: m, a: qt, aRow: m, b: converts ? converted : orthogonal, bRow: columns });
        if (converts) c.range(0, m * columns, (i) => orthogonal.store(converted.load(i), i));
      });
    },
  };
});
