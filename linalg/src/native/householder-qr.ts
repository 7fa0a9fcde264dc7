import { template } from "@hessia/core/native";
import { addCompanion, fewReflectors, makeReflector, reflectOne, subtractProjections } from "./reflectors.js";

/** Reflectors that are applied to the other columns together. */
export const blockSizeOf = (k: number): number => (k <= 256 ? 16 : 32);

/**
 * Factorizes n columns (rows of `v`, m >= 1 elements each, of which the first is on the diagonal, column `index` of the matrix) into reflectors and their companions, by halves
 * (Elmroth & Gustavson 2000). Columns of R, which stood before them, go to `upper`; zeros and ones take their place.
 */
const panel = template("linalg.qrPanel", {
  m: "index", n: "index", index: "index", v: "pointer", w: "pointer", row: "index", upper: "pointer", upperRow: "index", work: "pointer", scratch: "pointer",
}, "nothing", (c, { m, n, index, v, w, row, upper, upperRow, work, scratch }) => {
  c.when(n.atMost(fewReflectors), () => c.range(0, n, (j) => {
    const diagonal = c.let(v.at(j.times(row.plus(1))));
    const length = c.let(m.minus(j));
    const place = c.let(index.plus(j));
    const tau = c.let(c.call(makeReflector, { n: length, x: diagonal }));
    const column = c.let(diagonal.at(place.negate()));
    c.copy(place.plus(1), column, upper.at(place.times(upperRow)));
    c.clear(place, column);
    diagonal.store(1);
    c.call(addCompanion, { n: m, j, tau, v, w, row, work });
    c.call(reflectOne, { m: n.minus(j).minus(1), n: length, tau, v: diagonal, x: diagonal.at(row), xRow: row, work });
  }), () => {
    const first = c.let(n.over(2));
    const rest = c.let(n.minus(first));
    const below = c.let(first.times(row.plus(1)));
    c.call(panel, { m, n: first, index, v, w, row, upper, upperRow, work, scratch });
    c.call(subtractProjections, { m: rest, n: m, k: first, left: w, right: v, row, x: v.at(first.times(row)), xRow: row, work, scratch });
    c.call(panel, { m: m.minus(first), n: rest, index: index.plus(first), v: v.at(below), w: w.at(below), row, upper, upperRow, work, scratch });
    c.call(subtractProjections, { m: rest, n: m, k: first, left: v, right: w, row, x: w.at(first.times(row)), xRow: row, work, scratch });
  });
});

/**
 * Householder QR of n columns (rows of `v`, m elements each): the first min(m, n) rows of `v` become reflectors, those of `w`, which holds zeros, their companions in
 * blocks of `size`. Columns of R go to `upper`, as far as there are elements. `work` has room for n size numbers.
 */
export const factorizeColumns = template("linalg.factorizeColumns", {
  m: "index", n: "index", size: "index", v: "pointer", w: "pointer", upper: "pointer", upperRow: "index", work: "pointer", scratch: "pointer",
}, "nothing", (c, { m, n, size, v, w, upper, upperRow, work, scratch }) => {
  const k = c.let(m.min(n));
  const j = c.index(0);
  c.while(j.less(k), () => {
    const width = c.let(k.minus(j).min(size));
    const length = c.let(m.minus(j));
    const corner = c.let(j.times(m.plus(1)));
    const [reflectors, companions] = [c.let(v.at(corner)), c.let(w.at(corner))];
    c.call(panel, { m: length, n: width, index: j, v: reflectors, w: companions, row: m, upper, upperRow, work, scratch });
    c.call(subtractProjections, { m: n.minus(j).minus(width), n: length, k: width, left: companions, right: reflectors, row: m, x: reflectors.at(width.times(m)), xRow: m, work, scratch });
    j.add(width);
  });
  c.range(k, n, (i) => c.copy(k, v.at(i.times(m)), upper.at(i.times(upperRow))));
});

/** Row vectors of m elements become `Q x`, Q of n <= m reflectors and companions of `factorizeColumns`. `work` has room for rows size numbers. */
export const multiplyByQ = template("linalg.multiplyByQ", {
  rows: "index", m: "index", n: "index", size: "index", v: "pointer", w: "pointer", x: "pointer", work: "pointer", scratch: "pointer",
}, "nothing", (c, { rows, m, n, size, v, w, x, work, scratch }) => {
  const j = c.let(n.minus(1).over(size).times(size));
  c.while(j.atLeast(0), () => {
    const corner = c.let(j.times(m.plus(1)));
    c.call(subtractProjections, { m: rows, n: m.minus(j), k: n.minus(j).min(size), left: v.at(corner), right: w.at(corner), row: m, x: x.at(j), xRow: m, work, scratch });
    j.set(j.minus(size));
  });
});
