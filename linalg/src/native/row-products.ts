import { type LanesVariable, template } from "@hessia/core/native";

// Products of a few rows with other rows, all of them contiguous: nothing is packed. Faster than `gemm` while the smaller side stays in the first level of cache.

/** Rows of the one and of the other side that are read together. */
const tiles = { left: 4, right: 2 } as const;

/** `to[i, q] = a_i . b_q` for m rows of A and k rows of B, n elements each. */
export const dotRows = template("linalg.dotRows", {
  m: "index", k: "index", n: "index", a: "pointer", aRow: "index", b: "pointer", bRow: "index", to: "pointer", toRow: "index",
}, "nothing", (c, { m, k, n, a, aRow, b, bRow, to, toRow }) => {
  const tile = (left: number, right: number, other: typeof b, out: typeof to): void => {
    const sums: LanesVariable[] = Array.from({ length: left * right }, () => c.let(c.zeros()));
    const rests = Array.from({ length: left * right }, () => c.real(0));
    const held = Array.from({ length: right }, () => c.let(c.zeros()));
    const single = Array.from({ length: right }, () => c.real(0));
    const x = c.let(c.zeros());
    const one = c.real(0);
    const rows = Array.from({ length: left }, (_, r) => a.at(aRow.times(r)));
    const others = Array.from({ length: right }, (_, q) => other.at(bRow.times(q)));
    c.sweep(n, [rows[0]!, ...rows.slice(1), ...others], 2,
      (p, u) => {
        held.forEach((h, q) => h.set(p[left + q]!.loadLanes(u * c.lanes)));
        for (let r = 0; r < left; r++) {
          x.set(p[r]!.loadLanes(u * c.lanes));
          held.forEach((h, q) => sums[r * right + q]!.set(sums[r * right + q]!.plusProduct(x, h)));
        }
      },
      (p) => {
        single.forEach((h, q) => h.set(p[left + q]!.load()));
        for (let r = 0; r < left; r++) {
          one.set(p[r]!.load());
          single.forEach((h, q) => rests[r * right + q]!.add(one.times(h)));
        }
      });
    rests.forEach((rest, at) => out.store(c.total(sums[at]!).plus(rest), toRow.times(Math.floor(at / right)).plus(at % right)));
  };
  const strip = (left: number): void => {
    const [other, out, rest] = [c.let(b), c.let(to), c.let(k)];
    for (const right of [tiles.right, 1])
      c.while(rest.atLeast(right), () => {
        tile(left, right, other, out);
        other.advance(bRow.times(right));
        out.advance(right);
        rest.add(-right);
      });
    a.advance(aRow.times(left));
    to.advance(toRow.times(left));
    m.add(-left);
  };
  for (const left of [tiles.left, 1]) c.while(m.atLeast(left), () => strip(left));
});

/** `x_i -= sum_q f[i, q] b_q` for m rows of X and k rows of B, n elements each. */
export const subtractRows = template("linalg.subtractRows", {
  m: "index", k: "index", n: "index", f: "pointer", fRow: "index", b: "pointer", bRow: "index", x: "pointer", xRow: "index",
}, "nothing", (c, { m, k, n, f, fRow, b, bRow, x, xRow }) => {
  // Here the larger side of a tile is B's: each of its vectors serves two rows of X.
  const tile = (left: number, right: number, factor: typeof f, other: typeof b): void => {
    const factors = Array.from({ length: left * right }, (_, at) => c.let(factor.load(fRow.times(Math.floor(at / right)).plus(at % right))));
    const lanes = factors.map((value) => c.let(value.lanes()));
    const sums: LanesVariable[] = Array.from({ length: left }, () => c.let(c.zeros()));
    const rests = Array.from({ length: left }, () => c.real(0));
    const held = c.let(c.zeros());
    const one = c.real(0);
    const rows = Array.from({ length: left }, (_, r) => x.at(xRow.times(r)));
    const others = Array.from({ length: right }, (_, q) => other.at(bRow.times(q)));
    c.sweep(n, [rows[0]!, ...rows.slice(1), ...others], 2,
      (p, u) => {
        sums.forEach((sum, r) => sum.set(p[r]!.loadLanes(u * c.lanes)));
        for (let q = 0; q < right; q++) {
          held.set(p[left + q]!.loadLanes(u * c.lanes));
          sums.forEach((sum, r) => sum.set(sum.minusProduct(lanes[r * right + q]!, held)));
        }
        sums.forEach((sum, r) => p[r]!.storeLanes(sum, u * c.lanes));
      },
      (p) => {
        rests.forEach((rest, r) => rest.set(p[r]!.load()));
        for (let q = 0; q < right; q++) {
          one.set(p[left + q]!.load());
          rests.forEach((rest, r) => rest.set(rest.minus(factors[r * right + q]!.times(one))));
        }
        rests.forEach((rest, r) => p[r]!.store(rest));
      });
  };
  const strip = (left: number): void => {
    const [factor, other, rest] = [c.let(f), c.let(b), c.let(k)];
    for (const right of [tiles.left, 1])
      c.while(rest.atLeast(right), () => {
        tile(left, right, factor, other);
        factor.advance(right);
        other.advance(bRow.times(right));
        rest.add(-right);
      });
    x.advance(xRow.times(left));
    f.advance(fRow.times(left));
    m.add(-left);
  };
  for (const left of [tiles.right, 1]) c.while(m.atLeast(left), () => strip(left));
});
