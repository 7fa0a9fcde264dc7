import type { DType, TypedArray } from "../base/dtype.js";

/** Runs of so many are sorted by insertion. */
const insertionLength = 32;

/** Bits of the values as unsigned integers in the values' order, low word first: NaN last, -0 as 0. */
function keysOf(data: TypedArray, dtype: DType, start: number, step: number, words: Uint32Array[]): void {
  const [low, high] = words as [Uint32Array, Uint32Array];
  const n = low.length;
  if (dtype === "float64") {
    const value = new Float64Array(1);
    const bits = new Uint32Array(value.buffer);
    for (let k = 0, p = start; k < n; k++, p += step) {
      const x = data[p]!;
      if (x !== x) {
        low[k] = high[k] = 0xffffffff;
        continue;
      }
      value[0] = x + 0;
      const flip = bits[1]! >>> 31 === 1;
      low[k] = flip ? ~bits[0]! : bits[0]!;
      high[k] = flip ? ~bits[1]! : bits[1]! | 0x80000000;
    }
  } else if (dtype === "float32") {
    const value = new Float32Array(1);
    const bits = new Uint32Array(value.buffer);
    for (let k = 0, p = start; k < n; k++, p += step) {
      const x = data[p]!;
      value[0] = x + 0;
      const b = bits[0]!;
      low[k] = x !== x ? 0xffffffff : b >>> 31 === 1 ? ~b : b | 0x80000000;
    }
  } else {
    const flip = dtype === "int32" ? 0x80000000 : 0;
    for (let k = 0, p = start; k < n; k++, p += step) low[k] = data[p]! ^ flip;
  }
}

/** Stable sorting of positions by one word of their keys, digit by digit from the lowest (Knuth, The Art of Computer Programming 3, 5.2.5). */
function byWord(key: Uint32Array, order: Uint32Array, other: Uint32Array, counts: Uint32Array): void {
  const n = order.length;
  const bits = Math.log2(counts.length);
  const mask = counts.length - 1;
  let [from, to] = [order, other];
  for (let shift = 0; shift < 32; shift += bits) {
    counts.fill(0);
    for (let k = 0; k < n; k++) counts[(key[k]! >>> shift) & mask]!++;
    // All in one bucket: this digit orders nothing.
    if (counts[(key[0]! >>> shift) & mask] === n) continue;
    let sum = 0;
    for (let d = 0; d <= mask; d++) {
      const c = counts[d]!;
      counts[d] = sum;
      sum += c;
    }
    for (let k = 0; k < n; k++) {
      const at = from[k]!;
      to[counts[(key[at]! >>> shift) & mask]!++] = at;
    }
    [from, to] = [to, from];
  }
  if (from !== order) order.set(from);
}

function byInsertion(words: readonly Uint32Array[], order: Uint32Array): void {
  const n = order.length;
  for (let k = 1; k < n; k++) {
    const at = order[k]!;
    let j = k;
    while (j > 0 && less(words, at, order[j - 1]!)) {
      order[j] = order[j - 1]!;
      j--;
    }
    order[j] = at;
  }
}

/** Whether a comes before b; the highest word is the last. */
function less(words: readonly Uint32Array[], a: number, b: number): boolean {
  for (let w = words.length - 1; w >= 0; w--) {
    const [x, y] = [words[w]![a]!, words[w]![b]!];
    if (x !== y) return x < y;
  }
  return false;
}

/** Finds the order of rows of values by one or more keys, stably: NaN last, -0 equal to 0. Keeps its working memory from row to row. */
export class RadixOrder {
  readonly order: Uint32Array;
  private readonly other: Uint32Array;
  private readonly words: Uint32Array[];
  private readonly counts: Uint32Array;

  constructor(length: number) {
    this.order = new Uint32Array(length);
    this.other = new Uint32Array(length);
    this.words = [new Uint32Array(length), new Uint32Array(length)];
    this.counts = new Uint32Array(length < 4096 ? 256 : 2048);
  }

  /** Sets `order` to the positions of the values from `start` on, `step` apart, by the first key, then the second, and so on. */
  sort(keys: readonly { readonly data: TypedArray; readonly dtype: DType }[], start: number, step: number): void {
    const { order, other, counts } = this;
    for (let k = 0; k < order.length; k++) order[k] = k;
    if (order.length < 2) return;
    for (const { data, dtype } of [...keys].reverse()) {
      const words = dtype === "float64" ? this.words : this.words.slice(0, 1);
      keysOf(data, dtype, start, step, words);
      if (order.length <= insertionLength) byInsertion(words, order);
      else for (const word of words) byWord(word, order, other, counts);
    }
  }
}
