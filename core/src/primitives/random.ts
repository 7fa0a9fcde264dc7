import type { NoParams, Primitive } from "../ir/primitive.js";
import { binary, constant, type Expr } from "../kernel/expr.js";
import { definePrimitive } from "../trace/define.js";
import { elementwiseBatch, elementwiseLower, requireDTypes, requireSame } from "./elementwise.js";

const u32 = (v: number) => constant("uint32", v >>> 0);
const add = (a: Expr, b: Expr) => binary("add", a, b);
const xor = (a: Expr, b: Expr) => binary("xor", a, b);
const rotateLeft = (x: Expr, by: number) => binary("or", binary("shiftLeft", x, u32(by)), binary("shiftRight", x, u32(32 - by)));

/** Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"). */
function threefry(k0: Expr, k1: Expr, c0: Expr, c1: Expr): [Expr, Expr] {
  const keys = [k0, k1, xor(xor(k0, k1), u32(0x1bd11bda))];
  const rotations = [[13, 15, 26, 6], [17, 29, 16, 24]];
  let x0 = add(c0, k0);
  let x1 = add(c1, k1);
  for (let i = 0; i < 5; i++) {
    for (const r of rotations[i % 2]!) {
      x0 = add(x0, x1);
      x1 = xor(rotateLeft(x1, r), x0);
    }
    x0 = add(x0, keys[(i + 1) % 3]!);
    x1 = add(add(x1, keys[(i + 2) % 3]!), u32(i + 1));
  }
  return [x0, x1];
}

/** `(key0, key1, counter0, counter1) -> (bits0, bits1)`, all uint32 of one shape. */
export const threefry2x32: Primitive<NoParams> = definePrimitive({
  name: "threefry2x32",
  elementwise: true,
  abstractEval(inputs) {
    requireDTypes("threefry2x32", inputs, "integer");
    const out = { ...requireSame("threefry2x32", inputs), weak: false };
    return [out, out];
  },
  batch: elementwiseBatch(() => threefry2x32),
  lower: (ctx, inputs, params, outputs) => {
    let both: [Expr, Expr] | undefined;
    const get = (x: Expr[]) => (both ??= threefry(x[0]!, x[1]!, x[2]!, x[3]!));
    return elementwiseLower((...x) => get(x)[0], (...x) => get(x)[1])(ctx, inputs, params, outputs);
  },
});
export const randomPrimitives = { threefry2x32 };
