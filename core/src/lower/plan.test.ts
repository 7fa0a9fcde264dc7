import { describe, expect, it } from "vitest";
import { constant } from "../kernel/expr.js";
import type { BufferInfo, Step } from "../kernel/schedule.js";
import { planArena } from "./plan.js";

/** Steps that touch buffers: one at the first position of each lifetime, one at the last. Some lifetimes are up to `longest`. */
function program(count: number, seed: number, longest = count): { buffers: BufferInfo[]; steps: Step[]; lives: [number, number][] } {
  let s = seed;
  const next = (n: number): number => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return (s >>> 8) % n;
  };
  const buffers: BufferInfo[] = [];
  const lives: [number, number][] = [];
  const touches: number[][] = Array.from({ length: count * 2 }, () => []);
  for (let id = 0; id < count; id++) {
    buffers.push({ dtype: "float64", size: 1 + next(200) });
    const first = next(count * 2);
    const last = Math.min(count * 2 - 1, first + next(next(4) === 0 ? longest : 5));
    lives.push([first, last]);
    touches[first]!.push(id);
    if (last !== first) touches[last]!.push(id);
  }
  const steps: Step[] = touches.map((ids) => ({ kind: "routine", name: "r", params: {}, inputs: [], outputs: ids.map((buffer) => ({ buffer, shape: [buffers[buffer]!.size], dtype: "float64" as const })) }));
  return { buffers, steps, lives };
}

describe("planArena", () => {
  it("gives buffers that live at one time different memory, in no more than the largest sum times 1.5", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const count = 5 + seed * 3;
      const { buffers, steps, lives } = program(count, seed);
      const { bytes, offsets } = planArena(buffers, new Set(buffers.map((_, id) => id)), steps);
      const end = (id: number): number => offsets.get(id)! + buffers[id]!.size * 8;
      for (let a = 0; a < count; a++) {
        expect(offsets.get(a)! % 64).toBe(0);
        expect(end(a)).toBeLessThanOrEqual(bytes);
        for (let b = 0; b < a; b++)
          if (lives[a]![0] <= lives[b]![1] && lives[b]![0] <= lives[a]![1]) expect(end(a) <= offsets.get(b)! || end(b) <= offsets.get(a)!, `seed ${seed}: buffers ${a} and ${b}`).toBe(true);
      }
      let most = 0;
      for (let t = 0; t < count * 2; t++) most = Math.max(most, lives.reduce((sum, [f, l], id) => sum + (f <= t && t <= l ? Math.ceil((buffers[id]!.size * 8) / 64) * 64 : 0), 0));
      expect(bytes).toBeGreaterThanOrEqual(most);
      expect(bytes).toBeLessThanOrEqual(most * 1.5);
    }
  });

  it("keeps what a loop hands on over the whole loop", () => {
    const write = (buffer: number): Step => ({ kind: "kernel", kernel: { dims: [8], reduceDims: [], accumulators: [], outputs: [{ buffer, index: { offset: 0, strides: [1] }, value: constant("float64", 1) }] } });
    const buffers: BufferInfo[] = [8, 8, 8, 1].map((size) => ({ dtype: size === 1 ? "int32" : "float64", size }));
    // 0 is carried; 1 and 2 live within an iteration, one after the other.
    const loop: Step = { kind: "for", count: 3, reverse: false, counter: 3, body: [write(1), write(2), write(0)] };
    const { offsets } = planArena(buffers, new Set([0, 1, 2, 3]), [write(0), loop]);
    expect(offsets.get(1)).not.toBe(offsets.get(0));
    expect(offsets.get(2)).not.toBe(offsets.get(0));
    expect(offsets.get(1)).toBe(offsets.get(2));
  });

  // Time is bounded by the runner's limit alone, which an algorithm that compares all pairs exceeds here.
  it("places a hundred thousand buffers", () => {
    const { buffers, steps } = program(100_000, 7, 100);
    expect(planArena(buffers, new Set(buffers.map((_, id) => id)), steps).offsets.size).toBe(100_000);
  });
});
