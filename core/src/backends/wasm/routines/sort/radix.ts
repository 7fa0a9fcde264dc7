import { type Pointer, template, type Word } from "../../native/index.js";

/** So few records are sorted by insertion. */
const insertionLength = 40;
/** Bits of a digit: the places to which records of 256 kinds go stay in the caches, those of longer digits do not. */
const digitBits = 8;
const digits = 32 / digitBits;
const cells = 1 << digitBits;
const unroll = 4;

/** Elements for the counts of all digits. */
export const countElements = digits * cells;

/** By the whole records, whose positions keep the order of equal keys. */
const byInsertion = template("sort.insertion", { n: "index", a: "pointer to uint64" }, "nothing", (c, { n, a }) => {
  c.range(1, n, (i) => {
    const to = c.let(a.at(i));
    const record = c.let(to.loadWord());
    const left = c.index(i);
    c.while(left.greater(0).and(record.less(to.loadWord(-1))), () => {
      to.storeWord(to.loadWord(-1));
      to.advance(-1);
      left.add(-1);
    });
    to.storeWord(record);
  });
});

/**
 * Stable sorting by 32 bits of the records from bit `base` on, digit by digit from the lowest (Knuth, The Art of Computer Programming 3, 5.2.5).
 * @returns 0 where the result is in `a`, 1 where it is in `b`
 */
const byDigits = (base: number) => template(`sort.radix.${base}`, { n: "index", a: "pointer to uint64", b: "pointer to uint64", counts: "pointer to int32" }, "index", (c, { n, a, b, counts }) => {
  /** The place of a record's count among those of its digit; these begin `d * cells` elements on. */
  const cellOf = (record: Word, d: number): Pointer => {
    const shift = base + d * digitBits - 2;
    return counts.bytes((shift < 0 ? record.shiftLeft(-shift) : record.shiftRight(shift)).low().and((cells - 1) << 2), "int32");
  };
  const from = c.let(a);
  const record = c.let(c.word(0n));
  const cell = c.let(counts);
  const forRecords = (body: () => void): void => {
    from.set(a);
    const left = c.index(n);
    for (const step of [unroll, 1])
      c.while(left.atLeast(step), () => {
        for (let u = 0; u < step; u++) {
          record.set(from.loadWord(u));
          body();
        }
        from.advance(step);
        left.add(-step);
      });
  };
  c.clear(digits * cells, counts);
  forRecords(() => {
    for (let d = 0; d < digits; d++) {
      cell.set(cellOf(record, d));
      cell.storeIndex(cell.loadIndex(d * cells).plus(1), d * cells);
    }
  });
  const moved = c.index(0);
  const to = c.let(b);
  for (let d = 0; d < digits; d++)
    // A digit that all share orders nothing.
    c.when(cellOf(a.loadWord(), d).loadIndex(d * cells).differs(n), () => {
      // Addresses in the place of counts.
      to.set(b);
      cell.set(counts.at(d * cells));
      const count = c.index(0);
      c.range(0, cells, () => {
        count.set(cell.loadIndex());
        cell.storeIndex(to.address());
        to.advance(count);
        cell.advance(1);
      });
      forRecords(() => {
        cell.set(cellOf(record, d));
        to.set(cell.loadPointer("uint64", d * cells));
        to.storeWord(record);
        cell.storeIndex(to.at(1).address(), d * cells);
      });
      from.set(a);
      a.set(b);
      b.set(from);
      moved.set(moved.xor(1));
    });
  return moved;
});

/** Sorts records by their keys (`base` 32), or by the low halves of keys that are equal in the high ones (0). @returns 1 where the result is in `b` */
export const sortRecords = (base: 0 | 32) => template(`sort.${base}`, { n: "index", a: "pointer to uint64", b: "pointer to uint64", counts: "pointer to int32" }, "index", (c, { n, a, b, counts }) => {
  const moved = c.index(0);
  c.when(n.atMost(insertionLength), () => c.call(byInsertion, { n, a }), () => moved.set(c.call(byDigits(base), { n, a, b, counts })));
  return moved;
});
