import { ConcreteArray, scalar } from "../array/concrete.js";
import { NDArray } from "../array/ndarray.js";
import { defaultFloat, dtypeOfTypedArray } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import { flatten, formatPath, pathsOf, type TreeDef } from "../base/tree.js";

/** A leaf of a function's arguments as an array. Numbers are weakly typed floats, booleans bool; typed arrays are copied. */
export function leafToArray(leaf: unknown, fn: string, describe: () => string): NDArray {
  if (leaf instanceof NDArray) return leaf;
  if (typeof leaf === "number") return scalar(leaf, defaultFloat(), true);
  if (typeof leaf === "boolean") return scalar(leaf, "bool", false);
  if (ArrayBuffer.isView(leaf)) {
    const dtype = dtypeOfTypedArray(leaf);
    if (dtype) {
      const data = (leaf as Float64Array).slice();
      return ConcreteArray.fromHost(data, { shape: [data.length], dtype, weak: false });
    }
  }
  throw new ArgumentError({ fn, arg: describe(), expected: "an array, number or boolean", got: typeof leaf === "function" ? "a function" : leaf instanceof Promise ? "a Promise" : `${typeof leaf} ${String(leaf)}`, fix: leaf instanceof Promise ? "transformed functions must be synchronous: await outside" : "pass it as a static argument, or close over it" });
}

/** Flattens arguments into arrays and their structure. */
export function flattenArgs(args: unknown, fn: string): [NDArray[], TreeDef] {
  const [leaves, def] = flatten(args);
  let paths: string[] | undefined;
  return [leaves.map((leaf, i) => leafToArray(leaf, fn, () => (paths ??= pathsOf(def).map(formatPath))[i]!)), def];
}

/** Flattens what the user's function returned. */
export const flattenResult = (result: unknown, fn: string): [NDArray[], TreeDef] => flattenArgs(result, `${fn}: return value`);
