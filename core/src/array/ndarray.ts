import type { DType } from "../base/dtype.js";
import { type Shape, sizeOf } from "../base/shape.js";
import { itemsize } from "../base/dtype.js";
import type { Aval } from "../ir/aval.js";
import { ArrayMethods } from "./methods.js";

/**
 * Immutable n-dimensional array: concrete, or a tracer that stands for one while a transform runs.
 * Functions take NumPy's names (`np.subtract`); the methods here are their short forms.
 */
export abstract class NDArray extends ArrayMethods {
  abstract readonly aval: Aval;

  get shape(): Shape { return this.aval.shape; }
  get dtype(): DType { return this.aval.dtype; }
  /** True for values of plain JavaScript numbers, whose dtype gives way to that of the other operand. */
  get weak(): boolean { return this.aval.weak; }
  get ndim(): number { return this.aval.shape.length; }
  get size(): number { return sizeOf(this.aval.shape); }
  get nbytes(): number { return this.size * itemsize(this.aval.dtype); }
  /** Name of the device that holds the elements. */
  abstract readonly device: string;
}
