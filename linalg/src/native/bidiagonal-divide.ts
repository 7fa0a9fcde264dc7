import { dot, type Index, type Pointer, type Real, scale, template } from "@hessia/core/native";
import { combineRows, deflate, placeRows } from "./deflation.js";
import { implicitQr } from "./implicit-qr.js";
import { ascendingOrder, mergeOrders, orderAll } from "./order.js";
import { hypotenuse, rotate } from "./rotations.js";
import { exactSingularWeights, singularRoot } from "./secular.js";

/** Bidiagonal matrices up to this size are diagonalized by rotations. */
const baseSize = 32;

/** Vectors of n numbers, and of n integers, that a merge works with. */
export const mergeVectors = 9;
export const mergeIntegers = 5;

/**
 * SVD of the bidiagonal matrix of n rows and n + extra columns of which rows 0 … n1-2 and n1 … n-1 have theirs already, and row n1-1 has alpha on the diagonal and beta behind it. In
 * their basis it is a diagonal matrix with zero in place n1-1 and one full row there (Jessup & Sorensen 1994); its singular values are the roots of a secular equation in their squares, and the vectors use
 * the row for which these roots are exact (Gu & Eisenstat 1995). On return d and the rows of ut and vt belong together and `order` sorts them.
 */
const mergeHalves = template("linalg.mergeBidiagonal", {
  n: "index", n1: "index", extra: "index", alpha: "real", beta: "real", d: "pointer", ut: "pointer", vt: "pointer", row: "index", order: "pointer to int32",
  vectors: "pointer", integers: "pointer to int32", rows: "pointer", system: "pointer", scratch: "pointer",
}, "nothing", (c, { n, n1, extra, alpha, beta, d, ut, vt, row, order, vectors, integers, rows, system, scratch }) => {
  const [u, poles, weights, exact, held, roots, sums, norms, placed] = Array.from({ length: mergeVectors }, (_, i) => c.let(vectors.at(n.times(i)))) as [typeof d, typeof d, typeof d, typeof d, typeof d, typeof d, typeof d, typeof d, typeof d];
  const [sorted, kind, kept, gone, place] = Array.from({ length: mergeIntegers }, (_, i) => c.let(integers.at(n.times(i)))) as [typeof order, typeof order, typeof order, typeof order, typeof order];
  const middle = c.let(n1.minus(1));
  const columns = c.let(n.plus(extra));
  const [vMiddle, vLast] = [c.let(vt.at(middle.times(row))), c.let(vt.at(n.times(row)))];
  const turn = (x: Pointer, y: Pointer, count: Index, cos: Real, sin: Real): void => c.call(rotate, { n: count, x, y, cos, sin });

  // What the upper part takes to zero is the basis vector of the middle; with an extra column the lower part has such a vector too, and a combination of both stays what goes to zero.
  ut.store(1, middle.times(row.plus(1)));
  kind.storeIndex(1, middle);
  d.store(0, middle);
  const first = c.let(alpha.times(vMiddle.load(middle)));
  c.when(extra.differs(0), () => {
    const second = c.let(beta.times(vLast.load(n1)));
    const length = c.let(c.call(hypotenuse, { x: first, y: second }));
    c.when(length.greater(0), () => turn(vMiddle, vLast, columns, first.over(length), second.over(length).negate()));
    first.set(length);
    kind.storeIndex(2, middle);
  });
  c.when(first.less(0), () => {
    first.set(first.negate());
    c.call(scale, { n: columns, a: -1, x: vMiddle });
  });
  const largest = c.let(alpha.abs().max(beta.abs()));
  c.range(0, middle, (i) => {
    u.store(alpha.times(vt.load(i.times(row).plus(middle))), i);
    kind.storeIndex(1, i);
    largest.set(largest.max(d.load(i)));
  });
  c.range(n1, n, (i) => {
    u.store(beta.times(vt.load(i.times(row).plus(n1))), i);
    kind.storeIndex(3, i);
    largest.set(largest.max(d.load(i)));
  });
  c.when(largest.equals(0), () => {
    c.range(0, n, (i) => order.storeIndex(i, i));
    c.return();
  });
  const tolerance = c.let(largest.times(4 * c.epsilon));
  u.store(first.max(tolerance), middle);
  c.range(middle, 0, (i) => order.storeIndex(order.loadIndex(i.minus(1)), i), -1);
  order.storeIndex(middle, 0);
  c.call(mergeOrders, { n, n1, d, from: order, to: sorted });

  const { k, lost } = deflate(c, n, c.let(c.real(1)), tolerance, { sorted, d, u, kind, kept, gone, poles, weights }, (x, y, cos, sin) => {
    const [from, to] = [c.let(x.times(row)), c.let(y.times(row))];
    turn(vt.at(from), vt.at(to), columns, cos, sin);
    turn(ut.at(from), ut.at(to), n, cos, sin);
  }, (keep, lose) => {
    // Those that are negligible beside the zero of the middle: a rotation takes their part of the row to the middle.
    const q = c.index(1);
    c.block((leave) => c.while(q.less(n), () => {
      const i = c.let(sorted.loadIndex(q));
      c.when(d.load(i).greater(tolerance), leave);
      const [x, y] = [c.let(u.load(i)), c.let(u.load(middle))];
      const length = c.let(c.call(hypotenuse, { x, y }));
      turn(vt.at(i.times(row)), vMiddle, columns, y.over(length), x.over(length));
      u.store(length, middle);
      d.store(d.load(i).times(y.over(length)), i);
      c.when(kind.loadIndex(i).differs(kind.loadIndex(middle)), () => kind.storeIndex(2, middle));
      lose(i);
      q.add(1);
    }));
    keep(middle);
    return q;
  });
  c.call(placeRows, { k, kept, kind, place });
  c.range(0, lost, (i) => roots.store(d.load(gone.loadIndex(i)), k.plus(i)));

  const norm2 = c.let(c.call(dot, { n: k, x: weights, y: weights }));
  c.range(0, k, (j) => roots.store(c.call(singularRoot, { n: k, j, rho: 1, norm2, d: poles, z: weights, delta: system.at(j.times(k)), sums }), j));
  c.call(exactSingularWeights, { k, poles, system, weights, exact });

  // Right vectors are w / (poles^2 - root^2); left ones poles times that, and -1 in the middle.
  c.range(0, k, (i) => placed.store(poles.load(i), place.loadIndex(i)));
  c.range(0, k, (j) => {
    const factors = c.let(system.at(j.times(k)));
    c.sweep(k, [held, exact, factors], 2,
      ([to, p, q], w) => to.storeLanes(p!.loadLanes(w * c.lanes).over(q!.loadLanes(w * c.lanes)), w * c.lanes),
      ([to, p, q]) => to.store(p!.load().over(q!.load())));
    const length = c.let(c.call(dot, { n: k, x: held, y: held }).sqrt());
    norms.store(length, j);
    c.call(scale, { n: k, a: c.real(1).over(length), x: held });
    c.range(0, k, (i) => factors.store(held.load(i), place.loadIndex(i)));
  });
  const shared = { n1, k, lost, kept, gone, kind, place, factors: system, zRow: row, rows, scratch };
  c.call(combineRows, { ...shared, n: columns, z: vt });
  c.range(0, k, (j) => {
    const factors = c.let(system.at(j.times(k)));
    c.sweep(k, [factors, placed], 2,
      ([to, p], w) => to.storeLanes(to.loadLanes(w * c.lanes).times(p!.loadLanes(w * c.lanes)), w * c.lanes),
      ([to, p]) => to.store(to.load().times(p!.load())));
    factors.store(c.real(-1).over(norms.load(j)), place.loadIndex(0));
    c.call(scale, { n: k, a: c.real(1).over(c.call(dot, { n: k, x: factors, y: factors }).sqrt()), x: factors });
  });
  c.call(combineRows, { ...shared, n, z: ut });
  c.copy(n, roots, d);
  c.call(orderAll, { n, k, d, order, spare: sorted });
});

/**
 * SVD of the upper bidiagonal matrix of n rows and n + extra columns (extra is 0 or 1) with diagonal d and e above it (both are overwritten): the rows of ut and vt, whose other elements are
 * zero, become the singular vectors that belong to d, and `order` sorts them ascending; an extra row of vt is what goes to zero. `rows` and `system` have room for (n + extra)^2 numbers
 * each, `vectors` for mergeVectors n, `integers` for mergeIntegers n. Gives 1 where an iteration does not converge, else 0.
 */
export const bidiagonalSvd = template("linalg.divideBidiagonal", {
  n: "index", extra: "index", d: "pointer", e: "pointer", ut: "pointer", vt: "pointer", row: "index", order: "pointer to int32",
  vectors: "pointer", integers: "pointer to int32", rows: "pointer", system: "pointer", scratch: "pointer",
}, "index", (c, { n, extra, d, e, ut, vt, row, order, vectors, integers, rows, system, scratch }) => {
  const failed = c.index(0);
  c.when(n.atMost(baseSize), () => {
    const columns = c.let(n.plus(extra));
    c.range(0, n, (i) => ut.store(1, i.times(row.plus(1))));
    c.range(0, columns, (i) => vt.store(1, i.times(row.plus(1))));
    failed.set(c.call(implicitQr, { n, extra, d, e, ut, uRow: row, uCount: n, vt, vRow: row, vCount: columns }));
    c.call(ascendingOrder, { n, d, order });
  }, () => c.block((leave) => {
    const n1 = c.let(n.over(2));
    const n2 = c.let(n.minus(n1));
    const middle = c.let(n1.minus(1));
    const [alpha, beta] = [c.let(d.load(middle)), c.let(e.load(middle))];
    const below = c.let(n1.times(row.plus(1)));
    const shared = { row, vectors, integers, rows, system, scratch };
    failed.set(c.call(bidiagonalSvd, { ...shared, n: middle, extra: 1, d, e, ut, vt, order }));
    c.when(failed.differs(0), leave);
    failed.set(c.call(bidiagonalSvd, { ...shared, n: n2, extra, d: d.at(n1), e: e.at(n1), ut: ut.at(below), vt: vt.at(below), order: order.at(n1) }));
    c.when(failed.differs(0), leave);
    c.call(mergeHalves, { ...shared, n, n1, extra, alpha, beta, d, ut, vt, order });
  }));
  return failed;
});
