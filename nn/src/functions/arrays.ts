import { type ArrayLike, AxisError, type AxisArg, defaultFloat, NDArray, np } from "@hessia/core";

/** An argument as an array of floats; integers and bool take the default float, floats and weak scalars stay as they are. */
export function floatArray(x: ArrayLike): NDArray {
  const a = x instanceof NDArray ? x : np.asarray(x);
  return a.dtype === "float32" || a.dtype === "float64" ? a : a.astype(defaultFloat());
}

/** An axis argument as a list of axes counted from the front. */
export function axesOf(axis: AxisArg | undefined, ndim: number, fn: string): number[] {
  const list = axis === null || axis === undefined ? Array.from({ length: ndim }, (_, d) => d) : typeof axis === "number" ? [axis] : [...axis];
  const seen = list.map((d) => {
    if (!Number.isInteger(d) || d < -ndim || d >= ndim) throw new AxisError({ fn, arg: "axis", expected: `an axis from ${-ndim} to ${ndim - 1}`, got: String(d), fix: "count the axes of the array" });
    return d < 0 ? d + ndim : d;
  });
  if (new Set(seen).size !== seen.length) throw new AxisError({ fn, arg: "axis", expected: "different axes", got: JSON.stringify(axis), fix: "name each axis once" });
  return seen;
}
