import type { Kernel } from "../../../../kernel/schedule.js";
import { unrollNodes } from "./plan.js";
import type { NestPlan } from "./plan.js";

/** How the loops of a nest are written. */
export interface LoopPlan extends NestPlan {
  readonly sizes: readonly number[];
  /** So many loops, the first of `order`, are over outputs. */
  readonly outputs: number;
  /** Of the loop along the lanes in `order`, or -1. */
  readonly lanePosition: number;
  /** Trips of that loop with all vectors side by side. */
  readonly mainTrips: number;
  /** Whether what is left over vectors goes by single elements; otherwise the last vector overlaps the one before. */
  readonly scalarRemainder: boolean;
  /** By position in `order`. */
  readonly unrolled: readonly boolean[];
  /** The loop of the reduction in which blocks of partial sums end, and how many of its trips make a block; undefined if all terms are one block. */
  readonly folding: { readonly position: number; readonly trips: number } | undefined;
}

/** Partial sums of at most so many terms. */
const blockTerms = 512;

/**
 * @param bound the first dimensions of the kernel that are not looped over.
 * @param overlaps whether vectors along an output dimension may overlap.
 */
export function planLoops(kernel: Kernel, plan: NestPlan, bound: number, overlaps: boolean): LoopPlan {
  const sizes = [...kernel.dims, ...kernel.reduceDims];
  const outputs = kernel.dims.length;
  const { lanes, laneDim, order, copies } = plan;
  const lanePosition = laneDim < 0 ? -1 : order.indexOf(laneDim);
  const n = laneDim < 0 ? 0 : sizes[laneDim]!;
  const mainTrips = Math.floor(n / (lanes * copies));

  // Unroll from the innermost loop outwards while the code stays small.
  const unrolled = order.map(() => false);
  let size = Math.max(1, plan.nodes);
  for (let i = order.length - 1; i >= 0; i--) {
    const dim = order[i]!;
    if (dim < bound) break;
    const trips = i === lanePosition ? (mainTrips <= 1 ? copies + 1 : Infinity) : sizes[dim]!;
    if (i === lanePosition ? trips === Infinity : trips * size > unrollNodes) break;
    unrolled[i] = true;
    size *= Math.max(1, trips);
  }

  const trips = order.slice(outputs).map((d) => (d === laneDim ? Math.max(1, mainTrips) : sizes[d]!));
  let terms = 1;
  let within = trips.length;
  while (within > 0 && terms * trips[within - 1]! <= blockTerms) terms *= Math.max(1, trips[--within]!);
  const folding = within === 0 ? undefined : { position: outputs + within - 1, trips: Math.max(1, Math.floor(blockTerms / terms)) };
  return { ...plan, sizes, outputs, lanePosition, mainTrips, scalarRemainder: laneDim >= 0 && !(overlaps && laneDim < outputs) && n % lanes !== 0, unrolled, folding };
}
