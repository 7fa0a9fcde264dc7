import { itemsize } from "../../../../base/dtype.js";
import { accumulator, type Affine, binary, type BufferId, constant, type Expr, gather, index, rewrite } from "../../../../kernel/expr.js";
import type { BufferInfo, Kernel, KernelOutput } from "../../../../kernel/schedule.js";
import { visitKernel } from "../../../../kernel/traverse.js";
import { mapKernel } from "./normalize.js";
import { planNest } from "./plan.js";
import { RunningRows } from "./running-rows.js";

/** A reduction as kernels that run one after the other, and in their own order of loops; `partials` are buffers between them, with ids from `firstPartial`. */
export interface RowBlocks {
  readonly kernels: readonly Kernel[];
  readonly partials: readonly BufferInfo[];
}

/** Rows that are read side by side: as many streams as the processor prefetches and its nearest address cache holds pages of. */
const blockRows = 16;
/** Rows so far apart share one or two sets of the first cache, which hold 8 lines each. */
const crowdedBytes = 2048;
const crowdedRows = 8;
/** Where rows are shorter, or all of them fit the second cache, walking down a few columns at a time is as good. */
const minRowBytes = 1024;
const minBytes = 2 ** 18;

/**
 * A sum, product or extremum down the columns of a row-major array, one vector of columns in a register, meets a new page with every row.
 * Instead a few rows at a time are reduced along their whole length, and the results go into rows that stay in the first cache. Undefined
 * where this gains nothing.
 */
export function splitRows(kernel: Kernel, simd: boolean, firstPartial: BufferId): RowBlocks | undefined {
  const { dims, reduceDims, accumulators } = kernel;
  const rows = reduceDims[0];
  const lane = dims.length - 1;
  if (rows === undefined || reduceDims.length !== 1 || lane < 0 || rows < 4 * blockRows) return undefined;
  const [found] = accumulators;
  const search = found && (found.op === "argmax" || found.op === "argmin");
  // A search goes back to the block that it has found.
  if (accumulators.some((a) => a.op === "argmax" || a.op === "argmin") && (accumulators.length > 1 || found!.value.op !== "load" || found!.value.base)) return undefined;
  const plan = planNest(kernel, simd);
  if (plan.laneDim !== lane) return undefined;
  let rowBytes = 0;
  let guarded = false;
  visitKernel(kernel, (e) => {
    if (e.op === "guard") guarded = true;
    if (e.op === "load" && e.index.strides[lane] === 1) rowBytes = Math.max(rowBytes, Math.abs(e.index.strides[dims.length] ?? 0) * itemsize(e.dtype));
  });
  if (guarded || dims[lane]! < 64 || rowBytes < minRowBytes || rowBytes * rows < minBytes) return undefined;

  const size = rowBytes % crowdedBytes === 0 ? crowdedRows : blockRows;
  const blocks = Math.ceil(rows / size) - 1;
  const before = rows - blocks * size;
  const none = dims.map(() => 0);
  const running = new RunningRows(dims, blocks, index({ offset: before, strides: [...none, size] }), firstPartial);
  const results = accumulators.map((a) => running.add(a));

  const strideOf = (a: Affine, d: number): number => a.strides[d] ?? 0;
  const down = (a: Affine): number => strideOf(a, dims.length);
  const bare = { ...kernel, accumulators: running.accumulators, outputs: [] };
  const first = mapKernel(bare, dims, [before], (a) => a);
  const next = mapKernel(bare, [...dims, blocks], [size], (a) => ({ offset: a.offset + down(a) * before, strides: [...dims.map((_, d) => strideOf(a, d)), down(a) * size, down(a)] }));
  const kernels: Kernel[] = [{ ...first, outputs: running.first }, { ...next, outputs: running.next }];
  const finish = (values: readonly Expr[]): KernelOutput[] => kernel.outputs.map((o) => ({ ...o, value: rewrite(o.value, (e) => (e.op === "accumulator" ? values[e.i] : undefined)) }));
  if (!search || found.value.op !== "load") kernels.push({ dims, reduceDims: [], accumulators: [], outputs: finish(results) });
  else {
    // The first block may have fewer rows: none behind it is better.
    const { dtype, buffer, index: at } = found.value;
    const row = binary("add", results[0]!, index({ offset: 0, strides: [...none, 1] }));
    const place = binary("add", index({ offset: at.offset, strides: [...dims.map((_, d) => strideOf(at, d)), 0] }), binary("mul", row, constant("int32", down(at))));
    kernels.push({ dims, reduceDims: [size], accumulators: [{ ...found, value: gather(dtype, buffer, place) }], outputs: finish([binary("add", accumulator("int32", 0), results[0]!)]) });
  }
  return { kernels, partials: running.buffers };
}
