import { range } from "../base/shape.js";
import type { Affine, Expr } from "../kernel/expr.js";
import { type Kernel, longestLoop } from "../kernel/schedule.js";
import { affines, reindex, substitute } from "../kernel/reindex.js";

/**
 * Drops loop dimensions of size 1 and merges neighbours that every access walks through evenly, so that backends see few long loops.
 * Output and reduced dimensions are not merged with each other.
 */
export function simplifyKernel(kernel: Kernel): Kernel {
  const sizes = [...kernel.dims, ...kernel.reduceDims];
  const split = kernel.dims.length;
  const all: Affine[] = [...kernel.accumulators.flatMap((a) => affines(a.value)), ...[...kernel.outputs, ...(kernel.stores ?? [])].flatMap((o) => [...affines(o.value), padded(o.index, sizes.length)])];
  const groups: number[][] = [];
  let length = 1;
  range(sizes.length).forEach((d) => {
    if (sizes[d] === 1) return;
    const group = groups.at(-1);
    const before = group?.at(-1);
    const mergeable = before !== undefined && length * sizes[d]! <= longestLoop && before < split === d < split && all.every((a) => (a.strides[before] ?? 0) === (a.strides[d] ?? 0) * sizes[d]!);
    length = mergeable ? length * sizes[d]! : sizes[d]!;
    if (mergeable) group!.push(d);
    else groups.push([d]);
  });
  if (groups.length === sizes.length) return kernel;
  const ndim = groups.length;
  const subst: Affine[] = sizes.map(() => ({ offset: 0, strides: new Array<number>(ndim).fill(0) }));
  groups.forEach((g, j) => (subst[g.at(-1)!] = { offset: 0, strides: range(ndim).map((k) => (k === j ? 1 : 0)) }));
  const merged = groups.map((g) => g.reduce((n, d) => n * sizes[d]!, 1));
  const outer = groups.filter((g) => g[0]! < split).length;
  const again = (e: Expr) => reindex(e, subst, ndim);
  const outputIndex = (a: Affine): Affine => ({ offset: a.offset, strides: groups.slice(0, outer).map((g) => a.strides[g.at(-1)!] ?? 0) });
  return {
    dims: merged.slice(0, outer),
    reduceDims: merged.slice(outer),
    accumulators: kernel.accumulators.map((a) => ({ ...a, value: again(a.value) })),
    outputs: kernel.outputs.map((o) => ({ ...o, index: outputIndex(o.index), value: again(o.value) })),
    ...(kernel.stores && { stores: kernel.stores.map((o) => ({ ...o, index: substitute(o.index, subst, ndim), value: again(o.value) })) }),
  };
}

const padded = (a: Affine, ndim: number): Affine => ({ offset: a.offset, strides: range(ndim).map((d) => a.strides[d] ?? 0) });
