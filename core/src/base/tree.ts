import { ArgumentError, TreeError } from "./errors.js";
import { describeValue, requireFunction } from "./options.js";
import { structuralKey } from "./structural-key.js";

/**
 * Pytrees: nested arrays, plain objects (keys in sorted order), Maps (keys in insertion order), registered classes; `null` and
 * `undefined` are nodes without children; all else is a leaf.
 */
export type PathKey = string | number;

interface NodeType {
  readonly kind: string;
  /** Equal meta (by content, see `structuralKey`) is part of equal structure. */
  flatten(value: unknown): { children: unknown[]; keys: PathKey[]; meta: unknown };
  unflatten(meta: unknown, children: unknown[]): unknown;
}

/** The structure of a pytree without its leaves. Compare by `key`. */
export interface TreeDef {
  readonly key: string;
  readonly leafCount: number;
  readonly node: NodeType | null;
  readonly meta: unknown;
  readonly keys: readonly PathKey[];
  readonly children: readonly TreeDef[];
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- classes of any constructor signature can be registered
type Class<T> = abstract new (...args: any[]) => T;

export interface PytreeClass<T, M = unknown> {
  /** Children in a fixed order, and what is static: compared by content where it is plain data, functions and instances by identity. */
  flatten(value: T): { children: readonly unknown[]; meta: M; keys?: readonly PathKey[] };
  unflatten(meta: M, children: readonly unknown[]): T;
}

const classes = new Map<object, NodeType>();
let classCount = 0;

/**
 * Makes instances of a class nodes of pytrees, so that every transform sees through them.
 * @throws ArgumentError when the class is registered already.
 * @example registerPytree(Point, { flatten: (p) => ({ children: [p.x, p.y], meta: null }), unflatten: (_, [x, y]) => new Point(x, y) });
 */
export function registerPytree<T extends object, M = unknown>(cls: Class<T>, spec: PytreeClass<T, M>): void {
  const fn = "registerPytree";
  requireFunction(cls, fn, "cls", "(a class)");
  for (const part of ["flatten", "unflatten"] as const) requireFunction((spec as PytreeClass<T, M> | undefined)?.[part], fn, `spec.${part}`, part === "flatten" ? "(value) => ({ children, meta })" : "(meta, children) => value");
  if (classes.has(cls.prototype as object))
    throw new ArgumentError({ fn, arg: "cls", expected: "a class not registered before", got: cls.name, fix: "register each class once" });
  const kind = `${cls.name}#${classCount++}`;
  classes.set(cls.prototype as object, {
    kind,
    flatten(value) {
      const parts = spec.flatten(value as T) as ReturnType<typeof spec.flatten> | undefined;
      if (!Array.isArray(parts?.children)) throw new ArgumentError({ fn, arg: `spec.flatten of ${cls.name}`, expected: "{ children: [...], meta }", got: describeValue(parts), fix: "return the children as an array" });
      const { children, meta, keys } = parts!;
      return { children: [...children], keys: keys ? [...keys] : children.map((_, i) => i), meta };
    },
    unflatten: (meta, children) => spec.unflatten(meta as M, children),
  });
}

const arrayNode: NodeType = {
  kind: "array",
  flatten: (value) => ({ children: value as unknown[], keys: (value as unknown[]).map((_, i) => i), meta: null }),
  unflatten: (_, children) => children,
};
const objectNode: NodeType = {
  kind: "object",
  flatten(value) {
    const keys = Object.keys(value as object).sort();
    return { children: keys.map((k) => (value as Record<string, unknown>)[k]), keys, meta: keys };
  },
  unflatten: (meta, children) => Object.fromEntries((meta as string[]).map((k, i) => [k, children[i]])),
};
const mapNode: NodeType = {
  kind: "map",
  flatten(value) {
    const entries = [...(value as Map<PathKey, unknown>)];
    return { children: entries.map((e) => e[1]), keys: entries.map((e) => e[0]), meta: entries.map((e) => e[0]) };
  },
  unflatten: (meta, children) => new Map((meta as PathKey[]).map((k, i) => [k, children[i]])),
};
const nullNode: NodeType = { kind: "null", flatten: () => ({ children: [], keys: [], meta: null }), unflatten: () => null };
const undefinedNode: NodeType = { kind: "undefined", flatten: () => ({ children: [], keys: [], meta: null }), unflatten: () => undefined };

function nodeType(value: unknown): NodeType | null {
  if (value === null) return nullNode;
  if (value === undefined) return undefinedNode;
  if (typeof value !== "object") return null;
  if (Array.isArray(value)) return arrayNode;
  const proto = Object.getPrototypeOf(value) as object | null;
  if (proto === Object.prototype || proto === null) return objectNode;
  if (value instanceof Map) return mapNode;
  for (let p: object | null = proto; p !== null && p !== Object.prototype; p = Object.getPrototypeOf(p) as object | null) {
    const found = classes.get(p);
    if (found) return found;
  }
  return null;
}

export type IsLeaf = (value: unknown) => boolean;

const leafDef: TreeDef = { key: "*", leafCount: 1, node: null, meta: null, keys: [], children: [] };

/** Deeper than any tree that is no cycle. */
const maxDepth = 1000;

function build(value: unknown, leaves: unknown[], isLeaf: IsLeaf | undefined, depth = 0): TreeDef {
  const node = isLeaf?.(value) ? null : nodeType(value);
  if (node === null) {
    leaves.push(value);
    return leafDef;
  }
  if (depth > maxDepth) throw new TreeError({ fn: "tree", expected: `at most ${maxDepth} levels`, got: "a tree that goes on (an object that contains itself?)", fix: "remove the cycle" });
  const { children, keys, meta } = node.flatten(value);
  const before = leaves.length;
  const defs = children.map((c) => build(c, leaves, isLeaf, depth + 1));
  const metaKey = meta === null ? "" : node === objectNode ? JSON.stringify(meta) : structuralKey(meta);
  return { key: `${node.kind}${metaKey}(${defs.map((d) => d.key).join(",")})`, leafCount: leaves.length - before, node, meta, keys, children: defs };
}

/** Splits a pytree into its leaves, in order, and its structure. */
export function flatten<L = unknown>(tree: unknown, isLeaf?: IsLeaf): [L[], TreeDef] {
  const leaves: unknown[] = [];
  const def = build(tree, leaves, isLeaf);
  return [leaves as L[], def];
}

/**
 * Appends the leaves of a tree that has the structure `def`; false where it has not, or where that is not seen at a glance (Maps, registered
 * classes): then `flatten` tells. For calls that mostly repeat a structure known before. `isLeaf` names leaves that are quick to tell.
 */
export function flattenLike(def: TreeDef, value: unknown, leaves: unknown[], isLeaf?: IsLeaf): boolean {
  const { node, children } = def;
  if (node === null) {
    if (!isLeaf?.(value) && nodeType(value) !== null) return false;
    leaves.push(value);
    return true;
  }
  if (node === arrayNode) {
    if (!Array.isArray(value) || value.length !== children.length) return false;
    for (let i = 0; i < children.length; i++) if (!flattenLike(children[i]!, value[i], leaves, isLeaf)) return false;
    return true;
  }
  if (node === objectNode) {
    if (nodeType(value) !== objectNode) return false;
    const { keys } = def;
    if (Object.keys(value as object).length !== keys.length) return false;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (!Object.hasOwn(value as object, key) || !flattenLike(children[i]!, (value as Record<PathKey, unknown>)[key], leaves, isLeaf)) return false;
    }
    return true;
  }
  return node === nullNode ? value === null : node === undefinedNode && value === undefined;
}

function requireDef(def: unknown, fn: string, arg: string): asserts def is TreeDef {
  if (typeof (def as TreeDef | undefined)?.leafCount !== "number" || !Array.isArray((def as TreeDef).children))
    throw new TreeError({ fn, arg, expected: "a structure from tree.flatten or tree.structure", got: describeValue(def), fix: "call tree.structure on an example" });
}

/** Inverse of `flatten`. */
export function unflatten<T = unknown>(def: TreeDef, leaves: readonly unknown[]): T {
  requireDef(def, "tree.unflatten", "def");
  if (!Array.isArray(leaves)) throw new TreeError({ fn: "tree.unflatten", arg: "leaves", expected: `an array of ${def.leafCount} leaves`, got: describeValue(leaves), fix: "pass what tree.flatten gave" });
  if (leaves.length !== def.leafCount)
    throw new TreeError({ fn: "tree.unflatten", arg: "leaves", expected: `${def.leafCount} leaves for ${formatTree(def)}`, got: String(leaves.length), fix: "pass as many leaves as the structure has" });
  let next = 0;
  const go = (d: TreeDef): unknown => (d.node === null ? leaves[next++] : d.node.unflatten(d.meta, d.children.map(go)));
  return go(def) as T;
}

export const leaves = <L = unknown>(tree: unknown, isLeaf?: IsLeaf): L[] => flatten<L>(tree, isLeaf)[0];
export const structure = (tree: unknown, isLeaf?: IsLeaf): TreeDef => flatten(tree, isLeaf)[1];

/** `{a: *, b: [*, *]}` */
export function formatTree(def: TreeDef): string {
  if (def.node === null) return "*";
  const kids = def.children.map(formatTree);
  if (def.node === arrayNode) return `[${kids.join(", ")}]`;
  if (def.node === nullNode || def.node === undefinedNode) return def.node.kind;
  return `${def.node === objectNode ? "" : def.node.kind.split("#")[0]}{${kids.map((k, i) => `${def.keys[i]}: ${k}`).join(", ")}}`;
}

export const formatPath = (path: readonly PathKey[]): string =>
  path.map((k) => (typeof k === "number" ? `[${k}]` : /^[A-Za-z_$][\w$]*$/.test(k) ? `.${k}` : `[${JSON.stringify(k)}]`)).join("") || "(root)";

/** An argument and the place in it: `carry.w[0]`, or `carry` for the whole. */
export const argumentAt = (arg: string, path: readonly PathKey[]): string => (path.length ? arg + formatPath(path) : arg);

/** Where two structures first part, as a sentence; undefined when they are equal. */
export function treeDifference(a: TreeDef, b: TreeDef, path: readonly PathKey[] = []): string | undefined {
  if (a.key === b.key) return undefined;
  const same = a.node === b.node && a.children.length === b.children.length && structuralKey(a.meta) === structuralKey(b.meta);
  if (same && a.node !== null) {
    for (let i = 0; i < a.children.length; i++) {
      const diff = treeDifference(a.children[i]!, b.children[i]!, [...path, a.keys[i]!]);
      if (diff) return diff;
    }
  }
  return `at ${formatPath(path)}: ${formatTree(a)} against ${formatTree(b)}`;
}

export function requireSameTree(expected: TreeDef, got: TreeDef, fn: string, arg: string, fix = "give both trees the same structure"): void {
  const diff = treeDifference(expected, got);
  if (diff) throw new TreeError({ fn, arg, expected: formatTree(expected), got: `${formatTree(got)} (${diff})`, fix });
}

/** A tree whose leaves stay of their kind has the type it had. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as below
export type SameTree<T> = unknown extends T ? any : T;
/** What `map` makes of a tree type: every leaf becomes an R. Of a tree whose type is not known nothing can be said. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the result has the shape of the tree, which only the caller knows
export type MapLeaves<T, R> = unknown extends T ? any
  : T extends null | undefined ? T
  : T extends { readonly shape: unknown; readonly dtype: unknown } | number | boolean | string | bigint | symbol | ArrayBufferView | ((...args: never) => unknown) ? R
  : T extends ReadonlyMap<infer K, infer V> ? Map<K, MapLeaves<V, R>>
  : { -readonly [K in keyof T]: MapLeaves<T[K], R> };

/**
 * Applies `f` leaf by leaf over trees of one structure.
 * @throws TreeError that shows both trees and where they part.
 * @example tree.map((p, g) => p.sub(g.mul(0.1)), params, grads)
 */
export function map<T, L>(f: (...leaves: L[]) => L, tree: T, ...rest: unknown[]): SameTree<T>;
export function map<T, R>(f: (...leaves: never[]) => R, tree: T, ...rest: unknown[]): MapLeaves<T, R>;
export function map(f: (...leaves: never[]) => unknown, tree: unknown, ...rest: unknown[]): unknown {
  requireFunction(f, "tree.map", "f", "(leaf, ...) => result");
  const [first, def] = flatten(tree);
  const others = rest.map((t, i) => {
    const [ls, d] = flatten(t);
    requireSameTree(def, d, "tree.map", `tree ${i + 2}`);
    return ls;
  });
  return unflatten(def, first.map((leaf, i) => (f as (...l: unknown[]) => unknown)(leaf, ...others.map((o) => o[i]))));
}

/** Where each leaf lies: the keys from the root, in the order of the leaves. */
export function pathsOf(def: TreeDef, prefix: readonly PathKey[] = []): PathKey[][] {
  if (def.node === null) return [[...prefix]];
  return def.children.flatMap((c, i) => pathsOf(c, [...prefix, def.keys[i]!]));
}

export function flattenWithPath<L = unknown>(tree: unknown, isLeaf?: IsLeaf): [[PathKey[], L][], TreeDef] {
  const [ls, def] = flatten<L>(tree, isLeaf);
  return [pathsOf(def).map((p, i) => [p, ls[i]!]), def];
}

/** The leaves with their paths; `formatPath` prints a path. */
export const leavesWithPath = <L = unknown>(tree: unknown, isLeaf?: IsLeaf): [PathKey[], L][] => flattenWithPath<L>(tree, isLeaf)[0];

/** Applies `f` to each leaf with the keys that lead to it. */
export function mapWithPath<T, R>(f: (path: PathKey[], leaf: never) => R, tree: T): MapLeaves<T, R> {
  requireFunction(f, "tree.mapWithPath", "f", "(path, leaf) => result");
  const [pairs, def] = flattenWithPath(tree);
  return unflatten(def, pairs.map(([p, l]) => f(p, l as never)));
}

/** Folds the leaves from the left. */
export function reduce<A>(f: (acc: A, leaf: never) => A, tree: unknown, init: A): A {
  requireFunction(f, "tree.reduce", "f", "(accumulated, leaf) => accumulated");
  return leaves(tree).reduce<A>((acc, l) => f(acc, l as never), init);
}

/**
 * Folds the leaves pairwise, in a balanced tree of depth log2 n, so that rounding errors grow slowly and a compiled sum stays shallow.
 * `f` must be associative.
 * @throws TreeError for a tree without leaves when there is no `identity`.
 * @example tree.reduceAssociative((a, b) => a.add(b), tree.map(np.sum, grads))
 */
export function reduceAssociative<L>(f: (a: L, b: L) => L, tree: unknown, identity?: L): L {
  requireFunction(f, "tree.reduceAssociative", "f", "(a, b) => combined");
  let level = leaves<L>(tree);
  if (level.length === 0) {
    if (identity !== undefined) return identity;
    throw new TreeError({ fn: "tree.reduceAssociative", arg: "tree", expected: "at least one leaf, or an identity", got: "a tree without leaves", fix: "pass the identity as third argument" });
  }
  while (level.length > 1) level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => (2 * i + 1 < level.length ? f(level[2 * i]!, level[2 * i + 1]!) : level[2 * i]!));
  return level[0]!;
}

export const all = (tree: unknown): boolean => leaves(tree).every(Boolean);

/**
 * A tree of the structure of `full`, each leaf of `prefix` repeated over what it stands for.
 * @throws TreeError where `prefix` is none.
 * @example tree.broadcast({ a: 0, b: 1 }, { a: [x, y], b: z }) // { a: [0, 0], b: 1 }
 */
export function broadcast<T = unknown>(prefix: unknown, full: unknown, isLeaf?: IsLeaf): T {
  const def = structure(full, isLeaf);
  return unflatten<T>(def, broadcastPrefix(prefix, def, "tree.broadcast", "prefix", isLeaf));
}

/** Repeats the leaves of `prefix` so that it has the structure of `full`: `0` against `{a, b}` gives `[0, 0]`. */
export function broadcastPrefix(prefix: unknown, full: TreeDef, fn: string, arg: string, isLeaf?: IsLeaf): unknown[] {
  const out: unknown[] = [];
  const go = (p: unknown, d: TreeDef, path: PathKey[]): void => {
    const node = isLeaf?.(p) ? null : nodeType(p);
    if (node === null || node === nullNode || node === undefinedNode) {
      for (let i = 0; i < d.leafCount; i++) out.push(p);
      return;
    }
    const flat = node.flatten(p);
    if (node !== d.node || flat.children.length !== d.children.length || structuralKey(flat.meta) !== structuralKey(d.meta))
      throw new TreeError({ fn, arg, expected: `a prefix of ${formatTree(d)} at ${formatPath(path)}`, got: formatTree(structure(p, isLeaf)), fix: "give one entry for the whole, or one for each child" });
    flat.children.forEach((c, i) => go(c, d.children[i]!, [...path, d.keys[i]!]));
  };
  go(prefix, full, []);
  return out;
}

/** Swaps outer and inner structure: a list of objects becomes an object of lists. */
export function transpose<T = unknown>(outer: TreeDef, inner: TreeDef, tree: unknown): T {
  requireDef(outer, "tree.transpose", "outer");
  requireDef(inner, "tree.transpose", "inner");
  const flat = leaves(tree);
  const n = inner.leafCount;
  if (flat.length !== outer.leafCount * n)
    throw new TreeError({ fn: "tree.transpose", arg: "tree", expected: `${formatTree(inner)} at each leaf of ${formatTree(outer)}, ${outer.leafCount * n} leaves`, got: `${formatTree(structure(tree))}, ${flat.length} leaves`, fix: "pass the structures of which the tree is made" });
  const columns = Array.from({ length: n }, (_, j) => unflatten(outer, Array.from({ length: outer.leafCount }, (_, i) => flat[i * n + j])));
  return unflatten(inner, columns);
}
