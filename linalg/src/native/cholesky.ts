import { addRows, defineNativeRoutine, divide, template, transposeInto } from "@hessia/core/native";
import { choleskyRoutine as routine } from "../routines/cholesky.js";
import { forwardSolve, half, subtractGram } from "./triangular.js";

/** Up to here the factor is computed row by row. */
const scalarSize = 6;
const baseSize = 24;
/** Rows of A that are copied at a time, up to the diagonal. */
const stripRows = 32;

/**
 * Overwrites the upper triangle of A with U, `A = U'U`: halves by recursion, `U11`, then `U12 = U11'^-1 A12` and `A22 - U12'U12`.
 * In row-major order all of it runs along rows. Gives 0, or 1 where a pivot is not positive.
 */
const factor = template("linalg.choleskyFactor", { n: "index", u: "pointer", row: "index", scratch: "pointer" }, "index", (c, { n, u, row, scratch }) => {
  const failed = c.index(0);
  c.when(n.atMost(baseSize), () => c.block((leave) => {
    c.range(0, n, (i) => {
      const diagonal = c.let(u.at(i.times(row.plus(1))));
      const above = c.let(u.at(i));
      c.call(addRows, { m: i, n: n.minus(i), sign: -1, x: above, xStride: row, a: above, row, y: diagonal });
      const pivot = c.let(diagonal.load().sqrt());
      c.when(pivot.greater(0).not(), () => {
        failed.set(1);
        leave();
      });
      diagonal.store(pivot);
      c.call(divide, { n: n.minus(i).minus(1), a: pivot, x: diagonal.at(1) });
    });
  }), () => c.block((leave) => {
    const top = c.let(half(n));
    const bottom = c.let(n.minus(top));
    const right = c.let(u.at(top));
    const corner = c.let(u.at(top.times(row.plus(1))));
    failed.set(c.call(factor, { n: top, u, row, scratch }));
    c.when(failed.differs(0), leave);
    c.call(forwardSolve, { n: top, columns: bottom, t: u, tRow: 1, tColumn: row, unit: 0, x: right, xRow: row, scratch });
    c.call(subtractGram, { n: bottom, k: top, a: right, row, to: corner, toRow: row, scratch });
    failed.set(c.call(factor, { n: bottom, u: corner, row, scratch }));
  }));
  return failed;
});

/** The reference's order of operations, for matrices that fit a few registers. */
const factorSmall = template("linalg.choleskySmall", { n: "index", a: "pointer", l: "pointer" }, "index", (c, { n, a, l }) => {
  const failed = c.index(0);
  c.block((leave) => c.range(0, n, (i) => {
    const row = c.let(l.at(i.times(n)));
    c.range(0, i.plus(1), (j) => {
      const other = c.let(l.at(j.times(n)));
      const sum = c.let(a.load(i.times(n).plus(j)));
      c.range(0, j, (k) => sum.set(sum.minus(row.load(k).times(other.load(k)))));
      c.when(i.equals(j), () => {
        sum.set(sum.sqrt());
        c.when(sum.greater(0).not(), () => {
          failed.set(1);
          leave();
        });
      }, () => sum.set(sum.over(other.load(j))));
      row.store(sum, j);
    });
    c.range(i.plus(1), n, (j) => row.store(0, j));
  }));
  return failed;
});

/** Moves the upper triangle to the lower one, transposed, and leaves zeros. */
const flipUpper = template("linalg.flipUpper", { n: "index", a: "pointer" }, "nothing", (c, { n, a }) => {
  const tile = 8;
  c.range(0, n, (i0) => {
    const iEnd = c.let(i0.plus(tile).min(n));
    c.range(i0, n, (j0) => {
      const jEnd = c.let(j0.plus(tile).min(n));
      c.range(i0, iEnd, (i) => {
        const start = c.let(j0.max(i.plus(1)));
        const from = c.let(a.at(i.times(n).plus(start)));
        const to = c.let(a.at(start.times(n).plus(i)));
        c.range(start, jEnd, () => {
          to.store(from.load());
          from.store(0);
          from.advance(1);
          to.advance(n);
        });
      });
    }, tile);
  }, tile);
});

/** Blocked Cholesky factorization in WebAssembly. */
export const choleskyRoutine = defineNativeRoutine(routine, ({ params: { batch, n }, outputs, gemmScratchBytes }) => {
  const dtype = outputs[0]!.dtype;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  return {
    dtype,
    scratchBytes: n > baseSize ? gemmScratchBytes(dtype) : 0,
    body(c, { inputs: [a], outputs: [l], scratch }) {
      c.range(0, batch, (g) => {
        const from = c.let(a!.at(g.times(n * n)));
        const to = c.let(l!.at(g.times(n * n)));
        const failed = c.index(0);
        if (n <= scalarSize) failed.set(c.call(factorSmall, { n, a: from, l: to }));
        else {
          c.range(0, n, (i) => {
            const end = c.let(i.plus(stripRows).min(n));
            c.call(transposeInto, { m: end.minus(i), n: end, a: from.at(i.times(n)), aRow: n, b: to.at(i), bRow: n });
          }, stripRows);
          failed.set(c.call(factor, { n, u: to, row: n, scratch }));
          c.when(failed.equals(0), () => c.call(flipUpper, { n, a: to }));
        }
        c.when(failed.differs(0), () => c.range(0, n * n, (i) => to.store(NaN, i)));
      });
    },
  };
});
