import { type NDArray } from "../array/ndarray.js";
import { type DType, requireDType, type TypedArray } from "../base/dtype.js";
import { requireFunction } from "../base/options.js";
import { requireShape, type Shape } from "../base/shape.js";
import { flatten, type TreeDef, unflatten } from "../base/tree.js";
import type { Aval } from "../ir/aval.js";
import { stage } from "../trace/stage.js";
import { flattenResult, leafToArray } from "./function-args.js";

/**
 * Stands for an array of this type where no elements are needed.
 * @throws ShapeError, DTypeError for what is no shape or dtype.
 */
export class ShapeDtype {
  readonly shape: Shape;
  constructor(shape: Shape, readonly dtype: DType, readonly weak = false) {
    this.shape = requireShape(shape, "ShapeDtype");
    requireDType(dtype, "ShapeDtype");
  }
  get ndim(): number { return this.shape.length; }
}

/** A tree of results with the types of the arrays in their places. */
export type ShapesOf<R> = R extends NDArray | number | boolean | TypedArray ? ShapeDtype : R extends object ? { [K in keyof R]: ShapesOf<R[K]> } : R;

/**
 * The types of a function's results, computed without any arithmetic. Arguments are arrays, or `ShapeDtype`s that stand for them.
 * @throws what `f` throws for arguments of these types.
 * @example evalShape((a: NDArray, b: NDArray) => np.matmul(a, b), new ShapeDtype([2, 3], "float32"), new ShapeDtype([3, 4], "float32")).shape // [2, 4]
 */
export function evalShape<R>(f: (...args: never) => R, ...args: readonly unknown[]): ShapesOf<R> {
  requireFunction(f, "evalShape", "f", "(...args) => result");
  const [leaves, tree] = flatten(args);
  const types = leaves.map((x, i): Aval => (x instanceof ShapeDtype ? { shape: x.shape, dtype: x.dtype, weak: x.weak } : leafToArray(x, "evalShape", () => `leaf ${i} of the arguments`).aval));
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
