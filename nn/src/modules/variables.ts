import { NDArray, TreeError } from "@hessia/core";

/** Arrays by name, by module: what a module holds of one collection. */
export interface VariableTree { readonly [name: string]: unknown }
/** Collections of variables: `params`, which are trained, and others such as `batchStats`. */
export interface Variables { readonly [collection: string]: VariableTree }

export const isDict = (x: unknown): x is Record<string, unknown> => {
  if (typeof x !== "object" || x === null) return false;
  const proto = Object.getPrototypeOf(x) as unknown;
  return proto === Object.prototype || proto === null;
};

/** How the paths of modules become keys of a collection. Collections are never written to: `write` gives a new one. */
export interface Layout {
  read(tree: VariableTree, path: readonly string[], name: string): unknown;
  write(tree: VariableTree, path: readonly string[], name: string, value: unknown): VariableTree;
  /** For error texts. */
  describe(collection: string, path: readonly string[], name: string): string;
  /** Every entry that `used` does not name, for error texts. */
  unused(collection: string, tree: VariableTree, used: ReadonlySet<string>): string[];
}
export const slot = (path: readonly string[], name: string): string => [...path, name].join("/");
const own = (tree: unknown, key: string): unknown => (isDict(tree) && Object.hasOwn(tree, key) ? tree[key] : undefined);

/** Flax's layout: one nested object a module, `{ Dense_0: { kernel, bias } }`. */
export const nestedLayout: Layout = {
  read: (tree, path, name) => own(path.reduce<unknown>((node, key) => own(node, key), tree), name),
  write(tree, path, name, value) {
    const [first, ...rest] = path;
    if (first === undefined) return { ...tree, [name]: value };
    const child = own(tree, first);
    return { ...tree, [first]: nestedLayout.write(isDict(child) ? child : {}, rest, name, value) };
  },
  describe: (collection, path, name) => [collection, ...path, name].join("."),
  unused(collection, tree, used) {
    const walk = (node: Record<string, unknown>, path: string[]): string[] =>
      Object.entries(node).flatMap(([key, value]) => {
        const here = [...path, key];
        if (used.has(here.join("/"))) return [];
        if (!isDict(value)) return [[collection, ...here].join(".")];
        return walk(value, here);
      });
    return walk(tree, []);
  },
};

/** Haiku's layout: one object for each module's path, `{ "mlp/linear_0": { kernel, bias } }`; "~" holds what belongs to no module. */
export const flatLayout: Layout = {
  read: (tree, path, name) => own(own(tree, path.join("/") || "~"), name),
  write(tree, path, name, value) {
    const key = path.join("/") || "~";
    const child = own(tree, key);
    return { ...tree, [key]: { ...(isDict(child) ? child : {}), [name]: value } };
  },
  describe: (collection, path, name) => `${collection}["${path.join("/") || "~"}"].${name}`,
  unused: (collection, tree, used) =>
    Object.entries(tree).flatMap(([key, group]) => {
      const path = key === "~" ? [] : key.split("/");
      if (!isDict(group)) return [`${collection}["${key}"]`];
      return Object.keys(group).filter((name) => !used.has(slot(path, name))).map((name) => flatLayout.describe(collection, path, name));
    }),
};

/** Checks that what came as variables is an object of collections. */
export function requireVariables(variables: unknown, fn: string): Variables {
  if (!isDict(variables)) throw new TreeError({ fn, arg: "variables", expected: "an object of collections, { params: {...} }", got: variables instanceof NDArray ? "an array" : String(variables), fix: "pass what init returned; wrap bare parameters as { params }" });
  for (const [collection, tree] of Object.entries(variables))
    if (!isDict(tree)) throw new TreeError({ fn, arg: "variables", expected: `an object at ${collection}`, got: tree instanceof NDArray ? "an array" : String(tree), fix: "pass what init returned; wrap bare parameters as { params }" });
  return variables as Variables;
}
