import { type BufferId, type Expr, rewrite } from "../../kernel/expr.js";
import type { Kernel, KernelOutput } from "../../kernel/schedule.js";
import type { Facts, Reads } from "./facts.js";
import { placeKey } from "./place.js";

export interface Union {
  readonly kernel: Kernel;
  /** Buffers whose values the second took from memory and now takes from the first. */
  readonly forwarded: ReadonlySet<BufferId>;
}

const touches = (reads: Reads, id: BufferId): boolean => reads.places.has(id) || reads.elsewhere.has(id);

/** True if all reads of what is written are at the index written. */
const onlyAt = (reads: Reads, o: KernelOutput): boolean => {
  if (reads.elsewhere.has(o.buffer)) return false;
  const places = reads.places.get(o.buffer);
  return places === undefined || (places.size === 1 && places.has(placeKey(o.buffer, o.index, o.base)));
};

/** Of outputs into one buffer none stands for the whole. */
const distinct = (list: readonly KernelOutput[]): boolean => new Set(list.map((o) => o.buffer)).size === list.length;

/**
 * One kernel that does what `first` and then `second` do, whose loops are the same; undefined where an iteration of one needs another
 * iteration of the other. The second may read what the first writes, and write what the first reads, only at the very
 * index of the write: terms what is written for each term, outputs what is written for each output.
 */
export function combine(first: Facts, second: Facts): Union | undefined {
  const [a, b] = [first.kernel, second.kernel];
  const [storesA, storesB] = [a.stores ?? [], b.stores ?? []];
  const writtenA = [...a.outputs, ...storesA];
  const written = [...writtenA, ...b.outputs, ...storesB];
  if (!distinct(written)) return undefined;
  const forwarded = new Set<BufferId>();
  const zones = [[a.outputs, b.outputs, "inOutputs", "inTerms"], [storesA, storesB, "inTerms", "inOutputs"]] as const;
  for (const [byA, byB, here, there] of zones) {
    for (const o of byA) {
      if (touches(second[there], o.buffer) || !onlyAt(second[here], o)) return undefined;
      if (second[here].places.has(o.buffer)) forwarded.add(o.buffer);
    }
    for (const o of byB) if (touches(first[there], o.buffer) || !onlyAt(first[here], o)) return undefined;
  }
  const values = new Map(writtenA.map((o) => [o.buffer, o.value]));
  const memo = new Map<Expr, Expr>();
  const shift = a.accumulators.length;
  const forward = (e: Expr): Expr =>
    rewrite(e, (x) => (x.op === "load" ? values.get(x.buffer) : x.op === "accumulator" && shift > 0 ? { ...x, i: x.i + shift } : undefined), memo);
  const forwardAll = (list: readonly KernelOutput[]): KernelOutput[] => list.map((o) => ({ ...o, value: forward(o.value) }));
  const stores = [...storesA, ...forwardAll(storesB)];
  return {
    kernel: {
      dims: a.dims,
      reduceDims: shift > 0 ? a.reduceDims : b.reduceDims,
      accumulators: [...a.accumulators, ...b.accumulators.map((x) => ({ ...x, value: forward(x.value) }))],
      outputs: [...a.outputs, ...forwardAll(b.outputs)],
      ...(stores.length > 0 && { stores }),
    },
    forwarded,
  };
}
