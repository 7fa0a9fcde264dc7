import { type Index, type Lanes, type LanesVariable, type Real, template } from "@hessia/core/native";

/** Evaluations that a root may take; a handful is usual. */
const roundLimit = 100;

/** `p - q`, or `p^2 - q^2` without cancellation. */
const difference = <V extends Real | Lanes>(squares: boolean, p: V, q: V): V => {
  const less = p.minus(q as Real & Lanes);
  return (squares ? less.times(p.plus(q as Real & Lanes) as Real & Lanes) : less) as V;
};

/** Writes `sum z[i]^2 / (delta[i] - eta)` and `sum z[i]^2 / (delta[i] - eta)^2` to out. */
const secularSums = template("linalg.secularSums", { n: "index", z: "pointer", delta: "pointer", eta: "real", out: "pointer" }, "nothing", (c, { n, z, delta, eta, out }) => {
  const shift = c.let(eta.lanes());
  const sums: LanesVariable[] = Array.from({ length: 4 }, () => c.let(c.zeros()));
  const [value, slope, single] = [c.real(0), c.real(0), c.real(0)];
  const quotient = c.let(c.zeros());
  c.sweep(n, [z, delta], 2,
    ([p, q], u) => {
      quotient.set(p.loadLanes(u * c.lanes).over(q.loadLanes(u * c.lanes).minus(shift)));
      sums[2 * u]!.set(sums[2 * u]!.plus(p.loadLanes(u * c.lanes).times(quotient)));
      sums[2 * u + 1]!.set(sums[2 * u + 1]!.plus(quotient.times(quotient)));
    },
    ([p, q]) => {
      single.set(p.load().over(q.load().minus(eta)));
      value.add(p.load().times(single));
      slope.add(single.times(single));
    });
  out.store(value.plus(c.total(sums[0]!.plus(sums[2]!))), 0);
  out.store(slope.plus(c.total(sums[1]!.plus(sums[3]!))), 1);
});

/**
 * The j-th root of `f(x) = 1/rho + sum_i z[i]^2 / (d[i] - x)`, rho > 0, d ascending, z nonzero: the one between d[j] and d[j+1], or for
 * the last j between d[j] and `d[j] + rho |z|^2`. Gives x and writes the differences `d[i] - x` with full relative accuracy: they count from
 * the nearer pole. Each step replaces the sums over poles on either side by a pole and a constant that agree in value and slope, and
 * solves the quadratic equation (R.-C. Li 1993, "the middle way"); a step out of the bracket becomes a bisection. `sums` has room for 4 numbers.
 */
const rootOf = (squares: boolean) => template(`linalg.secularRoot.${squares ? "squares" : "values"}`, { n: "index", j: "index", rho: "real", norm2: "real", d: "pointer", z: "pointer", delta: "pointer", sums: "pointer" }, "real", (c, { n, j, rho, norm2, d, z, delta, sums }) => {
  const last = j.equals(n.minus(1));
  const inverse = c.let(c.real(1).over(rho));
  const left = c.let(j.plus(1));
  const [low, high, eta, f, origin] = [c.real(0), c.real(0), c.real(0), c.real(0), c.let(d.load(j))];
  const [below, above] = [c.real(0), c.real(0)];
  const shiftTo = (): void => c.sweep(n, [d, delta], 2,
    ([p, q], u) => q.storeLanes(difference(squares, p.loadLanes(u * c.lanes), origin.lanes()), u * c.lanes),
    ([p, q]) => q.store(difference(squares, p.load(), origin)));
  /** f at eta; psi and its slope in sums[0], sums[1], phi and its slope in sums[2], sums[3]. */
  const evaluate = (): void => {
    c.call(secularSums, { n: left, z, delta, eta, out: sums });
    c.call(secularSums, { n: n.minus(left), z: z.at(left), delta: delta.at(left), eta, out: sums.at(2) });
    f.set(inverse.plus(sums.load(0)).plus(sums.load(2)));
  };
  const [a, b, k, root, next] = [c.real(0), c.real(0), c.real(0), c.real(0), c.real(0)];
  shiftTo();
  c.when(last, () => {
    high.set(rho.times(norm2));
    eta.set(high.times(0.5));
  }, () => {
    // At the middle f tells which pole is nearer; from there its other terms pass for constant.
    const gap = c.let(delta.load(left));
    eta.set(gap.times(0.5));
    evaluate();
    const [zz, zzNext] = [c.let(z.load(j).times(z.load(j))), c.let(z.load(left).times(z.load(left)))];
    k.set(f.plus(zz.minus(zzNext).over(eta)));
    c.when(f.atLeast(0), () => {
      high.set(eta);
      a.set(k.times(gap).plus(zz).plus(zzNext));
      b.set(zz.times(gap));
      root.set(a.times(a).minus(b.times(k).times(4)).abs().sqrt());
      next.set(c.choose(a.greater(0), b.times(2).over(a.plus(root)), a.minus(root).over(k.times(2))));
    }, () => {
      origin.set(d.load(left));
      low.set(eta.negate());
      a.set(k.times(gap).minus(zz).minus(zzNext));
      b.set(zzNext.times(gap));
      root.set(a.times(a).plus(b.times(k).times(4)).abs().sqrt());
      next.set(c.choose(a.less(0), b.times(2).over(a.minus(root)), a.plus(root).negate().over(k.times(2))));
      shiftTo();
    });
    eta.set(c.choose(next.greater(low).and(next.less(high)), next, low.plus(high).times(0.5)));
  });
  const rounds = c.index(0);
  c.repeat((leave) => {
    evaluate();
    const size = c.let(sums.load(0).abs().plus(sums.load(2).abs()));
    c.when(f.abs().atMost(size.times(8).plus(inverse.times(2)).times(c.epsilon)), leave);
    rounds.add(1);
    c.when(rounds.greater(roundLimit), leave);
    c.when(f.less(0), () => low.set(eta), () => high.set(eta));
    below.set(delta.load(j).minus(eta));
    c.when(last, () => {
      // No pole above: f = k + b / (below - t).
      k.set(f.minus(below.times(sums.load(1))));
      b.set(below.times(below).times(sums.load(1)));
      next.set(eta.plus(below).plus(b.over(k)));
    }, () => {
      above.set(delta.load(left).minus(eta));
      k.set(f.minus(below.times(sums.load(1))).minus(above.times(sums.load(3))));
      a.set(below.plus(above).times(f).minus(below.times(above).times(sums.load(1).plus(sums.load(3)))));
      b.set(below.times(above).times(f));
      root.set(a.times(a).minus(b.times(k).times(4)).abs().sqrt());
      next.set(eta.plus(c.choose(a.atMost(0), a.minus(root).over(k.times(2)), b.times(2).over(a.plus(root)))));
    });
    c.when(next.greater(low).and(next.less(high)).not(), () => next.set(low.plus(high).times(0.5)));
    // Neighbouring numbers: nothing better is to be had.
    c.when(next.equals(eta).or(next.atMost(low)).or(next.atLeast(high)), leave);
    eta.set(next);
  });
  c.sweep(n, [delta], 2,
    ([p], u) => p.storeLanes(p.loadLanes(u * c.lanes).minus(eta.lanes()), u * c.lanes),
    ([p]) => p.store(p.load().minus(eta)));
  return origin.plus(squares ? eta.over(origin.plus(origin.times(origin).plus(eta).max(0).sqrt())) : eta);
});

export const secularRoot = rootOf(false);
/** The same for poles d[i]^2: gives the square root of x, and writes `d[i]^2 - x`. */
export const singularRoot = rootOf(true);

const weightsOf = (squares: boolean) => template(`linalg.exactWeights.${squares ? "squares" : "values"}`, { k: "index", poles: "pointer", system: "pointer", weights: "pointer", exact: "pointer" }, "nothing", (c, { k, poles, system, weights, exact }) => {
  c.range(0, k, (i) => exact.store(system.load(i.times(k.plus(1))), i));
  c.range(0, k, (j) => {
    const row = c.let(system.at(j.times(k)));
    const pole = c.let(poles.load(j));
    const lanes = c.let(pole.lanes());
    const part = (from: Index, count: Index): void => c.sweep(count, [exact.at(from), row.at(from), poles.at(from)], 2,
      ([to, p, q], w) => to.storeLanes(to.loadLanes(w * c.lanes).times(p.loadLanes(w * c.lanes).over(difference(squares, q.loadLanes(w * c.lanes), lanes))), w * c.lanes),
      ([to, p, q]) => to.store(to.load().times(p.load().over(difference(squares, q.load(), pole)))));
    part(c.index(0), j);
    part(c.let(j.plus(1)), c.let(k.minus(j).minus(1)));
  });
  c.range(0, k, (i) => exact.store(exact.load(i).abs().sqrt().copySign(weights.load(i)), i));
});

/**
 * The z for which the roots of `1 + sum_i z[i]^2 / (d[i] - x)` are exact, up to a common factor that is 1/rho's root: `z[i]^2 = prod_j (x[j] - d[i]) / prod_{j != i} (d[j] - d[i])`,
 * with the signs of `weights` (Gu & Eisenstat 1995). Row j of `system` has the differences `d[i] - x[j]`.
 */
export const exactWeights = weightsOf(false);
/** The same for poles d[i]^2. */
export const exactSingularWeights = weightsOf(true);
