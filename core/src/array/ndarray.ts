import { type DType, itemsize, type TypedArray } from "../base/dtype.js";
import { ProgramError, ShapeError } from "../base/errors.js";
import { type Shape, sizeOf } from "../base/shape.js";
import type { Aval } from "../ir/aval.js";
import { bracketGuard } from "./no-brackets.js";


/** What a function of arrays accepts: an array, a number, a boolean, nested arrays of them, or a typed array. */
export type ArrayLike = NDArray | number | boolean | TypedArray | readonly ArrayLike[];
export type AxisArg = number | readonly number[] | null;
/** An index: integers, slices as "1:5:2" or {start, stop, step}, "...", null for a new axis, integer or boolean arrays. */
export type IndexItem = number | null | string | { readonly start?: number | null; readonly stop?: number | null; readonly step?: number | null } | NDArray | Int32Array | Uint32Array | IndexList;
/** Nested lists of integers or booleans. */
export type IndexList = readonly number[] | readonly boolean[] | readonly IndexList[];

/** The functional update `x.at(...index).set(v)`. */
export interface AtUpdate {
  get(): NDArray;
  set(values: ArrayLike): NDArray;
  add(values: ArrayLike): NDArray;
  sub(values: ArrayLike): NDArray;
  mul(values: ArrayLike): NDArray;
  div(values: ArrayLike): NDArray;
  max(values: ArrayLike): NDArray;
  min(values: ArrayLike): NDArray;
}

export interface ReduceOptions { readonly keepdims?: boolean }

/** Implementations of the methods, from the floor above: `numpy/` installs them once. */
export interface ArrayFunctions {
  add(a: ArrayLike, b: ArrayLike): NDArray; subtract(a: ArrayLike, b: ArrayLike): NDArray; multiply(a: ArrayLike, b: ArrayLike): NDArray; divide(a: ArrayLike, b: ArrayLike): NDArray;
  power(a: ArrayLike, b: ArrayLike): NDArray; remainder(a: ArrayLike, b: ArrayLike): NDArray; negative(a: ArrayLike): NDArray; abs(a: ArrayLike): NDArray;
  exp(a: ArrayLike): NDArray; log(a: ArrayLike): NDArray; sqrt(a: ArrayLike): NDArray; square(a: ArrayLike): NDArray; tanh(a: ArrayLike): NDArray; sin(a: ArrayLike): NDArray; cos(a: ArrayLike): NDArray;
  equal(a: ArrayLike, b: ArrayLike): NDArray; notEqual(a: ArrayLike, b: ArrayLike): NDArray; less(a: ArrayLike, b: ArrayLike): NDArray; lessEqual(a: ArrayLike, b: ArrayLike): NDArray; greater(a: ArrayLike, b: ArrayLike): NDArray; greaterEqual(a: ArrayLike, b: ArrayLike): NDArray;
  sum(a: ArrayLike, axis?: AxisArg, o?: ReduceOptions): NDArray; prod(a: ArrayLike, axis?: AxisArg, o?: ReduceOptions): NDArray; mean(a: ArrayLike, axis?: AxisArg, o?: ReduceOptions): NDArray;
  max(a: ArrayLike, axis?: AxisArg, o?: ReduceOptions): NDArray; min(a: ArrayLike, axis?: AxisArg, o?: ReduceOptions): NDArray; var(a: ArrayLike, axis?: AxisArg, o?: ReduceOptions & { ddof?: number }): NDArray; std(a: ArrayLike, axis?: AxisArg, o?: ReduceOptions & { ddof?: number }): NDArray;
  any(a: ArrayLike, axis?: AxisArg, o?: ReduceOptions): NDArray; all(a: ArrayLike, axis?: AxisArg, o?: ReduceOptions): NDArray; argmax(a: ArrayLike, axis?: number | null, o?: ReduceOptions): NDArray; argmin(a: ArrayLike, axis?: number | null, o?: ReduceOptions): NDArray;
  cumsum(a: ArrayLike, axis?: number | null): NDArray;
  reshape(a: ArrayLike, shape: readonly number[]): NDArray; transpose(a: ArrayLike, axes?: readonly number[]): NDArray; matrixTranspose(a: ArrayLike): NDArray; squeeze(a: ArrayLike, axis?: AxisArg): NDArray; ravel(a: ArrayLike): NDArray;
  matmul(a: ArrayLike, b: ArrayLike): NDArray; dot(a: ArrayLike, b: ArrayLike): NDArray; astype(a: ArrayLike, dtype: DType): NDArray; clip(a: ArrayLike, lo: ArrayLike | null, hi: ArrayLike | null): NDArray;
  getItem(a: NDArray, index: readonly IndexItem[]): NDArray; at(a: NDArray, index: readonly IndexItem[]): AtUpdate;
}

let installed: ArrayFunctions | undefined;

/** The one slot by which arrays reach `numpy/`, which imports them. */
export function installArrayFunctions(functions: ArrayFunctions): void { installed = functions; }

function f(): ArrayFunctions {
  if (installed) return installed;
  throw new ProgramError({ fn: "NDArray", expected: "the array methods to be installed", got: "an import of array/ alone", fix: 'import from "@hessia/core"' });
}

/**
 * Immutable n-dimensional array: concrete, or a tracer that stands for one while a transform runs. To JavaScript it is an object, so it is
 * always true: `if (x)` does not ask for its value (`if (x.item())` does).
 * Functions take NumPy's names (`np.subtract`); the methods here are their short forms.
 */
export abstract class NDArray {
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
  /** The elements as row-major typed array; do not write to it. CPU devices only. */
  abstract readonly data: TypedArray;
  /** The elements, copied, from any device. */
  abstract read(): Promise<TypedArray>;
  /** Nested JavaScript arrays (a number or boolean for a scalar). */
  abstract toArray(): unknown;
  /** The element of an array that has one. */
  abstract item(): number | boolean;
  /**
   * Gives the memory back at once. Never needed; the array cannot be used afterwards, nor under the other names it may have: functions
   * that change nothing (a reshape to the same shape, a jitted function that returns its argument) return the very array they were given.
   */
  abstract dispose(): void;
  /** @internal Throws, in the name of the function that was given the array, if its elements are gone. */
  abstract requireAlive(fn: string, arg?: string): void;
  [Symbol.dispose](): void { this.dispose(); }

  add(b: ArrayLike): NDArray { return f().add(this, b); }
  sub(b: ArrayLike): NDArray { return f().subtract(this, b); }
  mul(b: ArrayLike): NDArray { return f().multiply(this, b); }
  div(b: ArrayLike): NDArray { return f().divide(this, b); }
  pow(b: ArrayLike): NDArray { return f().power(this, b); }
  mod(b: ArrayLike): NDArray { return f().remainder(this, b); }
  neg(): NDArray { return f().negative(this); }
  abs(): NDArray { return f().abs(this); }
  exp(): NDArray { return f().exp(this); }
  log(): NDArray { return f().log(this); }
  sqrt(): NDArray { return f().sqrt(this); }
  square(): NDArray { return f().square(this); }
  tanh(): NDArray { return f().tanh(this); }
  sin(): NDArray { return f().sin(this); }
  cos(): NDArray { return f().cos(this); }
  eq(b: ArrayLike): NDArray { return f().equal(this, b); }
  ne(b: ArrayLike): NDArray { return f().notEqual(this, b); }
  lt(b: ArrayLike): NDArray { return f().less(this, b); }
  le(b: ArrayLike): NDArray { return f().lessEqual(this, b); }
  gt(b: ArrayLike): NDArray { return f().greater(this, b); }
  ge(b: ArrayLike): NDArray { return f().greaterEqual(this, b); }
  sum(axis?: AxisArg, o?: ReduceOptions): NDArray { return f().sum(this, axis, o); }
  prod(axis?: AxisArg, o?: ReduceOptions): NDArray { return f().prod(this, axis, o); }
  mean(axis?: AxisArg, o?: ReduceOptions): NDArray { return f().mean(this, axis, o); }
  max(axis?: AxisArg, o?: ReduceOptions): NDArray { return f().max(this, axis, o); }
  min(axis?: AxisArg, o?: ReduceOptions): NDArray { return f().min(this, axis, o); }
  var(axis?: AxisArg, o?: ReduceOptions & { ddof?: number }): NDArray { return f().var(this, axis, o); }
  std(axis?: AxisArg, o?: ReduceOptions & { ddof?: number }): NDArray { return f().std(this, axis, o); }
  any(axis?: AxisArg, o?: ReduceOptions): NDArray { return f().any(this, axis, o); }
  all(axis?: AxisArg, o?: ReduceOptions): NDArray { return f().all(this, axis, o); }
  argmax(axis?: number | null, o?: ReduceOptions): NDArray { return f().argmax(this, axis, o); }
  argmin(axis?: number | null, o?: ReduceOptions): NDArray { return f().argmin(this, axis, o); }
  cumsum(axis?: number | null): NDArray { return f().cumsum(this, axis); }
  /** `x.reshape(2, -1)` or `x.reshape([2, -1])`. */
  reshape(...shape: readonly number[] | [readonly number[]]): NDArray { return f().reshape(this, shape.length === 1 && Array.isArray(shape[0]) ? (shape[0] as readonly number[]) : (shape as readonly number[])); }
  transpose(axes?: readonly number[]): NDArray { return f().transpose(this, axes); }
  get T(): NDArray { return f().transpose(this); }
  get mT(): NDArray { return f().matrixTranspose(this); }
  squeeze(axis?: AxisArg): NDArray { return f().squeeze(this, axis); }
  ravel(): NDArray { return f().ravel(this); }
  flatten(): NDArray { return f().ravel(this); }
  matmul(b: ArrayLike): NDArray { return f().matmul(this, b); }
  dot(b: ArrayLike): NDArray { return f().dot(this, b); }
  astype(dtype: DType): NDArray { return f().astype(this, dtype); }
  clip(lo: ArrayLike | null, hi: ArrayLike | null): NDArray { return f().clip(this, lo, hi); }
  /** NumPy indexing: `x.get(0, "1:3", "...", null)`. */
  get(...index: readonly IndexItem[]): NDArray { return f().getItem(this, index); }
  /** Functional update: `x.at(0, ":").set(1)` gives a new array. */
  at(...index: readonly IndexItem[]): AtUpdate { return f().at(this, index); }

  /** Rows of the first axis, as iteration in NumPy. */
  *[Symbol.iterator](): IterableIterator<NDArray> {
    if (this.ndim === 0) throw new ShapeError({ fn: "for...of", arg: "array", expected: "an array with at least one axis", got: "a scalar", fix: "use the scalar itself, or x.item() where it is concrete" });
    for (let i = 0; i < this.shape[0]!; i++) yield f().getItem(this, [i]);
  }
}

Object.setPrototypeOf(NDArray.prototype, bracketGuard);
