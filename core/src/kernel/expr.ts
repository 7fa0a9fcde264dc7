import type { DType } from "../base/dtype.js";

/**
 * Scalar expressions: the body of a loop kernel. They form a DAG: one object used twice is computed once.
 * Loop dimensions are numbered 0..n-1: first the kernel's output dimensions, then its reduced ones.
 */

/** `offset + sum strides[d] * i_d`, in elements. */
export interface Affine {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Position of a buffer in its Schedule's table. */
export type BufferId = number;

/** Functions of one argument. Float functions take and give one float dtype. */
export type UnaryFn =
  | "neg" | "abs" | "sign" | "floor" | "ceil" | "round" | "trunc"
  | "sqrt" | "rsqrt" | "cbrt" | "exp" | "exp2" | "expm1" | "log" | "log2" | "log10" | "log1p"
  | "sin" | "cos" | "tan" | "asin" | "acos" | "atan" | "sinh" | "cosh" | "tanh" | "asinh" | "acosh" | "atanh"
  | "logistic" | "erf" | "erfc" | "erfInv" | "lgamma" | "digamma"
  /** Logical for bool, bitwise for integers. */
  | "not"
  /** Float to bool. */
  | "isFinite";

/**
 * Functions of two arguments of one dtype. `div` of integers truncates, `rem` has the dividend's sign, `max`/`min` propagate NaN,
 * `and or xor` are logical for bool and bitwise for integers; `shiftRight` is logical, `shiftRightArithmetic` keeps the sign
 * (shift counts of 32 and more give 0 or the sign). `polygamma(n, x)`, `igamma(a, x)` and `igammac` are as in SciPy.
 */
export type ArithmeticFn =
  | "add" | "sub" | "mul" | "div" | "rem" | "pow" | "atan2" | "max" | "min" | "nextafter"
  | "and" | "or" | "xor" | "shiftLeft" | "shiftRight" | "shiftRightArithmetic"
  | "polygamma" | "igamma" | "igammac";
/** Comparisons give bool. */
export type CompareFn = "eq" | "ne" | "lt" | "le" | "gt" | "ge";
export type BinaryFn = ArithmeticFn | CompareFn;

export type Expr =
  /** `structural`: a zero that no value of other operands can change (0 times infinity is 0), as of a derivative along a direction that is zero there. */
  | { readonly op: "const"; readonly dtype: DType; readonly value: number; readonly structural?: true }
  /** `buffer[index + base]`; `base` depends on no loop dimension (it reads scalars such as a loop counter). */
  | { readonly op: "load"; readonly dtype: DType; readonly buffer: BufferId; readonly index: Affine; readonly base?: Expr | undefined }
  /** `buffer[at]` with a computed int32 element index, in range by construction. */
  | { readonly op: "gather"; readonly dtype: DType; readonly buffer: BufferId; readonly at: Expr }
  /** An affine function of the loop indices as int32. */
  | { readonly op: "index"; readonly dtype: "int32"; readonly index: Affine }
  | { readonly op: "unary"; readonly dtype: DType; readonly fn: UnaryFn; readonly x: Expr }
  | { readonly op: "binary"; readonly dtype: DType; readonly fn: BinaryFn; readonly a: Expr; readonly b: Expr }
  /** Both sides are computed. */
  | { readonly op: "select"; readonly dtype: DType; readonly condition: Expr; readonly a: Expr; readonly b: Expr }
  /** `inside` only where every bound holds, else `outside`: loads within `inside` may be out of range elsewhere and must not happen. */
  | { readonly op: "guard"; readonly dtype: DType; readonly bounds: readonly Bound[]; readonly inside: Expr; readonly outside: Expr }
  /** Conversion as JAX: float to integer truncates and saturates (NaN gives 0), anything to bool is `!= 0`. */
  | { readonly op: "cast"; readonly dtype: DType; readonly x: Expr }
  /** Same bits, same width. */
  | { readonly op: "bitcast"; readonly dtype: DType; readonly x: Expr }
  /** Result of the kernel's accumulator i; only in outputs of kernels that reduce. */
  | { readonly op: "accumulator"; readonly dtype: DType; readonly i: number };

/** `lo <= index < hi` and `(index - lo) mod step = 0`. */
export interface Bound {
  readonly index: Affine;
  readonly lo: number;
  readonly hi: number;
  readonly step: number;
}

export const constant = (dtype: DType, value: number): Expr => ({ op: "const", dtype, value });
export const structuralZero = (dtype: DType): Expr => ({ op: "const", dtype, value: 0, structural: true });
export const load = (dtype: DType, buffer: BufferId, index: Affine, base?: Expr): Expr => ({ op: "load", dtype, buffer, index, base });
export const gather = (dtype: DType, buffer: BufferId, at: Expr): Expr => ({ op: "gather", dtype, buffer, at });
export const index = (affine: Affine): Expr => ({ op: "index", dtype: "int32", index: affine });
export const unary = (fn: UnaryFn, x: Expr): Expr => ({ op: "unary", dtype: fn === "isFinite" ? "bool" : x.dtype, fn, x });
const compare: ReadonlySet<BinaryFn> = new Set<BinaryFn>(["eq", "ne", "lt", "le", "gt", "ge"]);
export const isCompare = (fn: BinaryFn): fn is CompareFn => compare.has(fn);
export const binary = (fn: BinaryFn, a: Expr, b: Expr): Expr => ({ op: "binary", dtype: isCompare(fn) ? "bool" : a.dtype, fn, a, b });
export const select = (condition: Expr, a: Expr, b: Expr): Expr => ({ op: "select", dtype: a.dtype, condition, a, b });
export const guard = (bounds: readonly Bound[], inside: Expr, outside: Expr): Expr =>
  bounds.length === 0 ? inside : { op: "guard", dtype: inside.dtype, bounds, inside, outside };
export const cast = (dtype: DType, x: Expr): Expr => (x.dtype === dtype ? x : { op: "cast", dtype, x });
export const bitcast = (dtype: DType, x: Expr): Expr => (x.dtype === dtype ? x : { op: "bitcast", dtype, x });
export const accumulator = (dtype: DType, i: number): Expr => ({ op: "accumulator", dtype, i });

/** Direct subexpressions. */
export function operands(e: Expr): Expr[] {
  switch (e.op) {
    case "const": case "index": case "accumulator": return [];
    case "load": return e.base ? [e.base] : [];
    case "gather": return [e.at];
    case "unary": case "cast": case "bitcast": return [e.x];
    case "binary": return [e.a, e.b];
    case "select": return [e.condition, e.a, e.b];
    case "guard": return [e.inside, e.outside];
  }
}

/** The expression with `f` of its direct subexpressions in their place; itself where that changes nothing. */
export function mapOperands(e: Expr, f: (x: Expr) => Expr): Expr {
  switch (e.op) {
    case "const": case "index": case "accumulator": return e;
    case "load": {
      const base = e.base && f(e.base);
      return base === e.base ? e : { ...e, base };
    }
    case "gather": {
      const at = f(e.at);
      return at === e.at ? e : { ...e, at };
    }
    case "unary": case "cast": case "bitcast": {
      const x = f(e.x);
      return x === e.x ? e : { ...e, x };
    }
    case "binary": {
      const a = f(e.a);
      const b = f(e.b);
      return a === e.a && b === e.b ? e : { ...e, a, b };
    }
    case "select": {
      const condition = f(e.condition);
      const a = f(e.a);
      const b = f(e.b);
      return condition === e.condition && a === e.a && b === e.b ? e : { ...e, condition, a, b };
    }
    case "guard": {
      const inside = f(e.inside);
      const outside = f(e.outside);
      return inside === e.inside && outside === e.outside ? e : { ...e, inside, outside };
    }
  }
}

/** Rebuilds an expression bottom-up, keeping what is shared shared. `f` returns a replacement, or undefined to recurse. */
export function rewrite(e: Expr, f: (e: Expr) => Expr | undefined, memo = new Map<Expr, Expr>()): Expr {
  const go = (x: Expr): Expr => {
    let out = memo.get(x);
    if (out === undefined) memo.set(x, (out = f(x) ?? mapOperands(x, go)));
    return out;
  };
  return go(e);
}

/** Visits every distinct subexpression once, operands first. */
export function visitExpr(e: Expr, f: (e: Expr) => void, seen = new Set<Expr>()): void {
  const go = (x: Expr): void => {
    if (seen.has(x)) return;
    seen.add(x);
    switch (x.op) {
      case "load": if (x.base) go(x.base); break;
      case "gather": go(x.at); break;
      case "unary": case "cast": case "bitcast": go(x.x); break;
      case "binary": go(x.a); go(x.b); break;
      case "select": go(x.condition); go(x.a); go(x.b); break;
      case "guard": go(x.inside); go(x.outside); break;
    }
    f(x);
  };
  go(e);
}
