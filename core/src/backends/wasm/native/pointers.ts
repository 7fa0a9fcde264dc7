import type { Local, MemoryOp } from "../assembler/index.js";
import { bytesOf, Condition, type ElementType, Index, type IndexLike, Lanes, type NumberType, Real, type RealLike, Value, type Variable, Word, type Writer } from "./values.js";

const loads: Readonly<Record<NumberType, MemoryOp>> = { float32: "f32.load", float64: "f64.load", int32: "i32.load", uint32: "i32.load", bool: "i32.load8_u" };
const stores: Readonly<Record<NumberType, MemoryOp>> = { float32: "f32.store", float64: "f64.store", int32: "i32.store", uint32: "i32.store", bool: "i32.store8" };
const splats: Readonly<Record<NumberType, MemoryOp>> = { float32: "v128.load32_splat", float64: "v128.load64_splat", int32: "v128.load32_splat", uint32: "v128.load32_splat", bool: "v128.load8_splat" };
const isFloatType = (type: ElementType): type is "float32" | "float64" => type === "float32" || type === "float64";

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
  address(): Index { return new Index(this.w, this.push); }
  /** Whether this is another address. */
  differs(other: Pointer): Condition { return new Condition(this.w, () => { this.push(); other.push(); this.w.f.op("i32.ne"); }); }
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
  /** Floats are converted to each other, other numbers are of the function's type. */
  private numberType(): NumberType {
    if (isFloatType(this.w.dtype)) this.requireType("float32", "float64");
    else this.requireType(this.w.dtype);
    return this.type as NumberType;
  }
  /** The number there, converted to the function's type. */
  load(i: IndexLike = 0): Real {
    const type = this.numberType();
    return new Real(this.w, () => {
      this.access(i, (offset) => this.w.f.memory(loads[type], offset));
      if (type !== this.w.dtype) this.w.f.op(this.w.dtype === "float64" ? "f64.promote_f32" : "f32.demote_f64");
    });
  }
  loadIndex(i: IndexLike = 0): Index {
    this.requireType("int32", "uint32", "bool");
    return new Index(this.w, () => this.access(i, (offset) => this.w.f.memory(loads[this.type as NumberType], offset)));
  }
  /** An address that is kept as an integer. */
  loadPointer(type: ElementType, i: IndexLike = 0): Pointer { return new Pointer(this.w, this.loadIndex(i).push, type); }
  loadWord(i: IndexLike = 0): Word {
    this.requireType("uint64");
    return new Word(this.w, () => this.access(i, (offset) => this.w.f.memory("i64.load", offset)));
  }
  loadLanes(i: IndexLike = 0): Lanes {
    this.requireType(this.w.dtype);
    return new Lanes(this.w, () => this.access(i, (offset) => this.w.f.memory("v128.load", offset)));
  }
  /** One element in all lanes. */
  loadSplat(i: IndexLike = 0): Lanes {
    this.requireType(this.w.dtype);
    return new Lanes(this.w, () => this.access(i, (offset) => this.w.f.memory(splats[this.w.dtype], offset)));
  }
  /** Writes a number, converted to the element type. */
  store(value: RealLike, i: IndexLike = 0): void {
    const type = this.numberType();
    this.access(i, (offset) => {
      Real.of(this.w, value).push();
      if (type !== this.w.dtype) this.w.f.op(this.w.dtype === "float64" ? "f32.demote_f64" : "f64.promote_f32");
      this.w.f.memory(stores[type], offset);
    });
  }
  storeIndex(value: IndexLike, i: IndexLike = 0): void {
    this.requireType("int32", "uint32", "bool");
    this.access(i, (offset) => { Index.of(this.w, value).push(); this.w.f.memory(stores[this.type as NumberType], offset); });
  }
  storeWord(value: Word, i: IndexLike = 0): void {
    this.requireType("uint64");
    this.access(i, (offset) => { value.push(); this.w.f.memory("i64.store", offset); });
  }
  storeLanes(value: Lanes, i: IndexLike = 0): void {
    this.requireType(this.w.dtype);
    this.access(i, (offset) => { value.push(); this.w.f.memory("v128.store", offset); });
  }
}

export class PointerVariable extends Pointer implements Variable<Pointer> {
  constructor(w: Writer, readonly local: Local, type: ElementType) { super(w, () => w.f.get(local), type); }
  set(value: Pointer): void { value.push(); this.w.f.set(this.local); }
  /** Moves on by so many elements. */
  advance(elements: IndexLike): void { this.set(this.at(elements)); }
}
