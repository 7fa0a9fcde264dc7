import type { FunctionBuilder, Local, MemoryOp } from "../assembler/index.js";
import type { FloatDType } from "../functions/contract.js";

/** Element types of memory that native routines touch. */
export type ElementType = FloatDType | "int32";

/** What a value needs of the function that it is written into. */
export interface Writer {
  readonly f: FunctionBuilder;
  /** Type of real numbers and lanes in this function. */
  readonly dtype: FloatDType;
  /** Whether relaxed (fused) multiply-add may be used. */
  readonly relaxed: boolean;
}

export type IndexLike = Index | number;
export type RealLike = Real | number;

export const bytesOf = (type: ElementType): number => (type === "float64" ? 8 : 4);
const scalarOf = (w: Writer) => (w.dtype === "float64" ? "f64" : "f32");
const shapeOf = (w: Writer) => (w.dtype === "float64" ? "f64x2" : "f32x4");

/**
 * An expression: writes instructions that leave its value on the stack, anew at every use, so that it sees the variables as they are
 * THEN. To keep what it is now, hold it in a variable: `c.let(x.plus(y))`.
 */
abstract class Value {
  constructor(protected readonly w: Writer, readonly push: () => void) {}
}

/** A truth value. */
export class Condition extends Value {
  and(other: Condition): Condition { return this.join(other, "i32.and"); }
  or(other: Condition): Condition { return this.join(other, "i32.or"); }
  not(): Condition { return new Condition(this.w, () => { this.push(); this.w.f.op("i32.eqz"); }); }
  private join(other: Condition, op: "i32.and" | "i32.or"): Condition {
    return new Condition(this.w, () => { this.push(); other.push(); this.w.f.op(op); });
  }
}

type IndexOp = "add" | "sub" | "mul" | "div_s" | "rem_s" | "shl" | "shr_s" | "and";
type IndexComparison = "eq" | "ne" | "lt_s" | "gt_s" | "le_s" | "ge_s";

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

  toReal(): Real { return new Real(this.w, () => { this.push(); this.w.f.op(`${scalarOf(this.w)}.convert_i32_s`); }); }
}

/** A floating-point number of the function's type. */
export class Real extends Value {
  static of(w: Writer, value: RealLike): Real {
    if (typeof value !== "number") return value;
    return new Real(w, () => { if (w.dtype === "float64") w.f.f64(value); else w.f.f32(value); });
  }
  private with(other: RealLike, op: "add" | "sub" | "mul" | "div" | "min" | "max" | "copysign"): Real {
    const b = Real.of(this.w, other);
    return new Real(this.w, () => { this.push(); b.push(); this.w.f.op(`${scalarOf(this.w)}.${op}`); });
  }
  private unary(op: "abs" | "neg" | "sqrt"): Real {
    return new Real(this.w, () => { this.push(); this.w.f.op(`${scalarOf(this.w)}.${op}`); });
  }
  private compare(other: RealLike, op: "eq" | "ne" | "lt" | "gt" | "le" | "ge"): Condition {
    const b = Real.of(this.w, other);
    return new Condition(this.w, () => { this.push(); b.push(); this.w.f.op(`${scalarOf(this.w)}.${op}`); });
  }
  plus(other: RealLike): Real { return this.with(other, "add"); }
  minus(other: RealLike): Real { return this.with(other, "sub"); }
  times(other: RealLike): Real { return this.with(other, "mul"); }
  over(other: RealLike): Real { return this.with(other, "div"); }
  /** NaN where one of them is. */
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
  /** The same number in all lanes. */
  lanes(): Lanes { return new Lanes(this.w, () => { this.push(); this.w.f.op(`${shapeOf(this.w)}.splat`); }); }
}

/** A vector of as many reals as fit 16 bytes. */
export class Lanes extends Value {
  private with(other: Lanes, op: "add" | "sub" | "mul" | "div" | "max" | "min"): Lanes {
    return new Lanes(this.w, () => { this.push(); other.push(); this.w.f.op(`${shapeOf(this.w)}.${op}`); });
  }
  plus(other: Lanes): Lanes { return this.with(other, "add"); }
  minus(other: Lanes): Lanes { return this.with(other, "sub"); }
  times(other: Lanes): Lanes { return this.with(other, "mul"); }
  over(other: Lanes): Lanes { return this.with(other, "div"); }
  max(other: Lanes): Lanes { return this.with(other, "max"); }
  min(other: Lanes): Lanes { return this.with(other, "min"); }
  abs(): Lanes { return new Lanes(this.w, () => { this.push(); this.w.f.op(`${shapeOf(this.w)}.abs`); }); }
  /** `this + a b`, rounded once where the machine can. */
  plusProduct(a: Lanes, b: Lanes): Lanes { return this.fused(a, b, "relaxed_madd", "add"); }
  /** `this - a b`. */
  minusProduct(a: Lanes, b: Lanes): Lanes { return this.fused(a, b, "relaxed_nmadd", "sub"); }
  private fused(a: Lanes, b: Lanes, relaxed: "relaxed_madd" | "relaxed_nmadd", op: "add" | "sub"): Lanes {
    const shape = shapeOf(this.w);
    return new Lanes(this.w, () => {
      if (this.w.relaxed) {
        a.push(); b.push(); this.push();
        this.w.f.op(`${shape}.${relaxed}`);
      } else {
        this.push(); a.push(); b.push();
        this.w.f.op(`${shape}.mul`).op(`${shape}.${op}`);
      }
    });
  }
  /** One of the lanes. */
  lane(l: number): Real { return new Real(this.w, () => { this.push(); this.w.f.lane(`${shapeOf(this.w)}.extract_lane`, l); }); }
  /** Lanes taken from this (0 … lanes-1) and the other (lanes … 2 lanes - 1). */
  shuffle(other: Lanes, order: readonly number[]): Lanes {
    return new Lanes(this.w, () => {
      this.push(); other.push();
      if (this.w.dtype === "float64") this.w.f.shuffle64(order[0]!, order[1]!);
      else this.w.f.shuffle32(order[0]!, order[1]!, order[2]!, order[3]!);
    });
  }
}

const loads: Readonly<Record<ElementType, MemoryOp>> = { float32: "f32.load", float64: "f64.load", int32: "i32.load" };
const stores = { float32: "f32.store", float64: "f64.store", int32: "i32.store" } as const;

/** The address of elements of one type. */
export class Pointer extends Value {
  constructor(w: Writer, push: () => void, readonly type: ElementType) { super(w, push); }

  /** The address `i` elements on. */
  at(i: IndexLike): Pointer {
    if (i === 0) return this;
    const bytes = Index.of(this.w, i).shiftLeft(Math.log2(bytesOf(this.type)));
    return new Pointer(this.w, () => { this.push(); bytes.push(); this.w.f.op("i32.add"); }, this.type);
  }
  /** The address `i` bytes on, as one of elements of another type. */
  bytes(i: IndexLike, type: ElementType): Pointer {
    const bytes = Index.of(this.w, i);
    return new Pointer(this.w, () => { this.push(); bytes.push(); this.w.f.op("i32.add"); }, type);
  }
  /** Constant positions ahead become immediates. */
  private access(i: IndexLike, then: (offset: number) => void): void {
    const constant = typeof i === "number" ? i : i.constant;
    if (constant !== undefined && constant >= 0) {
      this.push();
      then(constant * bytesOf(this.type));
    } else {
      this.at(i).push();
      then(0);
    }
  }
  private requireType(...types: ElementType[]): void {
    if (!types.includes(this.type)) throw new TypeError(`${this.w.f.name}: a pointer to ${types.join(" or ")} is needed, not to ${this.type}`);
  }
  /** The number there, converted to the function's type. */
  load(i: IndexLike = 0): Real {
    this.requireType("float32", "float64");
    return new Real(this.w, () => {
      this.access(i, (offset) => this.w.f.memory(loads[this.type], offset));
      if (this.type !== this.w.dtype) this.w.f.op(this.w.dtype === "float64" ? "f64.promote_f32" : "f32.demote_f64");
    });
  }
  loadIndex(i: IndexLike = 0): Index {
    this.requireType("int32");
    return new Index(this.w, () => this.access(i, (offset) => this.w.f.memory("i32.load", offset)));
  }
  loadLanes(i: IndexLike = 0): Lanes {
    this.requireType(this.w.dtype);
    return new Lanes(this.w, () => this.access(i, (offset) => this.w.f.memory("v128.load", offset)));
  }
  /** One element in all lanes. */
  loadSplat(i: IndexLike = 0): Lanes {
    this.requireType(this.w.dtype);
    return new Lanes(this.w, () => this.access(i, (offset) => this.w.f.memory(this.w.dtype === "float64" ? "v128.load64_splat" : "v128.load32_splat", offset)));
  }
  /** Writes a number, converted to the element type. */
  store(value: RealLike, i: IndexLike = 0): void {
    this.requireType("float32", "float64");
    this.access(i, (offset) => {
      Real.of(this.w, value).push();
      if (this.type !== this.w.dtype) this.w.f.op(this.w.dtype === "float64" ? "f32.demote_f64" : "f64.promote_f32");
      this.w.f.memory(stores[this.type], offset);
    });
  }
  storeIndex(value: IndexLike, i: IndexLike = 0): void {
    this.requireType("int32");
    this.access(i, (offset) => { Index.of(this.w, value).push(); this.w.f.memory("i32.store", offset); });
  }
  storeLanes(value: Lanes, i: IndexLike = 0): void {
    this.requireType(this.w.dtype);
    this.access(i, (offset) => { value.push(); this.w.f.memory("v128.store", offset); });
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
export class LanesVariable extends Lanes implements Variable<Lanes> {
  constructor(w: Writer, readonly local: Local) { super(w, () => w.f.get(local)); }
  set(value: Lanes): void { value.push(); this.w.f.set(this.local); }
}
export class PointerVariable extends Pointer implements Variable<Pointer> {
  constructor(w: Writer, readonly local: Local, type: ElementType) { super(w, () => w.f.get(local), type); }
  set(value: Pointer): void { value.push(); this.w.f.set(this.local); }
  /** Moves on by so many elements. */
  advance(elements: IndexLike): void { this.set(this.at(elements)); }
}
