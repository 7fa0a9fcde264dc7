import type { NDArray } from "@hessia/core";
import { bind1, convertTo, hasTangent, type NoParams, type primitiveFamilies } from "@hessia/core/extend";
import { type Derivative, type DerivativeRules, zero } from "../derivative.js";
import { constant, select } from "../ops.js";
import { requireZeroTerm } from "../linearity.js";
import { isLinear } from "../rule-kinds.js";
import { instantiate, Zero } from "../zero.js";

/** Casts between floats carry derivatives. */
const convert: Derivative<{ dtype: NDArray["dtype"]; weak: boolean }> = (primitive) => ({
  jvp([x], [dx], params) {
    const y = bind1(primitive, [x!], params);
    return { primals: [y], tangents: [dx instanceof Zero || !hasTangent(y.aval) ? new Zero(y.aval) : convertTo(dx!, params.dtype, params.weak)] };
  },
  transpose: ([ct], [x]) => [convertTo(ct as NDArray, x!.aval.dtype, x!.aval.weak)],
});

const choose: Derivative<NoParams> = (primitive) => ({
  jvp([c, a, b], [, da, db]) {
    return { primals: [select(c!, a!, b!)], tangents: [select(c!, instantiate(da!), instantiate(db!))] };
  },
  transpose([ct], [c, a, b]) {
    if (!isLinear(a!)) requireZeroTerm(a!, primitive.name);
    if (!isLinear(b!)) requireZeroTerm(b!, primitive.name);
    const zeros = constant(ct as NDArray, 0);
    return [null, isLinear(a!) ? select(c as NDArray, ct as NDArray, zeros) : null, isLinear(b!) ? select(c as NDArray, zeros, ct as NDArray) : null];
  },
});

/** Tangents pass as they are: their structure is that of the outer directions. */
const identity: Derivative<NoParams> = (primitive) => ({
  jvp: ([x], [dx], params) => ({ primals: [bind1(primitive, [x!], params)], tangents: [dx!] }),
  transpose: ([ct]) => [ct!],
});

export const typeRules: DerivativeRules<typeof primitiveFamilies.types> = { convert, bitcast: zero(), select: choose, stopGradient: zero(), ordinaryZeros: identity };
