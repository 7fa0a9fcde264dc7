import { type Code, defineNativeRoutine, type Pointer, template, transposeInto } from "@hessia/core/native";
import { qrRoutine as routine } from "../routines/qr.js";
import { blockSizeOf, factorizeColumns } from "./householder-qr.js";
import { makeReflector, reflectOne, subtractProjections } from "./reflectors.js";
import { subtractRows } from "./row-products.js";
import { layOut } from "./room.js";

/** Up to so many reflectors are applied one by one. */
const fewColumns = 12;
/** QR without companions; R goes to `upper`, column by column, and the first rows of `q`, in which are the first columns of the identity, become those of Q. */
const small = template("linalg.qrSmall", {
  m: "index", n: "index", columns: "index", v: "pointer", q: "pointer", upper: "pointer", tau: "pointer", work: "pointer",
}, "nothing", (c, { m, n, columns, v, q, upper, tau, work }) => {
  const k = c.let(m.min(n));
  c.range(0, k, (j) => {
    const diagonal = c.let(v.at(j.times(m.plus(1))));
    const factor = c.let(c.call(makeReflector, { n: m.minus(j), x: diagonal }));
    tau.store(factor, j);
    c.copy(j.plus(1), diagonal.at(j.negate()), upper.at(j.times(columns)));
    diagonal.store(1);
    c.call(reflectOne, { m: n.minus(j).minus(1), n: m.minus(j), tau: factor, v: diagonal, x: diagonal.at(m), xRow: m, work });
  });
  c.range(k, n, (j) => c.copy(k, v.at(j.times(m)), upper.at(j.times(columns))));
  c.range(k.minus(1), -1, (j) => {
    const corner = c.let(j.times(m.plus(1)));
    c.call(reflectOne, { m: columns.minus(j), n: m.minus(j), tau: tau.load(j), v: v.at(corner), x: q.at(corner), xRow: m, work });
  }, -1);
});

/** Blocked Householder QR in WebAssembly, in double precision for both float types. */
export const qrRoutine = defineNativeRoutine(routine, ({ params: { batch, m, n, columns }, inputs, gemmScratchBytes }) => {
  const { dtype } = inputs[0]!;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  const k = Math.min(m, n);
  const converts = dtype === "float32";
  const blocked = k > fewColumns;
  const blockSize = blockSizeOf(k);
  // Columns of A, then of Q, are rows here. In numbers: where the parts of the scratch room begin.
  const sizes = { v: n * m, w: blocked ? k * m : k, q: columns * m, upper: n * columns, work: Math.min(k, blockSize) * Math.max(n, columns), converted: converts ? Math.max(m * n, m * columns, n * columns) : 0 };
  const { starts, total } = layOut(sizes);
  // Q = H_0 H_1 ... applied to the identity, from the last block: columns before a block are still those of the identity.
  const accumulate = (c: Code, v: Pointer, w: Pointer, qt: Pointer, work: Pointer, scratch: Pointer): void => c.range(Math.floor((k - 1) / blockSize) * blockSize, -1, (j) => {
    const width = c.let(c.index(k).minus(j).min(blockSize));
    const length = c.let(c.index(m).minus(j));
    const corner = c.let(j.times(m + 1));
    const others = c.let(c.index(columns).minus(j).minus(width));
    const [reflectors, companions, own] = [c.let(v.at(corner)), c.let(w.at(corner)), c.let(qt.at(corner))];
    c.call(subtractProjections, { m: others, n: length, k: width, left: reflectors, right: companions, row: m, x: own.at(width.times(m)), xRow: m, work, scratch });
    c.call(transposeInto, { m: width, n: width, a: reflectors, aRow: m, b: work, bRow: width });
    c.call(subtractRows, { m: width, k: width, n: length, f: work, fRow: width, b: companions, bRow: m, x: own, xRow: m });
  }, -blockSize);

  return {
    dtype: "float64",
    scratchBytes: total * 8 + (blocked ? gemmScratchBytes("float64") : 0),
    body(c, { inputs: [a], outputs: [q, r], scratch: room }) {
      const part = (name: keyof typeof sizes) => c.let(room.at(starts[name]));
      const [v, w, qt, upper, work, converted] = [part("v"), part("w"), part("q"), part("upper"), part("work"), part("converted")];
      const scratch = c.let(room.at(total));
      c.range(0, batch, (g) => {
        const from = c.let(a!.at(g.times(m * n)));
        if (converts) c.range(0, m * n, (i) => converted.store(from.load(i), i));
        c.call(transposeInto, { m, n, a: converts ? converted : from, aRow: n, b: v, bRow: m });
        c.clear(n * columns, upper);
        c.clear(columns * m, qt);
        c.range(0, columns, (j) => qt.store(1, j.times(m + 1)));
        if (blocked) {
          c.clear(k * m, w);
          c.call(factorizeColumns, { m, n, size: blockSize, v, w, upper, upperRow: columns, work, scratch });
          accumulate(c, v, w, qt, work, scratch);
        } else c.call(small, { m, n, columns, v, q: qt, upper, tau: w, work });
        const [orthogonal, triangle] = [c.let(q!.at(g.times(m * columns))), c.let(r!.at(g.times(columns * n)))];
        c.call(transposeInto, { m: n, n: columns, a: upper, aRow: columns, b: converts ? converted : triangle, bRow: n });
        if (converts) c.range(0, columns * n, (i) => triangle.store(converted.load(i), i));
        c.call(transposeInto, { m: columns, n: m, a: qt, aRow: m, b: converts ? converted : orthogonal, bRow: columns });
        if (converts) c.range(0, m * columns, (i) => orthogonal.store(converted.load(i), i));
      });
    },
  };
});
