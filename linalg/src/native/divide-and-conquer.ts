import { dot, scale, template } from "@hessia/core/native";
import { combineRows, deflate, placeRows } from "./deflation.js";
import { implicitQl } from "./implicit-ql.js";
import { ascendingOrder, mergeOrders, orderAll } from "./order.js";
import { rotate } from "./rotations.js";
import { exactWeights, secularRoot } from "./secular.js";

/** Tridiagonal matrices up to this size are diagonalized by rotations. */
export const baseSize = 32;

/** Vectors of n numbers, and of n integers, that a merge works with. */
export const mergeVectors = 7;
export const mergeIntegers = 5;

/**
 * Eigensystem of `diag(d) + rho u u'` in the basis z, where rows 0 … n1-1 of z are the eigenvectors of the upper half and the others of the lower, and u is the
 * last element of the former and, with rho's sign, the first of the latter (Cuppen 1981). Elements of u that are negligible, and one of two for
 * (nearly) equal d, leave their eigenpair as it is (deflation). The roots of the secular equation give the others; their vectors use
 * the u for which these roots are exact, so they are orthogonal without more precision (Gu & Eisenstat 1995). On return d and the rows of z belong
 * together and `order` sorts them.
 */
const mergeHalves = template("linalg.mergeHalves", {
  n: "index", n1: "index", rho: "real", d: "pointer", z: "pointer", zRow: "index", order: "pointer to int32", vectors: "pointer", integers: "pointer to int32", rows: "pointer", system: "pointer", scratch: "pointer",
}, "nothing", (c, { n, n1, rho, d, z, zRow, order, vectors, integers, rows, system, scratch }) => {
  const [u, poles, weights, exact, held, roots, sums] = Array.from({ length: mergeVectors }, (_, i) => c.let(vectors.at(n.times(i)))) as [typeof d, typeof d, typeof d, typeof d, typeof d, typeof d, typeof d];
  const [sorted, kind, kept, gone, place] = Array.from({ length: mergeIntegers }, (_, i) => c.let(integers.at(n.times(i)))) as [typeof order, typeof order, typeof order, typeof order, typeof order];
  const [largest, largestPole] = [c.real(0), c.real(0)];
  // |u|^2 = 2: scaled to 1, with the factor moved to rho.
  c.range(0, n, (i) => {
    const row = c.let(z.at(i.times(zRow)));
    const value = c.real(0);
    c.when(i.less(n1), () => {
      value.set(row.load(n1.minus(1)));
      kind.storeIndex(1, i);
    }, () => {
      value.set(row.load(n1).times(c.real(1).copySign(rho)));
      kind.storeIndex(3, i);
    });
    value.set(value.times(Math.SQRT1_2));
    u.store(value, i);
    largest.set(largest.max(value.abs()));
    largestPole.set(largestPole.max(d.load(i).abs()));
  });
  const strength = c.let(rho.abs().times(2));
  const tolerance = c.let(strength.times(largest).max(largestPole).times(8 * c.epsilon));
  c.call(mergeOrders, { n, n1, d, from: order, to: sorted });

  const { k, lost } = deflate(c, n, strength, tolerance, { sorted, d, u, kind, kept, gone, poles, weights }, (x, y, cos, sin) => c.call(rotate, { n, x: z.at(x.times(zRow)), y: z.at(y.times(zRow)), cos, sin }));

  c.when(k.equals(0), () => {
    // Nothing is coupled: the pairs stay, and so does their order.
    c.range(0, n, (i) => order.storeIndex(sorted.loadIndex(i), i));
    c.return();
  });

  c.call(placeRows, { k, kept, kind, place });
  c.range(0, lost, (i) => roots.store(d.load(gone.loadIndex(i)), k.plus(i)));

  const norm2 = c.let(c.call(dot, { n: k, x: weights, y: weights }));
  c.range(0, k, (j) => roots.store(c.call(secularRoot, { n: k, j, rho: strength, norm2, d: poles, z: weights, delta: system.at(j.times(k)), sums }), j));

  c.call(exactWeights, { k, poles, system, weights, exact });
  c.range(0, k, (j) => {
    const row = c.let(system.at(j.times(k)));
    c.sweep(k, [held, exact, row], 2,
      ([to, p, q], w) => to.storeLanes(p!.loadLanes(w * c.lanes).over(q!.loadLanes(w * c.lanes)), w * c.lanes),
      ([to, p, q]) => to.store(p!.load().over(q!.load())));
    c.call(scale, { n: k, a: c.real(1).over(c.call(dot, { n: k, x: held, y: held }).sqrt()), x: held });
    c.range(0, k, (i) => row.store(held.load(i), place.loadIndex(i)));
  });

  c.call(combineRows, { n, n1, k, lost, kept, gone, kind, place, factors: system, z, zRow, rows, scratch });
  c.copy(n, roots, d);
  c.call(orderAll, { n, k, d, order, spare: sorted });
});

/**
 * Eigenvalues and eigenvectors of the tridiagonal matrix with diagonal d and e beside it (both are overwritten): the rows of z, whose other
 * elements are zero, become the eigenvectors that belong to d, and `order` sorts them ascending. `rows` and `system` have room for n^2 numbers each,
 * `vectors` for mergeVectors n, `integers` for mergeIntegers n. Gives 1 where an iteration does not converge, else 0.
 */
export const divideAndConquer = template("linalg.divideAndConquer", {
  n: "index", d: "pointer", e: "pointer", z: "pointer", zRow: "index", order: "pointer to int32", vectors: "pointer", integers: "pointer to int32", rows: "pointer", system: "pointer", scratch: "pointer",
}, "index", (c, { n, d, e, z, zRow, order, vectors, integers, rows, system, scratch }) => {
  const failed = c.index(0);
  c.when(n.atMost(baseSize), () => {
    c.range(0, n, (i) => z.store(1, i.times(zRow.plus(1))));
    failed.set(c.call(implicitQl, { n, d, e, z, zRow, count: n }));
    c.call(ascendingOrder, { n, d, order });
  }, () => c.block((leave) => {
    const n1 = c.let(n.over(2));
    const n2 = c.let(n.minus(n1));
    // T = diag(T1, T2) + rho u u' with u = e[n1-1] + sign(rho) e[n1].
    const rho = c.let(e.load(n1.minus(1)));
    d.store(d.load(n1.minus(1)).minus(rho.abs()), n1.minus(1));
    d.store(d.load(n1).minus(rho.abs()), n1);
    const shared = { zRow, vectors, integers, rows, system, scratch };
    failed.set(c.call(divideAndConquer, { n: n1, d, e, z, order, ...shared }));
    c.when(failed.differs(0), leave);
    failed.set(c.call(divideAndConquer, { n: n2, d: d.at(n1), e: e.at(n1), z: z.at(n1.times(zRow.plus(1))), order: order.at(n1), ...shared }));
    c.when(failed.differs(0), leave);
    c.call(mergeHalves, { n, n1, rho, d, z, order, ...shared });
  }));
  return failed;
});
