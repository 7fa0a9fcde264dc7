import { ConcreteArray, scalar } from "../array/concrete.js";
import { type ArrayLike, NDArray } from "../array/ndarray.js";
import { type DType, defaultFloat, dtypeOfTypedArray, isFloat, newTypedArray, promoteTypes, toFloat, type WeakDType } from "../base/dtype.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { broadcastShapes, range, type Shape } from "../base/shape.js";
import { broadcastTo, reshapeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { concatenate } from "../primitives/structural.js";

import { bind1 } from "../trace/trace.js";
import { beside } from "./device.js";

/** What JavaScript value `x` is, for error texts. */
export const describe = (x: unknown): string => (x instanceof NDArray ? `${x.dtype}[${x.shape.join(",")}]` : x === null || x === undefined ? String(x) : typeof x === "object" ? (x.constructor?.name ?? "object") : `${typeof x} ${String(x)}`);

function wayOut(x: unknown): string {
  if (x instanceof Promise) return "await it first";
  if (typeof x === "bigint") return "convert it with Number(x)";
  if (ArrayBuffer.isView(x)) return "copy it into a type with a dtype: Int32Array.from(x), Uint32Array.from(x) or Float64Array.from(x)";
  return "pass one of these; np.array makes arrays of nested lists";
}
function notArray(x: unknown, fn: string, arg: string): ArgumentError {
  return new ArgumentError({ fn, arg, expected: "an array, number, boolean, typed array or nested arrays of numbers", got: describe(x), fix: wayOut(x) });
}

/**
 * An argument as an array. Numbers become weakly typed scalars of the default float, booleans bool; nested arrays of numbers become
 * default floats, of booleans bool; typed arrays keep their dtype. Arrays of NDArrays are stacked.
 */
export function asArray(x: ArrayLike, fn: string, arg = "x"): NDArray {
  if (x instanceof NDArray) {
    x.requireAlive(fn, arg);
    return x;
  }
  if (typeof x === "number") return scalar(x, defaultFloat(), true);
  if (typeof x === "boolean") return scalar(x, "bool", false);
  if (ArrayBuffer.isView(x)) {
    const dtype = dtypeOfTypedArray(x);
    if (!dtype) throw notArray(x, fn, arg);
    const data = (x as Float64Array).slice();
    return ConcreteArray.fromHost(data, { shape: [data.length], dtype, weak: false });
  }
  if (Array.isArray(x)) return nestedArray(x as readonly ArrayLike[], fn, arg);
  throw notArray(x, fn, arg);
}

/** An argument of which only shape and dtype matter: its elements may be gone. */
export const asTyped = (x: ArrayLike, fn: string): NDArray => (x instanceof NDArray ? x : asArray(x, fn));

/** Nested JavaScript arrays of numbers or booleans, or of NDArrays to be stacked. */
function nestedArray(x: readonly ArrayLike[], fn: string, arg: string): NDArray {
  const shape: number[] = [];
  for (let level: unknown = x; Array.isArray(level); level = level[0]) shape.push(level.length);
  const flat: (number | boolean)[] = [];
  let hasArrays = false;
  const walk = (v: unknown, depth: number): void => {
    if (Array.isArray(v)) {
      if (v.length !== shape[depth])
        throw new ShapeError({ fn, arg, expected: `rows of one length at depth ${depth} (${shape[depth] ?? "none"})`, got: `a row of ${v.length}`, fix: "make the nested arrays rectangular" });
      for (const y of v) walk(y, depth + 1);
    } else if (typeof v === "number" || typeof v === "boolean") {
      if (depth !== shape.length) throw new ShapeError({ fn, arg, expected: `nested arrays ${shape.length} deep everywhere`, got: `a number at depth ${depth}`, fix: "make the nested arrays rectangular" });
      flat.push(v);
    } else if (v instanceof NDArray) hasArrays = true;
    else throw notArray(v, fn, arg);
  };
  walk(x, 0);
  if (hasArrays) return stackRows(x.map((row) => asArray(row, fn, arg)), fn);
  const dtype: DType = flat.length > 0 && flat.every((v) => typeof v === "boolean") ? "bool" : defaultFloat();
  const data = newTypedArray(dtype, flat.length);
  for (let i = 0; i < flat.length; i++) data[i] = Number(flat[i]);
  return ConcreteArray.fromHost(data, { shape, dtype, weak: false });
}

function stackRows(rows: readonly NDArray[], fn: string): NDArray {
  const same = promoteArrays(rows, fn);
  return bind1(concatenate, broadcastArrays(same, fn).map((r) => reshapeTo(r, [1, ...r.shape])), { axis: 0 });
}

/** A number beside integer arrays stays an integer when it is one: `int32 + 1` is int32, `int32 + 0.5` a float. */
function weakTypeOf(value: number, others: readonly NDArray[]): WeakDType {
  const integers = others.length > 0 && others.every((o) => !isFloat(o.dtype));
  const unsigned = others.some((o) => o.dtype === "uint32") && others.every((o) => o.dtype !== "int32");
  const [least, largest] = unsigned ? [0, 4294967295] : [-2147483648, 2147483647];
  // A number that the integers beside it cannot hold makes the result a float rather than a wrong integer.
  return integers && Number.isInteger(value) && value >= least && value <= largest ? { dtype: "int32", weak: true } : { dtype: defaultFloat(), weak: true };
}

const typeOf = (x: NDArray): WeakDType => ({ dtype: x.dtype, weak: x.weak });

/** A number as a scalar of an array's dtype, on its device. */
const scalarBeside = (value: number, x: NDArray): NDArray => scalar(value, x.dtype, true, x instanceof ConcreteArray ? x.backend : undefined);

/** Brings operands to one dtype by JAX's promotion; JavaScript numbers adapt to the arrays and go to their device. */
export function promoteOperands(args: readonly ArrayLike[], fn: string, names: readonly string[] = []): NDArray[] {
  if (args.length === 2) {
    // The commonest case, an array of floats beside a number, without the general reckoning.
    const [a, b] = args as [ArrayLike, ArrayLike];
    if (a instanceof NDArray && typeof b === "number" && isFloat(a.dtype)) {
      a.requireAlive(fn, names[0]);
      return [a, scalarBeside(b, a)];
    }
    if (b instanceof NDArray && typeof a === "number" && isFloat(b.dtype)) {
      b.requireAlive(fn, names[1]);
      return [scalarBeside(a, b), b];
    }
  }
  const peer = args.find((a) => a instanceof ConcreteArray && !(a.weak && a.hostData)) as ConcreteArray | undefined;
  const arrays = args.map((a, i) => (typeof a === "number" ? undefined : beside(peer, () => asArray(a, fn, names[i] ?? "x"))));
  const others = arrays.filter((a) => a !== undefined);
  const strong = others.every((o) => !o.weak) ? others : [];
  const target = args.map((a, i) => (typeof a === "number" ? weakTypeOf(a, strong) : typeOf(arrays[i]!))).reduce(promoteTypes);
  const backend = others.find((o) => o instanceof ConcreteArray && !(o.weak && o.hostData)) as ConcreteArray | undefined;
  // Results are weak only where all operands are, so an array of the right dtype need not be converted to be strong.
  return args.map((a, i) => (typeof a === "number" ? scalar(a, target.dtype, true, backend?.backend) : arrays[i]!.dtype === target.dtype ? arrays[i]! : convertTo(arrays[i]!, target.dtype, target.weak)));
}

/** As `promoteOperands`, to a floating dtype. */
export function promoteToFloat(args: readonly ArrayLike[], fn: string, names: readonly string[] = []): NDArray[] {
  return promoteOperands(args, fn, names).map((x) => (isFloat(x.dtype) ? x : convertTo(x, toFloat(x.dtype), x.weak)));
}

/** Arrays of one dtype. */
export function promoteArrays(arrays: readonly NDArray[], _fn: string): NDArray[] {
  if (arrays.length === 0) return [];
  const target = arrays.map(typeOf).reduce(promoteTypes);
  return arrays.map((x) => (x.dtype === target.dtype ? x : convertTo(x, target.dtype, target.weak)));
}

/** Broadcasts an array to a shape by NumPy's rule. */
export function broadcastToShape(x: NDArray, shape: Shape, fn: string): NDArray {
  broadcastShapes([x.shape, shape], fn);
  if (x.ndim > shape.length) throw new ShapeError({ fn, arg: "shape", expected: `at least ${x.ndim} axes`, got: `[${shape.join(",")}]`, fix: "broadcasting adds axes in front, it removes none" });
  return broadcastTo(x, shape, range(x.ndim).map((d) => d + shape.length - x.ndim));
}

export function broadcastArrays(arrays: readonly NDArray[], fn: string): NDArray[] {
  const first = arrays[0];
  if (first && arrays.every((x) => x.ndim === first.ndim && x.shape.every((n, d) => n === first.shape[d]))) return [...arrays];
  const shape = broadcastShapes(arrays.map((x) => x.shape), fn);
  return arrays.map((x) => broadcastToShape(x, shape, fn));
}

/** Operands of an elementwise function: one dtype, one shape. */
export const operandsOf = (args: readonly ArrayLike[], fn: string, names?: readonly string[]): NDArray[] => broadcastArrays(promoteOperands(args, fn, names), fn);
export const floatOperandsOf = (args: readonly ArrayLike[], fn: string, names?: readonly string[]): NDArray[] => broadcastArrays(promoteToFloat(args, fn, names), fn);

