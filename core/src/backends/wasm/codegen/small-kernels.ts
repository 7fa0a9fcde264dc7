import { sizeOf } from "../../../base/shape.js";
import type { Kernel } from "../../../kernel/schedule.js";
import { visitKernel } from "../../../kernel/traverse.js";
import { isNativeBinary, isNativeUnary } from "./values/vector.js";

/** Kernels over so few elements are written into the loops around them, while these are not longer than so many bytes. */
const inlineElements = 64;
export const inlineBytes = 16384;

const scalarElements = 16;

const elementsOf = (kernel: Kernel): number => sizeOf(kernel.dims) * sizeOf(kernel.reduceDims);

const isCheap = (kernel: Kernel): boolean => {
  let cheap = true;
  visitKernel(kernel, (e) => {
    if ((e.op === "unary" && !isNativeUnary(e.fn, e.x.dtype)) || (e.op === "binary" && !isNativeBinary(e.fn, e.a.dtype))) cheap = false;
  });
  return cheap;
};

/** Whether a call would cost as much as the kernel does. */
export const isSmall = (kernel: Kernel): boolean => elementsOf(kernel) <= inlineElements;

/**
 * Whether each element goes by itself in a loop: a vector that is read across two that were written just before waits until these are in
 * memory, which takes longer than all the arithmetic.
 */
export const isTiny = (kernel: Kernel): boolean => elementsOf(kernel) <= scalarElements && isCheap(kernel);
