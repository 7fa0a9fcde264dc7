import { sizeOf } from "../../base/shape.js";
import { byStride } from "../../kernel/contraction.js";
import type { Affine } from "../../kernel/expr.js";
import type { Kernel, KernelOutput } from "../../kernel/schedule.js";
import { mapAffines, reindex, substitute } from "../../kernel/reindex.js";
import { visitKernel } from "../../kernel/traverse.js";

/** The coarsest dimensions of which those of both lists are products of neighbours; undefined if there are none. */
export function commonDims(x: readonly number[], y: readonly number[]): readonly number[] | undefined {
  if (x.length === y.length && x.every((n, d) => n === y[d])) return x;
  if (sizeOf(x) !== sizeOf(y)) return undefined;
  // A dimension begins where the product of all later ones stands in either list.
  const marks = new Set<number>([1]);
  for (const dims of [x, y]) {
    let n = 1;
    for (let d = dims.length - 1; d >= 0; d--) marks.add((n *= dims[d]!));
  }
  const sorted = [...marks].sort((a, b) => a - b);
  const out: number[] = [];
  for (let k = 1; k < sorted.length; k++) {
    if (sorted[k]! % sorted[k - 1]! !== 0) return undefined;
    out.unshift(sorted[k]! / sorted[k - 1]!);
  }
  return out;
}

/** The same kernel with its loops split: `dims` and `reduceDims` are refinements of its own. */
export function splitLoops(kernel: Kernel, dims: readonly number[], reduceDims: readonly number[]): Kernel {
  if (kernel.dims.length === dims.length && kernel.reduceDims.length === reduceDims.length) return kernel;
  const old = [...kernel.dims, ...kernel.reduceDims];
  const loops = [...dims, ...reduceDims];
  const ndim = loops.length;
  let next = 0;
  const subst = old.map((n): Affine => {
    const first = next;
    let product = 1;
    while (product < n) product *= loops[next++]!;
    const strides = new Array<number>(ndim).fill(0);
    for (let d = first, step = n; d < next; d++) strides[d] = step /= loops[d]!;
    return { offset: 0, strides };
  });
  const output = (o: KernelOutput): KernelOutput => ({ ...o, index: substitute(o.index, subst, ndim), value: reindex(o.value, subst, ndim) });
  return {
    dims,
    reduceDims,
    accumulators: kernel.accumulators.map((a) => ({ ...a, value: reindex(a.value, subst, ndim) })),
    outputs: kernel.outputs.map((o) => {
      const { index, ...rest } = output(o);
      return { ...rest, index: { offset: index.offset, strides: index.strides.slice(0, dims.length) } };
    }),
    stores: kernel.stores?.map(output),
  };
}

/** Two kernels over one set of loops. */
export type Fitted = readonly [Kernel, Kernel];

/**
 * The loops of two kernels made equal, where that can be done by splitting them: those of both alike; or an elementwise kernel goes with
 * the outputs of one that reduces, or with its terms, where what it writes becomes stores.
 */
export function fit(a: Kernel, b: Kernel): Fitted | undefined {
  const [ra, rb] = [a.accumulators.length > 0, b.accumulators.length > 0];
  const dims = commonDims(a.dims, b.dims);
  if (ra && rb) {
    const reduceDims = commonDims(a.reduceDims, b.reduceDims);
    return dims && reduceDims && [splitLoops(a, dims, reduceDims), splitLoops(b, dims, reduceDims)];
  }
  if (dims) return [splitLoops(a, dims, a.reduceDims), splitLoops(b, dims, b.reduceDims)];
  if (!ra && !rb) return undefined;
  const [reducing, mapping] = ra ? [a, b] : [b, a];
  const loops = commonDims([...reducing.dims, ...reducing.reduceDims], mapping.dims);
  if (!loops) return undefined;
  let at = 0;
  for (let n = 1, all = sizeOf(reducing.dims); n < all; ) n *= loops[at++]!;
  const [outer, inner] = [loops.slice(0, at), loops.slice(at)];
  const whole = splitLoops(reducing, outer, inner);
  const { outputs } = splitLoops(mapping, loops, []);
  const beside: Kernel = { dims: outer, reduceDims: inner, accumulators: [], outputs: [], stores: outputs };
  return ra ? [whole, beside] : [beside, whole];
}

/** An elementwise kernel with its loops in the order in which it walks through what the first writes; undefined where that is the order they have, or there is none. */
export function inOrderOf(first: Kernel, second: Kernel): Kernel | undefined {
  if (second.accumulators.length > 0) return undefined;
  const { buffer } = first.outputs[0]!;
  let walk: Affine | undefined;
  visitKernel(second, (e) => { if (e.op === "load" && e.buffer === buffer) walk ??= e.index; });
  if (!walk) return undefined;
  const { strides } = walk;
  const order = byStride(walk, second.dims.map((_, d) => d));
  if (order.every((d, i) => d === i) || order.some((d) => (strides[d] ?? 0) <= 0)) return undefined;
  const place = (a: Affine): Affine => ({ offset: a.offset, strides: order.map((d) => a.strides[d] ?? 0) });
  return { ...second, dims: order.map((d) => second.dims[d]!), outputs: second.outputs.map((o) => ({ ...o, index: place(o.index), value: mapAffines(o.value, place) })) };
}

/** True if the kernel was fitted to the terms of a reduction. */
export const isBeside = (k: Kernel): boolean => k.accumulators.length === 0 && k.stores !== undefined;
