import { isFloat, itemsize } from "../../../../base/dtype.js";
import { sizeOf } from "../../../../base/shape.js";
import type { Expr } from "../../../../kernel/expr.js";
import type { Kernel } from "../../../../kernel/schedule.js";
import { visitKernel } from "../../../../kernel/traverse.js";
import type { FloatDType } from "../../functions/contract.js";
import { ModuleFunctions } from "../../functions/library.js";
import { laneStride } from "../values/lane-stride.js";
import { isElementary, isNativeBinary, isNativeUnary, vectorShift } from "../values/vector.js";
import type { Lanes } from "../values/vector.js";

/** How a loop nest runs. */
export interface NestPlan {
  /** Dimensions from the outermost loop to the innermost: output dimensions, then reduced ones. */
  readonly order: readonly number[];
  /** 1 without SIMD. */
  readonly lanes: 1 | Lanes;
  /** The dimension that lanes run along; -1 without SIMD. */
  readonly laneDim: number;
  /** Vectors computed at once. */
  readonly copies: number;
  /** Distinct expressions that change in the innermost loop. */
  readonly nodes: number;
  /** The dimensions that a value changes with, as bits. */
  readonly dependence: ReadonlyMap<Expr, number>;
}

/** Code of so many expressions at most is written out instead of looped over. */
export const unrollNodes = 72;

/** The dimensions that each expression of a kernel changes with, as bits. */
export function dependences(kernel: Kernel): Map<Expr, number> {
  const masks = new Map<Expr, number>();
  const affine = (strides: readonly number[]): number => strides.reduce((m, s, d) => (s === 0 ? m : m | (1 << d)), 0);
  const outputs = (1 << kernel.dims.length) - 1;
  const of = (e: Expr): number => masks.get(e)!;
  visitKernel(kernel, (e) => {
    let m = 0;
    switch (e.op) {
      case "const": break;
      case "load": case "index": m = affine(e.index.strides); break;
      case "accumulator": m = outputs; break;
      case "gather": m = of(e.at); break;
      case "unary": case "cast": case "bitcast": m = of(e.x); break;
      case "binary": m = of(e.a) | of(e.b); break;
      case "select": m = of(e.condition) | of(e.a) | of(e.b); break;
      case "guard": m = e.bounds.reduce((x, b) => x | affine(b.index.strides), of(e.inside) | of(e.outside)); break;
    }
    masks.set(e, m);
  });
  return masks;
}

/** Rough costs in scalar instructions of one node that changes along `dim`: by itself and for a whole vector. */
function costs(e: Expr, dim: number, lanes: number, dependence: ReadonlyMap<Expr, number>): [scalar: number, vector: number] {
  switch (e.op) {
    case "const": case "accumulator": return [0, 0];
    case "load": {
      const stride = e.index.strides[dim];
      if (stride === 1) return [1, e.dtype !== "bool" ? 1 : lanes === 16 ? 2 : 3];
      return [1, (stride === 2 || stride === -1) && e.dtype !== "bool" && itemsize(e.dtype) * lanes === 16 ? 3 : 2 * lanes];
    }
    case "gather": return [3, laneStride(e.at, dim, dependence) === 1 ? 3 : 4 * lanes];
    case "unary": {
      if (isNativeUnary(e.fn, e.x.dtype)) return [1, 1];
      return ModuleFunctions.isVectorized(e.fn, e.x.dtype as FloatDType) ? [12, 11] : [20, 21 * lanes];
    }
    case "binary": {
      if (vectorShift[e.fn] && e.b.op !== "const") return [4, 25];
      if (!isFloat(e.a.dtype) && (e.fn === "div" || e.fn === "rem")) return [8, 14];
      if (isNativeBinary(e.fn, e.a.dtype)) return [1, 1];
      if (isFloat(e.a.dtype) && ModuleFunctions.isVectorized(e.fn as "pow", e.a.dtype as FloatDType)) return [20, 19];
      return isFloat(e.a.dtype) ? [20, 22 * lanes] : [4, 7 * lanes];
    }
    case "index": case "select": case "cast": case "bitcast": return [1, 1];
    case "guard": return [2, 2];
  }
}

/** What decides how a kernel is vectorized. */
interface Facts {
  readonly nodes: number;
  /** Whether it meets float64, or nothing but bool that vectors know. */
  readonly wide: boolean;
  readonly bools: boolean;
  /** Dimensions that guards change with, as bits. */
  readonly guardDims: number;
  /** Whether it looks for the position of an extremum. */
  readonly searches: boolean;
  readonly dependence: ReadonlyMap<Expr, number>;
}

function factsOf(kernel: Kernel): Facts {
  let nodes = 0;
  let wide = false;
  let bools = true;
  let guardDims = 0;
  visitKernel(kernel, (e) => {
    if (e.op !== "const" && e.op !== "index") nodes++;
    if (e.dtype === "float64") wide = true;
    if (e.dtype !== "bool" || (e.op === "binary" && !isNativeBinary(e.fn, "bool"))) bools = false;
    if (e.op === "guard") for (const b of e.bounds) b.index.strides.forEach((s, d) => { if (s !== 0) guardDims |= 1 << d; });
  });
  const searches = kernel.accumulators.some((a) => a.op === "argmax" || a.op === "argmin");
  return { nodes, wide, bools, guardDims, searches, dependence: dependences(kernel) };
}

/** Whether lanes may run along a dimension at all. */
function mayHaveLanes(kernel: Kernel, { guardDims, searches }: Facts, d: number, n: number, lanes: Lanes): boolean {
  if (n < lanes || guardDims & (1 << d) || kernel.stores?.some((o) => o.index.strides[d] !== 1)) return false;
  if (d < kernel.dims.length) return kernel.outputs.every((o) => o.index.strides[d] === 1);
  // Positions of extrema are found in row-major order, so the last dimension must stay the last; and a short sum is not worth its horizontal end.
  return n >= 2 * lanes && (!searches || d === kernel.dims.length + kernel.reduceDims.length - 1);
}

/** The dimension along which vectors gain most, not one of the first `bound`; -1 where none is worth it. */
function bestLaneDim(kernel: Kernel, facts: Facts, lanes: Lanes, bound: number): number {
  const outputs = kernel.dims.length;
  let best = { dim: -1, gain: 1.05 };
  [...kernel.dims, ...kernel.reduceDims].forEach((n, d) => {
    if (d < bound || !mayHaveLanes(kernel, facts, d, n, lanes)) return;
    const reduced = d >= outputs;
    let scalarCost = kernel.accumulators.length + (kernel.stores?.length ?? 0) + (reduced ? 0 : kernel.outputs.length);
    let vectorCost = scalarCost;
    for (const [e, mask] of facts.dependence) {
      if (!(mask & (1 << d))) continue;
      const [s, v] = costs(e, d, lanes, facts.dependence);
      scalarCost += s;
      vectorCost += v;
    }
    const gain = (scalarCost * lanes) / vectorCost;
    // Among equals the output dimension wins (no horizontal end), and of these the later one (neighbours in memory).
    if (gain > best.gain * 1.01 || (gain >= best.gain * 0.99 && !reduced && best.dim < outputs)) best = { dim: d, gain };
  });
  return best.dim;
}

/** How many vectors go side by side: enough to hide latencies, few enough for the registers. */
function copiesAlong(kernel: Kernel, { nodes, searches, dependence }: Facts, laneDim: number): number {
  const { accumulators, reduceDims } = kernel;
  const heavy = [...dependence.keys()].some(isElementary);
  if (accumulators.length === 0) return heavy ? 2 : nodes <= 8 ? 4 : nodes <= 20 ? 2 : 1;
  const alongOutput = laneDim < kernel.dims.length;
  // Extrema and positions take three registers each.
  const watched = searches || accumulators.some((a) => (a.op === "max" || a.op === "min") && isFloat(a.dtype));
  const most = !watched ? 8 : alongOutput && !searches ? 2 : 4;
  const copies = Math.min(most, heavy ? 2 : nodes <= 4 ? 8 : nodes <= 16 ? 4 : 2, Math.max(1, Math.floor(8 / accumulators.length)));
  // Where all terms are written out, each is a stream of its own, and few of these at a time stay in the nearest cache.
  return alongOutput && !searches && nodes * sizeOf(reduceDims) <= unrollNodes ? Math.min(copies, 2) : copies;
}

/** Chooses the loop order, the dimension for SIMD lanes (not one of the first `bound`), and how many vectors go side by side. */
export function planNest(kernel: Kernel, simd: boolean, bound = 0): NestPlan {
  const outputs = kernel.dims.length;
  const sizes = [...kernel.dims, ...kernel.reduceDims];
  const facts = factsOf(kernel);
  const { nodes, dependence } = facts;
  const scalar: NestPlan = { order: sizes.map((_, d) => d), lanes: 1, laneDim: -1, copies: 1, nodes, dependence };
  if (!simd || sizes.includes(0)) return scalar;
  let lanes: Lanes = facts.bools && !facts.searches ? 16 : facts.wide ? 2 : 4;
  let laneDim = bestLaneDim(kernel, facts, lanes, bound);
  if (laneDim < 0 && lanes === 16) {
    lanes = 4;
    laneDim = bestLaneDim(kernel, facts, lanes, bound);
  }
  if (laneDim < 0) return scalar;
  /** The lanes' loop is the innermost of the outputs or of the reduction. */
  const inner = (from: number, to: number): number[] => {
    const dims = Array.from({ length: to - from }, (_, i) => from + i).filter((d) => d !== laneDim);
    return laneDim >= from && laneDim < to ? [...dims, laneDim] : dims;
  };
  const copies = Math.max(1, Math.min(copiesAlong(kernel, facts, laneDim), Math.floor(sizes[laneDim]! / lanes)));
  return { order: [...inner(0, outputs), ...inner(outputs, sizes.length)], lanes, laneDim, copies, nodes, dependence };
}
