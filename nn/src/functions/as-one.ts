import { type ArrayLike, jit, type NDArray } from "@hessia/core";
import { floatArray } from "./arrays.js";

/** Compiled forms of a function for so many different settings are kept. */
const mostSettings = 64;

/**
 * A composite of one array of floats and plain settings as one compiled program: eagerly too it is one pass over memory, and derivatives take it as
 * one step. Inside `jit` it dissolves into what surrounds it.
 */
export function asOne<S extends readonly (number | boolean | readonly number[])[]>(f: (a: NDArray, ...settings: S) => NDArray): (x: ArrayLike, ...settings: S) => NDArray {
  const known = new Map<string, (a: NDArray) => NDArray>();
  return (x, ...settings) => {
    const key = settings.length === 0 ? "" : settings.join(" ");
    let compiled = known.get(key);
    if (!compiled) {
      if (known.size >= mostSettings) known.clear();
      known.set(key, (compiled = jit((a: NDArray) => f(a, ...settings))));
    }
    return compiled(floatArray(x));
  };
}
