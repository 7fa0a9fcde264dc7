import type { NDArray } from "@hessia/core";
import { bind, type primitiveFamilies, shape, transposeTo } from "@hessia/core/extend";
import type { Derivative, DerivativeRules } from "../derivative.js";
import { gather, iota } from "../ops.js";
import { Zero } from "../zero.js";

/** Tangents move as their elements do; stable, so ties keep their order. */
const sort: Derivative<{ readonly axis: number; readonly keys: number }> = (primitive) => ({
  jvp(primals, tangents, params) {
    const { axis } = params;
    const x = primals[0]!;
    const outputs = bind(primitive, [...primals, iota(x.shape, axis)], params);
    const last = [...shape.range(x.ndim).filter((d) => d !== axis), axis];
    const back = shape.range(x.ndim).map((d) => last.indexOf(d));
    const order = transposeTo(outputs.at(-1)!, last);
    const permuted = (dx: NDArray) => transposeTo(gather(transposeTo(dx, last), order, x.ndim - 1), back);
    return { primals: outputs.slice(0, -1), tangents: tangents.map((dx) => (dx instanceof Zero ? dx : permuted(dx))) };
  },
});

export const sortRules: DerivativeRules<typeof primitiveFamilies.sort> = { sort };
