import { addRows, axpy, dot, gemm, gemmMode, rowDots, scale, template } from "@hessia/core/native";
import { makeReflector } from "./reflectors.js";

/** Columns that are reduced before the rest of the matrix follows. */
export const panelColumns = 32;

/** Rows that the product of a symmetric matrix and a vector takes at a time. */
const rowsAtOnce = 4;

/** `y = A x` for symmetric A of which rows of the upper triangle are read, each element once for both of its places. */
export const symmetricProduct = template("linalg.symmetricProduct", { n: "index", a: "pointer", row: "index", x: "pointer", y: "pointer" }, "nothing", (c, { n, a, row, x, y }) => {
  c.clear(n, y);
  const several = (count: number): void => {
    const starts = Array.from({ length: count }, (_, r) => c.let(a.at(row.times(r))));
    const factors = Array.from({ length: count }, (_, r) => c.let(x.load(r)));
    const lanes = factors.map((f) => c.let(f.lanes()));
    const sums = Array.from({ length: count }, () => c.let(c.zeros()));
    const rests = factors.map((f, r) => c.let(f.times(starts[r]!.load(r))));
    for (let r = 0; r < count; r++)
      for (let q = r + 1; q < count; q++) {
        const element = c.let(starts[r]!.load(q));
        rests[r]!.add(element.times(factors[q]!));
        rests[q]!.add(element.times(factors[r]!));
      }
    const sum = c.let(c.zeros());
    const element = c.let(c.zeros());
    const other = c.let(c.zeros());
    const single = c.real(0);
    c.sweep(n.minus(count), [y.at(count), x.at(count), ...starts.map((s) => s.at(count))], 1,
      ([to, from, ...rows]) => {
        sum.set(to.loadLanes());
        other.set(from!.loadLanes());
        rows.forEach((p, r) => {
          element.set(p.loadLanes());
          sums[r]!.set(sums[r]!.plusProduct(element, other));
          sum.set(sum.plusProduct(element, lanes[r]!));
        });
        to.storeLanes(sum);
      },
      ([to, from, ...rows]) => {
        single.set(to.load());
        rows.forEach((p, r) => {
          rests[r]!.add(p.load().times(from!.load()));
          single.add(p.load().times(factors[r]!));
        });
        to.store(single);
      });
    rests.forEach((rest, r) => y.store(y.load(r).plus(rest).plus(c.total(sums[r]!)), r));
    a.advance(row.plus(1).times(count));
    x.advance(count);
    y.advance(count);
    n.add(-count);
  };
  c.while(n.atLeast(rowsAtOnce), () => several(rowsAtOnce));
  c.while(n.atLeast(1), () => several(1));
});

/**
 * Reduces columns g … g+width-1 (LAPACK's latrd): row r of the upper triangle becomes the reflector of step r (from column r+1 on, its 1 stored),
 * row r-g of `w` its partner, so that the rest of A would be `A - V W' - W V'`. `dots` has room for width numbers.
 */
const reducePanel = template("linalg.reducePanel", {
  n: "index", g: "index", width: "index", a: "pointer", d: "pointer", e: "pointer", tau: "pointer", w: "pointer", dots: "pointer",
}, "nothing", (c, { n, g, width, a, d, e, tau, w, dots }) => {
  c.range(0, width, (i) => {
    const r = c.let(g.plus(i));
    const next = c.let(r.plus(1));
    const diagonal = c.let(a.at(r.times(n.plus(1))));
    const [vAbove, wAbove] = [c.let(a.at(g.times(n).plus(r))), c.let(w.at(r))];
    const here = c.let(n.minus(r));
    c.call(addRows, { m: i, n: here, sign: -1, x: vAbove, xStride: n, a: wAbove, row: n, y: diagonal });
    c.call(addRows, { m: i, n: here, sign: -1, x: wAbove, xStride: n, a: vAbove, row: n, y: diagonal });
    d.store(diagonal.load(), r);
    c.when(next.less(n), () => {
      const v = c.let(diagonal.at(1));
      const length = c.let(here.minus(1));
      const factor = c.let(c.call(makeReflector, { n: length, x: v }));
      tau.store(factor, r);
      e.store(v.load(), r);
      v.store(1);
      const y = c.let(w.at(i.times(n).plus(next)));
      c.when(factor.equals(0), () => c.clear(length, y), () => {
        const [vNext, wNext] = [vAbove.at(1), wAbove.at(1)];
        c.call(symmetricProduct, { n: length, a: diagonal.at(n.plus(1)), row: n, x: v, y });
        c.call(rowDots, { m: i, n: length, a: wNext, row: n, x: v, y: dots, yStride: 1 });
        c.call(addRows, { m: i, n: length, sign: -1, x: dots, xStride: 1, a: vNext, row: n, y });
        c.call(rowDots, { m: i, n: length, a: vNext, row: n, x: v, y: dots, yStride: 1 });
        c.call(addRows, { m: i, n: length, sign: -1, x: dots, xStride: 1, a: wNext, row: n, y });
        c.call(scale, { n: length, a: factor, x: y });
        c.call(axpy, { n: length, a: factor.times(-0.5).times(c.call(dot, { n: length, x: y, y: v })), x: v, y });
      });
    });
  });
});

/**
 * `A = Q T Q'` for the symmetric matrix in the upper triangle of `a` (n by n): T has the diagonal d and e beside it; Q is the product of reflectors
 * `I - tau[r] v v'`, v in row r from column r+1 on. Half of the work is products of the matrix with vectors, the other half a
 * matrix product (Dongarra, Sorensen, Hammarling 1989). `work` has room for 3 panelColumns rows of n numbers, `dots` for 2 panelColumns.
 */
export const tridiagonalize = template("linalg.tridiagonalize", {
  n: "index", a: "pointer", d: "pointer", e: "pointer", tau: "pointer", work: "pointer", dots: "pointer", scratch: "pointer",
}, "nothing", (c, { n, a, d, e, tau, work, dots, scratch }) => {
  const block = 64;
  // Rows V, W, V: the first two times the last two, transposed, is V W' + W V'.
  const w = c.let(work.at(n.times(panelColumns)));
  const again = c.let(w.at(n.times(panelColumns)));
  const g = c.index(0);
  c.while(n.minus(g).greater(2 * panelColumns), () => {
    c.call(reducePanel, { n, g, width: panelColumns, a, d, e, tau, w, dots });
    const rest = c.let(g.plus(panelColumns));
    const length = c.let(n.minus(rest));
    c.range(0, panelColumns, (j) => {
      const v = c.let(a.at(g.plus(j).times(n).plus(rest)));
      const to = c.let(j.times(n).plus(rest));
      c.copy(length, v, work.at(to));
      c.copy(length, v, again.at(to));
    });
    c.range(rest, n, (i) => {
      c.call(gemm, { m: c.let(n.minus(i).min(block)), n: n.minus(i), k: 2 * panelColumns, a: work.at(i), aRow: 1, aK: n, b: w.at(i), bK: n, bColumn: 1, to: a.at(i.times(n.plus(1))), toRow: n, mode: gemmMode.subtract, scratch });
    }, block);
    g.set(rest);
  });
  c.call(reducePanel, { n, g, width: n.minus(g), a, d, e, tau, w, dots });
});
