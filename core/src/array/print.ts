import type { DType, TypedArray } from "../base/dtype.js";
import type { Shape } from "../base/shape.js";

/** The elements as NumPy's `str` prints them. */
export function formatArray(data: TypedArray, shape: Shape, dtype: DType): string {
  let next = 0;
  const element = (v: number) => (dtype === "bool" ? (v ? "True" : "False") : String(v));
  const go = (d: number): string => (d === shape.length ? element(data[next++]!) : `[${Array.from({ length: shape[d]! }, () => go(d + 1)).join(d === shape.length - 1 ? " " : "\n")}]`);
  return go(0);
}
