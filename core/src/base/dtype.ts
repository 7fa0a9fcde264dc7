import { BackendError, DTypeError } from "./errors.js";

/** Element types. Sixteen-bit, 64-bit integer and complex types extend this list, the table below and the promotion lattice, nothing else. */
export type DType = "bool" | "int32" | "uint32" | "float32" | "float64";
export type DTypeKind = "bool" | "int" | "uint" | "float";
export type TypedArray = Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array;

interface DTypeInfo {
  readonly kind: DTypeKind;
  readonly itemsize: number;
  readonly array: { new (length: number): TypedArray; new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TypedArray };
}

const table: Readonly<Record<DType, DTypeInfo>> = {
  bool: { kind: "bool", itemsize: 1, array: Uint8Array },
  int32: { kind: "int", itemsize: 4, array: Int32Array },
  uint32: { kind: "uint", itemsize: 4, array: Uint32Array },
  float32: { kind: "float", itemsize: 4, array: Float32Array },
  float64: { kind: "float", itemsize: 8, array: Float64Array },
};

export const allDTypes = Object.keys(table) as readonly DType[];
export const isDType = (x: unknown): x is DType => typeof x === "string" && Object.hasOwn(table, x);
export const kindOf = (dtype: DType): DTypeKind => table[dtype].kind;
export const itemsize = (dtype: DType): number => table[dtype].itemsize;
export const isFloat = (dtype: DType): boolean => table[dtype].kind === "float";
export const isInteger = (dtype: DType): boolean => table[dtype].kind === "int" || table[dtype].kind === "uint";

/** What all engines hold. Newer ones try more, and where memory does not suffice, Node 26 ends a worker thread instead of throwing. */
const mostElements = 2 ** 32;

/** @throws BackendError where the engine has no room for it. */
export function newTypedArray(dtype: DType, length: number): TypedArray {
  try {
    if (length > mostElements) throw new RangeError(`Invalid typed array length: ${length}`);
    // The engine builds small arrays several times faster where the class is written out.
    switch (dtype) {
      case "float64": return new Float64Array(length);
      case "float32": return new Float32Array(length);
      case "int32": return new Int32Array(length);
      case "uint32": return new Uint32Array(length);
      case "bool": return new Uint8Array(length);
    }
  } catch (cause) {
    throw new BackendError({ fn: "array", arg: "memory", expected: `room for ${length} elements of ${dtype}`, got: String(cause), fix: "dispose arrays that are no longer needed, or work on smaller pieces" }, { cause });
  }
}

/**
 * A JavaScript number as an element: towards zero and saturating for integers, NaN to 0, bool is `!= 0`, as `astype` converts; but negative
 * integers go round to uint32, as those of int32 do.
 */
export function asElement(dtype: DType, v: number): number {
  switch (dtype) {
    case "float64": case "float32": return v;
    case "bool": return v === 0 ? 0 : 1;
    case "int32": return v !== v ? 0 : Math.min(2147483647, Math.max(-2147483648, Math.trunc(v)));
    case "uint32": return v !== v ? 0 : v < 0 && v >= -2147483648 ? Math.trunc(v) >>> 0 : Math.min(4294967295, Math.max(0, Math.trunc(v)));
  }
}

export function dtypeOfTypedArray(data: ArrayBufferView): DType | undefined {
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint32Array) return "uint32";
  return undefined;
}

let defaultFloatDType: "float32" | "float64" = "float64";

/** The dtype of numbers that have none of their own: float64 unless `setDefaultFloat` chose float32. */
export const defaultFloat = (): "float32" | "float64" => defaultFloatDType;

/**
 * Sets the dtype given to JavaScript numbers and to creation functions without `dtype`.
 * @throws DTypeError for anything but `"float32"` and `"float64"`.
 * @example setDefaultFloat("float32"); np.zeros([2]).dtype // "float32"
 */
export function setDefaultFloat(dtype: "float32" | "float64"): void {
  if (dtype !== "float32" && dtype !== "float64")
    throw new DTypeError({ fn: "setDefaultFloat", arg: "dtype", expected: '"float32" or "float64"', got: String(dtype), fix: "pass one of the two" });
  defaultFloatDType = dtype;
}

export function requireDType(x: unknown, fn: string, arg = "dtype"): DType {
  if (isDType(x)) return x;
  throw new DTypeError({ fn, arg, expected: `one of ${allDTypes.join(", ")}`, got: String(x), fix: "pass one of these names" });
}

/** A dtype with its weakness: weak ones come from JavaScript numbers and give way to the other operand's width. */
export interface WeakDType {
  readonly dtype: DType;
  readonly weak: boolean;
}

const rank: Readonly<Record<DTypeKind, number>> = { bool: 0, uint: 1, int: 1, float: 2 };

/**
 * JAX's promotion lattice over the dtypes present: bool < weak int < {uint32, int32} < weak float < float32 < float64.
 * int32 with uint32 gives int32, as JAX without 64-bit integers.
 */
export function promoteTypes(a: WeakDType, b: WeakDType): WeakDType {
  if (a.dtype === b.dtype) return { dtype: a.dtype, weak: a.weak && b.weak };
  const ra = rank[kindOf(a.dtype)];
  const rb = rank[kindOf(b.dtype)];
  if (a.weak !== b.weak && ra === rb) return a.weak ? b : a;
  if (ra !== rb) {
    const [hi, lo] = ra > rb ? [a, b] : [b, a];
    // A weak type of a higher kind is weak still only against weak operands or bool; a strong integer beside a weak float takes the default float.
    if (hi.weak && !lo.weak) return { dtype: kindOf(hi.dtype) === "float" ? defaultFloat() : "int32", weak: kindOf(hi.dtype) === "float" };
    return hi;
  }
  const weak = a.weak && b.weak;
  if (kindOf(a.dtype) === "float") return { dtype: "float64", weak };
  return { dtype: "int32", weak };
}

/** The dtype a floating-point function computes in: itself for floats, the default float for integers and bool. */
export const toFloat = (dtype: DType): DType => (isFloat(dtype) ? dtype : defaultFloat());
