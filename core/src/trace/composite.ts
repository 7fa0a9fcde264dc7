import type { NDArray } from "../array/ndarray.js";
import type { Params } from "../ir/primitive.js";
import type { LowerRule } from "../lower/lowering.js";
import { stage } from "./stage.js";

/**
 * A lowering rule written with ordinary operations: they are recorded for the types at hand and lowered in place of the primitive, so they
 * fuse with what surrounds them. For primitives that exist for the sake of their derivative or their batching.
 * @example definePrimitive({ name: "demo.cube", abstractEval: ([x]) => x!, lower: compositeLowering(([x]) => [x!.mul(x!).mul(x!)]) });
 */
export const compositeLowering = <P extends Params = Params>(f: (inputs: readonly NDArray[], params: P) => readonly NDArray[]): LowerRule<P> => (ctx, inputs, params) => {
  const { program, captured } = stage((...xs) => f(xs, params), inputs.map(({ shape, dtype }) => ({ shape, dtype, weak: false })), "compositeLowering");
  return ctx.program(program, [...captured.map((x) => ctx.constant({ ...x.aval, data: x.data })), ...inputs]);
};
