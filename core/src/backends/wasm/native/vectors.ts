import { template } from "./code.js";
import type { LanesVariable } from "./values.js";

// Level 1 of the BLAS (Lawson, Hanson, Kincaid, Krogh 1979), and products of a matrix and a vector: rows of matrices and vectors are contiguous.

/** `x . y` */
export const dot = template("dot", { n: "index", x: "pointer", y: "pointer" }, "real", (c, { n, x, y }) => {
  const unroll = 4;
  const sums = Array.from({ length: unroll }, () => c.let(c.zeros()));
  const rest = c.real(0);
  c.sweep(n, [x, y], unroll,
    ([a, b], u) => sums[u]!.set(sums[u]!.plusProduct(a.loadLanes(u * c.lanes), b.loadLanes(u * c.lanes))),
    ([a, b]) => rest.add(a.load().times(b.load())));
  return c.total(sums[0]!.plus(sums[1]!).plus(sums[2]!.plus(sums[3]!))).plus(rest);
});

/** `y += a x` */
export const axpy = template("axpy", { n: "index", a: "real", x: "pointer", y: "pointer" }, "nothing", (c, { n, a, x, y }) => {
  const factor = c.let(a.lanes());
  c.sweep(n, [x, y], 4,
    ([p, q], u) => q.storeLanes(q.loadLanes(u * c.lanes).plusProduct(factor, p.loadLanes(u * c.lanes)), u * c.lanes),
    ([p, q]) => q.store(q.load().plus(a.times(p.load()))));
});

/** `x *= a` */
export const scale = template("scale", { n: "index", a: "real", x: "pointer" }, "nothing", (c, { n, a, x }) => {
  const factor = c.let(a.lanes());
  c.sweep(n, [x], 4, ([p], u) => p.storeLanes(p.loadLanes(u * c.lanes).times(factor), u * c.lanes), ([p]) => p.store(p.load().times(a)));
});

/** `x /= a`: correctly rounded, where a product with 1/a is not. */
export const divide = template("divide", { n: "index", a: "real", x: "pointer" }, "nothing", (c, { n, a, x }) => {
  const divisor = c.let(a.lanes());
  c.sweep(n, [x], 2, ([p], u) => p.storeLanes(p.loadLanes(u * c.lanes).over(divisor), u * c.lanes), ([p]) => p.store(p.load().over(a)));
});

/** Largest magnitude; NaN where an element is. 0 for none. */
export const largestMagnitude = template("largestMagnitude", { n: "index", x: "pointer" }, "real", (c, { n, x }) => {
  const largest = c.let(c.zeros());
  const rest = c.real(0);
  c.sweep(n, [x], 4, ([p], u) => largest.set(largest.max(p.loadLanes(u * c.lanes).abs())), ([p]) => rest.set(rest.max(p.load().abs())));
  for (let l = 0; l < c.lanes; l++) rest.set(rest.max(largest.lane(l)));
  return rest;
});

/** Exchanges x and y. */
export const swap = template("swap", { n: "index", x: "pointer", y: "pointer" }, "nothing", (c, { n, x, y }) => {
  const held = c.let(c.zeros());
  const one = c.real(0);
  c.sweep(n, [x, y], 2,
    ([p, q], u) => {
      held.set(p.loadLanes(u * c.lanes));
      p.storeLanes(q.loadLanes(u * c.lanes), u * c.lanes);
      q.storeLanes(held, u * c.lanes);
    },
    ([p, q]) => {
      one.set(p.load());
      p.store(q.load());
      q.store(one);
    });
});

/** Rows that products with a vector take at a time: loads of the vector serve all of them. */
const rowsAtOnce = 4;

/** `y[i * yStride] = A[i, :] . x` for m rows of n elements, `row` apart. */
export const rowDots = template("rowDots", { m: "index", n: "index", a: "pointer", row: "index", x: "pointer", y: "pointer", yStride: "index" }, "nothing", (c, { m, n, a, row, x, y, yStride }) => {
  const several = (count: number): void => {
    const sums: LanesVariable[] = Array.from({ length: 2 * count }, () => c.let(c.zeros()));
    const rests = Array.from({ length: count }, () => c.real(0));
    const rows = Array.from({ length: count }, (_, r) => a.at(row.times(r)));
    c.sweep(n, [x, ...rows], 2,
      ([v, ...p], u) => p.forEach((q, r) => sums[2 * r + u]!.set(sums[2 * r + u]!.plusProduct(q.loadLanes(u * c.lanes), v!.loadLanes(u * c.lanes)))),
      ([v, ...p]) => p.forEach((q, r) => rests[r]!.add(q.load().times(v!.load()))));
    rests.forEach((rest, r) => y.store(c.total(sums[2 * r]!.plus(sums[2 * r + 1]!)).plus(rest), yStride.times(r)));
    a.advance(row.times(count));
    y.advance(yStride.times(count));
    m.add(-count);
  };
  c.while(m.atLeast(rowsAtOnce), () => several(rowsAtOnce));
  c.while(m.atLeast(1), () => several(1));
});

/** `y += sign * sum_i x[i * xStride] A[i, :]` for m rows of n elements, `row` apart. */
export const addRows = template("addRows", { m: "index", n: "index", sign: "real", x: "pointer", xStride: "index", a: "pointer", row: "index", y: "pointer" }, "nothing", (c, { m, n, sign, x, xStride, a, row, y }) => {
  const several = (count: number): void => {
    const factors = Array.from({ length: count }, (_, r) => c.let(x.load(xStride.times(r)).times(sign)));
    const lanes = factors.map((factor) => c.let(factor.lanes()));
    const rows = Array.from({ length: count }, (_, r) => a.at(row.times(r)));
    const sum = c.let(c.zeros());
    const single = c.real(0);
    c.sweep(n, [y, ...rows], 2,
      ([to, ...p], u) => {
        sum.set(to!.loadLanes(u * c.lanes));
        p.forEach((q, r) => sum.set(sum.plusProduct(lanes[r]!, q.loadLanes(u * c.lanes))));
        to!.storeLanes(sum, u * c.lanes);
      },
      ([to, ...p]) => {
        single.set(to!.load());
        p.forEach((q, r) => single.add(factors[r]!.times(q.load())));
        to!.store(single);
      });
    a.advance(row.times(count));
    x.advance(xStride.times(count));
    m.add(-count);
  };
  c.while(m.atLeast(rowsAtOnce), () => several(rowsAtOnce));
  c.while(m.atLeast(1), () => several(1));
});
