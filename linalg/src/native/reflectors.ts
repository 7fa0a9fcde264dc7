import { dot, gemm, gemmMode, largestMagnitude, rowDots, scale, template } from "@hessia/core/native";

// Householder reflectors H = I - tau v v', v[0] = 1, and products of them in compact form, H_1 H_2 ... = I - V T V'
// (Schreiber & Van Loan 1989). Here V is stored by rows: row j is the j-th reflector.

/**
 * Turns x, n >= 1 elements of which the first becomes beta, into a reflector: `H x = beta e1`, `beta = -sign(x[0]) |x|`. Its v[1:]
 * replaces x[1:]; gives tau, which is 0 where x[1:] is zero already.
 */
export const makeReflector = template("linalg.makeReflector", { n: "index", x: "pointer" }, "real", (c, { n, x }) => {
  const tau = c.real(0);
  const rest = c.index(n.minus(1));
  const largest = c.let(c.call(largestMagnitude, { n: rest, x: x.at(1) }));
  c.when(largest.differs(0), () => {
    const alpha = c.let(x.load());
    const size = c.let(largest.max(alpha.abs()));
    // Squares of what is far from 1 would overflow or vanish.
    const factor = c.let(c.choose(size.greater(2 ** 400).or(size.less(2 ** -400)), c.real(1).over(size), 1));
    // A reciprocal of the smallest numbers is infinite.
    c.when(size.less(2 ** -1000), () => factor.set(2 ** 1000));
    c.when(factor.differs(1), () => c.call(scale, { n, a: factor, x }));
    const first = c.let(x.load());
    const norm = c.let(first.times(first).plus(c.call(dot, { n: rest, x: x.at(1), y: x.at(1) })).sqrt());
    const beta = c.let(norm.copySign(first).negate());
    tau.set(beta.minus(first).over(beta));
    c.call(scale, { n: rest, a: c.real(1).over(first.minus(beta)), x: x.at(1) });
    x.store(beta.over(factor));
  });
  return tau;
});

/**
 * The upper triangular T of k reflectors of n elements, rows of `v` (v[j,i] = 0 for i < j, v[j,j] = 1 are stored): column j is
 * `-tau[j] T (V v_j)` above `tau[j]`. T has rows k apart.
 */
export const makeTriangle = template("linalg.makeTriangle", { n: "index", k: "index", v: "pointer", vRow: "index", tau: "pointer", t: "pointer", scratch: "pointer" }, "nothing", (c, { n, k, v, vRow, tau, t, scratch }) => {
  // The products of all pairs, of which the upper half is used.
  c.call(gemm, { m: k, n: k, k: n, a: v, aRow: vRow, aK: 1, b: v, bK: 1, bColumn: vRow, to: t, toRow: k, mode: gemmMode.replace, scratch });
  c.range(0, k, (j) => {
    const factor = c.let(tau.load(j).negate());
    // From the top: row i of the product needs only what stands below it in the column.
    c.range(0, j, (i) => {
      const sum = c.real(0);
      c.range(i, j, (q) => sum.add(t.load(i.times(k).plus(q)).times(t.load(q.times(k).plus(j)))));
      t.store(sum.times(factor), i.times(k).plus(j));
    });
    t.store(factor.negate(), j.times(k).plus(j));
    c.range(j.plus(1), k, (i) => t.store(0, i.times(k).plus(j)));
  });
});

/**
 * `X = X (I - V' T V)` for the m rows of X, or with T' (`transpose`): block reflectors on vectors stored by rows.
 * `work` has room for 2 m k numbers.
 */
export const reflectRows = template("linalg.reflectRows", {
  m: "index", n: "index", k: "index", v: "pointer", vRow: "index", t: "pointer", transpose: "index", x: "pointer", xRow: "index", work: "pointer", scratch: "pointer",
}, "nothing", (c, { m, n, k, v, vRow, t, transpose, x, xRow, work, scratch }) => {
  const second = c.let(work.at(m.times(k)));
  const tRow = c.let(c.chooseIndex(transpose.equals(0), k, 1));
  const tColumn = c.let(c.chooseIndex(transpose.equals(0), 1, k));
  c.call(gemm, { m, n: k, k: n, a: x, aRow: xRow, aK: 1, b: v, bK: 1, bColumn: vRow, to: work, toRow: k, mode: gemmMode.replace, scratch });
  c.call(gemm, { m, n: k, k, a: work, aRow: k, aK: 1, b: t, bK: tRow, bColumn: tColumn, to: second, toRow: k, mode: gemmMode.replace, scratch });
  c.call(gemm, { m, n, k, a: second, aRow: k, aK: 1, b: v, bK: vRow, bColumn: 1, to: x, toRow: xRow, mode: gemmMode.subtract, scratch });
});

/** `X = (I - V' T V) X` for X of n rows and m columns. `work` has room for 2 m k numbers. */
export const reflectColumns = template("linalg.reflectColumns", {
  m: "index", n: "index", k: "index", v: "pointer", vRow: "index", t: "pointer", x: "pointer", xRow: "index", work: "pointer", scratch: "pointer",
}, "nothing", (c, { m, n, k, v, vRow, t, x, xRow, work, scratch }) => {
  const second = c.let(work.at(m.times(k)));
  c.call(gemm, { m: k, n: m, k: n, a: v, aRow: vRow, aK: 1, b: x, bK: xRow, bColumn: 1, to: work, toRow: m, mode: gemmMode.replace, scratch });
  c.call(gemm, { m: k, n: m, k, a: t, aRow: k, aK: 1, b: work, bK: m, bColumn: 1, to: second, toRow: m, mode: gemmMode.replace, scratch });
  c.call(gemm, { m: n, n: m, k, a: v, aRow: 1, aK: vRow, b: second, bK: m, bColumn: 1, to: x, toRow: xRow, mode: gemmMode.subtract, scratch });
});

/** `X = X (I - tau v v')` for the m rows of X; v[0] = 1 is stored. `work` has room for m numbers. */
export const reflectOne = template("linalg.reflectOne", { m: "index", n: "index", tau: "real", v: "pointer", x: "pointer", xRow: "index", work: "pointer" }, "nothing", (c, { m, n, tau, v, x, xRow, work }) => {
  c.call(rowDots, { m, n, a: x, row: xRow, x: v, y: work, yStride: 1 });
  c.range(0, m, (i) => {
    const factor = c.let(work.load(i).times(tau).negate());
    const row = c.let(x.at(i.times(xRow)));
    const lanes = c.let(factor.lanes());
    c.sweep(n, [row, v], 4,
      ([to, from], u) => to.storeLanes(to.loadLanes(u * c.lanes).plusProduct(lanes, from.loadLanes(u * c.lanes)), u * c.lanes),
      ([to, from]) => to.store(to.load().plus(factor.times(from.load()))));
  });
});

