import type { NDArray } from "../array/ndarray.js";
import { kindOf } from "../base/dtype.js";
import * as p from "../primitives/binary.js";
import { whileLoop } from "../primitives/control-flow.js";
import { reduceOr } from "../primitives/reductions.js";
import * as u from "../primitives/unary.js";
import { stage } from "../trace/stage.js";
import { bind, bind1 } from "../trace/trace.js";
import { convertTo } from "../primitives/types.js";
import { asOne } from "./as-one.js";
import { type BinaryFunction, choose, constantLike, integerOperands, noParams, type UnaryFunction } from "./elementwise.js";

const op = (primitive: typeof p.add, ...xs: NDArray[]): NDArray => bind1(primitive, xs, noParams);
const bitwise = (fn: string, primitive: typeof p.and): BinaryFunction => (a, b) => bind1(primitive, integerOperands([a, b], fn, "keep"), noParams);

/** Bitwise and of integers; logical of bool. @throws DTypeError for floats. @example np.bitwiseAnd(6, 3) // 2 */
export const bitwiseAnd: BinaryFunction = bitwise("bitwiseAnd", p.and);
/** Bitwise or of integers; logical of bool. */
export const bitwiseOr: BinaryFunction = bitwise("bitwiseOr", p.or);
/** Bitwise exclusive or of integers; logical of bool. */
export const bitwiseXor: BinaryFunction = bitwise("bitwiseXor", p.xor);
/** All bits of an integer flipped; logical not of bool. @example np.invert(5) // -6 */
export const invert: UnaryFunction = (x) => op(u.not, integerOperands([x], "invert", "keep")[0]!);
/** Alias of `invert`. */
export const bitwiseNot: UnaryFunction = invert;
/** Alias of `invert`. */
export const bitwiseInvert: UnaryFunction = invert;

const shift = (fn: string, signed: typeof p.shiftLeft, unsigned: typeof p.shiftLeft): BinaryFunction => (a, b) => {
  const [x, y] = integerOperands([a, b], fn) as [NDArray, NDArray];
  return op(kindOf(x.dtype) === "uint" ? unsigned : signed, x, y);
};
/** `a 2^b` on 32 bits: bits shifted beyond the left end are lost. */
export const leftShift: BinaryFunction = shift("leftShift", p.shiftLeft, p.shiftLeft);
/** `floor(a / 2^b)`: the sign is kept. */
export const rightShift: BinaryFunction = shift("rightShift", p.shiftRightArithmetic, p.shiftRight);
/** Alias of `leftShift`. */
export const bitwiseLeftShift: BinaryFunction = leftShift;
/** Alias of `rightShift`. */
export const bitwiseRightShift: BinaryFunction = rightShift;

/** Number of set bits of |x|. (Population count in five additions: Warren, Hacker's Delight, 5-1.) */
export const bitwiseCount: UnaryFunction = (x) => asOne("bitwiseCount", [x], [], (given) => {
  const [a] = integerOperands([given!], "bitwiseCount") as [NDArray];
  const n = kindOf(a.dtype) === "uint" ? a : op(u.abs, a);
  const c = (v: number) => constantLike(n, v);
  const half = op(p.sub, n, op(p.and, op(p.shiftRight, n, c(1)), c(0x55555555)));
  const pairs = op(p.add, op(p.and, half, c(0x33333333)), op(p.and, op(p.shiftRight, half, c(2)), c(0x33333333)));
  const nibbles = op(p.and, op(p.add, pairs, op(p.shiftRight, pairs, c(4))), c(0x0f0f0f0f));
  return op(p.shiftRight, op(p.mul, nibbles, c(0x01010101)), c(24));
});

/** Euclid's algorithm on |a| and |b|, all elements at once until every remainder is 0. */
function euclid(x: NDArray, y: NDArray): NDArray {
  const types = [x.aval, y.aval].map((t) => ({ ...t, weak: false }));
  const condition = stage((_a, b) => [bind1(reduceOr, [op(p.ne, b!, constantLike(b!, 0))], { axes: b!.shape.map((_, d) => d) })], types, "gcd");
  const body = stage((a, b) => {
    const done = op(p.eq, b!, constantLike(b!, 0));
    return [choose(done, a!, b!), choose(done, b!, op(p.rem, a!, choose(done, 1, b!)))];
  }, types, "gcd");
  return bind(whileLoop, [convertTo(x, x.dtype), convertTo(y, y.dtype)], { condition: condition.program, body: body.program, conditionConstants: 0, bodyConstants: 0 })[0]!;
}

/** Greatest common divisor of |a| and |b|; gcd(0, 0) = 0. @throws DTypeError for floats. @example np.gcd(12, 18) // 6 */
export const gcd: BinaryFunction = (a, b) => asOne("gcd", [a, b], [], (...given) => {
  const [x, y] = integerOperands(given, "gcd") as [NDArray, NDArray];
  // The least integer is its own magnitude, with its sign: it passes on to remainders.
  return kindOf(x.dtype) === "uint" ? euclid(x, y) : op(u.abs, euclid(op(u.abs, x), op(u.abs, y)));
});
/** Least common multiple of |a| and |b|; 0 if either is 0. @example np.lcm(4, 6) // 12 */
export const lcm: BinaryFunction = (a, b) => asOne("lcm", [a, b], [], (...given) => {
  const [x, y] = integerOperands(given, "lcm") as [NDArray, NDArray];
  const [s, t] = kindOf(x.dtype) === "uint" ? [x, y] : [op(u.abs, x), op(u.abs, y)];
  const g = euclid(s, t);
  return op(p.mul, s, op(p.div, t, choose(op(p.eq, g, constantLike(g, 0)), 1, g)));
});
