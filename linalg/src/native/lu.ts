import { addRows, type Code, defineNativeRoutine, divide, gemm, gemmMode, type Index, largestMagnitude, type Pointer, swap, template, transposeInto } from "@hessia/core/native";
import { luRoutine as routine } from "../routines/lu.js";
import { forwardSolve, half } from "./triangular.js";

/** Columns that are factorized in a copy in which they are contiguous. */
const panelColumns = 16;
/** Matrices of so few elements stay where they are. */
const smallElements = 40;

/** First position of the largest magnitude among x[from : n]; a NaN at `from` stays the choice, others are passed over. */
const findPivot = template("linalg.findPivot", { from: "index", n: "index", x: "pointer" }, "index", (c, { from, n, x }) => {
  const best = c.index(from);
  const largest = c.let(c.call(largestMagnitude, { n: n.minus(from), x: x.at(from) }));
  c.when(largest.equals(largest), () => {
    c.while(x.load(best).abs().differs(largest), () => best.add(1));
  }, () => {
    largest.set(x.load(from).abs());
    c.range(from.plus(1), n, (i) => c.when(x.load(i).abs().greater(largest), () => {
      largest.set(x.load(i).abs());
      best.set(i);
    }));
  });
  return best;
});

/** Left-looking LU of m rows and n <= m columns, each column contiguous in `p`. Pivots count from the first of these rows. */
const panel = template("linalg.luPanel", { m: "index", n: "index", p: "pointer", pivots: "pointer to int32" }, "nothing", (c, { m, n, p, pivots }) => {
  c.range(0, n, (j) => {
    const column = c.let(p.at(j.times(m)));
    c.range(0, j, (k) => {
      const factor = c.let(column.load(k));
      const other = c.let(p.at(k.times(m)));
      c.range(k.plus(1), j, (i) => column.store(column.load(i).minus(factor.times(other.load(i))), i));
    });
    c.call(addRows, { m: j, n: m.minus(j), sign: -1, x: column, xStride: 1, a: p.at(j), row: m, y: column.at(j) });
    const best = c.call(findPivot, { from: j, n: m, x: column });
    pivots.storeIndex(best, j);
    c.when(best.differs(j), () => {
      const [here, there] = [c.let(p.at(j)), c.let(p.at(best))];
      c.range(0, n, () => {
        const held = c.let(here.load());
        here.store(there.load());
        there.store(held);
        here.advance(m);
        there.advance(m);
      });
    });
    const pivot = c.let(column.load(j));
    c.when(pivot.differs(0), () => c.call(divide, { n: m.minus(j).minus(1), a: pivot, x: column.at(j.plus(1)) }));
  });
});

/** Exchanges rows i and pivots[i] of `columns` columns, for i = 0 … n-1 in order. */
const swapRows = template("linalg.swapRows", { n: "index", columns: "index", a: "pointer", row: "index", pivots: "pointer to int32" }, "nothing", (c, { n, columns, a, row, pivots }) => {
  c.range(0, n, (i) => {
    const other = c.let(pivots.loadIndex(i));
    c.when(other.differs(i), () => c.call(swap, { n: columns, x: a.at(i.times(row)), y: a.at(other.times(row)) }));
  });
});

/**
 * Recursive LU of m rows and n <= m columns (Toledo 1997): the left half, its pivots and `U12 = L11^-1 A12` on the right, `A22 - L21 U12`,
 * then the right half. Scratch begins with room for a panel.
 */
const factor = template("linalg.luFactor", { m: "index", n: "index", a: "pointer", row: "index", pivots: "pointer to int32", columns: "pointer", scratch: "pointer" }, "nothing", (c, { m, n, a, row, pivots, columns, scratch }) => {
  c.when(n.atMost(panelColumns), () => {
    c.call(transposeInto, { m, n, a, aRow: row, b: columns, bRow: m });
    c.call(panel, { m, n, p: columns, pivots });
    c.call(transposeInto, { m: n, n: m, a: columns, aRow: m, b: a, bRow: row });
  }, () => {
    const left = c.let(half(n));
    const right = c.let(n.minus(left));
    const a12 = c.let(a.at(left));
    const a21 = c.let(a.at(left.times(row)));
    const a22 = c.let(a12.at(left.times(row)));
    const later = c.let(pivots.at(left));
    c.call(factor, { m, n: left, a, row, pivots, columns, scratch });
    c.call(swapRows, { n: left, columns: right, a: a12, row, pivots });
    c.call(forwardSolve, { n: left, columns: right, t: a, tRow: row, tColumn: 1, unit: 1, x: a12, xRow: row, scratch });
    c.call(gemm, { m: m.minus(left), n: right, k: left, a: a21, aRow: row, aK: 1, b: a12, bK: row, bColumn: 1, to: a22, toRow: row, mode: gemmMode.subtract, scratch });
    c.call(factor, { m: m.minus(left), n: right, a: a22, row, pivots: later, columns, scratch });
    c.call(swapRows, { n: right, columns: left, a: a21, row, pivots: later });
    c.range(0, right, (i) => later.storeIndex(later.loadIndex(i).plus(left), i));
  });
});

/** The reference's order of operations. */
const factorSmall = template("linalg.luSmall", { m: "index", n: "index", k: "index", a: "pointer", pivots: "pointer to int32" }, "nothing", (c, { m, n, k, a, pivots }) => {
  const held = c.real(0);
  c.range(0, k, (j) => {
    const best = c.index(j);
    const largest = c.let(a.load(j.times(n).plus(j)).abs());
    c.range(j.plus(1), m, (i) => {
      held.set(a.load(i.times(n).plus(j)).abs());
      c.when(held.greater(largest), () => {
        largest.set(held);
        best.set(i);
      });
    });
    pivots.storeIndex(best, j);
    const row = c.let(a.at(j.times(n)));
    c.when(best.differs(j), () => {
      const other = c.let(a.at(best.times(n)));
      c.range(0, n, (i) => {
        held.set(row.load(i));
        row.store(other.load(i), i);
        other.store(held, i);
      });
    });
    const pivot = c.let(row.load(j));
    c.when(pivot.differs(0), () => c.range(j.plus(1), m, (i) => {
      const target = c.let(a.at(i.times(n)));
      held.set(target.load(j).over(pivot));
      target.store(held, j);
      c.range(j.plus(1), n, (q) => target.store(target.load(q).minus(held.times(row.load(q))), q));
    }));
  });
});

function writePermutation(c: Code, k: number, m: number, pivots: Pointer, permutation: Pointer): void {
  c.range(0, m, (i) => permutation.storeIndex(i, i));
  c.range(0, k, (i) => {
    const other: Index = c.let(pivots.loadIndex(i));
    const held = c.let(permutation.loadIndex(i));
    permutation.storeIndex(permutation.loadIndex(other), i);
    permutation.storeIndex(held, other);
  });
}

/** Blocked LU with partial pivoting in WebAssembly. */
export const luRoutine = defineNativeRoutine(routine, ({ params: { batch, m, n }, outputs, gemmScratchBytes }) => {
  const dtype = outputs[0]!.dtype;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  const k = Math.min(m, n);
  const small = m * n <= smallElements;
  const panelBytes = Math.ceil((m * Math.min(k, panelColumns) * 8) / 16) * 16;
  return {
    dtype,
    scratchBytes: small ? 0 : panelBytes + gemmScratchBytes(dtype),
    body(c, { inputs: [a], outputs: [lu, allPivots, allPermutations], scratch }) {
      c.copy(batch * m * n, a!, lu!);
      const rest = c.let(scratch.bytes(panelBytes, dtype));
      c.range(0, batch, (g) => {
        const out = c.let(lu!.at(g.times(m * n)));
        const pivots = c.let(allPivots!.at(g.times(k)));
        if (small) c.call(factorSmall, { m, n, k, a: out, pivots });
        else {
          c.call(factor, { m, n: k, a: out, row: n, pivots, columns: scratch, scratch: rest });
          if (n > m) {
            c.call(swapRows, { n: k, columns: n - m, a: out.at(m), row: n, pivots });
            c.call(forwardSolve, { n: m, columns: n - m, t: out, tRow: n, tColumn: 1, unit: 1, x: out.at(m), xRow: n, scratch: rest });
          }
        }
        writePermutation(c, k, m, pivots, c.let(allPermutations!.at(g.times(m))));
      });
    },
  };
});
