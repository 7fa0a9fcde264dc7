import type { BufferId } from "../kernel/expr.js";
import { itemsize } from "../base/dtype.js";
import type { BufferInfo, Step } from "../kernel/schedule.js";
import { bodies, ownAccesses } from "./effects.js";

/** First and last position at which a buffer is touched. */
interface Interval {
  first: number;
  last: number;
}

/** Buffers a step touches itself, its bodies apart. */
function touched(step: Step, buffers: readonly BufferInfo[]): Set<BufferId> {
  const ids = new Set<BufferId>();
  const add = (id: BufferId): void => { ids.add(id); };
  ownAccesses(step, buffers, add, add);
  return ids;
}

/**
 * Lifetimes in program order. A buffer that a loop touches and something outside it touches too lives as long as the whole loop, since
 * iterations hand it on; one used in the body alone lives within one iteration.
 */
function lifetimes(steps: readonly Step[], buffers: readonly BufferInfo[]): Map<BufferId, Interval> {
  let position = 0;
  /** Touches within a list of steps, by buffer. */
  const walk = (list: readonly Step[]): Map<BufferId, Interval> => {
    const here = new Map<BufferId, Interval>();
    const touch = (id: BufferId, first: number, last: number) => {
      const i = here.get(id);
      if (!i) here.set(id, { first, last });
      else {
        i.first = Math.min(i.first, first);
        i.last = Math.max(i.last, last);
      }
    };
    for (const step of list) {
      const start = position++;
      const inner = bodies(step).map(walk);
      const end = position++;
      const own = touched(step, buffers);
      const isLoop = step.kind === "for" || step.kind === "while";
      for (const id of own) touch(id, start, end);
      const outside = loopOutside.get(step);
      for (const m of inner)
        for (const [id, i] of m) {
          const shared = isLoop && (own.has(id) || outside!.has(id));
          touch(id, shared ? start : i.first, shared ? end : i.last);
        }
    }
    return here;
  };
  const loopOutside = touchesOutsideLoops(steps, buffers);
  return walk(steps);
}

/** For each loop, the buffers of its bodies that are touched outside it as well (or in both its condition and its body). */
function touchesOutsideLoops(steps: readonly Step[], buffers: readonly BufferInfo[]): Map<Step, Set<BufferId>> {
  const counts = new Map<BufferId, number>();
  const deep = (step: Step, f: (id: BufferId) => void): void => {
    touched(step, buffers).forEach(f);
    for (const b of bodies(step)) for (const s of b) deep(s, f);
  };
  for (const s of steps) deep(s, (id) => counts.set(id, (counts.get(id) ?? 0) + 1));
  const out = new Map<Step, Set<BufferId>>();
  const visit = (step: Step) => {
    const lists = bodies(step);
    if (step.kind === "for" || step.kind === "while") {
      const inside = new Map<BufferId, number>();
      for (const b of lists) for (const s of b) deep(s, (id) => inside.set(id, (inside.get(id) ?? 0) + 1));
      const shared = new Set<BufferId>();
      for (const [id, n] of inside) if (counts.get(id)! > n) shared.add(id);
      out.set(step, shared);
    }
    for (const b of lists) b.forEach(visit);
  };
  steps.forEach(visit);
  return out;
}

const align = (n: number) => Math.ceil(n / 64) * 64;

interface Block extends Interval {
  readonly id: BufferId;
  readonly bytes: number;
  at: number;
}

/**
 * Finds the intervals that overlap a given one: those that hold its first position (a segment tree: each interval is listed at the few
 * nodes that cover it exactly) and those that begin later within it.
 */
class Overlaps {
  readonly #covering: Block[][] = [];
  readonly #beginning: Block[][] = [];
  readonly #leaves: number;

  constructor(positions: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(1, positions)));
  }

  add(b: Block): void {
    (this.#beginning[b.first] ??= []).push(b);
    for (let lo = b.first + this.#leaves, hi = b.last + 1 + this.#leaves; lo < hi; lo >>= 1, hi >>= 1) {
      if (lo & 1) (this.#covering[lo++] ??= []).push(b);
      if (hi & 1) (this.#covering[--hi] ??= []).push(b);
    }
  }

  with({ first, last }: Interval): Block[] {
    const found: Block[] = [];
    for (let node = first + this.#leaves; node > 0; node >>= 1) for (const b of this.#covering[node] ?? []) found.push(b);
    for (let position = first + 1; position <= last; position++) for (const b of this.#beginning[position] ?? []) found.push(b);
    return found;
  }
}

/** Offsets in one arena for the temporaries: first fit over lifetimes, the largest first. */
export function planArena(buffers: readonly BufferInfo[], temporaries: ReadonlySet<BufferId>, steps: readonly Step[]): { bytes: number; offsets: Map<BufferId, number> } {
  const blocks: Block[] = [];
  let positions = 0;
  for (const [id, { first, last }] of lifetimes(steps, buffers)) {
    if (!temporaries.has(id)) continue;
    blocks.push({ id, first, last, bytes: align(Math.max(1, buffers[id]!.size * itemsize(buffers[id]!.dtype))), at: 0 });
    positions = Math.max(positions, last + 1);
  }
  blocks.sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  const placed = new Overlaps(positions);
  let bytes = 0;
  for (const b of blocks) {
    for (const c of placed.with(b).sort((x, y) => x.at - y.at)) {
      if (b.at + b.bytes <= c.at) break;
      b.at = Math.max(b.at, c.at + c.bytes);
    }
    placed.add(b);
    bytes = Math.max(bytes, b.at + b.bytes);
  }
  return { bytes, offsets: new Map(blocks.map((b) => [b.id, b.at])) };
}
