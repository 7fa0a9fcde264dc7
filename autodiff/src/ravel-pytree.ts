import { type DType, NDArray, np, ShapeError, tree } from "@hessia/core";
import { bind1, convertTo, flattenArgs, formatAval, isFloat, primitiveFamilies, reshapeTo, shape } from "@hessia/core/extend";
import { slice } from "./ops.js";

/**
 * All elements of a tree of arrays as one vector, and the way back. Dtypes are promoted to their common one; `unravel` gives each leaf its
 * own shape and dtype again, integers too. Both are differentiable.
 * @throws ShapeError (from `unravel`) for a vector of another length.
 * @example const [flat, unravel] = ravelPytree({ w: np.ones([2, 2]), b: np.zeros([2]) }); // flat.shape is [6]
 */
export function ravelPytree<T>(x: T): [NDArray, (flat: NDArray) => T] {
  const [leaves, def] = flattenArgs(x, "ravelPytree");
  const types = leaves.map((l) => l.aval);
  const sizes = types.map((t) => shape.sizeOf(t.shape));
  const total = sizes.reduce((a, b) => a + b, 0);
  const unravel = (flat: NDArray): T => {
    if (!(flat instanceof NDArray) || flat.ndim !== 1 || flat.shape[0] !== total)
      throw new ShapeError({ fn: "ravelPytree", arg: "flat", expected: `a vector of ${total} elements`, got: flat instanceof NDArray ? formatAval(flat.aval) : typeof flat, fix: "pass a vector like the one that ravelPytree gave" });
    let at = 0;
    return tree.unflatten<T>(def, types.map((t, i) => {
      const part = slice(flat, [at], [(at += sizes[i]!)]);
      return reshapeTo(restore(part, t.dtype), t.shape);
    }));
  };
  if (leaves.length === 0) return [np.zeros([0]), unravel];
  const vectors = leaves.map((l) => reshapeTo(l, [l.size]));
  return [vectors.length === 1 ? vectors[0]! : np.concatenate(vectors), unravel];
}

/** Integers come back from floats by rounding, so that arithmetic noise does not change them. */
function restore(x: NDArray, dtype: DType): NDArray {
  if (x.dtype === dtype) return x;
  if (isFloat(x.dtype) && !isFloat(dtype) && dtype !== "bool") return convertTo(bind1(primitiveFamilies.unary.round, [x], {}), dtype);
  return convertTo(x, dtype);
}
