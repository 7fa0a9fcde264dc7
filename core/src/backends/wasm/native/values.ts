import type { DType } from "../../../base/dtype.js";
import type { FunctionBuilder, Local, PlainOp } from "../assembler/index.js";

/** Types of the numbers that a function computes with. A number of type bool is the byte 0 or 1. */
export type NumberType = DType;
/** Element types of memory that native routines touch; arrays of 64-bit words are in scratch room only. */
export type ElementType = NumberType | "uint64";

/** What a value needs of the function that it is written into. */
export interface Writer {
  readonly f: FunctionBuilder;
  /** Type of numbers and lanes in this function. */
  readonly dtype: NumberType;
  /** Whether relaxed (fused) multiply-add may be used. */
  readonly relaxed: boolean;
}

export type IndexLike = Index | number;
export type RealLike = Real | number;

export const bytesOf = (type: ElementType): number => (type === "float64" || type === "uint64" ? 8 : type === "bool" ? 1 : 4);
/** How one number is held. */
export const machineTypeOf = (type: NumberType): "f64" | "f32" | "i32" => (type === "float64" ? "f64" : type === "float32" ? "f32" : "i32");
const scalarOf = (w: Writer) => machineTypeOf(w.dtype);
const shapes = { float64: "f64x2", float32: "f32x4", int32: "i32x4", uint32: "i32x4", bool: "i8x16" } as const;
const shapeOf = (w: Writer) => shapes[w.dtype];
/** Instructions on integers whose results depend on the sign say which one is meant. */
const signed = new Set(["div", "rem", "lt", "gt", "le", "ge"]);
const signOf = (w: Writer) => (w.dtype === "int32" ? "_s" : "_u");
const numberOp = (w: Writer, op: string): PlainOp => `${scalarOf(w)}.${op}${scalarOf(w) === "i32" && signed.has(op) ? signOf(w) : ""}` as PlainOp;
const lanesOp = (w: Writer, op: string): PlainOp => `${shapeOf(w)}.${op}${scalarOf(w) === "i32" && (op === "min" || op === "max" || op === "gt") ? signOf(w) : ""}` as PlainOp;

/**
 * An expression: writes instructions that leave its value on the stack, anew at every use, so that it sees the variables as they are
 * THEN. To keep what it is now, hold it in a variable: `c.let(x.plus(y))`.
 */
export abstract class Value {
  constructor(protected readonly w: Writer, readonly push: () => void) {}
}

/** A truth value. */
export class Condition extends Value {
  and(other: Condition): Condition { return this.join(other, "i32.and"); }
  or(other: Condition): Condition { return this.join(other, "i32.or"); }
  /** 1 or 0. */
  toIndex(): Index { return new Index(this.w, this.push); }
  not(): Condition { return new Condition(this.w, () => { this.push(); this.w.f.op("i32.eqz"); }); }
  private join(other: Condition, op: "i32.and" | "i32.or"): Condition {
    return new Condition(this.w, () => { this.push(); other.push(); this.w.f.op(op); });
  }
}

type IndexOp = "add" | "sub" | "mul" | "div_s" | "rem_s" | "shl" | "shr_s" | "shr_u" | "and" | "or" | "xor";
type IndexComparison = "eq" | "ne" | "lt_s" | "gt_s" | "le_s" | "ge_s" | "lt_u";

/** A signed integer of 32 bits: sizes, positions, strides, counts. */
export class Index extends Value {
  /** @param constant its value where that is known while code is written: such operations cost nothing */
  constructor(w: Writer, push: () => void, readonly constant?: number) { super(w, push); }

  static of(w: Writer, value: IndexLike): Index {
    return typeof value === "number" ? new Index(w, () => w.f.i32(value), value) : value;
  }
  private with(other: IndexLike, op: IndexOp, fold: (a: number, b: number) => number): Index {
    const b = Index.of(this.w, other);
    if (this.constant !== undefined && b.constant !== undefined) return Index.of(this.w, fold(this.constant, b.constant));
    return new Index(this.w, () => { this.push(); b.push(); this.w.f.op(`i32.${op}`); });
  }
  plus(other: IndexLike): Index { return other === 0 ? this : this.with(other, "add", (a, b) => a + b); }
  minus(other: IndexLike): Index { return other === 0 ? this : this.with(other, "sub", (a, b) => a - b); }
  times(other: IndexLike): Index { return other === 1 ? this : this.with(other, "mul", (a, b) => a * b); }
  /** Quotient, rounded to zero. */
  over(other: IndexLike): Index { return other === 1 ? this : this.with(other, "div_s", (a, b) => Math.trunc(a / b)); }
  /** Remainder, of the sign of this. */
  modulo(other: IndexLike): Index { return this.with(other, "rem_s", (a, b) => a % b); }
  shiftLeft(bits: number): Index { return bits === 0 ? this : this.with(bits, "shl", (a, b) => a << b); }
  /** Zeros come in on the left. */
  shiftRight(bits: IndexLike): Index { return bits === 0 ? this : this.with(bits, "shr_u", (a, b) => (a >>> b) | 0); }
  /** All ones for a negative number, all zeros for others. */
  signs(): Index { return this.with(31, "shr_s", (a, b) => a >> b); }
  and(other: IndexLike): Index { return this.with(other, "and", (a, b) => a & b); }
  or(other: IndexLike): Index { return this.with(other, "or", (a, b) => a | b); }
  xor(other: IndexLike): Index { return this.with(other, "xor", (a, b) => a ^ b); }
  /** The largest multiple of a power of two that is not above this. */
  floorTo(powerOfTwo: number): Index { return this.with(-powerOfTwo, "and", (a, b) => a & b); }
  negate(): Index { return Index.of(this.w, 0).minus(this); }
  /** Pure operands: both are evaluated, and twice. */
  min(other: IndexLike): Index { return this.choose(other, "lt_s", Math.min); }
  max(other: IndexLike): Index { return this.choose(other, "gt_s", Math.max); }
  private choose(other: IndexLike, comparison: IndexComparison, fold: (a: number, b: number) => number): Index {
    const b = Index.of(this.w, other);
    if (this.constant !== undefined && b.constant !== undefined) return Index.of(this.w, fold(this.constant, b.constant));
    return new Index(this.w, () => { this.push(); b.push(); this.push(); b.push(); this.w.f.op(`i32.${comparison}`).op("select"); });
  }

  private compare(other: IndexLike, op: IndexComparison): Condition {
    const b = Index.of(this.w, other);
    return new Condition(this.w, () => { this.push(); b.push(); this.w.f.op(`i32.${op}`); });
  }
  equals(other: IndexLike): Condition { return this.compare(other, "eq"); }
  differs(other: IndexLike): Condition { return this.compare(other, "ne"); }
  less(other: IndexLike): Condition { return this.compare(other, "lt_s"); }
  atMost(other: IndexLike): Condition { return this.compare(other, "le_s"); }
  greater(other: IndexLike): Condition { return this.compare(other, "gt_s"); }
  atLeast(other: IndexLike): Condition { return this.compare(other, "ge_s"); }
  /** Less as unsigned integers: for a count `other`, whether this is one of 0 … other-1. */
  below(other: IndexLike): Condition { return this.compare(other, "lt_u"); }

  toReal(): Real { return new Real(this.w, () => { this.push(); this.w.f.op(numberOp(this.w, "convert_i32_s")); }); }
  /** The 64-bit word of this as an unsigned integer. */
  toWord(): Word { return new Word(this.w, () => { this.push(); this.w.f.op("i64.extend_i32_u"); }); }
}

/** An unsigned integer of 64 bits. */
export class Word extends Value {
  private with(other: Word, op: "and" | "or" | "xor"): Word {
    return new Word(this.w, () => { this.push(); other.push(); this.w.f.op(`i64.${op}`); });
  }
  private shift(bits: number, op: "shl" | "shr_u" | "shr_s"): Word {
    return new Word(this.w, () => { this.push(); this.w.f.i64(BigInt(bits)).op(`i64.${op}`); });
  }
  and(other: Word): Word { return this.with(other, "and"); }
  or(other: Word): Word { return this.with(other, "or"); }
  xor(other: Word): Word { return this.with(other, "xor"); }
  shiftLeft(bits: number): Word { return this.shift(bits, "shl"); }
  shiftRight(bits: number): Word { return this.shift(bits, "shr_u"); }
  /** All ones where the highest bit is one, all zeros elsewhere. */
  signs(): Word { return this.shift(63, "shr_s"); }
  private compare(other: Word, op: "lt_u" | "eq"): Condition {
    return new Condition(this.w, () => { this.push(); other.push(); this.w.f.op(`i64.${op}`); });
  }
  less(other: Word): Condition { return this.compare(other, "lt_u"); }
  equals(other: Word): Condition { return this.compare(other, "eq"); }
  low(): Index { return new Index(this.w, () => { this.push(); this.w.f.op("i32.wrap_i64"); }); }
  high(): Index { return this.shiftRight(32).low(); }
}

/** A number of the function's type. In functions of integers it wraps around, and has no square root, sign or quotient of its own. */
export class Real extends Value {
  static of(w: Writer, value: RealLike): Real {
    if (typeof value !== "number") return value;
    return new Real(w, () => { if (w.dtype === "float64") w.f.f64(value); else if (w.dtype === "float32") w.f.f32(value); else w.f.i32(value); });
  }
  private with(other: RealLike, op: "add" | "sub" | "mul" | "div" | "min" | "max" | "copysign"): Real {
    const b = Real.of(this.w, other);
    if (scalarOf(this.w) === "i32" && (op === "min" || op === "max"))
      return new Real(this.w, () => { this.push(); b.push(); this.push(); b.push(); this.w.f.op(numberOp(this.w, op === "min" ? "lt" : "gt")).op("select"); });
    return new Real(this.w, () => { this.push(); b.push(); this.w.f.op(numberOp(this.w, op)); });
  }
  private unary(op: "abs" | "neg" | "sqrt"): Real {
    return new Real(this.w, () => { this.push(); this.w.f.op(numberOp(this.w, op)); });
  }
  private compare(other: RealLike, op: "eq" | "ne" | "lt" | "gt" | "le" | "ge"): Condition {
    const b = Real.of(this.w, other);
    return new Condition(this.w, () => { this.push(); b.push(); this.w.f.op(numberOp(this.w, op)); });
  }
  plus(other: RealLike): Real { return this.with(other, "add"); }
  minus(other: RealLike): Real { return this.with(other, "sub"); }
  times(other: RealLike): Real { return this.with(other, "mul"); }
  over(other: RealLike): Real { return this.with(other, "div"); }
  /** NaN where one of them is. Integers, which must be pure, are evaluated twice. */
  min(other: RealLike): Real { return this.with(other, "min"); }
  max(other: RealLike): Real { return this.with(other, "max"); }
  /** The magnitude of this with the sign of the other. */
  copySign(other: RealLike): Real { return this.with(other, "copysign"); }
  abs(): Real { return this.unary("abs"); }
  negate(): Real { return this.unary("neg"); }
  sqrt(): Real { return this.unary("sqrt"); }
  equals(other: RealLike): Condition { return this.compare(other, "eq"); }
  /** True for NaN too. */
  differs(other: RealLike): Condition { return this.compare(other, "ne"); }
  less(other: RealLike): Condition { return this.compare(other, "lt"); }
  atMost(other: RealLike): Condition { return this.compare(other, "le"); }
  greater(other: RealLike): Condition { return this.compare(other, "gt"); }
  atLeast(other: RealLike): Condition { return this.compare(other, "ge"); }
  /** The bits of a float32. */
  bits(): Index { return new Index(this.w, () => { this.push(); this.w.f.op("i32.reinterpret_f32"); }); }
  /** The bits of a float64. */
  word(): Word { return new Word(this.w, () => { this.push(); this.w.f.op("i64.reinterpret_f64"); }); }
  /** The same number in all lanes. */
  lanes(): Lanes { return new Lanes(this.w, () => { this.push(); this.w.f.op(`${shapeOf(this.w)}.splat`); }); }
}

/** A vector of as many numbers as fit 16 bytes. */
export class Lanes extends Value {
  private with(other: Lanes, op: "add" | "sub" | "mul" | "div" | "max" | "min"): Lanes {
    return new Lanes(this.w, () => { this.push(); other.push(); this.w.f.op(lanesOp(this.w, op)); });
  }
  plus(other: Lanes): Lanes { return this.with(other, "add"); }
  minus(other: Lanes): Lanes { return this.with(other, "sub"); }
  times(other: Lanes): Lanes { return this.with(other, "mul"); }
  over(other: Lanes): Lanes { return this.with(other, "div"); }
  max(other: Lanes): Lanes { return this.with(other, "max"); }
  min(other: Lanes): Lanes { return this.with(other, "min"); }
  abs(): Lanes { return new Lanes(this.w, () => { this.push(); this.w.f.op(lanesOp(this.w, "abs")); }); }
  /** All ones in the lanes where this is greater, zeros in the others: for `where`. */
  greater(other: Lanes): Lanes { return new Lanes(this.w, () => { this.push(); other.push(); this.w.f.op(lanesOp(this.w, "gt")); }); }
  /** This where the mask has ones, the other where it has zeros. */
  where(mask: Lanes, other: Lanes): Lanes { return new Lanes(this.w, () => { this.push(); other.push(); mask.push(); this.w.f.op("v128.bitselect"); }); }
  /** `this + a b`, rounded once where the machine can. */
  plusProduct(a: Lanes, b: Lanes): Lanes { return this.fused(a, b, "relaxed_madd", "add"); }
  /** `this - a b`. */
  minusProduct(a: Lanes, b: Lanes): Lanes { return this.fused(a, b, "relaxed_nmadd", "sub"); }
  private fused(a: Lanes, b: Lanes, relaxed: "relaxed_madd" | "relaxed_nmadd", op: "add" | "sub"): Lanes {
    const shape = shapeOf(this.w);
    return new Lanes(this.w, () => {
      if (this.w.relaxed) {
        a.push(); b.push(); this.push();
        this.w.f.op(`${shape}.${relaxed}` as PlainOp);
      } else {
        this.push(); a.push(); b.push();
        this.w.f.op(lanesOp(this.w, "mul")).op(lanesOp(this.w, op));
      }
    });
  }
  /** One of the lanes. */
  lane(l: number): Real { return new Real(this.w, () => { this.push(); this.w.f.lane(this.w.dtype === "bool" ? "i8x16.extract_lane_u" : `${shapes[this.w.dtype]}.extract_lane`, l); }); }
  /** Lanes taken from this (0 … lanes-1) and the other (lanes … 2 lanes - 1). */
  shuffle(other: Lanes, order: readonly number[]): Lanes {
    return new Lanes(this.w, () => {
      this.push(); other.push();
      const bytes = 16 / order.length;
      this.w.f.shuffle(order.flatMap((l) => Array.from({ length: bytes }, (_, b) => l * bytes + b)));
    });
  }
}

/** A place that holds a value of its kind and takes another by `set`. */
export interface Variable<V> {
  set(value: V): void;
}

export class IndexVariable extends Index implements Variable<IndexLike> {
  constructor(w: Writer, readonly local: Local) { super(w, () => w.f.get(local)); }
  set(value: IndexLike): void { Index.of(this.w, value).push(); this.w.f.set(this.local); }
  add(value: IndexLike): void { this.set(this.plus(value)); }
}
export class RealVariable extends Real implements Variable<RealLike> {
  constructor(w: Writer, readonly local: Local) { super(w, () => w.f.get(local)); }
  set(value: RealLike): void { Real.of(this.w, value).push(); this.w.f.set(this.local); }
  add(value: RealLike): void { this.set(this.plus(value)); }
}
export class WordVariable extends Word implements Variable<Word> {
  constructor(w: Writer, readonly local: Local) { super(w, () => w.f.get(local)); }
  set(value: Word): void { value.push(); this.w.f.set(this.local); }
}
export class LanesVariable extends Lanes implements Variable<Lanes> {
  constructor(w: Writer, readonly local: Local) { super(w, () => w.f.get(local)); }
  set(value: Lanes): void { value.push(); this.w.f.set(this.local); }
}
