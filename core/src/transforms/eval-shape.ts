import type { NDArray } from "../array/ndarray.js";
import type { DType } from "../base/dtype.js";
import type { Shape } from "../base/shape.js";
import { flatten, type TreeDef, unflatten } from "../base/tree.js";
import type { Aval } from "../ir/aval.js";
import { stage } from "../trace/stage.js";
import { flattenResult, leafToArray } from "./function-args.js";

/** Stands for an array of this type where no elements are needed. */
export class ShapeDtype {
  constructor(readonly shape: Shape, readonly dtype: DType, readonly weak = false) {}
  get ndim(): number { return this.shape.length; }
}

/**
 * The types of a function's results, computed without any arithmetic.
 * @example evalShape((a, b) => np.matmul(a, b), new ShapeDtype([2, 3], "float32"), new ShapeDtype([3, 4], "float32")).shape // [2, 4]
 */
export function evalShape<A extends readonly unknown[]>(f: (...args: never) => unknown, ...args: A): never {
  const [leaves, tree] = flatten(args);
  const types = leaves.map((x, i): Aval => (x instanceof ShapeDtype ? { shape: x.shape, dtype: x.dtype, weak: x.weak } : leafToArray(x, "evalShape", () => `argument ${i}`).aval));
  let outTree!: TreeDef;
  let outTypes: Aval[] = [];
  stage((...xs: NDArray[]) => {
    const [outs, def] = flattenResult((f as (...a: unknown[]) => unknown)(...(unflatten(tree, xs) as unknown[])), "evalShape");
    outTree = def;
    outTypes = outs.map((y) => y.aval);
    return outs;
  }, types, "evalShape");
  return unflatten(outTree, outTypes.map((t) => new ShapeDtype(t.shape, t.dtype, t.weak)));
}
