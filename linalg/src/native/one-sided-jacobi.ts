import { axpy, divide, dot, largestMagnitude, template } from "@hessia/core/native";
import { hypotenuse, rotate } from "./rotations.js";

const sweepLimit = 60;

/** Writes `x . x`, `y . y` and `x . y`. */
const threeProducts = template("linalg.threeProducts", { n: "index", x: "pointer", y: "pointer", out: "pointer" }, "nothing", (c, { n, x, y, out }) => {
  const unroll = 2;
  const sums = Array.from({ length: 3 * unroll }, () => c.let(c.zeros()));
  const rests = Array.from({ length: 3 }, () => c.real(0));
  const [a, b] = [c.let(c.zeros()), c.let(c.zeros())];
  c.sweep(n, [x, y], unroll,
    ([p, q], u) => {
      a.set(p.loadLanes(u * c.lanes));
      b.set(q.loadLanes(u * c.lanes));
      ([[a, a], [b, b], [a, b]] as const).forEach(([left, right], i) => sums[3 * u + i]!.set(sums[3 * u + i]!.plusProduct(left, right)));
    },
    ([p, q]) => ([[p, p], [q, q], [p, q]] as const).forEach(([left, right], i) => rests[i]!.add(left.load().times(right.load()))));
  rests.forEach((rest, i) => out.store(rest.plus(c.total(sums[i]!.plus(sums[3 + i]!))), i));
});

/** Rotates the n rows of w (m elements each), and those of v along, until all are orthogonal to rounding. Gives 1 where that does not end. */
export const orthogonalize = template("linalg.orthogonalizeRows", { m: "index", n: "index", w: "pointer", v: "pointer", products: "pointer" }, "index", (c, { m, n, w, v, products }) => {
  const failed = c.index(1);
  // What is left of a column that depends on others is rounding, which no rotation makes orthogonal to them.
  const negligible = c.real(0);
  c.range(0, n, (j) => {
    const row = c.let(w.at(j.times(m)));
    negligible.set(negligible.max(c.call(dot, { n: m, x: row, y: row })));
  });
  negligible.set(negligible.times(1e-270));
  c.block((done) => c.range(0, sweepLimit, () => {
    const rotated = c.index(0);
    c.range(0, n.minus(1), (p) => {
      const x = c.let(w.at(p.times(m)));
      c.range(p.plus(1), n, (q) => {
        const y = c.let(w.at(q.times(m)));
        c.call(threeProducts, { n: m, x, y, out: products });
        const [alpha, beta, gamma] = [products.load(0), products.load(1), c.let(products.load(2))];
        c.when(alpha.min(beta).greater(negligible).and(gamma.abs().greater(alpha.sqrt().times(beta.sqrt()).times(1e-15))), () => {
          rotated.set(1);
          const zeta = c.let(beta.minus(alpha).over(gamma.times(2)));
          const root = c.call(hypotenuse, { x: zeta, y: 1 });
          const tangent = c.let(c.real(1).over(zeta.abs().plus(root)).copySign(zeta));
          const cos = c.let(c.real(1).over(tangent.times(tangent).plus(1).sqrt()));
          const sin = c.let(cos.times(tangent));
          c.call(rotate, { n: m, x, y, cos, sin });
          c.call(rotate, { n, x: v.at(p.times(n)), y: v.at(q.times(n)), cos, sin });
        });
      });
    });
    c.when(rotated.equals(0), () => {
      failed.set(0);
      done();
    });
  }));
  return failed;
});

/** Scales rows to length 1; those of negligible length (where `done` becomes 0, then 1) are replaced by ones orthogonal to all others. */
export const completeBasis = template("linalg.completeBasis", { m: "index", n: "index", w: "pointer", lengths: "pointer", done: "pointer to int32" }, "nothing", (c, { m, n, w, lengths, done }) => {
  const largest = c.call(largestMagnitude, { n, x: lengths });
  c.range(0, n, (j) => {
    const length = c.let(lengths.load(j));
    c.when(length.greater(largest.times(c.epsilon * 1e-3)), () => {
      c.call(divide, { n: m, a: length, x: w.at(j.times(m)) });
      done.storeIndex(1, j);
    }, () => done.storeIndex(0, j));
  });
  c.range(0, n, (j) => c.when(done.loadIndex(j).equals(0), () => {
    const row = c.let(w.at(j.times(m)));
    const best = c.index(0);
    const most = c.real(-1);
    c.range(0, m, (e) => {
      const rest = c.real(1);
      c.range(0, n, (k) => c.when(done.loadIndex(k).differs(0), () => {
        const element = c.let(w.load(k.times(m).plus(e)));
        rest.set(rest.minus(element.times(element)));
      }));
      c.when(rest.greater(most), () => {
        most.set(rest);
        best.set(e);
      });
    });
    c.clear(m, row);
    row.store(1, best);
    // Twice is enough (Kahan; Parlett 1980).
    c.range(0, 2, () => c.range(0, n, (k) => c.when(done.loadIndex(k).differs(0), () => {
      const other = c.let(w.at(k.times(m)));
      c.call(axpy, { n: m, a: c.call(dot, { n: m, x: row, y: other }).negate(), x: other, y: row });
    })));
    c.call(divide, { n: m, a: c.call(dot, { n: m, x: row, y: row }).sqrt(), x: row });
    done.storeIndex(1, j);
  }));
});
