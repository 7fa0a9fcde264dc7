import type { Code } from "./code.js";
import { template } from "./code.js";
import type { Pointer } from "./pointers.js";
import type { IndexLike, Lanes, LanesVariable } from "./values.js";

/** Rows that are read side by side: as many as give whole cache lines (of doubles) on the other side. */
const rowsAtOnce = 8;

/** The columns of a square block of vectors. */
function transposeBlock(c: Code, rows: readonly LanesVariable[]): Lanes[] {
  const [r0, r1, r2, r3] = rows as readonly [LanesVariable, LanesVariable, LanesVariable, LanesVariable];
  if (c.dtype === "float64") return [r0.shuffle(r1, [0, 2]), r0.shuffle(r1, [1, 3])];
  const [a, b] = [c.let(r0.shuffle(r1, [0, 4, 1, 5])), c.let(r2.shuffle(r3, [0, 4, 1, 5]))];
  const [d, e] = [c.let(r0.shuffle(r1, [2, 6, 3, 7])), c.let(r2.shuffle(r3, [2, 6, 3, 7]))];
  return [a.shuffle(b, [0, 1, 4, 5]), a.shuffle(b, [2, 3, 6, 7]), d.shuffle(e, [0, 1, 4, 5]), d.shuffle(e, [2, 3, 6, 7])];
}

/**
 * Writes `B[j, i] = row_i[j]` for n columns j of m rows that `rowOf` finds; rows of B lie `bRow` apart. Whole blocks move through vectors, so
 * that each cache line is read and written once.
 */
export function transposeRows(c: Code, m: IndexLike, n: IndexLike, rowOf: (i: IndexLike) => Pointer, b: Pointer, bRow: IndexLike): void {
  const end = c.index(m);
  const i = c.index(0);
  const strip = (count: number): void => {
    const rows = Array.from({ length: count }, (_, r) => c.let(rowOf(i.plus(r))));
    const to = c.let(b.at(i));
    const left = c.index(n);
    const move = (elements: number): void => {
      for (const row of rows) row.advance(elements);
      left.add(-elements);
    };
    if (count % c.lanes === 0)
      c.while(left.atLeast(c.lanes), () => {
        const columns: Lanes[][] = [];
        for (let r = 0; r < count; r += c.lanes) columns.push(transposeBlock(c, rows.slice(r, r + c.lanes).map((row) => c.let(row.loadLanes()))));
        for (let l = 0; l < c.lanes; l++) {
          columns.forEach((block, q) => to.storeLanes(block[l]!, q * c.lanes));
          to.advance(bRow);
        }
        move(c.lanes);
      });
    c.while(left.greater(0), () => {
      rows.forEach((row, r) => to.store(row.load(), r));
      to.advance(bRow);
      move(1);
    });
    i.add(count);
  };
  c.while(i.plus(rowsAtOnce).atMost(end), () => strip(rowsAtOnce));
  c.while(i.less(end), () => strip(1));
}

/** `B[j, i] = A[i, j]` for m by n elements. */
export const transposeInto = template("transposeInto", { m: "index", n: "index", a: "pointer", aRow: "index", b: "pointer", bRow: "index" }, "nothing", (c, { m, n, a, aRow, b, bRow }) => {
  transposeRows(c, m, n, (i) => a.at(aRow.times(i)), b, bRow);
});
