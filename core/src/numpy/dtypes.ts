import { type ArrayLike, NDArray } from "../array/ndarray.js";
import { type DType, isDType, itemsize, kindOf, promoteTypes as promote, requireDType, type WeakDType, defaultFloat, isFloat } from "../base/dtype.js";
import { DTypeError } from "../base/errors.js";
import { atan2 } from "../primitives/binary.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { asArray, asTyped } from "./convert.js";
import { constantLike, floatArray } from "./elementwise.js";
import { requireChoice } from "./options.js";

/** Names of the dtypes, as in `np.zeros([2], { dtype: np.float32 })`. */
export const float32 = "float32" as const;
export const float64 = "float64" as const;
export const int32 = "int32" as const;
export const uint32 = "uint32" as const;
const bool_ = "bool" as const;
export { bool_ as bool };

/** The dtype that two have in common, by JAX's lattice: bool < int32, uint32 < float32 < float64; int32 with uint32 is int32. @example np.promoteTypes("int32", "float32") // "float32" */
export const promoteTypes = (a: DType, b: DType): DType => promote({ dtype: requireDType(a, "promoteTypes", "a"), weak: false }, { dtype: requireDType(b, "promoteTypes", "b"), weak: false }).dtype;

/**
 * The dtype of an operation between arrays, dtypes and numbers; numbers adapt to the others.
 * @throws DTypeError without arguments.
 * @example np.resultType(new Float32Array(2), 1) // "float32"
 */
export function resultType(...args: readonly (ArrayLike | DType)[]): DType {
  if (args.length === 0) throw new DTypeError({ fn: "resultType", arg: "args", expected: "at least one array or dtype", got: "none", fix: "pass the operands" });
  const types = args.map((a): WeakDType | number => (typeof a === "number" ? a : typeof a === "string" ? { dtype: requireDType(a, "resultType", "args"), weak: false } : asTyped(a, "resultType").aval));
  const known = types.filter((t) => typeof t !== "number");
  const integers = known.length > 0 && known.every((t) => !t.weak && !isFloat(t.dtype));
  return types.map((t): WeakDType => (typeof t !== "number" ? t : integers && Number.isInteger(t) ? { dtype: "int32", weak: true } : { dtype: defaultFloat(), weak: true })).reduce(promote).dtype;
}

const order = { bool: 0, uint: 1, int: 2, float: 3 } as const;
const holds: Readonly<Record<DType, readonly DType[]>> = { bool: ["bool", "int32", "uint32", "float32", "float64"], int32: ["int32", "float64"], uint32: ["uint32", "float64"], float32: ["float32", "float64"], float64: ["float64"] };

/** Whether a dtype converts to another: "safe" keeps every value, "same_kind" may lose precision, "unsafe" always. @example np.canCast("int32", "float32") // false */
export function canCast(from: DType | NDArray, to: DType, casting: "no" | "equiv" | "safe" | "same_kind" | "unsafe" = "safe"): boolean {
  const source = from instanceof NDArray ? from.dtype : requireDType(from, "canCast", "from");
  requireDType(to, "canCast", "to");
  requireChoice(casting, ["no", "equiv", "safe", "same_kind", "unsafe"], "canCast", "casting");
  if (casting === "unsafe") return true;
  if (casting === "no" || casting === "equiv") return source === to;
  return holds[source].includes(to) || (casting === "same_kind" && order[kindOf(source)] <= order[kindOf(to)]);
}

export interface FloatInfo {
  readonly dtype: DType;
  readonly bits: number;
  /** From 1 to the next larger number. */
  readonly eps: number;
  /** From 1 to the next smaller number. */
  readonly epsneg: number;
  readonly max: number;
  readonly min: number;
  /** The smallest positive normal number. */
  readonly smallestNormal: number;
  readonly tiny: number;
  readonly smallestSubnormal: number;
  /** Decimal digits that any number keeps. */
  readonly precision: number;
  readonly resolution: number;
  readonly nmant: number;
  readonly nexp: number;
  readonly maxexp: number;
  readonly minexp: number;
}
/** Limits of a float dtype. @throws DTypeError for others. @example np.finfo("float64").eps // 2.220446049250313e-16 */
export function finfo(dtype: DType | NDArray): FloatInfo {
  const name = dtype instanceof NDArray ? dtype.dtype : requireDType(dtype, "finfo");
  if (!isFloat(name)) throw new DTypeError({ fn: "finfo", arg: "dtype", expected: "a float dtype", got: name, fix: "use iinfo for integers" });
  const [nmant, nexp, precision] = name === "float32" ? [23, 8, 6] : [52, 11, 15];
  const maxexp = 2 ** (nexp - 1);
  const minexp = 2 - maxexp;
  const max = (2 - 2 ** -nmant) * 2 ** (maxexp - 1);
  return { dtype: name, bits: itemsize(name) * 8, eps: 2 ** -nmant, epsneg: 2 ** (-nmant - 1), max, min: -max, smallestNormal: 2 ** minexp, tiny: 2 ** minexp, smallestSubnormal: 2 ** (minexp - nmant), precision, resolution: Number(`1e-${precision}`), nmant, nexp, maxexp, minexp };
}

/** Limits of an integer dtype. @throws DTypeError for others. @example np.iinfo("int32").max // 2147483647 */
export function iinfo(dtype: DType | NDArray): { readonly dtype: DType; readonly bits: number; readonly min: number; readonly max: number } {
  const name = dtype instanceof NDArray ? dtype.dtype : requireDType(dtype, "iinfo");
  if (name !== "int32" && name !== "uint32") throw new DTypeError({ fn: "iinfo", arg: "dtype", expected: "an integer dtype", got: name, fix: "use finfo for floats" });
  return name === "int32" ? { dtype: name, bits: 32, min: -(2 ** 31), max: 2 ** 31 - 1 } : { dtype: name, bits: 32, min: 0, max: 2 ** 32 - 1 };
}

const kinds = {
  bool: (d: DType) => d === "bool",
  "signed integer": (d: DType) => kindOf(d) === "int",
  "unsigned integer": (d: DType) => kindOf(d) === "uint",
  integral: (d: DType) => kindOf(d) === "int" || kindOf(d) === "uint",
  "real floating": (d: DType) => isFloat(d),
  "complex floating": (_d: DType) => false,
  numeric: (d: DType) => d !== "bool",
} as const;
export type DTypeKindName = keyof typeof kinds;
/** Whether a dtype is of a kind, by the array API's names: "bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric", a dtype, or a list of them. @example np.isdtype("int32", "integral") // true */
export function isdtype(dtype: DType, kind: DTypeKindName | DType | readonly (DTypeKindName | DType)[]): boolean {
  requireDType(dtype, "isdtype");
  if (typeof kind !== "string") return kind.some((k) => isdtype(dtype, k));
  if (isDType(kind) && kind !== "bool") return dtype === kind;
  return kinds[requireChoice(kind, Object.keys(kinds) as DTypeKindName[], "isdtype", "kind")](dtype);
}

const families = { generic: () => true, number: kinds.numeric, integer: kinds.integral, signedinteger: kinds["signed integer"], unsignedinteger: kinds["unsigned integer"], inexact: kinds["real floating"], floating: kinds["real floating"], complexfloating: kinds["complex floating"] } as const;
/** Whether a dtype belongs to a family of NumPy's type tree: "generic", "number", "integer", "signedinteger", "unsignedinteger", "inexact", "floating", "complexfloating", or is a dtype. @example np.issubdtype("float32", "floating") // true */
export function issubdtype(dtype: DType, family: keyof typeof families | DType): boolean {
  requireDType(dtype, "issubdtype");
  if (isDType(family)) return dtype === family;
  return families[requireChoice(family, Object.keys(families) as (keyof typeof families)[], "issubdtype", "family")](dtype);
}

/** Whether a value is a plain number, boolean or string; arrays are not, not even those without axes. */
export const isscalar = (x: unknown): boolean => typeof x === "number" || typeof x === "boolean" || typeof x === "string" || typeof x === "bigint";

/** The real part: of real arrays the array itself. */
export const real = (x: ArrayLike): NDArray => asArray(x, "real");
/** The imaginary part: of real arrays zeros. */
export const imag = (x: ArrayLike): NDArray => {
  const array = asArray(x, "imag");
  return convertTo(constantLike(array, 0), array.dtype);
};
/** The complex conjugate: of real arrays the array itself. */
export const conjugate = (x: ArrayLike): NDArray => asArray(x, "conjugate");
/** Alias of `conjugate`. */
export const conj: typeof conjugate = conjugate;
/** The argument of a complex number: of real ones 0, or pi (180 with `deg`) for negative ones. @example np.angle([-1, 1]) // [pi, 0] */
export function angle(z: ArrayLike, deg = false): NDArray {
  const x = floatArray(z, "angle", "z");
  const a = bind1(atan2, [constantLike(x, 0), x], {});
  return deg ? a.mul(180 / Math.PI) : a;
}
/** Whether an array is of a complex dtype: none is, so far. */
export const iscomplexobj = (x: ArrayLike): boolean => kinds["complex floating"](asTyped(x, "iscomplexobj").dtype);
/** Whether an array is of a real dtype. */
export const isrealobj = (x: ArrayLike): boolean => !iscomplexobj(x);
