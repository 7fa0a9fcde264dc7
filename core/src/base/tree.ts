import { ArgumentError, TreeError } from "./errors.js";

/**
 * Pytrees: nested arrays, plain objects (keys in sorted order), Maps (keys in insertion order), registered classes; `null` and
 * `undefined` are nodes without children; all else is a leaf.
 */
export type PathKey = string | number;

interface NodeType {
  readonly kind: string;
  /** Equal meta (by `===` after JSON for objects) is part of equal structure. */
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
  /** Children in a fixed order, and what is static (compared as JSON). */
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
  if (classes.has(cls.prototype as object))
    throw new ArgumentError({ fn: "registerPytree", arg: "cls", expected: "a class not registered before", got: cls.name, fix: "register each class once" });
  const kind = `${cls.name}#${classCount++}`;
  classes.set(cls.prototype as object, {
    kind,
    flatten(value) {
      const { children, meta, keys } = spec.flatten(value as T);
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

function build(value: unknown, leaves: unknown[], isLeaf: IsLeaf | undefined): TreeDef {
  const node = isLeaf?.(value) ? null : nodeType(value);
  if (node === null) {
    leaves.push(value);
    return leafDef;
  }
  const { children, keys, meta } = node.flatten(value);
  const before = leaves.length;
  const defs = children.map((c) => build(c, leaves, isLeaf));
  const metaKey = meta === null ? "" : JSON.stringify(meta);
  return { key: `${node.kind}${metaKey}(${defs.map((d) => d.key).join(",")})`, leafCount: leaves.length - before, node, meta, keys, children: defs };
}

/** Splits a pytree into its leaves, in order, and its structure. */
export function flatten<L = unknown>(tree: unknown, isLeaf?: IsLeaf): [L[], TreeDef] {
  const leaves: unknown[] = [];
  const def = build(tree, leaves, isLeaf);
  return [leaves as L[], def];
}

/** Inverse of `flatten`. */
export function unflatten<T = unknown>(def: TreeDef, leaves: readonly unknown[]): T {
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

/** Where two structures first part, as a sentence; undefined when they are equal. */
export function treeDifference(a: TreeDef, b: TreeDef, path: readonly PathKey[] = []): string | undefined {
  if (a.key === b.key) return undefined;
  const same = a.node === b.node && a.children.length === b.children.length && JSON.stringify(a.meta) === JSON.stringify(b.meta);
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

/** Applies `f` leaf by leaf over trees of one structure. */
export function map<R = unknown>(f: (...leaves: never[]) => R, tree: unknown, ...rest: unknown[]): never {
  const [first, def] = flatten(tree);
  const others = rest.map((t, i) => {
    const [ls, d] = flatten(t);
    requireSameTree(def, d, "tree.map", `tree ${i + 2}`);
    return ls;
  });
  return unflatten(def, first.map((leaf, i) => (f as (...l: unknown[]) => R)(leaf, ...others.map((o) => o[i]))));
}

export function pathsOf(def: TreeDef, prefix: readonly PathKey[] = []): PathKey[][] {
  if (def.node === null) return [[...prefix]];
  return def.children.flatMap((c, i) => pathsOf(c, [...prefix, def.keys[i]!]));
}

export function flattenWithPath<L = unknown>(tree: unknown, isLeaf?: IsLeaf): [[PathKey[], L][], TreeDef] {
  const [ls, def] = flatten<L>(tree, isLeaf);
  return [pathsOf(def).map((p, i) => [p, ls[i]!]), def];
}

export function mapWithPath<R = unknown>(f: (path: PathKey[], leaf: never) => R, tree: unknown): never {
  const [pairs, def] = flattenWithPath(tree);
  return unflatten(def, pairs.map(([p, l]) => f(p, l as never)));
}

export const reduce = <A>(f: (acc: A, leaf: never) => A, tree: unknown, init: A): A => leaves(tree).reduce<A>((acc, l) => f(acc, l as never), init);
export const all = (tree: unknown): boolean => leaves(tree).every(Boolean);

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
    if (node !== d.node || flat.children.length !== d.children.length)
      throw new TreeError({ fn, arg, expected: `a prefix of ${formatTree(d)} at ${formatPath(path)}`, got: formatTree(structure(p, isLeaf)), fix: "give one entry for the whole, or one for each child" });
    flat.children.forEach((c, i) => go(c, d.children[i]!, [...path, d.keys[i]!]));
  };
  go(prefix, full, []);
  return out;
}

/** Swaps outer and inner structure: a list of objects becomes an object of lists. */
export function transpose<T = unknown>(outer: TreeDef, inner: TreeDef, tree: unknown): T {
  const flat = leaves(tree);
  const n = inner.leafCount;
  const columns = Array.from({ length: n }, (_, j) => unflatten(outer, Array.from({ length: outer.leafCount }, (_, i) => flat[i * n + j])));
  return unflatten(inner, columns);
}
