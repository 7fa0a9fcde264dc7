import { unary as fn, type UnaryFn } from "../kernel/expr.js";
import { type DTypeClass, elementwise } from "./elementwise.js";

type Interval = readonly [number, number];
const real: Interval = [-3, 3];
const positive: Interval = [0.1, 5];
const inner: Interval = [-0.9, 0.9];

const unary = (name: UnaryFn, domain: Interval = real, takes: DTypeClass = "float") => elementwise(name, { takes, lower: (x) => fn(name, x!), domain: [domain] });

export const neg = elementwise("neg", { takes: "number", linear: true, involution: true, lower: (x) => fn("neg", x!), domain: [real] });
export const abs = unary("abs", real, "number");
export const sign = unary("sign", real, "number");
export const floor = unary("floor");
export const ceil = unary("ceil");
/** Half to even. */
export const round = unary("round");
export const trunc = unary("trunc");
export const sqrt = unary("sqrt", positive);
export const rsqrt = unary("rsqrt", positive);
export const cbrt = unary("cbrt", positive);
export const exp = unary("exp");
export const exp2 = unary("exp2");
export const expm1 = unary("expm1");
export const log = unary("log", positive);
export const log2 = unary("log2", positive);
export const log10 = unary("log10", positive);
export const log1p = unary("log1p", [-0.8, 5]);
export const sin = unary("sin");
export const cos = unary("cos");
export const tan = unary("tan", [-1.2, 1.2]);
export const asin = unary("asin", inner);
export const acos = unary("acos", inner);
export const atan = unary("atan");
export const sinh = unary("sinh");
export const cosh = unary("cosh");
export const tanh = unary("tanh");
export const asinh = unary("asinh");
export const acosh = unary("acosh", [1.2, 5]);
export const atanh = unary("atanh", inner);
export const logistic = unary("logistic");
export const erf = unary("erf");
export const erfc = unary("erfc");
export const erfInv = unary("erfInv", inner);
export const lgamma = unary("lgamma", [0.2, 6]);
export const digamma = unary("digamma", [0.2, 6]);
/** Logical for bool, bitwise for integers. */
export const not = elementwise("not", { takes: "bits", involution: true, lower: (x) => fn("not", x!) });
export const isFinite = elementwise("isFinite", { takes: "float", gives: "bool", lower: (x) => fn("isFinite", x!) });

export const unaryPrimitives = { neg, abs, sign, floor, ceil, round, trunc, sqrt, rsqrt, cbrt, exp, exp2, expm1, log, log2, log10, log1p, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh, logistic, erf, erfc, erfInv, lgamma, digamma, not, isFinite };
