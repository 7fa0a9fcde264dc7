import { addRows, gemm, gemmMode, type Index, type IndexLike, type Pointer, rowDots, scale, template } from "@hessia/core/native";
import { makeReflector } from "./reflectors.js";

/** Rows and columns that are reduced before the rest of the matrix follows. */
export const panelColumns = 32;

/**
 * Reduces rows and columns g … g+width-1 (LAPACK's labrd): row r of `left` becomes the reflector that clears column r below the diagonal, row r of `a` (from column r+1 on) the one
 * that clears the row, their ones stored; rows r-g of `x` and `y` are their partners, so that the rest of A would be `A - V'Y - X'U`.
 * `dots` has room for width numbers.
 */
const reducePanel = template("linalg.bidiagonalPanel", {
  n: "index", g: "index", width: "index", a: "pointer", d: "pointer", e: "pointer", left: "pointer", tauLeft: "pointer", tauRight: "pointer", x: "pointer", y: "pointer", dots: "pointer",
}, "nothing", (c, { n, g, width, a, d, e, left, tauLeft, tauRight, x, y, dots }) => {
  c.range(0, width, (i) => {
    const r = c.let(g.plus(i));
    const here = c.let(n.minus(r));
    const length = c.let(here.minus(1));
    const diagonal = c.let(a.at(r.times(n.plus(1))));
    const v = c.let(left.at(r.times(n.plus(1))));
    // What stands in column r: of earlier V, U above and left of the diagonal element, of X, Y likewise.
    const [vAbove, uAbove, xAbove, yAbove] = [c.let(left.at(g.times(n).plus(r))), c.let(a.at(g.times(n).plus(r))), c.let(x.at(r)), c.let(y.at(r))];
    const subtract = (m: Index, count: Index, factors: Pointer, factorStride: IndexLike, rows: Pointer, to: Pointer): void => c.call(addRows, { m, n: count, sign: -1, x: factors, xStride: factorStride, a: rows, row: n, y: to });
    /** `to -= sum_q (p_q . z) s_q` */
    const subtractProjection = (m: Index, count: Index, p: Pointer, z: Pointer, s: Pointer, sCount: Index, to: Pointer): void => {
      c.call(rowDots, { m, n: count, a: p, row: n, x: z, y: dots, yStride: 1 });
      subtract(m, sCount, dots, 1, s, to);
    };
    c.range(0, here, (t) => v.store(diagonal.load(t.times(n)), t));
    subtract(i, here, yAbove, n, vAbove, v);
    subtract(i, here, uAbove, n, xAbove, v);
    const tau = c.let(c.call(makeReflector, { n: here, x: v }));
    tauLeft.store(tau, r);
    d.store(v.load(), r);
    v.store(1);
    c.when(length.greater(0), () => {
      const [u, yNext, xNext] = [c.let(diagonal.at(1)), c.let(y.at(i.times(n).plus(r).plus(1))), c.let(x.at(i.times(n).plus(r).plus(1)))];
      c.clear(length, yNext);
      c.when(tau.differs(0), () => {
        c.call(addRows, { m: here, n: length, sign: 1, x: v, xStride: 1, a: u, row: n, y: yNext });
        subtractProjection(i, here, vAbove, v, yAbove.at(1), length, yNext);
        subtractProjection(i, here, xAbove, v, uAbove.at(1), length, yNext);
        c.call(scale, { n: length, a: tau, x: yNext });
      });
      const next = c.let(i.plus(1));
      subtract(next, length, vAbove, n, yAbove.at(1), u);
      subtract(i, length, xAbove, n, uAbove.at(1), u);
      const factor = c.let(c.call(makeReflector, { n: length, x: u }));
      tauRight.store(factor, r);
      e.store(u.load(), r);
      u.store(1);
      c.when(factor.equals(0), () => c.clear(length, xNext), () => {
        c.call(rowDots, { m: length, n: length, a: u.at(n), row: n, x: u, y: xNext, yStride: 1 });
        subtractProjection(next, length, yAbove.at(1), u, vAbove.at(1), length, xNext);
        subtractProjection(i, length, uAbove.at(1), u, xAbove.at(1), length, xNext);
        c.call(scale, { n: length, a: factor, x: xNext });
      });
    });
  });
});

/**
 * `A = Q B P'` for A (n by n, overwritten): B is upper bidiagonal with diagonal d and e above it. Q and P are products of reflectors `I - tau v v'`; those of Q
 * are rows of `left` (row r from column r on), those of P rows of `a` (row r from column r+1 on), their ones stored. Half of the work is products of the matrix with
 * vectors, the other half matrix products (Dongarra, Sorensen, Hammarling 1989). `x` and `y` have room for 2 panelColumns n
 * numbers each, `dots` for 2 panelColumns.
 */
export const bidiagonalize = template("linalg.bidiagonalize", {
  n: "index", a: "pointer", d: "pointer", e: "pointer", left: "pointer", tauLeft: "pointer", tauRight: "pointer", x: "pointer", y: "pointer", dots: "pointer", scratch: "pointer",
}, "nothing", (c, { n, a, d, e, left, tauLeft, tauRight, x, y, dots, scratch }) => {
  const g = c.index(0);
  const shared = { n, a, d, e, left, tauLeft, tauRight, x, y, dots };
  c.while(n.minus(g).greater(2 * panelColumns), () => {
    c.call(reducePanel, { ...shared, g, width: panelColumns });
    const rest = c.let(g.plus(panelColumns));
    const length = c.let(n.minus(rest));
    const corner = c.let(a.at(rest.times(n.plus(1))));
    const place = c.let(g.times(n).plus(rest));
    const product = { m: length, n: length, k: panelColumns, aRow: 1, aK: n, bK: n, bColumn: 1, to: corner, toRow: n, mode: gemmMode.subtract, scratch };
    c.call(gemm, { ...product, a: left.at(place), b: y.at(rest) });
    c.call(gemm, { ...product, a: x.at(rest), b: a.at(place) });
    g.set(rest);
  });
  c.call(reducePanel, { ...shared, g, width: n.minus(g) });
});
