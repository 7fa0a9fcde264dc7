import { ConcreteArray, scalar } from "../array/concrete.js";
import { NDArray } from "../array/ndarray.js";
import { defaultFloat, dtypeOfTypedArray } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import { describeValue } from "../base/options.js";
import { argumentAt, flatten, pathsOf, type TreeDef } from "../base/tree.js";

/** A leaf of a function's arguments as an array. Numbers are weakly typed floats, booleans bool; typed arrays are copied. */
export function leafToArray(leaf: unknown, fn: string, describe: () => string): NDArray {
  if (leaf instanceof NDArray) {
    if (leaf instanceof ConcreteArray && leaf.isDisposed) leaf.requireAlive(fn, describe());
    return leaf;
  }
  if (typeof leaf === "number") return scalar(leaf, defaultFloat(), true);
  if (typeof leaf === "boolean") return scalar(leaf, "bool", false);
  if (ArrayBuffer.isView(leaf)) {
    const dtype = dtypeOfTypedArray(leaf);
    if (dtype) {
      const data = (leaf as Float64Array).slice();
      return ConcreteArray.fromHost(data, { shape: [data.length], dtype, weak: false });
    }
  }
  throw new ArgumentError({ fn, arg: describe(), expected: "an array, number or boolean", got: describeValue(leaf), fix: remedy(leaf, fn) });
}

function remedy(leaf: unknown, fn: string): string {
  if (leaf instanceof Promise) return "transformed functions must be synchronous: await outside";
  if (leaf === undefined || leaf === null) return "pass a value";
  if (fn.startsWith("jit") && typeof leaf !== "object") return "name its position in staticArgnums, or close over it";
  return typeof leaf === "object" ? "convert it with np.array, or make its class a pytree with registerPytree" : "convert it with np.array, or close over it";
}

/** Flattens a list of arguments, or the one named `arg`, into arrays and their structure. */
export function flattenArgs(args: unknown, fn: string, arg?: string): [NDArray[], TreeDef] {
  const [leaves, def] = flatten(args);
  const where = (i: number): string => {
    const path = pathsOf(def)[i]!;
    if (arg !== undefined) return argumentAt(arg, path);
    return path.length ? argumentAt(`argument ${String(path[0])}`, path.slice(1)) : "argument";
  };
  return [leaves.map((leaf, i) => leafToArray(leaf, fn, () => where(i))), def];
}

/** Flattens what the user's function returned. */
export const flattenResult = (result: unknown, fn: string): [NDArray[], TreeDef] => flattenArgs(result, fn, "return value");
