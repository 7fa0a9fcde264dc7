import { ArgumentError, type DType, NDArray, np, random, ShapeError } from "@hessia/core";

/** Operands in one dtype: the one asked for, or what they promote to together. */
export function inDType(dtype: DType | undefined, ...xs: readonly (NDArray | null)[]): (NDArray | null)[] {
  return dtype === undefined ? [...xs] : xs.map((x) => (x === null || x.dtype === dtype ? x : x.astype(dtype)));
}

/** An input that must be an array with at least some axes. */
export function requireInput(x: unknown, ndim: number, fn: string): NDArray {
  const a = x instanceof NDArray ? x : Array.isArray(x) || ArrayBuffer.isView(x) || typeof x === "number" ? np.asarray(x as never) : undefined;
  if (!a) throw new ArgumentError({ fn, arg: "x", expected: "an array", got: x === null ? "null" : typeof x, fix: "pass np.array(...)" });
  if (a.ndim < ndim) throw new ShapeError({ fn, arg: "x", expected: `at least ${ndim} ${ndim === 1 ? "axis" : "axes"}`, got: `[${a.shape.join(",")}]`, fix: "add axes with expandDims or reshape" });
  return a;
}

export function requireCount(n: unknown, fn: string, arg: string): number {
  if (typeof n === "number" && Number.isInteger(n) && n > 0) return n;
  throw new ArgumentError({ fn, arg, expected: "a positive integer", got: JSON.stringify(n) ?? String(n), fix: "pass a number such as 32" });
}

/** A flag that may be given in the constructor or in the call, and must be given once. */
export function requireFlag(own: boolean | undefined, called: boolean | undefined, fn: string, arg: string): boolean {
  const flag = called ?? own;
  if (typeof flag !== "boolean") throw new ArgumentError({ fn, arg, expected: "true or false, in the constructor's options or in the call", got: String(flag), fix: `call(x, { ${arg}: true }) for evaluation, false for training` });
  return flag;
}

/** `x` with every element kept with probability 1 - rate and divided by it, else 0. */
export function drop(key: () => NDArray, rate: number, x: NDArray, broadcastDims: readonly number[]): NDArray {
  if (rate === 0) return x;
  if (rate === 1) return np.zerosLike(x);
  const kept = 1 - rate;
  const shape = x.shape.map((n, d) => (broadcastDims.some((b) => b === d || b + x.ndim === d) ? 1 : n));
  return np.where(random.bernoulli(key(), kept, shape), np.divide(x, kept), 0);
}
