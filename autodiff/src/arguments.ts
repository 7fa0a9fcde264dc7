import { ArgumentError, DTypeError, NDArray, ShapeError, tree, TreeError, type TreeDef } from "@hessia/core";
import { type Aval, convertTo, flattenArgs, formatAval, hasTangent, leafToArray, shape } from "@hessia/core/extend";
import { fill, type Tangent, Zero } from "./zero.js";

/** Positions of the arguments that are differentiated: one, or several for a tuple of derivatives. Negative ones count from the end. */
export type Argnums = number | readonly number[];

/** @throws ArgumentError for what cannot be called. */
export function requireCallable(f: unknown, fn: string, arg = "f"): void {
  if (typeof f !== "function")
    throw new ArgumentError({ fn, arg, expected: "a function (...args) => result", got: f instanceof NDArray ? formatAval(f.aval) : f === null ? "null" : typeof f, fix: "pass the function itself, not its result" });
}

export interface ChosenArgs {
  readonly positions: readonly number[];
  /** One position was given, not a list: the derivative is not in a tuple. */
  readonly single: boolean;
}

/** @throws ArgumentError for positions that the call does not have. */
export function chooseArgs(argnums: Argnums, count: number, fn: string): ChosenArgs {
  const single = typeof argnums === "number";
  const list = single ? [argnums] : argnums;
  const positions = list.map((n) => {
    if (!Number.isInteger(n) || n < -count || n >= count)
      throw new ArgumentError({ fn, arg: "argnums", expected: count === 0 ? "a call with arguments" : `integers from ${-count} to ${count - 1}, for a call with ${count} argument${count === 1 ? "" : "s"}`, got: String(n), fix: "pass all arguments positionally, or choose one that exists" });
    return n < 0 ? n + count : n;
  });
  if (positions.length === 0) throw new ArgumentError({ fn, arg: "argnums", expected: "at least one position", got: "[]", fix: "name the arguments to differentiate" });
  if (new Set(positions).size !== positions.length) throw new ArgumentError({ fn, arg: "argnums", expected: "each position once", got: `[${list.join(",")}]`, fix: "remove the repeated position" });
  return { positions, single };
}

export interface FlatArgs {
  readonly leaves: NDArray[];
  readonly tree: TreeDef;
  /** `argument 0.w` */
  describe(i: number): string;
}

/** Flattens a list of arguments at their positions in the call. */
export function flattenArguments(args: readonly unknown[], positions: readonly number[], fn: string): FlatArgs {
  const [leaves, def] = flattenArgs(args, fn);
  return { leaves, tree: def, describe: (i) => describePath(tree.pathsOf(def)[i]!, positions) };
}
function describePath(path: readonly (string | number)[], positions: readonly number[]): string {
  const rest = path.slice(1);
  return `argument ${positions[path[0] as number]}${rest.length ? tree.formatPath(rest) : ""}`;
}

/** @throws DTypeError naming the first leaf that has no derivative. */
export function requireFloats(args: FlatArgs, fn: string, fix: string): void {
  args.leaves.forEach((x, i) => {
    if (!hasTangent(x.aval)) throw new DTypeError({ fn, arg: args.describe(i), expected: "a floating-point array", got: formatAval(x.aval), fix });
  });
}

const isNull = (x: unknown): boolean => x === null;

/**
 * Tangents or cotangents that belong to values of these types, checked: `null` (or, in structure, an integer array) where the value has none.
 * @throws TreeError, ShapeError, DTypeError naming the leaf.
 */
export function flattenTangents(given: unknown, def: TreeDef, types: readonly Aval[], fn: string, arg: string, what: string, nullIsZero = false): Tangent[] {
  // null stands both for "no tangent" and for an empty node of the tree: compare with each null a leaf.
  const template = tree.unflatten(def, types.map((_, i) => new Place(i)));
  const [places, expected] = tree.flatten(template, isNull);
  const [leaves, got] = tree.flatten(given, isNull);
  tree.requireSameTree(expected, got, fn, arg, `give a ${what} for each leaf (null for integers)`);
  const out: Tangent[] = types.map((t) => new Zero(t));
  const paths = tree.pathsOf(expected);
  places.forEach((p, k) => {
    if (!(p instanceof Place)) return;
    const type = types[p.index]!;
    const leaf = leaves[k];
    const where = `${arg}${paths[k]!.length ? tree.formatPath(paths[k]!) : ""}`;
    if (leaf === null) {
      if (hasTangent(type) && !nullIsZero) throw new TreeError({ fn, arg: where, expected: `a ${what} of type ${formatAval(type)}`, got: "null", fix: "only integers and bools take null; pass zeros" });
      return;
    }
    if (!hasTangent(type)) {
      throw new DTypeError({ fn, arg: where, expected: `null, because a value of dtype ${type.dtype} has no ${what}`, got: describeLeaf(leaf), fix: "pass null" });
    }
    out[p.index] = checkTangent(leafToArray(leaf, fn, () => where), type, fn, where, what);
  });
  return out;
}
/** What a `bwd` rule gave: one cotangent for each argument, where null stands for zero. An argument may have null for its whole tree. */
export function flattenCotangents(given: unknown, def: TreeDef, types: readonly Aval[], fn: string): Tangent[] {
  const arg = "result of bwd";
  if (!Array.isArray(given) || given.length !== def.children.length)
    throw new TreeError({ fn, arg, expected: `an array of ${def.children.length} cotangent${def.children.length === 1 ? "" : "s"}, one for each argument`, got: Array.isArray(given) ? `${given.length} entries` : describeLeaf(given), fix: "return [cotangent of the first argument, ...]; null for arguments without" });
  let at = 0;
  return def.children.flatMap((child, i) => {
    const own = types.slice(at, (at += child.leafCount));
    return given[i] === null ? own.map((t) => new Zero(t)) : flattenTangents(given[i], child, own, fn, `${arg}[${i}]`, "cotangent", true);
  });
}
class Place {
  constructor(readonly index: number) {}
}
const describeLeaf = (x: unknown): string => (typeof x === "object" && x !== null && "aval" in x ? formatAval((x as NDArray).aval) : String(x));

function checkTangent(x: NDArray, type: Aval, fn: string, arg: string, what: string): NDArray {
  if (!shape.shapesEqual(x.shape, type.shape))
    throw new ShapeError({ fn, arg, expected: `a ${what} of shape ${shape.formatShape(type.shape)}, that of the value`, got: shape.formatShape(x.shape), fix: "reshape or broadcast it" });
  if (x.dtype !== type.dtype) {
    if (x.weak) return convertTo(x, type.dtype, type.weak);
    throw new DTypeError({ fn, arg, expected: `a ${what} of dtype ${type.dtype}, that of the value`, got: x.dtype, fix: `convert it with astype("${type.dtype}")` });
  }
  return x;
}

/** Derivatives as the user gets them: zeros written out, null for values without derivative. */
export const leafOfTangent = (t: Tangent): NDArray | null => (!hasTangent(t.aval) ? null : t instanceof Zero ? fill({ ...t.aval, weak: false }, 0) : t);

/** Takes `[out, aux]` apart. */
export function splitAux(result: unknown, hasAux: boolean | undefined, fn: string): [unknown, unknown] {
  if (!hasAux) return [result, undefined];
  if (Array.isArray(result) && result.length === 2) return [result[0], result[1]];
  throw new ArgumentError({ fn, arg: "return value", expected: "[output, aux], because hasAux is set", got: Array.isArray(result) ? `an array of ${result.length}` : typeof result, fix: "return both, or leave hasAux out" });
}
