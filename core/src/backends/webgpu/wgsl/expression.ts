import type { DType } from "../../../base/dtype.js";
import type { Affine, ArithmeticFn, Bound, BufferId, Expr, UnaryFn } from "../../../kernel/expr.js";
import { isCompare } from "../../../kernel/expr.js";
import { noFloat64, unsupported } from "../unsupported.js";

/** Type of a value inside a shader. */
export function scalarType(dtype: DType): string {
  switch (dtype) {
    case "bool": return "bool";
    case "int32": return "i32";
    case "uint32": return "u32";
    case "float32": return "f32";
    case "float64": throw noFloat64("compile");
  }
}

/** Type of an element in a buffer: bool has no layout in memory, so it is a u32 there. */
export const elementType = (dtype: DType): string => (dtype === "bool" ? "u32" : scalarType(dtype));

const bitsOf = new DataView(new ArrayBuffer(4));

/** A literal that compiles whatever its value; what is no finite normal number goes by its bits. */
export function literal(dtype: DType, value: number): string {
  switch (dtype) {
    case "bool": return value ? "true" : "false";
    case "int32": return `i32(${value | 0})`;
    case "uint32": return `${value >>> 0}u`;
    case "float64": throw noFloat64("compile");
    case "float32": {
      const v = Math.fround(value);
      if (Number.isNaN(v)) return "h_nan()";
      if (!Number.isFinite(v)) return v > 0 ? "h_inf()" : "(-h_inf())";
      if (Math.abs(v) >= 1.1754943508222875e-38) return `${v}f`;
      bitsOf.setFloat32(0, v);
      return `bitcast<f32>(${bitsOf.getUint32(0)}u)`;
    }
  }
}

/** `offset + sum stride i_d` in i32; `loops` holds the names of the loop variables, or undefined where the only index is 0. */
export function affine(a: Affine, loops: readonly (string | undefined)[]): string {
  const terms: string[] = [];
  a.strides.forEach((s, d) => {
    const name = loops[d];
    if (s !== 0 && name !== undefined) terms.push(s === 1 ? name : `${name} * ${s}`);
  });
  if (a.offset !== 0 || terms.length === 0) terms.push(String(a.offset));
  return terms.join(" + ");
}

/** Functions of one float argument: WGSL's own where they are exact, else ours. */
const floatUnary: Partial<Record<UnaryFn, (x: string) => string>> = {
  neg: (x) => `-${x}`,
  rsqrt: (x) => `1.0 / sqrt(${x})`,
  isFinite: (x) => `h_isfinite(${x})`,
};
for (const fn of ["abs", "floor", "ceil", "round", "trunc", "sqrt"] as const) floatUnary[fn] = (x) => `${fn}(${x})`;
for (const fn of [
  "sign", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
  "asinh", "acosh", "atanh", "logistic", "erf", "erfc", "erfInv", "lgamma", "digamma",
] as const) floatUnary[fn] = (x) => `h_${fn}(${x})`;

const same = (x: string) => x;
const integerUnary: Partial<Record<UnaryFn, (x: string, dtype: DType) => string>> = {
  neg: (x, dtype) => (dtype === "uint32" ? `0u - ${x}` : `-${x}`),
  abs: (x) => `abs(${x})`,
  sign: (x, dtype) => (dtype === "uint32" ? `min(${x}, 1u)` : `sign(${x})`),
  not: (x) => `~${x}`,
  floor: same, ceil: same, round: same, trunc: same,
  isFinite: () => "true",
};

function unary(fn: UnaryFn, dtype: DType, x: string): string {
  const out = dtype === "bool" ? (fn === "not" ? `!${x}` : undefined) : dtype === "float32" ? floatUnary[fn]?.(x) : integerUnary[fn]?.(x, dtype);
  if (out === undefined) throw unsupported(fn, `${fn} of ${dtype}`);
  return out;
}

type Infix = Partial<Record<ArithmeticFn, string>>;
const boolInfix: Infix = { and: "&", or: "|", xor: "!=", add: "|", mul: "&", max: "|", min: "&", sub: "!=" };
const integerInfix: Infix = { add: "+", sub: "-", mul: "*", and: "&", or: "|", xor: "^" };
const floatInfix: Infix = { add: "+", sub: "-", mul: "*", div: "/" };
const floatCall = new Set<ArithmeticFn>(["rem", "pow", "atan2", "max", "min", "nextafter"]);

export function arithmetic(fn: ArithmeticFn, dtype: DType, a: string, b: string): string {
  const infix = (dtype === "bool" ? boolInfix : dtype === "float32" ? floatInfix : integerInfix)[fn];
  if (infix !== undefined) return `${a} ${infix} ${b}`;
  if (dtype === "float32" && floatCall.has(fn)) return `h_${fn}(${a}, ${b})`;
  if (dtype === "int32" || dtype === "uint32") {
    const signed = dtype === "int32";
    const letter = signed ? "i" : "u";
    switch (fn) {
      case "max": case "min": return `${fn}(${a}, ${b})`;
      case "div": case "rem": case "pow": return `h_${letter}${fn}(${a}, ${b})`;
      case "shiftLeft": return `${signed ? "i32" : "u32"}(h_shl(u32(${a}), u32(${b})))`;
      case "shiftRight": return `${signed ? "i32" : "u32"}(h_shr(u32(${a}), u32(${b})))`;
      case "shiftRightArithmetic": return signed ? `h_sar(${a}, u32(${b}))` : `h_shr(${a}, ${b})`;
      default: break;
    }
  }
  throw unsupported(fn, `${fn} of ${dtype}`);
}

const comparison = { eq: "==", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=" } as const;

function cast(from: DType, to: DType, x: string): string {
  if (to === "bool") return from === "float32" ? `(bitcast<u32>(${x}) << 1u) != 0u` : `${x} != ${literal(from, 0)}`;
  if (from === "float32" && to !== "float32") return `${to === "int32" ? "h_f2i" : "h_f2u"}(${x})`;
  return `${scalarType(to)}(${x})`;
}

/** What an emitter needs to know of its surroundings. */
export interface Scope {
  /** Name of the storage variable of a buffer. */
  readonly buffer: (id: BufferId) => string;
  readonly loops: readonly (string | undefined)[];
  readonly accumulators?: readonly string[];
}

/**
 * Writes expressions as statements, one `let` a node: what is shared is computed once, and no subexpression is a constant expression, which WGSL
 * would refuse where it overflows. A guard's inside is written into its branch, so its loads happen only there.
 */
export class Emitter {
  readonly lines: string[] = [];
  #count = 0;
  #frames: Map<Expr, string>[] = [new Map()];
  constructor(readonly scope: Scope, readonly prefix = "t") {}

  /** The name or literal that holds the value. */
  value(e: Expr): string {
    for (const frame of this.#frames) {
      const known = frame.get(e);
      if (known !== undefined) return known;
    }
    const name = this.#emit(e);
    this.#frames.at(-1)!.set(e, name);
    return name;
  }

  #let(code: string): string {
    const name = `${this.prefix}${this.#count++}`;
    this.lines.push(`let ${name} = ${code};`);
    return name;
  }

  #load(dtype: DType, buffer: BufferId, at: string): string {
    const element = `${this.scope.buffer(buffer)}[${at}]`;
    return this.#let(dtype === "bool" ? `${element} != 0u` : element);
  }

  #emit(e: Expr): string {
    const { loops } = this.scope;
    switch (e.op) {
      case "const": return this.#let(literal(e.dtype, e.value));
      case "load": {
        const base = e.base === undefined ? "" : ` + ${this.value(e.base)}`;
        return this.#load(e.dtype, e.buffer, affine(e.index, loops) + base);
      }
      case "gather": return this.#load(e.dtype, e.buffer, this.value(e.at));
      case "index": return this.#let(`i32(${affine(e.index, loops)})`);
      case "unary": return this.#let(unary(e.fn, e.x.dtype, this.value(e.x)));
      case "binary": return this.#let(this.#binary(e));
      case "select": {
        const [c, a, b] = [this.value(e.condition), this.value(e.a), this.value(e.b)];
        return this.#let(`select(${b}, ${a}, ${c})`);
      }
      case "guard": return this.#guard(e);
      case "cast": return this.#let(cast(e.x.dtype, e.dtype, this.value(e.x)));
      case "bitcast": return e.dtype === "bool" || e.x.dtype === "bool" ? this.value(e.x) : this.#let(`bitcast<${scalarType(e.dtype)}>(${this.value(e.x)})`);
      case "accumulator": return this.scope.accumulators![e.i]!;
    }
  }

  #binary(e: Expr & { op: "binary" }): string {
    const [a, b] = [this.value(e.a), this.value(e.b)];
    if (!isCompare(e.fn)) return arithmetic(e.fn, e.a.dtype, a, b);
    // `x == x` is how programs ask for NaN, and a compiler that assumes there are none answers true.
    if (a === b && e.a.dtype === "float32" && (e.fn === "eq" || e.fn === "ne")) return `${e.fn === "eq" ? "!" : ""}h_isnan(${a})`;
    if (e.a.dtype === "bool" && e.fn !== "eq" && e.fn !== "ne") return `u32(${a}) ${comparison[e.fn]} u32(${b})`;
    // Drivers take != of floats for "ordered and unequal", which NaN is not.
    if (e.a.dtype === "float32" && e.fn === "ne") return `!(${a} == ${b})`;
    return `${a} ${comparison[e.fn]} ${b}`;
  }

  #guard(e: Expr & { op: "guard" }): string {
    const name = `${this.prefix}${this.#count++}`;
    this.lines.push(`var ${name}: ${scalarType(e.dtype)};`, `if (${e.bounds.map((b) => this.#bound(b)).join(" && ")}) {`);
    this.#branch(name, e.inside);
    this.lines.push("} else {");
    this.#branch(name, e.outside);
    this.lines.push("}");
    return name;
  }

  #branch(name: string, e: Expr): void {
    this.#frames.push(new Map());
    const value = this.value(e);
    this.#frames.pop();
    this.lines.push(`${name} = ${value};`);
  }

  #bound({ index, lo, hi, step }: Bound): string {
    const at = affine(index, this.scope.loops);
    const inside = `i32(${at}) >= ${lo} && i32(${at}) < ${hi}`;
    return step === 1 ? inside : `${inside} && (i32(${at}) - ${lo}) % ${step} == 0`;
  }
}

/** The value as its buffer stores it. */
export const stored = (dtype: DType, value: string): string => (dtype === "bool" ? `select(0u, 1u, ${value})` : value);
