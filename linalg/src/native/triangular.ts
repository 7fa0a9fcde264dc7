import { axpy, dot, gemm, gemmMode, type Index, type LanesVariable, template } from "@hessia/core/native";

/** Rows of a triangle that substitution takes at a time; larger ones are split, and their off-diagonal blocks are matrix products. */
const baseRows = 16;

/** About half of n, as a multiple of 8: where recursive factorizations split. */
export const half = (n: Index): Index => n.over(2).plus(7).floorTo(8);

/** Forward substitution of a few rows, a strip of columns at a time in registers. Parameters as `forwardSolve`. */
export const substitute = template("linalg.substitute", {
  n: "index", columns: "index", t: "pointer", tRow: "index", tColumn: "index", unit: "index", x: "pointer", xRow: "index",
}, "nothing", (c, { n, columns, t, tRow, tColumn, unit, x, xRow }) => {
  const strip = (vectors: number): void => {
    const sums: LanesVariable[] = Array.from({ length: vectors }, () => c.let(c.zeros()));
    const row = c.let(x);
    const tStart = c.let(t);
    c.range(0, n, (i) => {
      const factor = c.let(tStart);
      const other = c.let(x);
      sums.forEach((s, v) => s.set(row.loadLanes(v * c.lanes)));
      c.range(0, i, () => {
        const f = c.let(factor.loadSplat());
        sums.forEach((s, v) => s.set(s.minusProduct(f, other.loadLanes(v * c.lanes))));
        factor.advance(tColumn);
        other.advance(xRow);
      });
      c.when(unit.equals(0), () => {
        const d = c.let(factor.loadSplat());
        sums.forEach((s) => s.set(s.over(d)));
      });
      sums.forEach((s, v) => row.storeLanes(s, v * c.lanes));
      row.advance(xRow);
      tStart.advance(tRow);
    });
    x.advance(vectors * c.lanes);
    columns.add(-vectors * c.lanes);
  };
  for (const vectors of [4, 1]) c.while(columns.atLeast(vectors * c.lanes), () => strip(vectors));
  c.while(columns.atLeast(1), () => {
    c.range(0, n, (i) => {
      const [factor, other] = [c.let(t.at(i.times(tRow))), c.let(x)];
      const sum = c.let(x.load(i.times(xRow)));
      c.range(0, i, () => {
        sum.set(sum.minus(factor.load().times(other.load())));
        factor.advance(tColumn);
        other.advance(xRow);
      });
      c.when(unit.equals(0), () => sum.set(sum.over(factor.load())));
      other.store(sum);
    });
    x.advance(1);
    columns.add(-1);
  });
});

/**
 * Solves `T X = B` in place of B (n by columns, rows `xRow` apart) for lower triangular `T[i,k] = t[i tRow + k tColumn]`.
 * Strides may be negative: backward substitution is this from the last row up. `unit`: the diagonal counts as ones.
 */
export const forwardSolve = template("linalg.forwardSolve", {
  n: "index", columns: "index", t: "pointer", tRow: "index", tColumn: "index", unit: "index", x: "pointer", xRow: "index", scratch: "pointer",
}, "nothing", (c, { n, columns, t, tRow, tColumn, unit, x, xRow, scratch }) => {
  c.when(n.atMost(baseRows), () => c.call(substitute, { n, columns, t, tRow, tColumn, unit, x, xRow }), () => {
    const top = c.let(half(n));
    const bottom = c.let(n.minus(top));
    const below = c.let(x.at(top.times(xRow)));
    c.call(forwardSolve, { n: top, columns, t, tRow, tColumn, unit, x, xRow, scratch });
    c.call(gemm, { m: bottom, n: columns, k: top, a: t.at(top.times(tRow)), aRow: tRow, aK: tColumn, b: x, bK: xRow, bColumn: 1, to: below, toRow: xRow, mode: gemmMode.subtract, scratch });
    c.call(forwardSolve, { n: bottom, columns, t: t.at(top.times(tRow.plus(tColumn))), tRow, tColumn, unit, x: below, xRow, scratch });
  });
});

/**
 * Solves `op(A) x = b` in place of b, a contiguous vector; A is row-major with rows n apart, so its rows are what is read: dot products
 * with them for A, multiples of them for its transpose.
 */
export const solveVector = template("linalg.solveVector", { n: "index", a: "pointer", lower: "index", transpose: "index", unit: "index", x: "pointer" }, "nothing", (c, { n, a, lower, transpose, unit, x }) => {
  const forward = c.index(0);
  c.when(lower.differs(transpose), () => forward.set(1));
  const step = c.index(forward.times(2).minus(1));
  const i = c.index(c.chooseIndex(forward.differs(0), 0, n.minus(1)));
  c.range(0, n, () => {
    const row = c.let(a.at(i.times(n)));
    const value = c.let(x.load(i));
    const scaled = (): void => c.when(unit.equals(0), () => value.set(value.over(row.load(i))));
    c.when(transpose.equals(0), () => {
      c.when(forward.differs(0),
        () => value.set(value.minus(c.call(dot, { n: i, x: row, y: x }))),
        () => value.set(value.minus(c.call(dot, { n: n.minus(i).minus(1), x: row.at(i.plus(1)), y: x.at(i.plus(1)) }))));
      scaled();
    }, () => {
      scaled();
      c.when(lower.differs(0),
        () => c.call(axpy, { n: i, a: value.negate(), x: row, y: x }),
        () => c.call(axpy, { n: n.minus(i).minus(1), a: value.negate(), x: row.at(i.plus(1)), y: x.at(i.plus(1)) }));
    });
    x.store(value, i);
    i.add(step);
  });
});

/** `C[i,j] -= sum_k A[k,i] A[k,j]` for i <= j < n; elements below the diagonal become arbitrary. */
export const subtractGram = template("linalg.subtractGram", { n: "index", k: "index", a: "pointer", row: "index", to: "pointer", toRow: "index", scratch: "pointer" }, "nothing", (c, { n, k, a, row, to, toRow, scratch }) => {
  const block = 64;
  const update = (m: Index, columns: Index, left: typeof a, right: typeof a, target: typeof to): void =>
    c.call(gemm, { m, n: columns, k, a: left, aRow: 1, aK: row, b: right, bK: row, bColumn: 1, to: target, toRow, mode: gemmMode.subtract, scratch });
  c.range(0, n, (i) => {
    const from = c.let(a.at(i));
    update(c.let(n.minus(i).min(block)), n.minus(i), from, from, c.let(to.at(i.times(toRow.plus(1)))));
  }, block);
});
