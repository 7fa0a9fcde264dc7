import { itemsize } from "../../../base/dtype.js";
import { contiguousStrides } from "../../../base/shape.js";
import { accumulator, type Affine, binary, type BufferId, constant, gather, index, load, rewrite } from "../../../kernel/expr.js";
import type { Accumulate, BufferInfo, Kernel } from "../../../kernel/schedule.js";
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
  const search = accumulators.some((a) => a.op === "argmax" || a.op === "argmin");
  // A search goes back to the block that it has found.
  if (search && (accumulators.length > 1 || accumulators[0]!.value.op !== "load" || accumulators[0]!.value.base)) return undefined;
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
  const between: readonly Accumulate[] = search ? accumulators.map((a) => ({ ...a, op: a.op === "argmax" ? "max" : "min", dtype: a.value.dtype })) : accumulators;
  const bytes = between.reduce((n, a) => n + itemsize(a.dtype), 0) * cells;
  let size = blockRows;
  while (Math.ceil(rows / size) * bytes > maxPartialBytes) size *= 2;
  const blocks = Math.floor(rows / size);
  const rest = rows - blocks * size;
  if (blocks < 2) return undefined;
  const count = blocks + (rest > 0 ? 1 : 0);

  const within = contiguousStrides(dims);
  const strideOf = (a: Affine, d: number): number => a.strides[d] ?? 0;
  const outerStrides = (a: Affine): number[] => dims.map((_, d) => strideOf(a, d));
  const partial = (i: number, strides: readonly number[], offset: number) => ({ buffer: firstPartial + i, index: { offset, strides }, value: accumulator(between[i]!.dtype, i) });
  // Accumulators alone: what the outputs do with them comes last.
  const bare = { ...kernel, accumulators: between, outputs: [] };
  const whole = mapKernel(bare, [...dims, blocks], [size], (a) => ({ offset: a.offset, strides: [...outerStrides(a), strideOf(a, dims.length) * size, strideOf(a, dims.length)] }));
  const kernels: Kernel[] = [{ ...whole, outputs: between.map((_, i) => partial(i, [...within, cells], 0)) }];
  if (rest > 0) {
    const remainder = mapKernel(bare, dims, [rest], (a) => ({ offset: a.offset + strideOf(a, dims.length) * size * blocks, strides: a.strides }));
    kernels.push({ ...remainder, outputs: between.map((_, i) => partial(i, within, blocks * cells)) });
  }
  const partials = between.map((a) => ({ dtype: a.dtype, size: count * cells }));
  const over: Kernel = {
    dims, reduceDims: [count],
    accumulators: accumulators.map((a, i) => ({ ...a, value: load(between[i]!.dtype, firstPartial + i, { offset: 0, strides: [...within, cells] }) })),
    outputs: kernel.outputs,
  };
  const [found] = accumulators;
  if (!search || found?.value.op !== "load") return { kernels: [...kernels, over], partials };
  // The first block with the extremum, then within it the first row; the last block may be short and repeats its last row.
  const chosen = firstPartial + partials.push({ dtype: "int32", size: cells }) - 1;
  const { dtype, buffer, index: at } = found.value;
  const first = binary("mul", load("int32", chosen, { offset: 0, strides: [...within, 0] }), constant("int32", size));
  const row = binary("min", binary("add", first, index({ offset: 0, strides: [...dims.map(() => 0), 1] })), constant("int32", rows - 1));
  const place = binary("add", index({ offset: at.offset, strides: [...outerStrides(at), 0] }), binary("mul", row, constant("int32", strideOf(at, dims.length))));
  const position = binary("add", accumulator("int32", 0), first);
  kernels.push(
    { ...over, outputs: [{ buffer: chosen, index: { offset: 0, strides: within }, value: accumulator("int32", 0) }] },
    {
      dims, reduceDims: [size], accumulators: [{ ...found, value: gather(dtype, buffer, place) }],
      outputs: kernel.outputs.map((o) => ({ ...o, value: rewrite(o.value, (e) => (e.op === "accumulator" ? position : undefined)) })),
    },
  );
  return { kernels, partials };
}
