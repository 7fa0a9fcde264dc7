import { byStride, type Contraction, asContraction, dimensionsOf, mergedStride } from "../../kernel/contraction.js";
import type { Affine, BufferId, Expr } from "../../kernel/expr.js";
import { contiguousStrides } from "../../base/shape.js";
import type { BufferInfo, Kernel } from "../../kernel/schedule.js";

/** Matrices in a buffer, one behind the other; strides in elements. */
export interface Matrix {
  readonly buffer: BufferId;
  readonly offset: number;
  readonly batch: number;
  readonly row: number;
  readonly column: number;
}

/** `C = A B` for each of a batch; A has m rows and k columns, B k rows and n columns. */
export interface Matrices {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Matrix;
  readonly b: Matrix;
  readonly c: Matrix;
}

/** Products of at most so many multiplications are done by plain loops. */
const smallWork = 64;

/**
 * A kernel as products of matrices, where it is one: `prepare` are kernels that first copy a factor that does not lie evenly in memory
 * into a buffer made by `newBuffer`.
 */
export function asMatrices(kernel: Kernel, buffers: readonly BufferInfo[], newBuffer: (info: BufferInfo) => BufferId): { readonly prepare: readonly Kernel[]; readonly product: Matrices } | undefined {
  const c = asContraction(kernel);
  const [output, ...others] = kernel.outputs;
  if (!c || !output || others.length > 0 || output.value.op !== "accumulator" || output.base) return undefined;
  const count = (dims: readonly number[]): number => dims.reduce((x, d) => x * c.sizes[d]!, 1);
  if (count(c.m) * count(c.n) <= 1 || count(c.k) <= 1 || count(kernel.dims.map((_, d) => d)) * count(c.k) <= smallWork) return undefined;
  const [m, n] = [byStride(output.index, c.m), byStride(output.index, c.n)];
  // Dimensions that do not join the others of theirs may count as batch.
  for (let i = 0; i <= m.length; i++)
    for (let j = 0; j <= n.length; j++) {
      const shape = { batch: byStride(output.index, [...c.batch, ...m.slice(0, i), ...n.slice(0, j)]), m: m.slice(i), n: n.slice(j), k: orderOf(c) };
      const strides = (index: Affine, rows: readonly number[], columns: readonly number[]): Omit<Matrix, "buffer"> | undefined => {
        const [batch, row, column] = [shape.batch, rows, columns].map((dims) => mergedStride(index, c.sizes, dims)) as [number | undefined, number | undefined, number | undefined];
        // Places are unsigned on the device.
        return batch === undefined || row === undefined || column === undefined || batch < 0 || row < 0 || column < 0 ? undefined : { offset: index.offset, batch, row, column };
      };
      const target = strides(output.index, shape.m, shape.n);
      if (!target) continue;
      const prepare: Kernel[] = [];
      const factor = (e: Expr, rows: readonly number[], columns: readonly number[]): Matrix | undefined => {
        if (e.op === "load" && !e.base) {
          const at = strides(e.index, rows, columns);
          if (at) return { buffer: e.buffer, ...at };
        }
        const changing = dimensionsOf(e);
        const dims = [...shape.batch, ...rows, ...columns].filter((d) => changing.has(d));
        // More elements than there are in memory, as in a convolution: to write them all costs more than it saves.
        if (e.op !== "load" || count(dims) > 2 * buffers[e.buffer]!.size) return undefined;
        const dense = contiguousStrides(dims.map((d) => c.sizes[d]!));
        const index: Affine = { offset: 0, strides: c.sizes.map((_, d) => (changing.has(d) ? dense[dims.indexOf(d)]! : 0)) };
        const at = strides(index, rows, columns);
        if (!at) return undefined;
        const buffer = newBuffer({ dtype: c.dtype, size: count(dims) });
        const source: Expr = { ...e, index: { offset: e.index.offset, strides: dims.map((d) => e.index.strides[d] ?? 0) } };
        prepare.push({ dims: dims.map((d) => c.sizes[d]!), reduceDims: [], accumulators: [], outputs: [{ buffer, index: { offset: 0, strides: dense }, value: source }] });
        return { buffer, ...at };
      };
      const a = factor(c.a, shape.m, shape.k);
      const b = a && factor(c.b, shape.k, shape.n);
      if (a && b) return { prepare, product: { batch: count(shape.batch), m: count(shape.m), n: count(shape.n), k: count(shape.k), a, b, c: { buffer: output.buffer, ...target } } };
    }
  return undefined;
}

const orderOf = (c: Contraction): number[] => (c.a.op === "load" ? byStride(c.a.index, c.k) : c.b.op === "load" ? byStride(c.b.index, c.k) : [...c.k]);
