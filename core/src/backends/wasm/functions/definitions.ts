import type { ArithmeticFn, UnaryFn } from "../../../kernel/expr.js";
import type { FloatDType, FunctionLibrary } from "./contract.js";
import { erf, erfc, erfInv } from "./error-function.js";
import { cosh, exp, exp2, expm1, logistic, logisticPair, sinh, tanh } from "./exponential.js";
import { digamma, lgamma } from "./gamma.js";
import type { Body, Value } from "./graph.js";
import { acos, asin, atan, atan2 } from "./inverse-trigonometric.js";
import { type Lanes } from "./lanes.js";
import { acosh, asinh, atanh, log, log10, log1p, log2 } from "./logarithm.js";
import { cbrt, pow } from "./power.js";
import { rem } from "./remainder.js";
import { cos, sin, tan } from "./trigonometric.js";

type Pure = (l: Lanes, ...args: Value[]) => Value;
type Guarded = (l: Lanes, library: FunctionLibrary, ...args: Value[]) => Body;

const rsqrt: Pure = (l, x) => l.div(l.number(1), l.sqrt(x!));

const pure = {
  exp2, expm1, log, log1p: (l, x) => log1p(l, x!), log2, log10, tanh, logistic, sinh, cosh, asinh, acosh, atanh, asin, acos, atan, atan2, cbrt, erf, rsqrt,
} as Readonly<Partial<Record<UnaryFn | ArithmeticFn, Pure>>>;
const guarded = { exp: (l, _, x) => exp(l, x!), sin, cos, tan, pow, rem, erfc, erfInv, lgamma, digamma } as Readonly<Partial<Record<UnaryFn | ArithmeticFn, Guarded>>>;

export const vectorizedNames = [...Object.keys(pure), ...Object.keys(guarded)] as readonly (UnaryFn | ArithmeticFn)[];

/** f(x) and f(-x) in float32 where both are needed: they share nearly all of their work. */
const pairs: Readonly<Partial<Record<UnaryFn | ArithmeticFn, (l: Lanes, x: Value) => readonly [of: Value, ofNegative: Value]>>> = { logistic: logisticPair };

export const comesInPairs = (name: UnaryFn | ArithmeticFn, dtype: FloatDType): boolean => dtype === "float32" && pairs[name] !== undefined;

/** A function; `pair` where both f(x) and f(-x) are needed, and which of the two it is. */
export interface Application {
  readonly name: UnaryFn | ArithmeticFn;
  readonly pair?: "of" | "ofNegative";
}

/** The body of a vector function, or undefined where there is none; those of the same `l` have in common what they can. */
export function bodyOf({ name, pair }: Application, l: Lanes, library: FunctionLibrary): Body | undefined {
  if (pair) return { value: pairs[name]!(l, l.argument(0))[pair === "of" ? 0 : 1] };
  const args = [l.argument(0), l.argument(1)];
  const plain = pure[name];
  if (plain) return { value: plain(l, ...args) };
  return guarded[name]?.(l, library, ...args);
}
