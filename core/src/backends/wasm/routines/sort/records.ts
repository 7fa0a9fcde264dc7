import { type Code, type Index, type Pointer, template, type Word } from "../../native/index.js";

// A record is a word of 64 bits: 32 bits of a key above the position of the element. Keys are unsigned integers in the order of the values, with
// NaN last and -0 as 0. A float64 has two such words; sorted by itself it is a record with its whole key and no position.

const highest = 0x80000000 | 0;
const highestBit = 1n << 63n;
/** The high word of the key of 0. */
const zeroWord = highest;

/** The key of element `i`, for types of 32 bits. */
function narrowKey(c: Code, x: Pointer, i: Index): Index {
  if (c.dtype !== "float32") {
    const value = x.loadIndex(i);
    return c.dtype === "int32" ? value.xor(highest) : value;
  }
  const value = c.let(x.load(i).plus(0));
  const bits = c.let(value.bits());
  return c.chooseIndex(value.equals(value), bits.xor(bits.signs().or(highest)), -1);
}
/** The key of a float64. */
function wideKey(c: Code, x: Pointer, i: Index): Word {
  const value = c.let(x.load(i).plus(0));
  const bits = c.let(value.word());
  return c.chooseWord(value.equals(value), bits.xor(bits.signs().or(c.word(highestBit))), c.word(-1n));
}
/** The first (0) or second word of the key of element `i`. */
const keyWord = (c: Code, x: Pointer, i: Index, part: number): Index => (c.dtype !== "float64" ? narrowKey(c, x, i) : part === 0 ? wideKey(c, x, i).high() : wideKey(c, x, i).low());

const recordOf = (c: Code, key: Index, position: Index): Word => c.let(key).toWord().shiftLeft(32).or(position.toWord());

/** Records of the first words of n keys. */
export const makeRecords = template("sort.records", { n: "index", x: "pointer", to: "pointer to uint64" }, "nothing", (c, { n, x, to }) => {
  c.range(0, n, (i) => to.storeWord(recordOf(c, keyWord(c, x, i, 0), i), i));
});

/** The records get another word of the keys. */
export const takeWord = (part: number) => template(`sort.word${part}`, { n: "index", x: "pointer", records: "pointer to uint64" }, "nothing", (c, { n, x, records }) => {
  c.range(0, n, () => {
    const position = c.let(records.loadWord().low());
    records.storeWord(recordOf(c, keyWord(c, x, position, part), position));
    records.advance(1);
  });
});

/** Records that are whole keys. @returns whether one of the numbers is -0 */
export const makeWholeKeys = template("sort.wholeKeys", { n: "index", x: "pointer", to: "pointer to uint64" }, "index", (c, { n, x, to }) => {
  const negative = c.index(0);
  const raw = c.let(x.bytes(0, "uint64"));
  c.range(0, n, (i) => {
    to.storeWord(wideKey(c, x, i), i);
    negative.set(negative.or(raw.loadWord(i).equals(c.word(highestBit)).toIndex()));
  });
  return negative;
});

/** The numbers of whole keys. Zeros get the signs that they have in x, in the same order, where one is negative. */
export const writeWholeKeys = template("sort.fromWholeKeys", { n: "index", records: "pointer to uint64", x: "pointer", y: "pointer", negative: "index" }, "nothing", (c, { n, records, x, y, negative }) => {
  const to = c.let(y.bytes(0, "uint64"));
  c.range(0, n, (i) => {
    const key = c.let(records.loadWord(i));
    to.storeWord(key.xor(key.signs().xor(c.word(-1n)).or(c.word(highestBit))), i);
  });
  c.when(negative.differs(0), () => {
    const next = c.index(0);
    c.while(y.load(next).less(0), () => next.add(1));
    c.range(0, n, (i) => c.when(x.load(i).equals(0), () => {
      y.store(x.load(i), next);
      next.add(1);
    }));
  });
});

/** The elements in the order of the records. */
export const gather = template("sort.gather", { n: "index", records: "pointer to uint64", x: "pointer", y: "pointer" }, "nothing", (c, { n, records, x, y }) => {
  c.range(0, n, (i) => y.store(x.load(records.loadWord(i).low()), i));
});

/** The same where the records have the keys of x: there is no need to look for the elements, but for the signs of zeros. */
export const writeKeys = template("sort.fromKeys", { n: "index", records: "pointer to uint64", x: "pointer", y: "pointer" }, "nothing", (c, { n, records, x, y }) => {
  const to = c.dtype === "float32" ? c.let(y.bytes(0, "uint32")) : y;
  c.range(0, n, (i) => {
    const record = c.let(records.loadWord(i));
    const key = c.let(record.high());
    const write = (): void => to.storeIndex(c.dtype === "float32" ? key.xor(key.signs().xor(-1).or(highest)) : c.dtype === "int32" ? key.xor(highest) : key, i);
    if (c.dtype === "float32") c.when(key.equals(zeroWord), () => y.store(x.load(record.low()), i), write);
    else write();
  });
});
