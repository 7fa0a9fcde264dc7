import type { PrimitiveFacts } from "../ir/primitive.js";
import { type ArithmeticFn, binary as fn, type CompareFn } from "../kernel/expr.js";
import type { SimplifyRule } from "../optimize/rules.js";
import { type DTypeClass, elementwise } from "./elementwise.js";

type Interval = readonly [number, number];
const real: Interval = [-3, 3];
const positive: Interval = [0.3, 4];

const binary = (name: ArithmeticFn, takes: DTypeClass, facts: PrimitiveFacts & { readonly simplify?: SimplifyRule<object> } = {}) => elementwise(name, { takes, lower: (a, b) => fn(name, a!, b!), domain: [real, real], ...facts });
const compare = (name: CompareFn, facts: PrimitiveFacts = {}) => elementwise(name, { takes: "any", gives: "bool", lower: (a, b) => fn(name, a!, b!), ...facts });

export const add = binary("add", "number", { commutative: true, associative: true, identity: 0, linear: true });
// x - 0 and x / 1 are x, also for -0 and NaN.
const neutralRight = (neutral: number): SimplifyRule<object> => (known, [x, y]) => (Object.is(known.uniform(y!), neutral) ? x : undefined);

export const sub = binary("sub", "number", { linear: true, simplify: neutralRight(0) });
export const mul = binary("mul", "number", { commutative: true, associative: true, identity: 1 });
/** Integers truncate towards zero. */
export const div = binary("div", "number", { domain: [real, positive], simplify: neutralRight(1) });
/** Remainder with the dividend's sign. */
export const rem = binary("rem", "number", { domain: [[0.1, 0.9], [1, 2]] });
export const pow = binary("pow", "number", { domain: [positive, real] });
export const atan2 = binary("atan2", "float", { domain: [positive, positive] });
export const max = binary("max", "any", { commutative: true, associative: true });
export const min = binary("min", "any", { commutative: true, associative: true });
export const nextafter = binary("nextafter", "float");
export const and = binary("and", "bits", { commutative: true, associative: true });
export const or = binary("or", "bits", { commutative: true, associative: true });
export const xor = binary("xor", "bits", { commutative: true, associative: true });
export const shiftLeft = binary("shiftLeft", "integer");
export const shiftRight = binary("shiftRight", "integer");
export const shiftRightArithmetic = binary("shiftRightArithmetic", "integer");
/** `polygamma(n, x)`: derivative n of digamma; n is integer-valued. */
export const polygamma = binary("polygamma", "float", { domain: [[0, 0], [0.3, 6]] });
/** Regularized lower incomplete gamma function P(a, x). */
export const igamma = binary("igamma", "float", { domain: [[0.5, 4], [0.2, 5]] });
/** Regularized upper incomplete gamma function Q(a, x). */
export const igammac = binary("igammac", "float", { domain: [[0.5, 4], [0.2, 5]] });
export const eq = compare("eq", { commutative: true });
export const ne = compare("ne", { commutative: true });
export const lt = compare("lt");
export const le = compare("le");
export const gt = compare("gt");
export const ge = compare("ge");

export const binaryPrimitives = { add, sub, mul, div, rem, pow, atan2, max, min, nextafter, and, or, xor, shiftLeft, shiftRight, shiftRightArithmetic, polygamma, igamma, igammac, eq, ne, lt, le, gt, ge };
