import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { add, mul } from "../lax/elementwise.js";
import { floatOperandsOf } from "../numpy/convert.js";
import { jit } from "../transforms/jit.js";

/** An elementwise function of floats made of primitives, compiled as one program; operands are promoted and broadcast. */
export function composite<A extends ArrayLike[]>(name: string, body: (...xs: { [K in keyof A]: NDArray }) => NDArray): (...args: A) => NDArray {
  const run = jit((xs: NDArray[]) => body(...(xs as { [K in keyof A]: NDArray })), { name: `special.${name}` });
  return (...args) => run(floatOperandsOf(args, `special.${name}`));
}

/** Horner's rule, lowest power first. */
export const polynomial = (t: NDArray, coefficients: readonly number[]): NDArray =>
  coefficients.slice(0, -1).reduceRight<NDArray>((sum, c) => add(mul(sum, t), c), add(mul(t, 0), coefficients.at(-1)!));
