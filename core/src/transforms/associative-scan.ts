import type { NDArray } from "../array/ndarray.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { canonicalAxis, range } from "../base/shape.js";
import { requireFunction, requireOptions } from "../base/options.js";
import { requireSameTree, unflatten } from "../base/tree.js";
import { formatAval, sameType } from "../ir/aval.js";
import { scalar } from "../array/concrete.js";
import { concatenate, pad, reverse, slice } from "../primitives/structural.js";
import { add, or } from "../primitives/binary.js";
import { bind1 } from "../trace/trace.js";
import { flattenArgs, flattenResult } from "./function-args.js";

const cut = (x: NDArray, axis: number, start: number, limit: number, stride = 1): NDArray =>
  bind1(slice, [x], { start: range(x.ndim).map((d) => (d === axis ? start : 0)), limit: x.shape.map((n, d) => (d === axis ? limit : n)), strides: range(x.ndim).map((d) => (d === axis ? stride : 1)) });

/** Elements of `a` at even places and of `b` at odd ones. */
function interleave(a: NDArray, b: NDArray, axis: number): NDArray {
  const spread = (x: NDArray, first: number, last: number) =>
    bind1(pad, [x, scalar(0, x.dtype, x.weak)], { low: range(x.ndim).map((d) => (d === axis ? first : 0)), high: range(x.ndim).map((d) => (d === axis ? last : 0)), interior: range(x.ndim).map((d) => (d === axis ? 1 : 0)) });
  const even = a.shape[axis]! > b.shape[axis]!;
  return bind1(a.dtype === "bool" ? or : add, [spread(a, 0, even ? 0 : 1), spread(b, 1, even ? 1 : 0)], {});
}

/**
 * All prefixes of an associative operation, `y[i] = f(y[i-1], x[i])`, in O(log n) steps of parallel work (Blelloch 1990).
 * `f` works on whole arrays along `axis`.
 * @example associativeScan((a, b) => np.add(a, b), np.arange(5)); // cumulative sum
 */
export function associativeScan<T>(f: (a: T, b: T) => T, elements: T, options: { readonly axis?: number; readonly reverse?: boolean } = {}): T {
  requireFunction(f, "associativeScan", "f", "(a, b) => combined");
  requireOptions(options, "associativeScan", ["axis", "reverse"]);
  const [leaves, tree] = flattenArgs(elements, "associativeScan", "elements");
  const first = leaves[0];
  if (!first) throw new ArgumentError({ fn: "associativeScan", arg: "elements", expected: "at least one array", got: "none", fix: "pass arrays" });
  const axis = canonicalAxis(options.axis ?? 0, first.ndim, "associativeScan");
  const n = first.shape[axis]!;
  if (leaves.some((x) => x.shape[axis] !== n)) throw new ShapeError({ fn: "associativeScan", arg: "elements", expected: `size ${n} along axis ${axis} in every array`, got: leaves.map((x) => `[${x.shape.join(",")}]`).join(", "), fix: "cut them to one size" });
  const flip = (xs: readonly NDArray[]) => (options.reverse ? xs.map((x) => bind1(reverse, [x], { axes: [axis] })) : [...xs]);
  const combine = (a: readonly NDArray[], b: readonly NDArray[]): NDArray[] => {
    const [out, outTree] = flattenResult(f(unflatten<T>(tree, a), unflatten<T>(tree, b)), "associativeScan");
    requireSameTree(tree, outTree, "associativeScan", "f", "return the structure of the elements");
    const bad = out.findIndex((y, i) => !sameType(y.aval, a[i]!.aval));
    if (bad >= 0) throw new ShapeError({ fn: "associativeScan", arg: "f", expected: `${formatAval(a[bad]!.aval)}, as its arguments are`, got: formatAval(out[bad]!.aval), fix: "combine whole arrays elementwise along the axis, keeping shape and dtype" });
    return out;
  };
  const go = (xs: readonly NDArray[]): NDArray[] => {
    const m = xs[0]!.shape[axis]!;
    if (m < 2) return [...xs];
    const pairs = combine(xs.map((x) => cut(x, axis, 0, m - 1, 2)), xs.map((x) => cut(x, axis, 1, m, 2)));
    const odd = go(pairs);
    const shorter = m % 2 === 0 ? odd.map((x) => cut(x, axis, 0, x.shape[axis]! - 1)) : odd;
    const rest = m > 2 ? combine(shorter, xs.map((x) => cut(x, axis, 2, m, 2))) : undefined;
    return xs.map((x, i) => {
      const head = cut(x, axis, 0, 1);
      return interleave(rest ? bind1(concatenate, [head, rest[i]!], { axis }) : head, odd[i]!, axis);
    });
  };
  return unflatten<T>(tree, flip(go(flip(leaves))));
}
