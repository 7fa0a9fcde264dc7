import { template } from "@hessia/core/native";
import { hypotenuse, rotate } from "./rotations.js";

/** Sweeps that one eigenvalue may take. */
const sweepLimit = 50;

/**
 * Eigenvalues of the tridiagonal matrix with diagonal d and e beside it (e[n-1] is a spare place), by implicit QL with Wilkinson's shift; the rotations go to
 * the n rows of z, `count` elements each. d is not sorted. Gives 1 where there is no convergence, else 0.
 */
export const implicitQl = template("linalg.implicitQl", { n: "index", d: "pointer", e: "pointer", z: "pointer", zRow: "index", count: "index" }, "index", (c, { n, d, e, z, zRow, count }) => {
  const failed = c.index(0);
  // What is negligible beside the elements so far (Bowdler, Martin, Reinsch, Wilkinson 1968): beside its neighbours alone, which are
  // rounding where the matrix has low rank, nothing might ever be.
  const largest = c.real(0);
  const [m, i, sweep] = [c.index(0), c.index(0), c.index(0)];
  const [g, r, s, co, p, f, b, t] = Array.from({ length: 8 }, () => c.real(0)) as [ReturnType<typeof c.real>, ReturnType<typeof c.real>, ReturnType<typeof c.real>, ReturnType<typeof c.real>, ReturnType<typeof c.real>, ReturnType<typeof c.real>, ReturnType<typeof c.real>, ReturnType<typeof c.real>];
  c.block((giveUp) => c.range(0, n, (l) => {
    sweep.set(0);
    largest.set(largest.max(d.load(l).abs().plus(e.load(l).abs())));
    c.repeat((leave) => {
      m.set(l);
      c.block((found) => c.while(m.less(n.minus(1)), () => {
        c.when(e.load(m).abs().atMost(largest.times(c.epsilon)), found);
        m.add(1);
      }));
      c.when(m.equals(l), leave);
      c.when(sweep.equals(sweepLimit), () => {
        failed.set(1);
        giveUp();
      });
      sweep.add(1);
      g.set(d.load(l.plus(1)).minus(d.load(l)).over(e.load(l).times(2)));
      r.set(c.call(hypotenuse, { x: g, y: 1 }));
      g.set(d.load(m).minus(d.load(l)).plus(e.load(l).over(g.plus(r.copySign(g)))));
      s.set(1);
      co.set(1);
      p.set(0);
      i.set(m.minus(1));
      c.block((split) => {
        c.while(i.atLeast(l), () => {
          f.set(s.times(e.load(i)));
          b.set(co.times(e.load(i)));
          r.set(c.call(hypotenuse, { x: f, y: g }));
          e.store(r, i.plus(1));
          c.when(r.equals(0), () => {
            d.store(d.load(i.plus(1)).minus(p), i.plus(1));
            e.store(0, m);
            split();
          });
          s.set(f.over(r));
          co.set(g.over(r));
          g.set(d.load(i.plus(1)).minus(p));
          t.set(d.load(i).minus(g).times(s).plus(co.times(b).times(2)));
          p.set(s.times(t));
          d.store(g.plus(p), i.plus(1));
          g.set(co.times(t).minus(b));
          c.call(rotate, { n: count, x: z.at(i.times(zRow)), y: z.at(i.plus(1).times(zRow)), cos: co, sin: s });
          i.add(-1);
        });
        d.store(d.load(l).minus(p), l);
        e.store(g, l);
        e.store(0, m);
      });
    });
  }));
  return failed;
});
