import { ArgumentError, type NDArray, tree, type TreeDef } from "@hessia/core";
import { flattenArgs } from "@hessia/core/extend";
import { chooseArgs } from "./arguments.js";

export interface CustomOptions {
  /** Arguments that are no arrays (functions, settings): never differentiated, and passed to the rules first. */
  readonly nondiffArgnums?: number | readonly number[];
}

/** The arguments of one call of a function with its own derivative. */
export interface CustomCall {
  readonly leaves: NDArray[];
  readonly tree: TreeDef;
  readonly nondiff: readonly unknown[];
  /** All arguments in their places, with new arrays for the differentiable ones. */
  args(leaves: readonly NDArray[]): unknown[];
  /** The differentiable arguments alone. */
  diff(leaves: readonly unknown[]): unknown[];
}

export function splitCall(args: readonly unknown[], options: CustomOptions, fn: string): CustomCall {
  const list = options.nondiffArgnums === undefined ? [] : typeof options.nondiffArgnums === "number" ? [options.nondiffArgnums] : options.nondiffArgnums;
  const fixed = list.length ? chooseArgs(list, args.length, fn).positions : [];
  const moving = args.map((_, i) => i).filter((i) => !fixed.includes(i));
  const [leaves, def] = flattenArgs(moving.map((i) => args[i]), fn);
  const diff = (xs: readonly unknown[]): unknown[] => tree.unflatten<unknown[]>(def, xs);
  return {
    leaves, tree: def, diff,
    nondiff: fixed.map((i) => args[i]),
    args(xs) {
      const full = [...args];
      diff(xs).forEach((a, k) => (full[moving[k]!] = a));
      return full;
    },
  };
}

export const noRule = (fn: string, name: string, fix: string): ArgumentError =>
  new ArgumentError({ fn, arg: name, expected: "a function whose derivative has been defined", got: "none", fix });
