import { type Code, type IndexVariable, type Pointer, type Real, type RealVariable, template } from "@hessia/core/native";
import { hypotenuse, rotate } from "./rotations.js";

/** The smaller singular value of [[f, g], [0, h]], to high relative accuracy; all are magnitudes. */
const smallerOfTwo = template("linalg.smallerSingularValue", { f: "real", g: "real", h: "real" }, "real", (c, { f, g, h }) => {
  const [small, large] = [c.let(f.min(h)), c.let(f.max(h))];
  const result = c.real(0);
  c.when(small.greater(0), () => {
    const sum = c.let(small.over(large).plus(1));
    const gap = c.let(large.minus(small).over(large));
    c.when(g.less(large), () => {
      const ratio = c.let(g.over(large));
      const squared = c.let(ratio.times(ratio));
      result.set(small.times(2).over(sum.times(sum).plus(squared).sqrt().plus(gap.times(gap).plus(squared).sqrt())));
    }, () => {
      const ratio = c.let(large.over(g));
      const [p, q] = [c.let(sum.times(ratio)), c.let(gap.times(ratio))];
      result.set(small.times(2).times(ratio).over(p.times(p).plus(1).sqrt().plus(q.times(q).plus(1).sqrt())));
    });
  });
  return result;
});

/** A rotation that takes (f, g) to (r, 0). */
interface Rotation { readonly cos: RealVariable; readonly sin: RealVariable; readonly r: RealVariable }
const rotationIn = (c: Code): Rotation => ({ cos: c.real(1), sin: c.real(0), r: c.real(0) });
function aim(c: Code, { cos, sin, r }: Rotation, f: Real, g: Real): void {
  const [x, y] = [c.let(f), c.let(g)];
  r.set(c.call(hypotenuse, { x, y }));
  c.when(r.equals(0), () => {
    cos.set(1);
    sin.set(0);
  }, () => {
    cos.set(x.over(r));
    sin.set(y.over(r));
  });
}

/** Relative size of what is negligible, in units of rounding. */
const toleranceUnits = 32;
/** Sweeps that a singular value may take on average. */
const sweepLimit = 60;

/**
 * Singular values of the upper bidiagonal matrix with diagonal d and e above it, n by n: implicit QR with shifts, and without where a shift would cost small
 * singular values their relative accuracy (Demmel & Kahan 1990). The rotations go to the n rows of `ut` and `vt` (uCount and vCount elements each). d is neither sorted nor
 * positive on return. Gives 1 where there is no convergence, else 0.
 */
const diagonalize = template("linalg.implicitQr", {
  n: "index", d: "pointer", e: "pointer", ut: "pointer", uRow: "index", uCount: "index", vt: "pointer", vRow: "index", vCount: "index",
}, "index", (c, { n, d, e, ut, uRow, uCount, vt, vRow, vCount }) => {
  const failed = c.index(0);
  const tolerance = toleranceUnits * c.epsilon;
  /** Below this nothing is told from zero. */
  const zero = c.smallest * 2 ** 60;
  const turn = (rows: Pointer, row: IndexVariable, count: IndexVariable, i: IndexVariable, { cos, sin }: Rotation): void => {
    const first = c.let(rows.at(i.times(row)));
    c.call(rotate, { n: count, x: first, y: first.at(row), cos, sin: sin.negate() });
  };
  const [left, right] = [rotationIn(c), rotationIn(c)];
  const [largest, smallest, mu, shift, f, g, h] = Array.from({ length: 7 }, () => c.real(0)) as [RealVariable, RealVariable, RealVariable, RealVariable, RealVariable, RealVariable, RealVariable];
  const [low, high, sweeps, split] = [c.index(0), c.let(n.minus(1)), c.index(0), c.index(0)];
  c.block((done) => c.repeat(() => {
    c.when(high.atMost(0), done);
    c.block((next) => {
      // The last block whose elements above the diagonal are not zero: rows low … high.
      largest.set(d.load(high).abs());
      low.set(high);
      c.block((found) => c.while(low.greater(0), () => {
        c.when(e.load(low.minus(1)).abs().atMost(zero), () => {
          e.store(0, low.minus(1));
          found();
        });
        low.add(-1);
        largest.set(largest.max(d.load(low).abs()).max(e.load(low).abs()));
      }));
      c.when(low.equals(high), () => {
        high.add(-1);
        next();
      });
      // What is negligible, relative to the smallest singular value of the part above it.
      split.set(0);
      mu.set(d.load(low).abs());
      smallest.set(mu);
      c.range(low, high, (i) => {
        const above = c.let(e.load(i).abs());
        c.when(above.atMost(mu.times(tolerance)).or(above.atMost(zero)), () => {
          e.store(0, i);
          split.set(1);
        });
        mu.set(c.choose(mu.greater(0), d.load(i.plus(1)).abs().times(mu.over(mu.plus(above))), 0));
        smallest.set(smallest.min(mu));
      });
      c.when(e.load(high.minus(1)).abs().atMost(d.load(high).abs().times(tolerance)), () => {
        e.store(0, high.minus(1));
        split.set(1);
      });
      c.when(split.differs(0), next);
      sweeps.add(1);
      c.when(sweeps.greater(n.times(sweepLimit)), () => {
        failed.set(1);
        done();
      });
      shift.set(0);
      c.when(n.toReal().times(tolerance).times(smallest.over(largest)).greater(c.epsilon), () => {
        shift.set(c.call(smallerOfTwo, { f: d.load(high.minus(1)).abs(), g: e.load(high.minus(1)).abs(), h: d.load(high).abs() }));
        const ratio = c.let(shift.over(d.load(low).abs()));
        c.when(ratio.times(ratio).less(c.epsilon), () => shift.set(0));
      });
      c.when(shift.equals(0), () => {
        right.cos.set(1);
        left.cos.set(1);
        left.sin.set(0);
        c.range(low, high, (i) => {
          aim(c, right, d.load(i).times(right.cos), e.load(i));
          c.when(i.greater(low), () => e.store(left.sin.times(right.r), i.minus(1)));
          aim(c, left, left.cos.times(right.r), d.load(i.plus(1)).times(right.sin));
          d.store(left.r, i);
          turn(vt, vRow, vCount, i, right);
          turn(ut, uRow, uCount, i, left);
        });
        h.set(d.load(high).times(right.cos));
        d.store(h.times(left.cos), high);
        e.store(h.times(left.sin), high.minus(1));
      }, () => {
        const first = c.let(d.load(low));
        f.set(first.abs().minus(shift).times(c.real(1).copySign(first).plus(shift.over(first))));
        g.set(e.load(low));
        c.range(low, high, (i) => {
          aim(c, right, f, g);
          c.when(i.greater(low), () => e.store(right.r, i.minus(1)));
          const [di, ei, dNext] = [c.let(d.load(i)), c.let(e.load(i)), c.let(d.load(i.plus(1)))];
          const [across, down] = [c.let(right.cos.times(ei).minus(right.sin.times(di))), c.let(right.cos.times(dNext))];
          aim(c, left, right.cos.times(di).plus(right.sin.times(ei)), right.sin.times(dNext));
          d.store(left.r, i);
          f.set(left.cos.times(across).plus(left.sin.times(down)));
          d.store(left.cos.times(down).minus(left.sin.times(across)), i.plus(1));
          c.when(i.less(high.minus(1)), () => {
            const beyond = c.let(e.load(i.plus(1)));
            g.set(left.sin.times(beyond));
            e.store(left.cos.times(beyond), i.plus(1));
          });
          turn(vt, vRow, vCount, i, right);
          turn(ut, uRow, uCount, i, left);
        });
        e.store(f, high.minus(1));
      });
    });
  }));
  return failed;
});

/** Exchanges x[i] and x[n-1-i]. */
const reverse = template("linalg.reverse", { n: "index", x: "pointer" }, "nothing", (c, { n, x }) => {
  c.range(0, n.over(2), (i) => {
    const [here, there] = [c.let(x.load(i)), c.let(x.load(n.minus(1).minus(i)))];
    x.store(there, i);
    x.store(here, n.minus(1).minus(i));
  });
});

/**
 * SVD of the upper bidiagonal matrix of n rows and n + extra columns (extra is 0 or 1) with diagonal d and e above it; e is overwritten. The n rows of `ut` and n + extra rows of
 * `vt` (uCount, vCount elements each) are rotated along: from those of the identity they become the singular vectors, the extra row what the matrix takes to zero. d becomes the singular values, not sorted.
 */
export const implicitQr = template("linalg.bidiagonalSvd", {
  n: "index", extra: "index", d: "pointer", e: "pointer", ut: "pointer", uRow: "index", uCount: "index", vt: "pointer", vRow: "index", vCount: "index",
}, "index", (c, { n, extra, d, e, ut, uRow, uCount, vt, vRow, vCount }) => {
  const failed = c.index(0);
  c.when(extra.differs(0).and(n.greater(0)), () => {
    // The extra column is rotated into the others, from the last one on; what it takes on from above follows.
    const rotation = rotationIn(c);
    const beyond = c.let(e.load(n.minus(1)));
    const last = c.let(vt.at(n.times(vRow)));
    c.range(n.minus(1), -1, (i) => {
      aim(c, rotation, d.load(i), beyond);
      d.store(rotation.r, i);
      c.call(rotate, { n: vCount, x: vt.at(i.times(vRow)), y: last, cos: rotation.cos, sin: rotation.sin.negate() });
      c.when(i.greater(0), () => {
        const above = c.let(e.load(i.minus(1)));
        beyond.set(above.times(rotation.sin).negate());
        e.store(above.times(rotation.cos), i.minus(1));
      });
    }, -1);
  });
  c.when(n.greater(1).and(d.load().abs().less(d.load(n.minus(1)).abs())), () => {
    // Sweeps go from the large end to the small one. Read from its last row and column, the transpose is upper bidiagonal again.
    c.call(reverse, { n, x: d });
    c.call(reverse, { n: n.minus(1), x: e });
    const final = c.let(n.minus(1));
    failed.set(c.call(diagonalize, { n, d, e, ut: vt.at(final.times(vRow)), uRow: vRow.negate(), uCount: vCount, vt: ut.at(final.times(uRow)), vRow: uRow.negate(), vCount: uCount }));
    c.call(reverse, { n, x: d });
  }, () => failed.set(c.call(diagonalize, { n, d, e, ut, uRow, uCount, vt, vRow, vCount })));
  c.range(0, n, (i) => c.when(d.load(i).less(0), () => {
    d.store(d.load(i).negate(), i);
    const row = c.let(vt.at(i.times(vRow)));
    c.range(0, vCount, (j) => row.store(row.load(j).negate(), j));
  }));
  return failed;
});
