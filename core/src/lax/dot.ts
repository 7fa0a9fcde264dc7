import type { ArrayLike, NDArray } from "../array/ndarray.js";
import type { DType } from "../base/dtype.js";
import { ShapeError } from "../base/errors.js";
import { formatShape, range } from "../base/shape.js";
import { promoteOperands } from "../numpy/convert.js";
import * as primitives from "../primitives/dot.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";

/** Axes of a and of b, pairwise. */
export type AxisPairs = readonly [readonly number[], readonly number[]];
export interface DotOptions {
  /** Operands are converted to this dtype first, so that sums are kept in it. */
  readonly preferredElementType?: DType;
}

/**
 * Products of a and b summed over the contracted axes, for each index of the batch axes. The result has the batch axes, then the rest
 * of a's, then the rest of b's.
 * @throws ShapeError when paired axes differ in size.
 * @example lax.dotGeneral(a, b, [[[2], [1]], [[0], [0]]]) // batched matrix product [B,M,K] [B,K,N]
 */
export function dotGeneral(a: ArrayLike, b: ArrayLike, dimensionNumbers: readonly [AxisPairs, AxisPairs], o: DotOptions = {}): NDArray {
  const [x, y] = promoteOperands([a, b], "dotGeneral", ["a", "b"]);
  const [contract, batch] = dimensionNumbers;
  for (const [k, v] of [x!, y!].entries()) {
    const used = [...contract[k]!, ...batch[k]!];
    if (contract[0].length !== contract[1].length || batch[0].length !== batch[1].length || new Set(used).size !== used.length || used.some((d) => !Number.isInteger(d) || d < 0 || d >= v.ndim))
      throw new ShapeError({ fn: "dotGeneral", arg: "dimensionNumbers", expected: `each axis of ${k === 0 ? "a" : "b"} ${formatShape(v.shape)} at most once, as many of a as of b`, got: JSON.stringify(dimensionNumbers), fix: "give [[contracted of a, of b], [batch of a, of b]]" });
  }
  const to = (v: NDArray) => (o.preferredElementType ? convertTo(v, o.preferredElementType) : v);
  return bind1(primitives.dot, [to(x!), to(y!)], { contract, batch });
}

/** Vector and matrix products: the last axis of a with the first of b. */
export function dot(a: ArrayLike, b: ArrayLike, o: DotOptions = {}): NDArray {
  const [x, y] = promoteOperands([a, b], "dot", ["a", "b"]);
  if (x!.ndim === 0 || x!.ndim > 2 || y!.ndim === 0 || y!.ndim > 2) throw new ShapeError({ fn: "dot", expected: "vectors or matrices", got: `${formatShape(x!.shape)} and ${formatShape(y!.shape)}`, fix: "use dotGeneral or np.dot" });
  return dotGeneral(x!, y!, [[[x!.ndim - 1], [0]], [[], []]], o);
}

/** Matrix products over equal leading axes. */
export function batchMatmul(a: ArrayLike, b: ArrayLike, o: DotOptions = {}): NDArray {
  const [x, y] = promoteOperands([a, b], "batchMatmul", ["a", "b"]);
  if (x!.ndim < 2 || x!.ndim !== y!.ndim) throw new ShapeError({ fn: "batchMatmul", expected: "equally many axes, at least two", got: `${formatShape(x!.shape)} and ${formatShape(y!.shape)}`, fix: "use np.matmul for broadcasting" });
  const lead = range(x!.ndim - 2);
  return dotGeneral(x!, y!, [[[x!.ndim - 1], [y!.ndim - 2]], [lead, lead]], o);
}
