import { type DType, itemsize } from "../../../../base/dtype.js";
import { sortRoutine } from "../../../../kernel/routines/sort.js";
import { type Code, defineNativeRoutine, type Pointer, transposeInto } from "../../native/index.js";
import { countElements, sortRecords } from "./radix.js";
import { gather, makeRecords, makeWholeKeys, writeKeys, writeWholeKeys } from "./records.js";
import { type KeyWord, refine, refineWholeKeys } from "./refine.js";

/** Columns that are made rows together: whole cache lines of each row. */
const columnsAtOnce = 32;

interface Room {
  readonly a: Pointer;
  readonly b: Pointer;
  readonly counts: Pointer;
}

/** Sorts one row of each operand. */
function sortRow(c: Code, n: number, dtypes: readonly DType[], keys: number, inputs: readonly Pointer[], outputs: readonly Pointer[], { a, b, counts }: Room): void {
  const words = dtypes.slice(0, keys).flatMap((dtype, operand): KeyWord[] => (dtype === "float64" ? [{ operand, dtype, part: 0 }, { operand, dtype, part: 1 }] : [{ operand, dtype, part: 0 }]));
  const whole = dtypes.length === 1 && dtypes[0] === "float64";
  const negative = whole ? c.call(makeWholeKeys, { n, x: inputs[0]!, to: a }, "float64") : undefined;
  if (!whole) c.call(makeRecords, { n, x: inputs[0]!, to: a }, dtypes[0]!);
  const moved = c.call(sortRecords(32), { n, a, b, counts });
  const [sorted, spare] = [c.let(a), c.let(b)];
  c.when(moved.differs(0), () => {
    sorted.set(b);
    spare.set(a);
  });
  if (whole) {
    c.call(refineWholeKeys, { n, a: sorted, b: spare, counts });
    c.call(writeWholeKeys, { n, records: sorted, x: inputs[0]!, y: outputs[0]!, negative: negative! }, "float64");
    return;
  }
  const rest = words.slice(1);
  if (rest.length > 0) c.call(refine(rest), { n, a: sorted, b: spare, counts, ...Object.fromEntries(rest.map((w, i) => [`x${i}`, inputs[w.operand]!])) });
  dtypes.forEach((dtype, q) => c.call(q === 0 && rest.length === 0 ? writeKeys : gather, { n, records: sorted, x: inputs[q]!, y: outputs[q]! }, dtype));
}

const roundUp = (bytes: number): number => Math.ceil(bytes / 16) * 16;

/** Radix sort of keys with positions; where a key has several words, runs that are equal in the first are sorted by the next. */
export const nativeSort = defineNativeRoutine(sortRoutine, ({ params: { outer, length, inner, keys }, inputs }) => {
  const dtypes = inputs.map((x) => x.dtype);
  const columns = inner === 1 ? 0 : Math.min(inner, columnsAtOnce);
  const recordBytes = 8 * (length + 1);
  const countsAt = 2 * recordBytes;
  let scratchBytes = countsAt + roundUp(4 * countElements);
  /** Where the rows of each operand are that a block of columns becomes, read and written. */
  const turned = dtypes.map((dtype) => {
    const bytes = roundUp(columns * length * itemsize(dtype));
    const from = scratchBytes;
    scratchBytes += 2 * bytes;
    return { dtype, from, to: from + bytes };
  });
  return {
    dtype: "int32",
    scratchBytes,
    body(c, { inputs: from, outputs: to, scratch }) {
      const room = { a: c.let(scratch.bytes(0, "uint64")), b: c.let(scratch.bytes(recordBytes, "uint64")), counts: c.let(scratch.bytes(countsAt, "int32")) };
      if (columns === 0) {
        c.range(0, outer, (g) => {
          const at = (p: Pointer): Pointer => c.let(p.at(g.times(length)));
          sortRow(c, length, dtypes, keys, from.map(at), to.map(at), room);
        });
        return;
      }
      const [read, written] = [turned.map((t) => c.let(scratch.bytes(t.from, t.dtype))), turned.map((t) => c.let(scratch.bytes(t.to, t.dtype)))];
      c.range(0, outer, (g) => c.range(0, inner, (first) => {
        const count = c.let(first.negate().plus(inner).min(columns));
        const at = g.times(length * inner).plus(first);
        dtypes.forEach((dtype, q) => c.call(transposeInto, { m: length, n: count, a: from[q]!.at(at), aRow: inner, b: read[q]!, bRow: length }, dtype));
        c.range(0, count, (i) => {
          const row = (p: Pointer): Pointer => c.let(p.at(i.times(length)));
          sortRow(c, length, dtypes, keys, read.map(row), written.map(row), room);
        });
        dtypes.forEach((dtype, q) => c.call(transposeInto, { m: count, n: length, a: written[q]!, aRow: length, b: to[q]!.at(at), bRow: inner }, dtype));
      }, columns));
    },
  };
});
