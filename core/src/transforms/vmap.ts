import type { NDArray } from "../array/ndarray.js";
import { ArgumentError, AxisError, ShapeError } from "../base/errors.js";
import { formatShape } from "../base/shape.js";
import { describeValue, requireFunction, requireInteger, requireOptions } from "../base/options.js";
import { argumentAt, broadcastPrefix, pathsOf, type TreeDef, unflatten } from "../base/tree.js";
import { formatAval } from "../ir/aval.js";
import { runBatched } from "../primitives/call.js";
import { toBatch } from "../primitives/batch-axes.js";
import { flattenArgs, flattenResult } from "./function-args.js";

/** An axis for a whole pytree, or a pytree prefix of axes; null leaves what it stands for unmapped. */
export type InAxes = number | null | readonly InAxes[] | { readonly [key: string]: InAxes };

export interface VmapOptions {
  /** Mapped axis of each argument (default 0): one for all, or one an argument, each a number, null, or a prefix of the argument's tree. */
  readonly inAxes?: InAxes;
  /** Where the mapped axis goes in the results (default 0). */
  readonly outAxes?: InAxes;
  /** Needed when no argument is mapped. */
  readonly axisSize?: number;
}

const isAxis = (x: unknown): boolean => typeof x === "number" || x === null;

/**
 * Vectorizes a function over an axis of its arguments: `vmap(f)(xs)[i] = f(xs[i])`, as one computation.
 * @throws ShapeError when mapped axes differ in size; AxisError for an axis that is not there.
 * @example vmap((w, x) => np.dot(w, x), { inAxes: [null, 0] })(np.ones([3]), np.ones([5, 3])); // shape [5]
 */
export function vmap<A extends readonly unknown[], R>(f: (...args: A) => R, options: VmapOptions = {}): (...args: A) => R {
  requireFunction(f, "vmap", "f", "(...args) => result");
  requireOptions(options, "vmap", ["inAxes", "outAxes", "axisSize"]);
  if (options.axisSize !== undefined) requireInteger(options.axisSize, "vmap", "axisSize", 0);
  const name = `vmap(${f.name || "function"})`;
  return (...args) => {
    const [leaves, tree] = flattenArgs(args, name);
    const { inAxes = 0, outAxes = 0 } = options;
    if (Array.isArray(inAxes) && inAxes.length !== args.length)
      throw new ArgumentError({ fn: name, arg: "inAxes", expected: `one entry for each of ${args.length} arguments`, got: `${inAxes.length} entries`, fix: "use null for arguments that are not mapped" });
    const axes = broadcastPrefix(inAxes, tree, name, "inAxes", isAxis) as (number | null | undefined)[];
    const dims = leaves.map((x, i) => axisOf(x, axes[i] ?? null, name, tree, i));
    const n = commonSize(leaves, dims, tree, name, options.axisSize);
    let outTree!: TreeDef;
    const { outputs, dims: outDims } = runBatched(n, leaves, dims, (xs) => {
      const [outs, def] = flattenResult(f(...(unflatten(tree, xs) as A)), name);
      outTree = def;
      return outs;
    });
    const places = broadcastPrefix(outAxes, outTree, name, "outAxes", isAxis) as (number | null | undefined)[];
    return unflatten<R>(outTree, outputs.map((y, i) => placeOutput(n, y, outDims[i]!, places[i] ?? null, name)));
  };
}

function axisOf(x: NDArray, axis: number | null, fn: string, tree: TreeDef, i: number): number | null {
  if (axis === null) return null;
  if (!Number.isInteger(axis) || axis < -x.ndim || axis >= x.ndim)
    throw new AxisError({ fn, arg: `inAxes at argument ${where(tree, i)}`, expected: `an axis of ${formatAval(x.aval)}`, got: typeof axis === "number" ? String(axis) : describeValue(axis), fix: "map an existing axis, or use null for values shared by all examples" });
  return axis < 0 ? axis + x.ndim : axis;
}

const where = (tree: TreeDef, i: number): string => {
  const [position, ...rest] = pathsOf(tree)[i]!;
  return argumentAt(String(position), rest);
};

function commonSize(leaves: readonly NDArray[], dims: readonly (number | null)[], tree: TreeDef, fn: string, given?: number): number {
  const sizes = leaves.flatMap((x, i) => (dims[i] === null ? [] : [{ n: x.shape[dims[i]!]!, i }]));
  const n = given ?? sizes[0]?.n;
  if (n === undefined) throw new ArgumentError({ fn, arg: "inAxes", expected: "at least one mapped argument", got: "none", fix: "map an argument, or give axisSize" });
  if (sizes.some((s) => s.n !== n)) {
    throw new ShapeError({ fn, expected: `mapped axes of one size${given === undefined ? "" : ` (${given})`}`, got: sizes.map((s) => `argument ${where(tree, s.i)}: ${formatAval(leaves[s.i]!.aval)} axis ${dims[s.i]} of size ${s.n}`).join("; "), fix: "map other axes with inAxes, or null for shared values" });
  }
  return n;
}

function placeOutput(n: number, y: NDArray, dim: number | null, axis: number | null, fn: string): NDArray {
  if (axis === null) {
    if (dim === null) return y;
    throw new ArgumentError({ fn, arg: "outAxes", expected: "an axis for results that differ between examples", got: "null", fix: `use 0; the result has shape ${formatShape(y.shape.filter((_, d) => d !== dim))} an example` });
  }
  const ndim = dim === null ? y.ndim + 1 : y.ndim;
  if (!Number.isInteger(axis) || axis < -ndim || axis >= ndim) throw new AxisError({ fn, arg: "outAxes", expected: `an axis from ${-ndim} to ${ndim - 1}`, got: typeof axis === "number" ? String(axis) : describeValue(axis), fix: "choose an axis of the result" });
  return toBatch(n, y, dim, axis < 0 ? axis + ndim : axis);
}
