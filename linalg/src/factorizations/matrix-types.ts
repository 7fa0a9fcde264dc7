import { DTypeError, ShapeError } from "@hessia/core";
import { type Aval, type BatchRule, bind, formatAval, moveBatch, type AnyPrimitive, shape, toBatch } from "@hessia/core/extend";

/** Checks that the last two axes form matrices of floats. */
export function requireMatrix(fn: string, a: Aval, arg = "a"): void {
  if (a.shape.length < 2)
    throw new ShapeError({ fn, arg, expected: "a matrix, or a batch of them [..., m, n]", got: formatAval(a), fix: "reshape it to two axes or more" });
  if (a.dtype !== "float32" && a.dtype !== "float64")
    throw new DTypeError({ fn, arg, expected: "float32 or float64", got: a.dtype, fix: 'convert with astype("float64")' });
}

export function requireSquare(fn: string, a: Aval, arg = "a"): void {
  requireMatrix(fn, a, arg);
  if (a.shape.at(-1) !== a.shape.at(-2))
    throw new ShapeError({ fn, arg, expected: "square matrices [..., n, n]", got: formatAval(a), fix: fn === "solve" || fn === "inv" ? "for least squares solve with R of its qr, or use svd" : "check the orientation" });
}

export const batchSize = (a: { readonly shape: readonly number[] }): number => shape.sizeOf(a.shape.slice(0, -2));

/** Primitives on the last two axes take batches as leading axes. */
export const leadingBatch = (primitive: () => AnyPrimitive): BatchRule<object> => (n, values, dims, params) => {
  const outputs = bind(primitive(), values.map((x, i) => toBatch(n, x, dims[i]!)), params);
  return { outputs, dims: outputs.map(() => 0) };
};

/** As `leadingBatch`, for one operand: its batch axis moves to the front. */
export const leadingBatchOne = (primitive: () => AnyPrimitive): BatchRule<object> => (_n, [x], [d], params) => {
  const outputs = bind(primitive(), [moveBatch(x!, d!, 0)], params);
  return { outputs, dims: outputs.map(() => 0) };
};

