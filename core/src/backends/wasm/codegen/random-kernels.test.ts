import fc from "fast-check";
import { describe, it } from "vitest";
import { allDTypes, isFloat } from "../../../base/dtype.js";
import type { DType } from "../../../base/dtype.js";
import { accumulator, binary, cast, constant, gather, guard, index, load, select, unary } from "../../../kernel/expr.js";
import type { Affine, BinaryFn, Bound, Expr, UnaryFn } from "../../../kernel/expr.js";
import { contiguousStrides, sizeOf } from "../../../base/shape.js";
import type { Accumulate, Kernel, ReduceOp, Step } from "../../../kernel/schedule.js";
import type { BufferInfo } from "../../../kernel/schedule.js";
import { referenceBackend } from "../../reference/index.js";
import { expectSame, kernelStep, random, randomArray, runOn, schedule } from "../test-support.js";

/** Builds a random kernel from a seed: shared subexpressions, strided and guarded loads, gathers, indices, casts, reductions. */
function build(seed: number) {
  const next = random(seed);
  const below = (n: number): number => Math.floor(next() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const dims = Array.from({ length: below(4) }, () => pick([1, 2, 3, 4, 5, 8, 9, 13, 17]));
  const reducing = next() < 0.5;
  const reduceDims = reducing ? Array.from({ length: 1 + below(2) }, () => pick([1, 2, 3, 5, 8, 11, 16, 19])) : [];
  const sizes = [...dims, ...reduceDims];
  const inputs: { dtype: DType; size: number }[] = [];
  const newInput = (dtype: DType, size: number): number => inputs.push({ dtype, size }) - 1;

  /** In range for all indices: offset and the size that the buffer needs. */
  const randomAffine = (rank: number, spread: number): { affine: Affine; size: number } => {
    const contiguous = next() < 0.6;
    let step = 1;
    const strides = new Array<number>(rank).fill(0);
    for (let d = rank - 1; d >= 0; d--) {
      strides[d] = contiguous ? (next() < 0.8 ? step : 0) : pick([0, 1, 1, -1, 2, spread]);
      step *= sizes[d]!;
    }
    const reach = strides.map((s, d) => s * (sizes[d]! - 1));
    const low = reach.reduce((m, r) => m + Math.min(0, r), 0);
    const high = reach.reduce((m, r) => m + Math.max(0, r), 0);
    const margin = below(3);
    return { affine: { offset: margin - low, strides }, size: high - low + 1 + margin };
  };

  const pool = new Map<DType, Expr[]>();
  const keep = (e: Expr): Expr => {
    const list = pool.get(e.dtype) ?? [];
    list.push(e);
    pool.set(e.dtype, list);
    return e;
  };
  const leaf = (dtype: DType, rank: number): Expr => {
    if (next() < 0.2) return constant(dtype, dtype === "bool" ? below(2) : isFloat(dtype) ? pick([0.5, -1.25, 3]) : below(5));
    if (dtype === "int32" && next() < 0.3) {
      const { affine } = randomAffine(rank, 3);
      return index(affine);
    }
    const { affine, size } = randomAffine(rank, 7);
    if (next() < 0.15) {
      const n = 1 + below(20);
      return gather(dtype, newInput(dtype, n), binary("rem", unary("abs", index(affine)), constant("int32", n)));
    }
    return load(dtype, newInput(dtype, size), affine);
  };
  const guarded = (dtype: DType, rank: number, depth: number): Expr => {
    const { affine, size } = randomAffine(rank, 2);
    const shift = below(5) - 2;
    const lo = below(size);
    const hi = lo + 1 + below(size);
    const step = pick([1, 1, 1, 2, 3]);
    const bound: Bound = { index: { offset: affine.offset + shift, strides: affine.strides }, lo, hi, step };
    // In range exactly where the guard holds.
    const buffer = newInput(dtype, hi - lo);
    const inside = load(dtype, buffer, { offset: affine.offset + shift - lo, strides: affine.strides });
    return guard([bound], next() < 0.5 ? inside : combine(dtype, inside, expr(dtype, rank, depth - 1)), expr(dtype, rank, depth - 1));
  };
  const combine = (dtype: DType, a: Expr, b: Expr): Expr => {
    const fns: BinaryFn[] = isFloat(dtype) ? ["add", "sub", "mul", "max", "min", "div"] : dtype === "bool" ? ["and", "or", "xor"] : ["add", "sub", "mul", "max", "min", "and", "or", "xor", "div", "rem", "shiftLeft", "shiftRight", "shiftRightArithmetic"];
    return binary(pick(fns), a, b);
  };
  function expr(dtype: DType, rank: number, depth: number): Expr {
    const known = pool.get(dtype);
    if (known && next() < 0.25) return pick(known);
    if (depth <= 0 || next() < 0.1) return keep(leaf(dtype, rank));
    const r = next();
    if (r < 0.45) return keep(combine(dtype, expr(dtype, rank, depth - 1), expr(dtype, rank, depth - 1)));
    if (r < 0.6) {
      const fns: UnaryFn[] = isFloat(dtype) ? ["neg", "abs", "sign", "floor", "ceil", "round", "trunc"] : dtype === "bool" ? ["not"] : ["neg", "abs", "sign", "not"];
      return keep(unary(pick(fns), expr(dtype, rank, depth - 1)));
    }
    if (r < 0.72) {
      const from = pick(allDTypes);
      if (dtype === "bool") return keep(binary(pick(["eq", "ne", "lt", "le", "gt", "ge"] as const), expr(from, rank, depth - 1), expr(from, rank, depth - 1)));
      return keep(cast(dtype, expr(from, rank, depth - 1)));
    }
    if (r < 0.86) return keep(select(expr("bool", rank, depth - 1), expr(dtype, rank, depth - 1), expr(dtype, rank, depth - 1)));
    return keep(guarded(dtype, rank, depth));
  }

  // Few dtypes a kernel, so that lanes of both widths get their share.
  const dtype = pick(allDTypes);
  const accumulators: Accumulate[] = [];
  if (reducing)
    for (let i = 0; i <= below(2); i++) {
      const ops: ReduceOp[] = isFloat(dtype) ? ["add", "max", "min", "argmax", "argmin"] : dtype === "bool" ? ["and", "or", "xor"] : ["add", "mul", "max", "min", "and", "or", "xor", "argmax", "argmin"];
      const op = pick(ops);
      accumulators.push({ op, dtype: op === "argmax" || op === "argmin" ? "int32" : dtype, value: expr(dtype, sizes.length, 3) });
    }
  pool.clear();
  const outputs: BufferInfo[] = [];
  const outputExprs: { value: Expr; index: Affine }[] = [];
  const count = reducing ? accumulators.length : 1 + below(2);
  for (let i = 0; i < count; i++) {
    const value = reducing ? accumulator(accumulators[i]!.dtype, i) : expr(i === 0 ? dtype : pick(allDTypes), dims.length, 4);
    let step = 1;
    const flip = next() < 0.15;
    const strides = new Array<number>(dims.length);
    for (let d = dims.length - 1; d >= 0; d--) {
      strides[d] = flip && d === dims.length - 1 ? -step : step;
      step *= dims[d]!;
    }
    const offset = flip && dims.length > 0 ? dims[dims.length - 1]! - 1 : 0;
    outputs.push({ dtype: value.dtype, size: step });
    outputExprs.push({ value, index: { offset, strides } });
  }
  // Elements stored beside the accumulation.
  const stores: { value: Expr; index: Affine }[] = [];
  pool.clear();
  if (reducing && next() < 0.5)
    for (let i = 0; i <= below(2); i++) {
      const value = expr(i === 0 ? dtype : pick(allDTypes), sizes.length, 3);
      stores.push({ value, index: { offset: 0, strides: contiguousStrides(sizes) } });
      outputs.push({ dtype: value.dtype, size: sizeOf(sizes) });
    }
  // Outputs updated in place: each may take in what it and the others held at this index.
  const inPlace = next() < 0.4;
  const first = inputs.length;
  if (inPlace) inputs.push(...outputs);
  const outputAt = inputs.length;
  const isSum = (a: Accumulate): boolean => a.op === "add" && isFloat(a.dtype);
  /** A rounded sum takes in others by addition alone: a quotient or a difference of products would enlarge its rounding without bound. */
  const take = (v: Expr, held: Expr, sum: boolean): Expr => sum ? binary(pick(["add", "sub"] as const), v, held) : combine(v.dtype, v, held);
  const updated = (list: readonly { value: Expr; index: Affine }[], from: number, sums: readonly boolean[]) => list.map(({ value, index: at }, i) => {
    const others = list.map((o, k) => [o, from + k] as const).filter(([o]) => inPlace && o.value.dtype === value.dtype && next() < 0.7);
    return { index: at, buffer: from + i, value: others.reduce((v, [o, id]) => take(v, load(value.dtype, id, o.index), sums[i] ?? false), value) };
  });
  const sums = accumulators.map(isSum);
  const kernel: Kernel = { dims, reduceDims, accumulators, outputs: updated(outputExprs, outputAt, sums), ...(stores.length && { stores: updated(stores, outputAt + outputExprs.length, []) }) };
  const arrays = inputs.map(({ dtype: d, size }, i) => randomArray(d, size, seed + i));
  const fill: Step[] = inPlace ? outputs.map((o, i) => ({ kind: "copy", from: first + i, to: outputAt + i, count: o.size })) : [];
  const whole = (k: Kernel) => schedule(arrays, outputs, [...fill, kernelStep(k)]);
  const magnitudes: Kernel = { ...kernel, outputs: outputExprs.map((o, i) => ({ ...o, buffer: outputAt + i })), accumulators: accumulators.map((a) => isSum(a) ? { ...a, value: unary("abs", a.value) } : a) };
  return { schedule: whole(kernel), arrays, sums, terms: sizeOf(reduceDims), magnitudes: whole(magnitudes) };
}

/** Two orders of adding n numbers differ by at most n u sum |x_i| (Higham, Accuracy and Stability, 4.2), and what is held before (at most a few numbers below 2) rounds once each. */
function roundingOfSums({ arrays, sums, terms, magnitudes }: ReturnType<typeof build>): { ulps: number; scale: (output: number, element: number) => number } {
  const scales = runOn(referenceBackend, magnitudes, arrays);
  // Nothing is known of a sum whose magnitudes overflow: it may be infinite in one order and finite in another.
  return { ulps: terms + 8, scale: (output, element) => sums[output] ? scales[output]![element]! + 16 : 0 };
}

const numRuns = Number(process.env["HESSIA_RUNS"] ?? 400);

describe("random kernels", () => {
  it("agree with the reference, with and without SIMD", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 30 }), (seed) => {
      const built = build(seed);
      if (!built.sums.includes(true)) expectSame(built.schedule, built.arrays, 0, () => `seed ${seed}`);
      else {
        const { ulps, scale } = roundingOfSums(built);
        expectSame(built.schedule, built.arrays, (output) => built.sums[output] ? ulps : 0, () => `seed ${seed}`, scale);
      }
    }), { numRuns });
  }, 60_000 + numRuns * 20);
});
