import type { BufferId } from "../kernel/expr.js";
import type { BufferInfo, Donation, Step } from "../kernel/schedule.js";
import { bodies, effects, type Effects, renameBuffer, worksInPlace } from "./effects.js";

/** How one buffer is used by the steps of a list, in order. */
interface Use {
  readonly at: number;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly whole: boolean;
}

type Whole = Step & { kind: "copy" };

/**
 * Gives a value the memory of the one that it replaces: where a list of steps copies one whole buffer to another and at no time both are
 * needed with different contents, they become one and the copy goes away (coalescing as in Chaitin's register allocation, 1982). So a
 * loop writes its next state over the last one, an update of a few elements in a loop costs no more than these elements, and results
 * are written where they are wanted.
 */
export function shareMemory(steps: readonly Step[], buffers: readonly BufferInfo[], kept: ReadonlySet<BufferId>): Step[] {
  return new Block(steps, buffers, (id) => kept.has(id)).result();
}

/** Which results may take the memory of which inputs that are given away. */
export function donationsOf(steps: readonly Step[], buffers: readonly BufferInfo[], donated: readonly BufferId[], outputs: readonly BufferId[]): Donation[] {
  if (donated.length === 0) return [];
  const block = new Block(steps, buffers, (id) => outputs.includes(id));
  const free = new Set(outputs);
  const found: Donation[] = [];
  for (const input of donated)
    for (const output of block.madeFrom(input, free)) {
      if (buffers[output]!.size !== buffers[input]!.size || buffers[output]!.dtype !== buffers[input]!.dtype || !block.mayTake(output, input)) continue;
      free.delete(output);
      found.push({ input, output });
      break;
    }
  return found;
}

class Block {
  readonly #steps: (Step | undefined)[];
  readonly #effects: Effects[];
  readonly #uses = new Map<BufferId, Use[]>();

  /** @param outside says of a buffer that more than these steps use it. */
  constructor(steps: readonly Step[], readonly buffers: readonly BufferInfo[], readonly outside: (id: BufferId) => boolean) {
    const used = steps.map((s) => effects(s, buffers));
    const counts = new Map<BufferId, number>();
    for (const e of used) for (const id of new Set([...e.reads, ...e.writes])) counts.set(id, (counts.get(id) ?? 0) + 1);
    this.#steps = steps.map((s) => this.#inner(s, (id) => outside(id) || counts.get(id)! > 1));
    this.#effects = this.#steps.map((s) => effects(s!, buffers));
    this.#effects.forEach((e, at) => {
      for (const id of new Set([...e.reads, ...e.writes])) this.#add(id, at);
    });
  }

  #add(id: BufferId, at: number): void {
    const { reads, writes, whole } = this.#effects[at]!;
    let list = this.#uses.get(id);
    if (!list) this.#uses.set(id, (list = []));
    list.push({ at, reads: reads.has(id), writes: writes.has(id), whole: whole.has(id) && !reads.has(id) });
  }

  /** Bodies first. */
  #inner(step: Step, outside: (id: BufferId) => boolean): Step {
    const lists = bodies(step);
    if (lists.length === 0) return step;
    const own = new Set<BufferId>(step.kind === "for" ? [step.counter] : step.kind === "while" ? [step.predicate] : step.kind === "branch" ? [step.index] : []);
    const touched = lists.map((list) => new Set(list.flatMap((s) => {
      const e = effects(s, this.buffers);
      return [...e.reads, ...e.writes];
    })));
    const done = lists.map((list, i) => new Block(list, this.buffers, (id) => outside(id) || own.has(id) || touched.some((t, j) => j !== i && t.has(id))).result());
    if (step.kind === "for") return { ...step, body: done[0]! };
    if (step.kind === "while") return { ...step, condition: done[0]!, body: done[1]! };
    return { ...(step as Step & { kind: "branch" }), branches: done };
  }

  result(): Step[] {
    for (let again = true; again; ) {
      again = false;
      this.#steps.forEach((s) => {
        if (s?.kind === "copy" && this.#isWhole(s) && (this.#tryMerge(s.from, s.to) || this.#tryMerge(s.to, s.from))) again = true;
      });
    }
    return this.#steps.filter((s) => s !== undefined);
  }

  #isWhole(s: Whole): boolean {
    const [from, to] = [this.buffers[s.from]!, this.buffers[s.to]!];
    return s.from !== s.to && !s.fromBase && !s.toBase && from.dtype === to.dtype && from.size === to.size && s.count === to.size;
  }

  /** Used by these steps alone, and written in each run of them before it is read. */
  #isLocal(id: BufferId): boolean {
    return !this.outside(id) && this.#uses.get(id)![0]!.whole;
  }

  /** Puts `kept` in the place of `gone` where that is right. */
  #tryMerge(gone: BufferId, kept: BufferId): boolean {
    if (!this.#isLocal(gone) || !this.#canShare(gone, kept)) return false;
    const at = this.#uses.get(gone)!.map((u) => u.at);
    for (const i of at) {
      const renamed = renameBuffer(this.#steps[i]!, gone, kept);
      this.#steps[i] = renamed.kind === "copy" && renamed.from === renamed.to ? undefined : renamed;
    }
    const all = [...new Set([...at, ...this.#uses.get(kept)!.map((u) => u.at)])].sort((x, y) => x - y).filter((i) => this.#steps[i]);
    for (const i of at) if (this.#steps[i]) this.#effects[i] = effects(this.#steps[i], this.buffers);
    this.#uses.delete(gone);
    this.#uses.set(kept, []);
    for (const i of all) this.#add(kept, i);
    return true;
  }

  /** Of some buffers, those written by steps that read `input` come first. */
  madeFrom(input: BufferId, some: ReadonlySet<BufferId>): BufferId[] {
    const first = new Set<BufferId>();
    for (const { at, reads } of this.#uses.get(input) ?? []) if (reads) for (const id of this.#effects[at]!.writes) if (some.has(id)) first.add(id);
    for (const id of some) first.add(id);
    return [...first];
  }

  /** Whether `output` may have the memory of `input`, which nobody needs after these steps. */
  mayTake(output: BufferId, input: BufferId): boolean {
    return !this.#uses.has(input) || (this.#uses.has(output) && this.#canShare(output, input, (id) => id === output));
  }

  /** Whether a value is needed after each step that touches one of the two. */
  #liveAfter(id: BufferId, positions: readonly number[], atEnd: boolean): boolean[] {
    const uses = new Map(this.#uses.get(id)!.map((u) => [u.at, u]));
    let live = atEnd;
    const out = new Array<boolean>(positions.length);
    for (let k = positions.length - 1; k >= 0; k--) {
      out[k] = live;
      const u = uses.get(positions[k]!);
      if (u?.whole) live = false;
      else if (u) live = true;
    }
    return out;
  }

  #canShare(a: BufferId, b: BufferId, neededAtEnd: (id: BufferId) => boolean = (id) => !this.#isLocal(id)): boolean {
    const positions = [...new Set([...this.#uses.get(a)!, ...this.#uses.get(b)!].map((u) => u.at))].sort((x, y) => x - y);
    const [liveA, liveB] = [a, b].map((id) => this.#liveAfter(id, positions, neededAtEnd(id))) as [boolean[], boolean[]];
    return positions.every((at, k) => {
      const step = this.#steps[at]!;
      if (step.kind === "copy" && this.#isWhole(step) && ((step.from === a && step.to === b) || (step.from === b && step.to === a))) return true;
      const { reads, writes } = this.#effects[at]!;
      const [wa, wb] = [writes.has(a), writes.has(b)];
      if (!wa && !wb) return true;
      if (wa && wb) return false;
      const [written, other, needed] = wa ? [a, b, liveB[k]!] : [b, a, liveA[k]!];
      return !needed && (!reads.has(other) || (step.kind === "kernel" && worksInPlace(step.kernel, written, other)));
    });
  }
}
