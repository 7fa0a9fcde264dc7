import type { PrimitiveFacts } from "../ir/primitive.js";
import { type DType, isFloat } from "../base/dtype.js";
import type { NoParams, Primitive } from "../ir/primitive.js";
import type { Atom } from "../ir/program.js";
import { type ArithmeticFn, binary as fn, type CompareFn } from "../kernel/expr.js";
import type { Known, SimplifyRule } from "../optimize/rules.js";
import { type DTypeClass, elementwise } from "./elementwise.js";
import { full } from "./late-broadcast.js";

type Interval = readonly [number, number];
const real: Interval = [-3, 3];
const positive: Interval = [0.3, 4];

const binary = (name: ArithmeticFn, takes: DTypeClass, facts: PrimitiveFacts & { readonly simplify?: SimplifyRule<object> } = {}) => elementwise(name, { takes, lower: (a, b) => fn(name, a!, b!), domain: [real, real], ...facts });
const compare = (name: CompareFn, facts: PrimitiveFacts = {}) => elementwise(name, { takes: "any", gives: "bool", lower: (a, b) => fn(name, a!, b!), ...facts });

/** What a value is the negative of. */
const negated = (known: Known, a: Atom): Atom | undefined => {
  const e = known.definition(a);
  return e?.primitive.name === "neg" ? e.inputs[0] : undefined;
};

export const add: Primitive<NoParams> = binary("add", "number", {
  commutative: true, associative: true, identity: 0, linear: true,
  simplify(known, [x, y]) {
    const [p, q] = [negated(known, x!), negated(known, y!)];
    return q ? known.emit(sub, [x!, q], {}) : p ? known.emit(sub, [y!, p], {}) : undefined;
  },
});
// x - 0 and x / 1 are x, also for -0 and NaN.
const neutralRight = (neutral: number): SimplifyRule<object> => (known, [x, y]) => (Object.is(known.uniform(y!), neutral) ? x : undefined);

export const sub: Primitive<NoParams> = binary("sub", "number", {
  linear: true,
  simplify(known, [x, y], params, out) {
    const q = negated(known, y!);
    return neutralRight(0)(known, [x!, y!], params, out) ?? (q && known.emit(add, [x!, q], {}));
  },
});
export const mul: Primitive<NoParams> = binary("mul", "number", {
  commutative: true, associative: true, identity: 1,
  simplify(known, [x, y]) {
    const [p, q] = [negated(known, x!), negated(known, y!)];
    return p && q ? known.emit(mul, [p, q], {}) : undefined;
  },
});
/** Powers of two that, like their reciprocals, are normal numbers of the dtype. */
const isPowerOfTwo = (d: number, dtype: DType): boolean => {
  const exponent = Math.log2(Math.abs(d));
  return Number.isInteger(exponent) && 2 ** exponent === Math.abs(d) && Math.abs(exponent) <= (dtype === "float32" ? 126 : 1022);
};
/** Integers truncate towards zero. */
export const div: Primitive<NoParams> = binary("div", "number", {
  domain: [real, positive],
  simplify(known, [x, y], params, out) {
    const neutral = neutralRight(1)(known, [x!, y!], params, out);
    if (neutral) return neutral;
    const [p, q] = [negated(known, x!), negated(known, y!)];
    if (p && q) return isFloat(out.dtype) ? known.emit(div, [p, q], {}) : undefined;
    const d = known.uniform(y!);
    // Division by a power of two is multiplication by another, exactly.
    return d !== undefined && isFloat(out.dtype) && isPowerOfTwo(d, out.dtype) ? known.emit(mul, [x!, full(known, 1 / d, y!.aval)], {}) : undefined;
  },
});
/** Remainder with the dividend's sign. */
export const rem = binary("rem", "number", { domain: [[0.1, 0.9], [1, 2]] });
export const pow = binary("pow", "number", { domain: [positive, real] });
export const atan2 = binary("atan2", "float", { domain: [positive, positive] });
/** `max(x, -inf) = x`, NaN included. */
const neutralBound = (bound: number): SimplifyRule<object> => (known, [x, y]) => (known.uniform(y!) === bound ? x : known.uniform(x!) === bound ? y : x === y ? x : undefined);
export const max = binary("max", "any", { commutative: true, associative: true, simplify: neutralBound(-Infinity) });
export const min = binary("min", "any", { commutative: true, associative: true, simplify: neutralBound(Infinity) });
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
