import { isFloat, type TypedArray } from "../../base/dtype.js";
import { asContraction } from "../../kernel/contraction.js";
import type { Kernel } from "../../kernel/schedule.js";
import { address } from "./evaluate.js";
import { fold, type Fold } from "./reduce.js";

/** Elements of an array, `step` apart. */
interface Row { readonly data: TypedArray; readonly from: number; readonly step: number }

/** A function of its own, which engines compile once for all kernels. */
function addProducts(sum: Fold, n: number, x: Row, y: Row): void {
  for (let r = 0; r < n; r++) sum.add((x.data[x.from + r * x.step] ?? 0) * (y.data[y.from + r * y.step] ?? 0));
}

/**
 * The one sum of a kernel, as a function of the output indices, where its terms are products of two floats that lie in memory: what
 * `evaluator` and `fold` do with one rounding less, in a loop that engines compile well. Undefined for other kernels.
 */
export function sumOfProducts(kernel: Kernel, buffers: readonly TypedArray[]): ((i: readonly number[]) => number) | undefined {
  const c = asContraction(kernel);
  if (!c || !isFloat(c.dtype) || c.a.op !== "load" || c.b.op !== "load" || c.a.base || c.b.base || kernel.reduceDims.length === 0) return undefined;
  const { a, b } = c;
  const [x, y] = [buffers[a.buffer]!, buffers[b.buffer]!];
  const first = kernel.dims.length;
  const last = kernel.reduceDims.length - 1;
  const along = (strides: readonly number[]): number[] => kernel.reduceDims.map((_, d) => strides[first + d] ?? 0);
  const [alongA, alongB] = [along(a.index.strides), along(b.index.strides)];
  const [stepA, stepB] = [alongA[last]!, alongB[last]!];
  return (i) => {
    const sum = fold("add", c.dtype);
    const go = (d: number, fromA: number, fromB: number): void => {
      const n = kernel.reduceDims[d]!;
      if (d < last) for (let r = 0; r < n; r++) go(d + 1, fromA + r * alongA[d]!, fromB + r * alongB[d]!);
      else addProducts(sum, n, { data: x, from: fromA, step: stepA }, { data: y, from: fromB, step: stepB });
    };
    go(0, address(a.index, i), address(b.index, i));
    return sum.result();
  };
}
