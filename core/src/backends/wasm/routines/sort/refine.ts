import type { DType } from "../../../../base/dtype.js";
import { type Code, type Index, type Kinds, type Pointer, type PointerVariable, template, type Template } from "../../native/index.js";
import { sortRecords } from "./radix.js";
import { takeWord } from "./records.js";

/** 32 bits of an operand's keys. */
export interface KeyWord {
  readonly operand: number;
  readonly dtype: DType;
  readonly part: 0 | 1;
}

/** Calls `body` for every run of two or more records that are equal in the high word. */
function forRuns(c: Code, n: Index, records: Pointer, body: (from: Index, length: Index) => void): void {
  const from = c.index(0);
  const to = c.index(0);
  c.while(from.less(n), () => {
    const word = c.let(records.loadWord(from).high());
    to.set(from.plus(1));
    c.while(to.less(n).and(records.loadWord(to).high().equals(word)), () => to.add(1));
    const length = c.let(to.minus(from));
    c.when(length.greater(1), () => body(from, length));
    from.set(to);
  });
}

function sortRun(c: Code, base: 0 | 32, length: Index, run: Pointer, spare: Pointer, counts: Pointer): void {
  const moved = c.call(sortRecords(base), { n: length, a: run, b: spare, counts });
  c.when(moved.differs(0), () => c.copy(length, spare, run));
}

const room = { n: "index", a: "pointer to uint64", b: "pointer to uint64", counts: "pointer to int32" } as const;

/** Sorts whole keys that are sorted by their high halves. */
export const refineWholeKeys = template("sort.refineWholeKeys", room, "nothing", (c, { n, a, b, counts }) => {
  forRuns(c, n, a, (from, length) => sortRun(c, 0, length, a.at(from), b.at(from), counts));
});

/** Sorts records that are equal in their key by further words, of the operands `x0`, `x1`, … in turn. */
export const refine = (words: readonly KeyWord[]): Template<Kinds, "nothing"> => {
  const [word, ...rest] = words as readonly [KeyWord, ...KeyWord[]];
  const kinds: Kinds = { ...room, ...Object.fromEntries(words.map(({ dtype }, i) => [`x${i}`, `pointer to ${dtype}` as const])) };
  return template(`sort.refine.${words.map((w) => `${w.dtype}${w.part}`).join(".")}`, kinds, "nothing", (c, parameters) => {
    const { n, a, b, counts, ...keys } = parameters as { readonly n: Index; readonly a: PointerVariable; readonly b: PointerVariable; readonly counts: PointerVariable } & Readonly<Record<string, PointerVariable>>;
    forRuns(c, n, a, (from, length) => {
      const [run, spare] = [c.let(a.at(from)), c.let(b.at(from))];
      c.call(takeWord(word.part), { n: length, x: keys["x0"]!, records: run }, word.dtype);
      sortRun(c, 32, length, run, spare, counts);
      if (rest.length > 0) c.call(refine(rest), { n: length, a: run, b: spare, counts, ...Object.fromEntries(rest.map((_, i) => [`x${i}`, keys[`x${i + 1}`]!])) });
    });
  });
};
