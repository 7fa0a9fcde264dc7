import { ArgumentError } from "../base/errors.js";
import { range } from "../base/shape.js";

/** `"VALID"` pads nothing; `"SAME"` so that the result has `ceil(n / stride)` positions, the odd element after (`"SAME_LOWER"`: before); or [low, high] pairs. */
export type Padding = "SAME" | "SAME_LOWER" | "VALID" | readonly (readonly [number, number])[];

/** Padding as [low, high] for each axis; `window` are the sizes after dilation. */
export function resolvePadding(padding: Padding, sizes: readonly number[], window: readonly number[], strides: readonly number[], fn: string): (readonly [number, number])[] {
  if (typeof padding !== "string") {
    if (padding.length !== sizes.length || padding.some((p) => p.length !== 2 || !p.every(Number.isInteger)))
      throw new ArgumentError({ fn, arg: "padding", expected: `[low, high] for each of ${sizes.length} axes`, got: JSON.stringify(padding), fix: 'give one pair an axis, or "SAME" or "VALID"' });
    return [...padding];
  }
  if (padding === "VALID") return sizes.map(() => [0, 0] as const);
  if (padding !== "SAME" && padding !== "SAME_LOWER") throw new ArgumentError({ fn, arg: "padding", expected: '"SAME", "SAME_LOWER", "VALID" or pairs', got: String(padding), fix: "pass one of these" });
  return range(sizes.length).map((d) => {
    const positions = Math.ceil(sizes[d]! / strides[d]!);
    const total = Math.max(0, (positions - 1) * strides[d]! + window[d]! - sizes[d]!);
    const less = Math.floor(total / 2);
    return padding === "SAME" ? [less, total - less] : [total - less, less];
  });
}

export const dilatedSize = (n: number, dilation: number): number => (n === 0 ? 0 : (n - 1) * dilation + 1);

/** One positive integer an axis; a number stands for all. */
export function perAxis(value: number | readonly number[] | undefined, n: number, fn: string, arg: string): readonly number[] {
  const list = value === undefined ? range(n).map(() => 1) : typeof value === "number" ? range(n).map(() => value) : value;
  if (list.length !== n || list.some((k) => !Number.isInteger(k) || k < 1)) throw new ArgumentError({ fn, arg, expected: `${n} positive integers`, got: JSON.stringify(value), fix: "give one number an axis" });
  return list;
}
