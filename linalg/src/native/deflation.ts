import { type Code, gemm, gemmMode, type Index, type IndexVariable, type Pointer, type Real, template } from "@hessia/core/native";
import { hypotenuse } from "./rotations.js";

// What divide and conquer for eigenvalues and for singular values have in common: a diagonal matrix that is changed by a vector u in the basis of vectors
// with elements in the upper part only (kind 1), in both parts (2), or in the lower part only (3). Deflated ones are of kind 4.

/** What merges write down about n vectors. */
export interface Deflation {
  /** Ascending order of d. */
  readonly sorted: Pointer;
  readonly d: Pointer;
  readonly u: Pointer;
  readonly kind: Pointer;
  /** Vectors that remain, in ascending order of d, and those that are deflated. */
  readonly kept: Pointer;
  readonly gone: Pointer;
  /** The d and u of those that remain. */
  readonly poles: Pointer;
  readonly weights: Pointer;
}

/**
 * Elements of u that are negligible (strength |u[i]| <= tolerance), and one of two for (nearly) equal d, leave their pair as it is. The
 * latter becomes negligible by a rotation of both vectors, `rotateRows`. `before` may keep or lose the first ones
 * in order and gives the number of those. Gives the numbers of kept and of deflated vectors.
 */
export function deflate(
  c: Code, n: Index, strength: Real, tolerance: Real, { sorted, d, u, kind, kept, gone, poles, weights }: Deflation, rotateRows: (i: Index, j: Index, cos: Real, sin: Real) => void,
  before: (keep: (i: Index) => void, lose: (i: Index) => void) => Index = () => c.index(0),
): { k: IndexVariable; lost: IndexVariable } {
  const [k, lost, pending] = [c.index(0), c.index(0), c.index(-1)];
  const keep = (i: Index): void => {
    poles.store(d.load(i), k);
    weights.store(u.load(i), k);
    kept.storeIndex(i, k);
    k.add(1);
  };
  const lose = (i: Index): void => {
    kind.storeIndex(4, i);
    gone.storeIndex(i, lost);
    lost.add(1);
  };
  const start = before(keep, lose);
  c.range(start, n, (q) => {
    const i = c.let(sorted.loadIndex(q));
    c.when(strength.times(u.load(i).abs()).atMost(tolerance), () => lose(i), () => {
      c.when(pending.atLeast(0), () => {
        const [x, y] = [c.let(u.load(pending)), c.let(u.load(i))];
        const length = c.let(c.call(hypotenuse, { x, y }));
        const [cos, sin] = [c.let(y.over(length)), c.let(x.over(length))];
        const gap = c.let(d.load(i).minus(d.load(pending)));
        c.when(gap.times(cos).times(sin).abs().atMost(tolerance), () => {
          // The rotation takes u to one of them, and moves d by less than rounding.
          u.store(length, i);
          rotateRows(pending, i, cos, sin);
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
  return { k, lost };
}

/** Places of the k kept vectors when those of the upper part come first and those of the lower part last: products skip the zeros. */
export const placeRows = template("linalg.placeRows", { k: "index", kept: "pointer to int32", kind: "pointer to int32", place: "pointer to int32" }, "nothing", (c, { k, kept, kind, place }) => {
  const next = c.index(0);
  for (const type of [1, 2, 3])
    c.range(0, k, (i) => c.when(kind.loadIndex(kept.loadIndex(i)).equals(type), () => {
      place.storeIndex(next, i);
      next.add(1);
    }));
});

/**
 * Rows of z (n elements, the upper part has n1) become combinations of the kept ones, of which row i of `factors` (k by k, in the order of `place`) has the factors; behind
 * them follow the deflated ones. `rows` has room for n^2 numbers.
 */
export const combineRows = template("linalg.combineRows", {
  n: "index", n1: "index", k: "index", lost: "index", kept: "pointer to int32", gone: "pointer to int32", kind: "pointer to int32", place: "pointer to int32",
  factors: "pointer", z: "pointer", zRow: "index", rows: "pointer", scratch: "pointer",
}, "nothing", (c, { n, n1, k, lost, kept, gone, kind, place, factors, z, zRow, rows, scratch }) => {
  const [upper, both] = [c.index(0), c.index(0)];
  c.range(0, k, (i) => {
    const type = c.let(kind.loadIndex(kept.loadIndex(i)));
    c.when(type.equals(1), () => upper.add(1), () => c.when(type.equals(2), () => both.add(1)));
  });
  const n2 = c.let(n.minus(n1));
  const upperRows = c.let(upper.plus(both));
  const lowerRows = c.let(k.minus(upper));
  const lowerStart = c.let(rows.at(upperRows.times(n1)));
  const lostStart = c.let(lowerStart.at(lowerRows.times(n2)));
  c.range(0, k, (i) => {
    const row = c.let(kept.loadIndex(i));
    const at = c.let(place.loadIndex(i));
    const from = c.let(z.at(row.times(zRow)));
    c.when(at.less(upperRows), () => c.copy(n1, from, rows.at(at.times(n1))));
    c.when(at.atLeast(upper), () => c.copy(n2, from.at(n1), lowerStart.at(at.minus(upper).times(n2))));
  });
  c.range(0, lost, (i) => c.copy(n, z.at(gone.loadIndex(i).times(zRow)), lostStart.at(i.times(n))));
  c.call(gemm, { m: k, n: n1, k: upperRows, a: factors, aRow: k, aK: 1, b: rows, bK: n1, bColumn: 1, to: z, toRow: zRow, mode: gemmMode.replace, scratch });
  c.call(gemm, { m: k, n: n2, k: lowerRows, a: factors.at(upper), aRow: k, aK: 1, b: lowerStart, bK: n2, bColumn: 1, to: z.at(n1), toRow: zRow, mode: gemmMode.replace, scratch });
  c.range(0, lost, (i) => c.copy(n, lostStart.at(i.times(n)), z.at(k.plus(i).times(zRow))));
});
