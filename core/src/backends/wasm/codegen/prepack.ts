import type { BufferId } from "../../../kernel/expr.js";
import type { Kernel, Step } from "../../../kernel/schedule.js";
import { roundUp } from "../memory/allocator.js";
import { writtenBuffers } from "./layout.js";
import type { PrepackedFactor } from "./contraction/prepack.js";

/** Iterations of a loop from which panels are worth their packing. */
const fewIterations = 4;

/** A factor whose panels lie at `offset` of the frame while the loop runs. */
export type PlacedFactor = PrepackedFactor & { readonly offset: number };

/** The kernels of steps, those of loops and branches in them included. */
function* kernelsOf(steps: readonly Step[]): Generator<Kernel> {
  for (const s of steps) {
    if (s.kind === "kernel") yield s.kernel;
    else if (s.kind === "for") yield* kernelsOf(s.body);
    else if (s.kind === "while") {
      yield* kernelsOf(s.condition);
      yield* kernelsOf(s.body);
    } else if (s.kind === "branch") for (const b of s.branches) yield* kernelsOf(b);
  }
}

export interface PrepackOptions {
  /** The output that may have the memory of an input. */
  readonly aliasOf: (input: BufferId) => BufferId | undefined;
  readonly prepack: (kernel: Kernel, isFixed: (buffer: BufferId) => boolean) => PrepackedFactor | undefined;
  /** The first byte of the frame that is free for panels. */
  readonly start: number;
}

/**
 * Finds factors of products in a loop that no step of it writes, whose panels are then packed before the loop instead of in each iteration.
 * `outer`: kernels that have theirs from a loop around.
 * @returns the factors by kernel, the panels to pack, each once, and where they end.
 */
export function prepackFactors(loop: Step & { readonly kind: "for" | "while" }, outer: ReadonlyMap<Kernel, PlacedFactor>, { aliasOf, prepack, start }: PrepackOptions): { readonly factors: ReadonlyMap<Kernel, PlacedFactor>; readonly panels: readonly PlacedFactor[]; readonly end: number } {
  const factors = new Map<Kernel, PlacedFactor>();
  const panels = new Map<string, PlacedFactor>();
  let end = start;
  if (loop.kind === "for" && loop.count < fewIterations) return { factors, panels: [], end };
  const written = writtenBuffers([loop]);
  const isFixed = (id: BufferId): boolean => !written.has(id) && !written.has(aliasOf(id) ?? id);
  for (const kernel of kernelsOf([loop])) {
    const found = outer.has(kernel) || factors.has(kernel) ? undefined : prepack(kernel, isFixed);
    if (!found) continue;
    const key = `${found.panels.pack.name}.${found.buffer}.${found.start}`;
    let placed = panels.get(key);
    if (!placed) {
      placed = { ...found, offset: end };
      end = roundUp(end + found.panels.bytes);
      panels.set(key, placed);
    }
    factors.set(kernel, { ...found, offset: placed.offset });
  }
  return { factors, panels: [...panels.values()], end };
}
