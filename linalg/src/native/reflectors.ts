import { dot, gemm, gemmMode, largestMagnitude, rowDots, scale, template } from "@hessia/core/native";
import { dotRows, subtractRows } from "./row-products.js";

// Householder reflectors H = I - tau v v', v[0] = 1, and products of them, H_1 H_2 ... = I - W' V, where row j of V is the j-th reflector and
// W = T'V (Bischof & Van Loan 1987; T is that of Schreiber & Van Loan 1989). Reflectors and companions are rows here, and so are the vectors that are reflected.

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

/** Reflectors whose companions are computed one after the other. */
export const fewReflectors = 4;
/** Elements of a block of reflectors that stay in the first level of cache beside what they are applied to: there rows need no packing. */
const nearElements = 1536;

/** `X = X - (X L') R` for the m rows of X and k rows of L and R, n elements each. `work` has room for m k numbers. */
export const subtractProjections = template("linalg.subtractProjections", {
  m: "index", n: "index", k: "index", left: "pointer", right: "pointer", row: "index", x: "pointer", xRow: "index", work: "pointer", scratch: "pointer",
}, "nothing", (c, { m, n, k, left, right, row, x, xRow, work, scratch }) => {
  c.when(k.times(n).atMost(nearElements).or(m.less(8)), () => {
    c.call(dotRows, { m, k, n, a: x, aRow: xRow, b: left, bRow: row, to: work, toRow: k });
    c.call(subtractRows, { m, k, n, f: work, fRow: k, b: right, bRow: row, x, xRow });
  }, () => {
    c.call(gemm, { m, n: k, k: n, a: x, aRow: xRow, aK: 1, b: left, bK: 1, bColumn: row, to: work, toRow: k, mode: gemmMode.replace, scratch });
    c.call(gemm, { m, n, k, a: work, aRow: k, aK: 1, b: right, bK: row, bColumn: 1, to: x, toRow: xRow, mode: gemmMode.subtract, scratch });
  });
});

/** Companions of a few reflectors, the rows of `v` (its zeros and ones are stored): `w_j = tau_j (v_j - sum_{i<j} (v_i . v_j) w_i)`, the last one only. */
export const addCompanion = template("linalg.addCompanion", {
  n: "index", j: "index", tau: "real", v: "pointer", w: "pointer", row: "index", work: "pointer",
}, "nothing", (c, { n, j, tau, v, w, row, work }) => {
  const to = c.let(w.at(j.times(row)));
  c.copy(n, v.at(j.times(row)), to);
  c.call(scale, { n, a: tau, x: to });
  c.call(dotRows, { m: 1, k: j, n, a: to, aRow: row, b: v, bRow: row, to: work, toRow: j });
  c.call(subtractRows, { m: 1, k: j, n, f: work, fRow: j, b: w, bRow: row, x: to, xRow: row });
});

/** The companions W of k reflectors of n elements, rows of `v`. Rows of both lie `row` apart; `work` has room for k^2 numbers. */
export const makeCompanions = template("linalg.makeCompanions", {
  n: "index", k: "index", v: "pointer", w: "pointer", row: "index", tau: "pointer", work: "pointer", scratch: "pointer",
}, "nothing", (c, { n, k, v, w, row, tau, work, scratch }) => {
  c.when(k.atMost(fewReflectors), () => c.range(0, k, (j) => c.call(addCompanion, { n, j, tau: tau.load(j), v, w, row, work })), () => {
    const first = c.let(k.over(2));
    const [vRest, wRest] = [c.let(v.at(first.times(row))), c.let(w.at(first.times(row)))];
    c.call(makeCompanions, { n, k: first, v, w, row, tau, work, scratch });
    c.call(makeCompanions, { n, k: k.minus(first), v: vRest, w: wRest, row, tau: tau.at(first), work, scratch });
    c.call(subtractProjections, { m: k.minus(first), n, k: first, left: v, right: w, row, x: wRest, xRow: row, work, scratch });
  });
});

/** Reflectors of a reduction that are applied together. */
export const togetherSize = 32;

/**
 * Row vectors of n elements become `Q z`: Q is the product of `count` reflectors, of which number r is row r of `a` (n by n) from element r + offset on, its one stored. `v` and `w` have room for
 * togetherSize n numbers each, and so does `work`.
 */
export const multiplyByReflectors = template("linalg.multiplyByReflectors", {
  n: "index", count: "index", offset: "index", a: "pointer", tau: "pointer", z: "pointer", v: "pointer", w: "pointer", work: "pointer", scratch: "pointer",
}, "nothing", (c, { n, count, offset, a, tau, z, v, w, work, scratch }) => {
  const j = c.let(count.minus(1).over(togetherSize).times(togetherSize));
  c.while(j.atLeast(0), () => {
    const k = c.let(count.minus(j).min(togetherSize));
    const length = c.let(n.minus(j).minus(offset));
    c.range(0, k, (i) => {
      const to = c.let(v.at(i.times(length)));
      c.clear(i, to);
      c.copy(length.minus(i), a.at(j.plus(i).times(n.plus(1)).plus(offset)), to.at(i));
    });
    c.call(makeCompanions, { n: length, k, v, w, row: length, tau: tau.at(j), work, scratch });
    c.call(subtractProjections, { m: n, n: length, k, left: v, right: w, row: length, x: z.at(j.plus(offset)), xRow: n, work, scratch });
    j.add(-togetherSize);
  });
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
