import type { BufferId } from "../../kernel/expr.js";
import type { Effects } from "../effects.js";

/** Which steps must come before which: for each, all that it depends on, as bits. Steps can be merged as long as no other must lie between. */
export class Order {
  readonly #before: Uint32Array[];
  /** Steps that are merged into another have none. */
  readonly #alive: boolean[];

  constructor(effects: readonly Effects[]) {
    const words = Math.ceil(effects.length / 32);
    this.#before = effects.map(() => new Uint32Array(words));
    this.#alive = effects.map(() => true);
    const writer = new Map<BufferId, number>();
    const readers = new Map<BufferId, number[]>();
    effects.forEach(({ reads, writes }, i) => {
      const after = (j: number): void => {
        if (j === i) return;
        this.#set(i, j);
        this.#join(i, j);
      };
      for (const id of reads) {
        const w = writer.get(id);
        if (w !== undefined) after(w);
      }
      for (const id of writes) {
        const w = writer.get(id);
        if (w !== undefined) after(w);
        readers.get(id)?.forEach(after);
        writer.set(id, i);
        readers.set(id, []);
      }
      for (const id of reads) {
        const list = readers.get(id);
        if (list) list.push(i);
        else readers.set(id, [i]);
      }
    });
  }

  #set(i: number, j: number): void { this.#before[i]![j >>> 5]! |= 1 << (j & 31); }
  #join(i: number, j: number): void {
    const [x, y] = [this.#before[i]!, this.#before[j]!];
    for (let w = 0; w < x.length; w++) x[w]! |= y[w]!;
  }

  /** True if step i must come after step j. */
  after(i: number, j: number): boolean {
    return (this.#before[i]![j >>> 5]! & (1 << (j & 31))) !== 0;
  }

  /** True if a third step must lie between `first` and `second`. */
  separated(first: number, second: number): boolean {
    const [x, y] = [this.#before[first]!, this.#before[second]!];
    for (let w = 0; w < x.length; w++)
      for (let bits = y[w]! & ~x[w]!; bits !== 0; bits &= bits - 1) {
        const k = w * 32 + 31 - Math.clz32(bits & -bits);
        if (k !== first && this.after(k, first)) return true;
      }
    return false;
  }

  /** `from` becomes a part of `to`. */
  merge(from: number, to: number): void {
    this.#alive[from] = false;
    this.#join(to, from);
    const clear = (i: number, j: number): void => { this.#before[i]![j >>> 5]! &= ~(1 << (j & 31)); };
    clear(to, from);
    clear(to, to);
    for (let i = 0; i < this.#before.length; i++) {
      if (!this.#alive[i] || i === to) continue;
      const met = this.after(i, from);
      if (!met && !this.after(i, to)) continue;
      this.#join(i, to);
      this.#set(i, to);
      if (met) clear(i, from);
    }
  }

  /** The steps that are left, each after what it needs and otherwise as they stood; a merged step stands where its last part did. */
  sequence(): number[] {
    const out: number[] = [];
    const done = new Uint8Array(this.#before.length);
    const visit = (i: number): void => {
      if (done[i]) return;
      done[i] = 1;
      const before = this.#before[i]!;
      for (let w = 0; w < before.length; w++)
        for (let bits = before[w]!; bits !== 0; bits &= bits - 1) visit(w * 32 + 31 - Math.clz32(bits & -bits));
      out.push(i);
    };
    this.#alive.forEach((alive, i) => alive && visit(i));
    return out;
  }
}
