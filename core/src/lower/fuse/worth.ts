import { isFloat } from "../../base/dtype.js";
import { asContraction } from "../../kernel/contraction.js";
import { type Expr, visitExpr } from "../../kernel/expr.js";
import type { Facts } from "./facts.js";
import { placeKey } from "./place.js";
import { isBeside } from "./refine.js";

/** Loops of fewer elements cost less than the call of another kernel and its pass through memory. */
export const smallCount = 512;
const maxOutputs = 8;
const maxNodes = 192;
const maxAccumulators = 4;
const maxBesideExtremum = 3;
/** After sums along rows an epilogue runs one output at a time. What vectors do faster may stand in it for so few outputs. */
const fewOutputs = 4;
/** A division takes longer alone than its share of a vector, by about the time of so many terms. */
const termsPerDivision = 48;
/** A row that is shorter leaves too much to its end, where vectors do not fit; the more so the more an element costs. */
const shortRow = 16;
const longRow = 64;
const manyNodes = 8;

const intersects = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => {
  for (const x of a) if (b.has(x)) return true;
  return false;
};

/** How many output dimensions one factor alone changes with, of a sum of products. */
function ownDims({ kernel, terms }: Facts): { a: number; b: number } {
  const c = terms > 1 ? asContraction(kernel) : undefined;
  return { a: c?.m.length ?? 0, b: c?.n.length ?? 0 };
}

/**
 * Sums of products with an output dimension along which one factor stays: matrix products and convolutions, in which each element serves many
 * outputs. Their loops are made by other means, for one accumulator.
 */
export const isContraction = (f: Facts): boolean => {
  const own = ownDims(f);
  return own.a + own.b > 0;
};

/** Both factors stay along some dimension: what comes out of the inner loops are blocks of vectors. */
const isMatrixProduct = (f: Facts): boolean => {
  const own = ownDims(f);
  return own.a > 0 && own.b > 0;
};

/** True where vectors lie along the terms. */
function alongRows({ kernel }: Facts): boolean {
  let found = false;
  for (const a of kernel.accumulators)
    visitExpr(a.value, (x) => {
      if (x.op === "load" && x.index.strides.slice(kernel.dims.length).includes(1)) found = true;
    });
  return found;
}

function divisions({ kernel }: Facts): number {
  let n = 0;
  const seen = new Set<Expr>();
  for (const o of kernel.outputs)
    visitExpr(o.value, (x) => {
      if (x.op === "binary" && x.fn === "div") n++;
      else if (x.op === "unary" && (x.fn === "sqrt" || x.fn === "rsqrt")) n += 2;
    }, seen);
  return n;
}

const isReduction = (f: Facts): boolean => f.kernel.accumulators.length > 0;
const writes = ({ kernel }: Facts): number => kernel.outputs.length + (kernel.stores?.length ?? 0);

/**
 * Extrema of floats and searches hold several registers for each vector: beside another accumulator fewer vectors go at once, which costs more
 * than reading twice (measured, in and out of the caches) unless there is much to compute for each term. The bits of float32 serve max and min
 * of one value together, and leave room for sums.
 */
function roomy(first: Facts, second: Facts): boolean {
  if (Math.min(first.nodes, second.nodes) > manyNodes) return true;
  const accumulators = [...first.kernel.accumulators, ...second.kernel.accumulators];
  if (accumulators.some((a) => a.op === "argmax" || a.op === "argmin")) return false;
  const extrema = accumulators.filter((a) => (a.op === "max" || a.op === "min") && isFloat(a.dtype));
  const values = new Set(extrema.map(({ value: e }) => (e.op === "load" ? placeKey(e.buffer, e.index, e.base) : e)));
  return extrema.length === 0 || (values.size === 1 && accumulators.length <= maxBesideExtremum && extrema.every((a) => a.dtype === "float32"));
}

/** An elementwise kernel beside the terms of a reduction: it is vectorized row by row then. */
function besidePays(beside: Facts, reduction: Facts, small: boolean, related: boolean): boolean {
  if (small) return true;
  if (isContraction(reduction) || reduction.terms < (beside.heavyTerms > 0 ? longRow : shortRow)) return false;
  const { dims, reduceDims, stores } = beside.kernel;
  const last = dims.length + reduceDims.length - 1;
  return stores!.every((o) => o.index.strides[last] === 1) && (related || intersects(beside.streams, reduction.streams));
}

/**
 * False where no fitting of loops makes two kernels pay to be one, neither of which reads what the other writes: they are large and stream
 * through nothing in common.
 */
export function mayShare(first: Facts, second: Facts): boolean {
  if (Math.max(first.count * first.terms, second.count * second.terms) <= smallCount) return true;
  for (const id of first.moving) if (second.moving.has(id)) return true;
  return false;
}

/** Whether two kernels over the same loops may pay to be one; `related` if one reads what the other writes. */
export function mayPay(first: Facts, second: Facts, related: boolean, { maxBuffers, plainProducts }: { readonly maxBuffers: number; readonly plainProducts?: boolean }): boolean {
  if (writes(first) + writes(second) > maxOutputs + 2) return false;
  const accumulators = first.kernel.accumulators.length + second.kernel.accumulators.length;
  if (accumulators > maxAccumulators) return false;
  if (new Set([...first.buffers, ...second.buffers]).size > maxBuffers + 2) return false;
  const small = first.count * Math.max(first.terms, second.terms) <= smallCount;
  if (!small) {
    // Narrow elements would go at the pace of the wide ones, and a guard takes its whole kernel apart.
    if (first.wide !== second.wide) return false;
    if (first.guarded !== second.guarded && !related) return false;
  }
  if (isBeside(first.kernel)) return besidePays(first, second, small, related);
  if (isBeside(second.kernel)) return besidePays(second, first, small, related);
  if (isReduction(first) && isReduction(second)) return small || (!isContraction(first) && !isContraction(second) && intersects(first.streams, second.streams) && roomy(first, second));
  if (isReduction(first) || isReduction(second)) {
    const elementwise = isReduction(first) ? second : first;
    const reduction = isReduction(first) ? first : second;
    if (plainProducts && isContraction(reduction)) return false;
    return (related || small) && (first.count <= fewOutputs || isMatrixProduct(reduction) || !alongRows(reduction) || (elementwise.heavyOutputs === 0 && divisions(elementwise) * termsPerDivision <= reduction.terms));
  }
  if (!small && first.dense.length > 0 && second.dense.length > 0 && !first.dense.some((d) => second.dense.includes(d))) return false;
  return related || small || intersects(first.streams, second.streams);
}

/** Whether what became of two kernels is within the limits. */
export const pays = (whole: Facts, maxBuffers: number): boolean => writes(whole) <= maxOutputs && whole.nodes <= maxNodes && whole.buffers.size <= maxBuffers;
