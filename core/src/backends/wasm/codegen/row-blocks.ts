import { itemsize } from "../../../base/dtype.js";
import { contiguousStrides } from "../../../base/shape.js";
import { accumulator, type Affine, type BufferId, load } from "../../../kernel/expr.js";
import type { BufferInfo, Kernel } from "../../../kernel/schedule.js";
import { mapKernel, visitKernel } from "./normalize.js";
import { planNest } from "./plan.js";

/** A reduction as kernels that run one after the other; `partials` are the results between them, with ids from `firstPartial`. */
export interface RowBlocks {
  readonly kernels: readonly Kernel[];
  readonly partials: readonly BufferInfo[];
}

/** Rows that are read side by side: as many streams as the processor prefetches and its nearest address cache holds pages of. */
const blockRows = 16;
/** Where rows are shorter, or all of them fit the second cache, walking down a few columns at a time is as good. */
const minRowBytes = 1024;
const minBytes = 2 ** 18;
const maxPartialBytes = 2 ** 21;

/**
 * A sum, product or extremum down the columns of a row-major array, one vector of columns in a register, meets a new page with every row.
 * Instead a few rows at a time are reduced along their whole length, into partial results that are reduced in turn; undefined where this
 * gains nothing. Sums come out as accurate as by blocks of that many terms.
 */
export function splitRows(kernel: Kernel, simd: boolean, firstPartial: BufferId): RowBlocks | undefined {
  const { dims, reduceDims, accumulators } = kernel;
  const rows = reduceDims[0];
  const lane = dims.length - 1;
  if (rows === undefined || reduceDims.length !== 1 || lane < 0 || rows < 4 * blockRows) return undefined;
  if (accumulators.some((a) => a.op === "argmax" || a.op === "argmin")) return undefined;
  const plan = planNest(kernel, simd);
  if (plan.laneDim !== lane) return undefined;
  let rowBytes = 0;
  let guarded = false;
  visitKernel(kernel, (e) => {
    if (e.op === "guard") guarded = true;
    if (e.op === "load" && e.index.strides[lane] === 1) rowBytes = Math.max(rowBytes, Math.abs(e.index.strides[dims.length] ?? 0) * itemsize(e.dtype));
  });
  const last = dims[lane]!;
  if (guarded || last < 64 || rowBytes < minRowBytes || rowBytes * rows < minBytes) return undefined;

  const cells = dims.reduce((n, d) => n * d, 1);
  const bytes = accumulators.reduce((n, a) => n + itemsize(a.dtype), 0) * cells;
  let size = blockRows;
  while (Math.ceil(rows / size) * bytes > maxPartialBytes) size *= 2;
  const blocks = Math.floor(rows / size);
  const rest = rows - blocks * size;
  if (blocks < 2) return undefined;
  const count = blocks + (rest > 0 ? 1 : 0);

  const within = contiguousStrides(dims);
  const strideOf = (a: Affine, d: number): number => a.strides[d] ?? 0;
  const outerStrides = (a: Affine): number[] => dims.map((_, d) => strideOf(a, d));
  const partial = (i: number, strides: readonly number[], offset: number) => ({ buffer: firstPartial + i, index: { offset, strides }, value: accumulator(accumulators[i]!.dtype, i) });
  // Accumulators alone: what the outputs do with them comes last.
  const bare = { ...kernel, outputs: [] };
  const whole = mapKernel(bare, [...dims, blocks], [size], (a) => ({ offset: a.offset, strides: [...outerStrides(a), strideOf(a, dims.length) * size, strideOf(a, dims.length)] }));
  const kernels: Kernel[] = [{ ...whole, outputs: accumulators.map((_, i) => partial(i, [...within, cells], 0)) }];
  if (rest > 0) {
    const remainder = mapKernel(bare, dims, [rest], (a) => ({ offset: a.offset + strideOf(a, dims.length) * size * blocks, strides: a.strides }));
    kernels.push({ ...remainder, outputs: accumulators.map((_, i) => partial(i, within, blocks * cells)) });
  }
  kernels.push({
    dims, reduceDims: [count],
    accumulators: accumulators.map((a, i) => ({ ...a, value: load(a.dtype, firstPartial + i, { offset: 0, strides: [...within, cells] }) })),
    outputs: kernel.outputs,
  });
  return { kernels, partials: accumulators.map((a) => ({ dtype: a.dtype, size: count * cells })) };
}
