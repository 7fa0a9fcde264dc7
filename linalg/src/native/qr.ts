import { type Code, defineNativeRoutine, type IndexVariable, type Pointer, template, transposeInto } from "@hessia/core/native";
import { qrRoutine as routine } from "../routines/qr.js";
import { addCompanion, fewReflectors, makeReflector, reflectOne, subtractProjections } from "./reflectors.js";
import { subtractRows } from "./row-products.js";
import { layOut } from "./room.js";

/** Up to so many reflectors are applied one by one. */
const fewColumns = 12;
/** Reflectors that are applied to the other columns together. */
const blockSizeOf = (k: number): number => (k <= 256 ? 16 : 32);

/**
 * Factorizes n columns (rows of `v`, m >= 1 elements each, of which the first is on the diagonal, column `index` of the matrix) into reflectors and their companions, by halves
 * (Elmroth & Gustavson 2000). Columns of R, which stood before them, go to `upper`; zeros and ones take their place.
 */
const panel = template("linalg.qrPanel", {
  m: "index", n: "index", index: "index", v: "pointer", w: "pointer", row: "index", upper: "pointer", upperRow: "index", work: "pointer", scratch: "pointer",
}, "nothing", (c, { m, n, index, v, w, row, upper, upperRow, work, scratch }) => {
  c.when(n.atMost(fewReflectors), () => c.range(0, n, (j) => {
    const diagonal = c.let(v.at(j.times(row.plus(1))));
    const length = c.let(m.minus(j));
    const place = c.let(index.plus(j));
    const tau = c.let(c.call(makeReflector, { n: length, x: diagonal }));
    const column = c.let(diagonal.at(place.negate()));
    c.copy(place.plus(1), column, upper.at(place.times(upperRow)));
    c.clear(place, column);
    diagonal.store(1);
    c.call(addCompanion, { n: m, j, tau, v, w, row, work });
    c.call(reflectOne, { m: n.minus(j).minus(1), n: length, tau, v: diagonal, x: diagonal.at(row), xRow: row, work });
  }), () => {
    const first = c.let(n.over(2));
    const rest = c.let(n.minus(first));
    const below = c.let(first.times(row.plus(1)));
    c.call(panel, { m, n: first, index, v, w, row, upper, upperRow, work, scratch });
    c.call(subtractProjections, { m: rest, n: m, k: first, left: w, right: v, row, x: v.at(first.times(row)), xRow: row, work, scratch });
    c.call(panel, { m: m.minus(first), n: rest, index: index.plus(first), v: v.at(below), w: w.at(below), row, upper, upperRow, work, scratch });
    c.call(subtractProjections, { m: rest, n: m, k: first, left: v, right: w, row, x: w.at(first.times(row)), xRow: row, work, scratch });
  });
});

/** The same for all columns without companions, and the first rows of `q`, in which are the first columns of the identity, become those of Q. */
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
  const block = (c: Code, j: IndexVariable) => ({ width: c.let(c.index(k).minus(j).min(blockSize)), length: c.let(c.index(m).minus(j)), corner: c.let(j.times(m + 1)) });

  const factor = (c: Code, v: Pointer, w: Pointer, upper: Pointer, work: Pointer, scratch: Pointer): void => c.range(0, k, (j) => {
    const { width, length, corner } = block(c, j);
    const [reflectors, companions] = [c.let(v.at(corner)), c.let(w.at(corner))];
    c.call(panel, { m: length, n: width, index: j, v: reflectors, w: companions, row: m, upper, upperRow: columns, work, scratch });
    c.call(subtractProjections, { m: c.index(n).minus(j).minus(width), n: length, k: width, left: companions, right: reflectors, row: m, x: reflectors.at(width.times(m)), xRow: m, work, scratch });
  }, blockSize);

  // Q = H_0 H_1 ... applied to the identity, from the last block: columns before a block are still those of the identity.
  const accumulate = (c: Code, v: Pointer, w: Pointer, qt: Pointer, work: Pointer, scratch: Pointer): void => c.range(Math.floor((k - 1) / blockSize) * blockSize, -1, (j) => {
    const { width, length, corner } = block(c, j);
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
          factor(c, v, w, upper, work, scratch);
          accumulate(c, v, w, qt, work, scratch);
        } else c.call(small, { m, n, columns, v, q: qt, upper, tau: w, work });
        c.range(k, n, (j) => c.copy(k, v.at(j.times(m)), upper.at(j.times(columns))));
        const [orthogonal, triangle] = [c.let(q!.at(g.times(m * columns))), c.let(r!.at(g.times(columns * n)))];
        c.call(transposeInto, { m: n, n: columns, a: upper, aRow: columns, b: converts ? converted : triangle, bRow: n });
        if (converts) c.range(0, columns * n, (i) => triangle.store(converted.load(i), i));
        c.call(transposeInto, { m: columns, n: m, a: qt, aRow: m, b: converts ? converted : orthogonal, bRow: columns });
        if (converts) c.range(0, m * columns, (i) => orthogonal.store(converted.load(i), i));
      });
    },
  };
});
