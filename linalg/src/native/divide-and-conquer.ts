import { dot, gemm, gemmMode, scale, template } from "@hessia/core/native";
import { hypotenuse, implicitQl, rotate } from "./implicit-ql.js";
import { secularRoot } from "./secular.js";

/** Tridiagonal matrices up to this size are diagonalized by rotations. */
export const baseSize = 32;

/** Vectors of n numbers, and of n integers, that a merge works with. */
export const mergeVectors = 7;
export const mergeIntegers = 5;

/** Merges the ascending orders of d[: n1] and d[n1 :], the second counted from n1, into one of all n. */
const mergeOrders = template("linalg.mergeOrders", { n: "index", n1: "index", d: "pointer", from: "pointer to int32", to: "pointer to int32" }, "nothing", (c, { n, n1, d, from, to }) => {
  const [a, b] = [c.index(0), c.index(n1)];
  c.range(0, n, (i) => {
    const first = c.index(0);
    c.when(b.equals(n), () => first.set(1), () => c.when(a.less(n1), () => {
      c.when(d.load(from.loadIndex(a)).atMost(d.load(from.loadIndex(b).plus(n1))), () => first.set(1));
    }));
    c.when(first.differs(0), () => {
      to.storeIndex(from.loadIndex(a), i);
      a.add(1);
    }, () => {
      to.storeIndex(from.loadIndex(b).plus(n1), i);
      b.add(1);
    });
  });
});

/** The ascending order of d when d[: k] ascends; the others, few or nearly sorted, are inserted one by one. */
const orderAll = template("linalg.orderAll", { n: "index", k: "index", d: "pointer", order: "pointer to int32", spare: "pointer to int32" }, "nothing", (c, { n, k, d, order, spare }) => {
  c.range(0, k, (i) => spare.storeIndex(i, i));
  c.range(k, n, (i) => {
    const value = c.let(d.load(i));
    const at = c.index(i);
    c.block((leave) => c.while(at.greater(k), () => {
      c.when(d.load(spare.loadIndex(at.minus(1)).plus(k)).atMost(value), leave);
      spare.storeIndex(spare.loadIndex(at.minus(1)), at);
      at.add(-1);
    }));
    spare.storeIndex(i.minus(k), at);
  });
  c.call(mergeOrders, { n, n1: k, d, from: spare, to: order });
});

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
  const n2 = c.let(n.minus(n1));
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

  const [k, lost, pending] = [c.index(0), c.index(0), c.index(-1)];
  const keep = (i: typeof k): void => {
    poles.store(d.load(i), k);
    weights.store(u.load(i), k);
    kept.storeIndex(i, k);
    k.add(1);
  };
  const lose = (i: typeof k): void => {
    kind.storeIndex(4, i);
    gone.storeIndex(i, lost);
    lost.add(1);
  };
  c.range(0, n, (q) => {
    const i = c.let(sorted.loadIndex(q));
    c.when(strength.times(u.load(i).abs()).atMost(tolerance), () => lose(i), () => {
      c.when(pending.atLeast(0), () => {
        const [x, y] = [c.let(u.load(pending)), c.let(u.load(i))];
        const length = c.let(c.call(hypotenuse, { x, y }));
        const [cos, sin] = [c.let(y.over(length)), c.let(x.over(length).negate())];
        const gap = c.let(d.load(i).minus(d.load(pending)));
        c.when(gap.times(cos).times(sin).abs().atMost(tolerance), () => {
          // A rotation of the two takes u to one of them, and moves d by less than rounding.
          u.store(length, i);
          c.call(rotate, { n, x: z.at(pending.times(zRow)), y: z.at(i.times(zRow)), cos, sin: sin.negate() });
          const [dx, dy, cc, ss] = [c.let(d.load(pending)), c.let(d.load(i)), c.let(cos.times(cos)), c.let(sin.times(sin))];
          d.store(dx.times(cc).plus(dy.times(ss)), pending);
          d.store(dx.times(ss).plus(dy.times(cc)), i);
          c.when(kind.loadIndex(pending).differs(kind.loadIndex(i)), () => kind.storeIndex(2, i));
          lose(pending);
        }, () => keep(pending));
      });
      pending.set(i);
    });
  });
  c.when(pending.atLeast(0), () => keep(pending));

  c.when(k.equals(0), () => {
    // Nothing is coupled: the pairs stay, and so does their order.
    c.range(0, n, (i) => order.storeIndex(sorted.loadIndex(i), i));
    c.return();
  });

  // Rows with elements in the upper half only, in both, in the lower half only: products skip the zeros.
  const [upper, both, lower] = [c.index(0), c.index(0), c.index(0)];
  c.range(0, k, (i) => {
    const type = c.let(kind.loadIndex(kept.loadIndex(i)));
    c.when(type.equals(1), () => upper.add(1), () => c.when(type.equals(2), () => both.add(1), () => lower.add(1)));
  });
  const upperRows = c.let(upper.plus(both));
  const lowerRows = c.let(both.plus(lower));
  const lowerStart = c.let(rows.at(upperRows.times(n1)));
  const lostStart = c.let(lowerStart.at(lowerRows.times(n2)));
  const [nextUpper, nextBoth, nextLower] = [c.index(0), c.let(upper), c.let(upperRows)];
  c.range(0, k, (i) => {
    const row = c.let(kept.loadIndex(i));
    const type = c.let(kind.loadIndex(row));
    const at = c.index(0);
    const from = c.let(z.at(row.times(zRow)));
    c.when(type.equals(1), () => { at.set(nextUpper); nextUpper.add(1); }, () => c.when(type.equals(2), () => { at.set(nextBoth); nextBoth.add(1); }, () => { at.set(nextLower); nextLower.add(1); }));
    place.storeIndex(at, i);
    c.when(type.atMost(2), () => c.copy(n1, from, rows.at(at.times(n1))));
    c.when(type.atLeast(2), () => c.copy(n2, from.at(n1), lowerStart.at(at.minus(upper).times(n2))));
  });
  c.range(0, lost, (i) => {
    const row = c.let(gone.loadIndex(i));
    c.copy(n, z.at(row.times(zRow)), lostStart.at(i.times(n)));
    roots.store(d.load(row), k.plus(i));
  });

  const norm2 = c.let(c.call(dot, { n: k, x: weights, y: weights }));
  c.range(0, k, (j) => roots.store(c.call(secularRoot, { n: k, j, rho: strength, norm2, d: poles, z: weights, delta: system.at(j.times(k)), sums }), j));

  // weights[i]^2 = prod_j (roots[j] - poles[i]) / prod_{j != i} (poles[j] - poles[i]), with the signs that they had.
  c.range(0, k, (i) => exact.store(system.load(i.times(k.plus(1))), i));
  c.range(0, k, (j) => {
    const row = c.let(system.at(j.times(k)));
    const pole = c.let(poles.load(j));
    const lanes = c.let(pole.lanes());
    const part = (from: typeof k, count: typeof k): void => c.sweep(count, [exact.at(from), row.at(from), poles.at(from)], 2,
      ([to, p, q], w) => to.storeLanes(to.loadLanes(w * c.lanes).times(p!.loadLanes(w * c.lanes).over(q!.loadLanes(w * c.lanes).minus(lanes))), w * c.lanes),
      ([to, p, q]) => to.store(to.load().times(p!.load().over(q!.load().minus(pole)))));
    part(c.index(0), j);
    part(c.let(j.plus(1)), c.let(k.minus(j).minus(1)));
  });
  c.range(0, k, (i) => exact.store(exact.load(i).abs().sqrt().copySign(weights.load(i)), i));
  c.range(0, k, (j) => {
    const row = c.let(system.at(j.times(k)));
    c.sweep(k, [held, exact, row], 2,
      ([to, p, q], w) => to.storeLanes(p!.loadLanes(w * c.lanes).over(q!.loadLanes(w * c.lanes)), w * c.lanes),
      ([to, p, q]) => to.store(p!.load().over(q!.load())));
    c.call(scale, { n: k, a: c.real(1).over(c.call(dot, { n: k, x: held, y: held }).sqrt()), x: held });
    c.range(0, k, (i) => row.store(held.load(i), place.loadIndex(i)));
  });

  c.call(gemm, { m: k, n: n1, k: upperRows, a: system, aRow: k, aK: 1, b: rows, bK: n1, bColumn: 1, to: z, toRow: zRow, mode: gemmMode.replace, scratch });
  c.call(gemm, { m: k, n: n2, k: lowerRows, a: system.at(upper), aRow: k, aK: 1, b: lowerStart, bK: n2, bColumn: 1, to: z.at(n1), toRow: zRow, mode: gemmMode.replace, scratch });
  c.range(0, lost, (i) => c.copy(n, lostStart.at(i.times(n)), z.at(k.plus(i).times(zRow))));
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
    failed.set(c.call(implicitQl, { n, d, e, z, zRow }));
    c.range(0, n, (i) => {
      const value = c.let(d.load(i));
      const at = c.index(i);
      c.block((leave) => c.while(at.greater(0), () => {
        c.when(d.load(order.loadIndex(at.minus(1))).atMost(value), leave);
        order.storeIndex(order.loadIndex(at.minus(1)), at);
        at.add(-1);
      }));
      order.storeIndex(i, at);
    });
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
