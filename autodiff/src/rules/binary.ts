import { lax, type NDArray } from "@hessia/core";
import { bind1, type NoParams, primitiveFamilies } from "@hessia/core/extend";
import { bilinear, type Derivative, type DerivativeRules, elementwise, nonDifferentiable, zero } from "../derivative.js";
import { addTangents, constant, div, eq, exp, ge, gt, lgamma, log, mask, mul, neg, pow, scale, select, shift, square, sub, add, trunc } from "../ops.js";
import { notLinear, requireZeroTerm } from "../linearity.js";
import { isLinear } from "../rule-kinds.js";
import { isNonzero, Zero } from "../zero.js";

const one = (x: NDArray): NDArray => constant(x, 1);
/** 1 where a > b, 1/2 where equal: ties share equally. */
const share = (a: NDArray, b: NDArray): NDArray => scale(add(mask(ge(a, b), a), mask(gt(a, b), a)), 0.5);
const isZero = (x: NDArray): NDArray => eq(x, constant(x, 0));

const sumRule = (sign: 1 | -1): Derivative<NoParams> => (primitive) => ({
  jvp(primals, [da, db], params) {
    const y = bind1(primitive, primals, params);
    if (db instanceof Zero) return { primals: [y], tangents: [da!] };
    if (da instanceof Zero) return { primals: [y], tangents: [sign === 1 ? db! : neg(db!)] };
    return { primals: [y], tangents: [bind1(primitive, [da!, db!], params)] };
  },
  transpose([ct], [a, b]) {
    if (!isLinear(a!)) requireZeroTerm(a!, primitive.name);
    if (!isLinear(b!)) requireZeroTerm(b!, primitive.name);
    return [isLinear(a!) ? ct! : null, isLinear(b!) ? (sign === 1 ? ct! : neg(ct as NDArray)) : null];
  },
});

const productRule: Derivative<NoParams> = (primitive) => {
  const { jvp, transpose } = bilinear<NoParams>((ct, b) => mul(ct, b), (ct, a) => mul(a, ct))(primitive);
  return {
    // d(x x) = 2x dx: one product instead of two.
    jvp: (primals, tangents, params) => (primals[0] === primals[1] && tangents[0] === tangents[1] && isNonzero(tangents[0]!) ? { primals: [mul(primals[0]!, primals[0]!)], tangents: [mul(tangents[0]!, add(primals[0]!, primals[0]!))] } : jvp(primals, tangents, params)),
    transpose: transpose!,
  };
};

/** x / y is linear in x; by y: -(x / y) / y. */
const quotient: Derivative<NoParams> = (primitive) => ({
  jvp([x, y], [dx, dy]) {
    const z = div(x!, y!);
    const byX = dx instanceof Zero ? dx : div(dx!, y!);
    const byY = dy instanceof Zero ? dy : mul(dy!, neg(div(z, y!)));
    return { primals: [z], tangents: [addTangents(byX, byY)] };
  },
  transpose([ct], [x, y]) {
    if (!y || isLinear(y)) throw notLinear(primitive.name, "a tangent as divisor");
    return [isLinear(x!) ? div(ct as NDArray, y) : null, null];
  },
});

/** d/dx x^y = y x^(y-1), which is 0 for y = 0 at every x. */
const powByBase = (x: NDArray, y: NDArray): NDArray => {
  const constantPower = isZero(y);
  const safe = select(constantPower, one(y), y);
  return select(constantPower, constant(y, 0), mul(safe, pow(x, shift(safe, -1))));
};
/** d/dy x^y = x^y log x, continued to 0 at x = 0. */
const powByExponent = (x: NDArray, z: NDArray): NDArray => {
  const atZero = isZero(x);
  return mul(z, log(select(atZero, one(x), x)));
};

/** d/dx P(a, x) = x^(a-1) exp(-x) / Gamma(a), DLMF 8.8.13. */
const gammaDensity = (a: NDArray, x: NDArray): NDArray => {
  const m = shift(a, -1);
  const flat = isZero(m);
  const power = select(flat, constant(m, 0), mul(m, log(select(flat, one(x), x))));
  return exp(sub(sub(power, x), lgamma(a)));
};

const denominator = (y: NDArray, x: NDArray): NDArray => add(square(x), square(y));

export const binaryRules: DerivativeRules<typeof primitiveFamilies.binary> = {
  add: sumRule(1),
  sub: sumRule(-1),
  mul: productRule,
  div: quotient,
  /** rem(x, y) = x - y trunc(x / y). */
  rem: elementwise((x) => one(x), (x, y) => neg(trunc(div(x, y)))),
  pow: elementwise((x, y) => powByBase(x, y), (x, _y, z) => powByExponent(x, z)),
  atan2: elementwise((y, x) => div(x, denominator(y, x)), (y, x) => neg(div(y, denominator(y, x)))),
  max: elementwise((a, b) => share(a, b), (a, b) => share(b, a)),
  min: elementwise((a, b) => share(b, a), (a, b) => share(a, b)),
  nextafter: nonDifferentiable("its steps are units of the last place"),
  and: nonDifferentiable("it acts on bits"),
  or: nonDifferentiable("it acts on bits"),
  xor: nonDifferentiable("it acts on bits"),
  shiftLeft: nonDifferentiable("it acts on bits"),
  shiftRight: nonDifferentiable("it acts on bits"),
  shiftRightArithmetic: nonDifferentiable("it acts on bits"),
  polygamma: elementwise("the order of polygamma is an integer", (n, x) => bind1(primitiveFamilies.binary.polygamma, [shift(n, 1), x], {})),
  igamma: elementwise(lax.igammaGradA, (a, x) => gammaDensity(a, x)),
  igammac: elementwise((a, x) => neg(lax.igammaGradA(a, x)), (a, x) => neg(gammaDensity(a, x))),
  eq: zero(),
  ne: zero(),
  lt: zero(),
  le: zero(),
  gt: zero(),
  ge: zero(),
};
