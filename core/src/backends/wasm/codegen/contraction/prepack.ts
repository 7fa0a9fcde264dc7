import { itemsize } from "../../../../base/dtype.js";
import { asContraction, mergedStride } from "../../../../kernel/contraction.js";
import type { Affine, BufferId, Expr } from "../../../../kernel/expr.js";
import type { Kernel } from "../../../../kernel/schedule.js";
import type { FloatDType } from "../../functions/contract.js";
import type { GemmContext, GemmSpec } from "../../gemm/spec.js";
import { prepackOperand, type PrepackedPanels } from "../../gemm/static.js";
import type { NestContext } from "../nest/nest.js";
import type { Load } from "./factor.js";
import { planContraction } from "./plan.js";
import { type ContractionPlan, denseStrides } from "./settle.js";

/** A contraction in a loop, one factor of which no iteration changes: its panels are packed once, before the loop. */
export interface PrepackedFactor {
  readonly plan: ContractionPlan;
  readonly side: "a" | "b";
  readonly panels: PrepackedPanels;
  /** Where the factor begins: elements from the start of a buffer. */
  readonly buffer: BufferId;
  readonly start: number;
}

/** The product of one block, with sums in rows at `sums`. */
export function productOf(plan: ContractionPlan, current: readonly number[], a: Affine, b: Affine, sums: Affine, accumulate: boolean): GemmSpec {
  const size = (dims: readonly number[]): number => dims.reduce((x, d) => x * current[d]!, 1);
  const stride = (index: Affine, dims: readonly number[]): number => mergedStride(index, current, dims)!;
  return {
    dtype: plan.contraction.dtype as FloatDType, m: size(plan.m), n: size(plan.n), k: size(plan.k), accumulate,
    a: { row: stride(a, plan.m), k: stride(a, plan.k) }, b: { k: stride(b, plan.k), column: stride(b, plan.n) }, c: { row: stride(sums, plan.m) },
  };
}

/** Where the sums of a block without an output for them lie. */
export const ownSums = ({ m, n }: ContractionPlan, current: readonly number[]): Affine => ({ offset: 0, strides: denseStrides([...m, ...n], current) });

/** How to run a contraction with the panels of one factor packed beforehand; undefined where none stays the same, or it would gain nothing. */
export function prepackFactor(context: GemmContext & Pick<NestContext, "aliasOf">, kernel: Kernel, isFixed: (buffer: BufferId) => boolean): PrepackedFactor | undefined {
  const contraction = asContraction(kernel);
  if (!contraction || (contraction.dtype !== "float32" && contraction.dtype !== "float64") || contraction.sizes.includes(0)) return undefined;
  const fixed = (e: Expr): e is Load => e.op === "load" && e.base === undefined && isFixed(e.buffer);
  if (!fixed(contraction.a) && !fixed(contraction.b)) return undefined;
  const plan = planContraction(kernel, contraction, context.simd ? 16 / itemsize(contraction.dtype) : 1, context.aliasOf, fixed);
  if (!plan) return undefined;
  const { a, b } = plan.contraction;
  // A block for all: the same panels serve each product.
  if ([...plan.outputLoops, ...plan.reducedLoops].length > 0) return undefined;
  for (const [side, e, f] of [["b", b, plan.b], ["a", a, plan.a]] as const) {
    if (!fixed(e) || f.copy || f.coordinates) continue;
    const strides = (x: Expr, made: readonly number[] | undefined): Affine => (made ? { offset: 0, strides: denseStrides(made, plan.block) } : (x as Load).index);
    const made = ({ copy, coordinates }: ContractionPlan["a"]): readonly number[] | undefined => copy ?? coordinates?.flatMap((c) => c.terms.map((t) => t.dim));
    const spec = productOf(plan, plan.block, strides(a, made(plan.a)), strides(b, made(plan.b)), plan.into?.index ?? ownSums(plan, plan.block), false);
    const panels = prepackOperand(context, spec, side);
    if (panels) return { plan, side, panels, buffer: e.buffer, start: e.index.offset };
  }
  return undefined;
}
