import { type Code, type Lanes, type LanesVariable, type Pointer, type PointerVariable, template } from "../../native/index.js";
import { carryOn, inBlocks, nameOf, type Running } from "./operation.js";

/** Additions of groups in a block. */
const blockGroups = 32;
/** Vectors whose own running values are known before the value of all before them is. */
const groupVectors = 4;

/** The running values within a vector: the prefix network of Hillis and Steele (1986). */
function within(c: Code, r: Running, v: Lanes, identity: Lanes): Lanes {
  const held = c.let(v);
  for (let s = 1; s < c.lanes; s *= 2) {
    const moved = r.reverse ? held.shuffle(identity, lanesFrom(c, s)) : identity.shuffle(held, lanesFrom(c, c.lanes - s));
    held.set(r.lanes(moved, held));
  }
  return held;
}
const lanesFrom = (c: Code, first: number): number[] => Array.from({ length: c.lanes }, (_, l) => first + l);
/** The last of the running values in all lanes. */
const total = (c: Code, r: Running, v: Lanes): Lanes => v.shuffle(v, lanesFrom(c, 0).fill(r.reverse ? 0 : c.lanes - 1));

/** Running values along contiguous elements, where any order of the operations will do. */
const anyOrder = (r: Running) => template(`cumulative.${nameOf(r)}`, { n: "index", x: "pointer", y: "pointer" }, "nothing", (c, { n, x, y }) => {
  const identity = c.let(c.real(r.identity(c.dtype)).lanes());
  const blocks = inBlocks(c, r);
  const carry = c.let(identity);
  const before = c.let(identity);
  const write = (v: Lanes, vector: number): void => y.storeLanes(blocks ? before.plus(r.lanes(carry, v)) : r.lanes(carry, v), vector * c.lanes);
  const left = c.index(n);
  walk(c, r, left, [x, y], groupVectors * c.lanes, blockGroups, () => {
    // Vectors in the order in which they run.
    const order = Array.from({ length: groupVectors }, (_, u) => (r.reverse ? groupVectors - 1 - u : u));
    const v = order.map((u) => c.let(within(c, r, x.loadLanes(u * c.lanes), identity))) as LanesVariable[];
    for (let step = 1; step < groupVectors; step *= 2)
      for (let from = 0; from < groupVectors; from += 2 * step) {
        const sum = c.let(total(c, r, v[from + step - 1]!));
        for (let u = from + step; u < from + 2 * step; u++) v[u]!.set(r.lanes(sum, v[u]!));
      }
    v.forEach((vector, i) => write(vector, order[i]!));
    carry.set(r.lanes(carry, total(c, r, v[groupVectors - 1]!)));
  }, () => {
    if (!blocks) return;
    const { sum, error } = carryOn(c, before, carry, identity);
    carry.set(error);
    before.set(sum);
  });
  walk(c, r, left, [x, y], c.lanes, 0, () => {
    const v = c.let(within(c, r, x.loadLanes(), identity));
    write(v, 0);
    carry.set(r.lanes(carry, total(c, r, v)));
  });
  const [sum, base] = [c.let(carry.lane(0)), c.let(before.lane(0))];
  walk(c, r, left, [x, y], 1, 0, () => {
    sum.set(r.one(sum, x.load()));
    y.store(blocks ? base.plus(sum) : sum);
  });
});

/** Goes along arrays, `step` elements at a time while there are so many, from the front or from behind; after `block` steps something else is done. */
function walk(c: Code, r: Running, left: ReturnType<Code["index"]>, pointers: readonly PointerVariable[], step: number, block: number, body: () => void, between?: () => void): void {
  const inBlock = c.index(0);
  c.while(left.atLeast(step), () => {
    if (r.reverse) for (const p of pointers) p.advance(-step);
    body();
    if (!r.reverse) for (const p of pointers) p.advance(step);
    left.add(-step);
    if (!between) return;
    inBlock.add(1);
    c.when(inBlock.atLeast(block), () => {
      between();
      inBlock.set(0);
    });
  });
}

/** Rows side by side, each in the order of its elements: one row alone would wait for every operation to end. */
const sideBySide = 4;
const inOrder = (r: Running, rows: number) => template(`cumulative.${nameOf(r)}.${rows} rows`, { n: "index", x: "pointer", y: "pointer" }, "nothing", (c, { n, x, y }) => {
  const values = Array.from({ length: rows }, () => c.real(r.identity(c.dtype)));
  const from = values.map((_, i) => c.let(x.at(n.times(i))));
  const to = values.map((_, i) => c.let(y.at(n.times(i))));
  const left = c.index(n);
  walk(c, r, left, [...from, ...to], 1, 0, () => values.forEach((value, i) => {
    value.set(r.one(value, from[i]!.load()));
    to[i]!.store(value);
  }));
});

/** Running values along the rows of an array of `count` rows with `length` elements each. */
export function alongRows(c: Code, r: Running, count: number, length: number, x: Pointer, y: Pointer): void {
  const start = r.reverse ? length : 0;
  const one = r.op === "mul" && (c.dtype === "float64" || c.dtype === "float32") ? inOrder(r, 1) : anyOrder(r);
  const several = one.name === anyOrder(r).name ? 0 : count - (count % sideBySide);
  const [from, to] = [c.let(x.at(start)), c.let(y.at(start))];
  const rows = (first: number, last: number, step: number, code: typeof one): void => c.range(first, last, () => {
    c.call(code, { n: length, x: from, y: to });
    from.advance(step * length);
    to.advance(step * length);
  }, step);
  if (several > 0) rows(0, several, sideBySide, inOrder(r, sideBySide));
  if (several < count) rows(several, count, 1, one);
}
