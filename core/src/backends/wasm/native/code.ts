import type { FunctionBuilder, FunctionRef, ModuleBuilder, ValueType } from "../assembler/index.js";
import type { FunctionLibrary } from "../functions/contract.js";
import type { ThreadTasks } from "../threads/tasks.js";
import { type Pointer, PointerVariable } from "./pointers.js";
import { bytesOf, type Condition, Index, IndexVariable, Lanes, LanesVariable, machineTypeOf, Real, RealVariable, Word, WordVariable } from "./values.js";
import type { ElementType, IndexLike, NumberType, RealLike, Writer } from "./values.js";

/**
 * Kinds of parameters: a signed integer, a number of the function's type, the address of numbers of the function's type,
 * and addresses of elements of one certain type.
 */
export type Kind = "index" | "real" | "pointer" | `pointer to ${ElementType}`;
export type Kinds = Readonly<Record<string, Kind>>;
export type ResultKind = "index" | "real" | "nothing";

type VariableOf<K extends Kind> = K extends "index" ? IndexVariable : K extends "real" ? RealVariable : PointerVariable;
type ArgumentOf<K extends Kind> = K extends "index" ? IndexLike : K extends "real" ? RealLike : Pointer;
type ResultOf<R extends ResultKind> = R extends "index" ? IndexVariable : R extends "real" ? RealVariable : void;
/** What a body gives back. */
export type ReturnOf<R extends ResultKind> = R extends "index" ? IndexLike : R extends "real" ? RealLike : void;

export type Parameters<P extends Kinds> = { readonly [N in keyof P]: VariableOf<P[N]> };
export type Arguments<P extends Kinds> = { readonly [N in keyof P]: ArgumentOf<P[N]> };

/** The module that takes the code. */
export interface CodeContext {
  readonly module: ModuleBuilder;
  readonly library: FunctionLibrary;
  /** Set where threads can share work. */
  readonly tasks?: ThreadTasks | undefined;
}

/**
 * A function of a native routine, written once for all types of numbers: it becomes code when first called, once for each type in a module.
 */
export interface Template<P extends Kinds, R extends ResultKind> {
  readonly name: string;
  readonly parameters: P;
  readonly result: R;
  readonly body: (c: Code, parameters: Parameters<P>) => ReturnOf<R>;
  /** Code that exists already, instead of the body. */
  readonly existing?: (context: CodeContext, dtype: NumberType) => FunctionRef;
}

/**
 * Names a function and its body.
 * @example
 * const sumOfSquares = template("sumOfSquares", { n: "index", x: "pointer" }, "real", (c, { n, x }) => {
 *   const sum = c.real(0);
 *   c.range(0, n, (i) => sum.add(x.load(i).times(x.load(i))));
 *   return sum;
 * });
 */
export function template<P extends Kinds, R extends ResultKind>(name: string, parameters: P, result: R, body: (c: Code, parameters: Parameters<P>) => ReturnOf<R>): Template<P, R> {
  return { name, parameters, result, body };
}

const machineType = (kind: Kind | ResultKind, dtype: NumberType): ValueType => (kind === "real" ? machineTypeOf(dtype) : "i32");
const elementType = (kind: Kind, dtype: NumberType): ElementType => (kind === "pointer" ? dtype : (kind.slice("pointer to ".length) as ElementType));

/** The code of a template for a type of numbers, written when first asked for. */
export function instantiate<P extends Kinds, R extends ResultKind>(t: Template<P, R>, context: CodeContext, dtype: NumberType): FunctionRef {
  if (t.existing) return t.existing(context, dtype);
  const kinds = Object.entries(t.parameters);
  const type = { params: kinds.map(([, kind]) => machineType(kind, dtype)), results: t.result === "nothing" ? [] : [machineType(t.result, dtype)] };
  return context.library.helper(`native.${t.name}.${dtype}`, type, (f) => {
    const c = new Code(f, context, dtype);
    const parameters = Object.fromEntries(kinds.map(([name, kind], i) => [name, c.parameter(kind, i)])) as unknown as Parameters<P>;
    const result = t.body(c, parameters);
    if (t.result === "index") Index.of(c, result as IndexLike).push();
    else if (t.result === "real") Real.of(c, result as RealLike).push();
  });
}

/** Writes the body of one function as statements on variables and expressions. */
export class Code implements Writer {
  /** Numbers in a vector. */
  readonly lanes: number;

  constructor(readonly f: FunctionBuilder, readonly context: CodeContext, readonly dtype: NumberType) {
    this.lanes = 16 / bytesOf(dtype);
  }

  get relaxed(): boolean { return this.context.library.relaxed; }
  /** Bytes of a number. */
  get size(): number { return bytesOf(this.dtype); }
  /** Distance from 1 to the next number of the type. */
  get epsilon(): number { return this.dtype === "float64" ? 2 ** -52 : 2 ** -23; }
  /** The smallest normal number of the type. */
  get smallest(): number { return this.dtype === "float64" ? 2 ** -1022 : 2 ** -126; }

  parameter(kind: Kind, local: number): IndexVariable | RealVariable | PointerVariable {
    if (kind === "index") return new IndexVariable(this, local);
    if (kind === "real") return new RealVariable(this, local);
    return new PointerVariable(this, local, elementType(kind, this.dtype));
  }

  /** A variable that starts as this value: what the value is NOW. */
  let(value: Index): IndexVariable;
  let(value: Real): RealVariable;
  let(value: Lanes): LanesVariable;
  let(value: Pointer): PointerVariable;
  let(value: Word): WordVariable;
  let(value: Index | Real | Lanes | Pointer | Word): IndexVariable | RealVariable | LanesVariable | PointerVariable | WordVariable {
    if (value instanceof Index) return this.index(value);
    if (value instanceof Real) return this.real(value);
    if (value instanceof Lanes) {
      const v = new LanesVariable(this, this.f.local("v128"));
      v.set(value);
      return v;
    }
    if (value instanceof Word) {
      const v = new WordVariable(this, this.f.local("i64"));
      v.set(value);
      return v;
    }
    const p = new PointerVariable(this, this.f.local("i32"), value.type);
    p.set(value);
    return p;
  }
  index(value: IndexLike): IndexVariable {
    const v = new IndexVariable(this, this.f.local("i32"));
    v.set(value);
    return v;
  }
  real(value: RealLike): RealVariable {
    const v = new RealVariable(this, this.f.local(machineType("real", this.dtype)));
    v.set(value);
    return v;
  }
  /** A constant of 64 bits. */
  word(bits: bigint): Word { return new Word(this, () => this.f.i64(BigInt.asIntN(64, bits))); }
  /** The vector of zeros. */
  zeros(): Lanes { return new Lanes(this, () => this.f.i32x4(0)); }

  /** `condition ? a : b`; both are evaluated. */
  choose(condition: Condition, a: RealLike, b: RealLike): Real {
    return new Real(this, () => { Real.of(this, a).push(); Real.of(this, b).push(); condition.push(); this.f.op("select"); });
  }
  chooseIndex(condition: Condition, a: IndexLike, b: IndexLike): Index {
    return new Index(this, () => { Index.of(this, a).push(); Index.of(this, b).push(); condition.push(); this.f.op("select"); });
  }
  chooseWord(condition: Condition, a: Word, b: Word): Word {
    return new Word(this, () => { a.push(); b.push(); condition.push(); this.f.op("select"); });
  }

  when(condition: Condition, then: () => void, otherwise?: () => void): void {
    condition.push();
    this.f.if(then, otherwise);
  }
  /** `for (i = from; i < to; i += step)`, or `i > to` for a negative step. `to` is evaluated before each round. */
  range(from: IndexLike, to: IndexLike, body: (i: IndexVariable) => void, step = 1): void {
    const i = this.index(from);
    this.while(step > 0 ? i.less(to) : i.greater(to), () => {
      body(i);
      i.add(step);
    });
  }
  while(condition: Condition, body: () => void): void {
    condition.push();
    this.f.if(() => this.f.loop((again) => {
      body();
      condition.push();
      this.f.brIf(again);
    }));
  }
  /** Runs the body again and again until it calls `leave`. */
  repeat(body: (leave: () => void) => void): void {
    this.f.block((out) => this.f.loop((again) => {
      body(() => this.f.br(out));
      this.f.br(again);
    }));
  }
  /** Runs the body once, or up to where it calls `leave`. */
  block(body: (leave: () => void) => void): void {
    this.f.block((out) => body(() => this.f.br(out)));
  }
  /** Ends the function here. */
  return(value?: Index | Real): void {
    value?.push();
    this.f.op("return");
  }

  /** Calls another function now, for this function's type of numbers unless told. */
  call<P extends Kinds, R extends ResultKind>(t: Template<P, R>, args: Arguments<P>, dtype: NumberType = this.dtype): ResultOf<R> {
    for (const [name, kind] of Object.entries(t.parameters)) {
      const value = args[name]!;
      if (kind === "index") Index.of(this, value as IndexLike).push();
      else if (kind === "real") Real.of(this, value as RealLike).push();
      else {
        const pointer = value as Pointer;
        if (pointer.type !== elementType(kind, dtype)) throw new TypeError(`${this.f.name} calls ${t.name}: ${name} points to ${pointer.type}, not to ${elementType(kind, dtype)}`);
        pointer.push();
      }
    }
    this.f.call(instantiate(t, this.context, dtype));
    if (t.result === "nothing") return undefined as ResultOf<R>;
    const variable = t.result === "index" ? new IndexVariable(this, this.f.local("i32")) : new RealVariable(this, this.f.local(machineType("real", dtype)));
    this.f.set(variable.local);
    return variable as ResultOf<R>;
  }

  /**
   * Walks `n` elements of several arrays side by side: `vector` gets them at whole vectors (`unroll` of them a round, the u-th
   * `u * lanes` elements behind the pointers), `single` at the elements that remain. Vectors and elements come in order.
   */
  sweep<const P extends readonly [Pointer, ...Pointer[]]>(n: IndexLike, arrays: P, unroll: number, vector: (pointers: { [I in keyof P]: PointerVariable }, u: number) => void, single: (pointers: { [I in keyof P]: PointerVariable }) => void): void {
    const pointers = arrays.map((p) => this.let(p)) as { [I in keyof P]: PointerVariable };
    const left = this.index(n);
    const walk = (elements: number, body: () => void): void => {
      this.while(left.atLeast(elements), () => {
        body();
        for (const p of pointers) p.advance(elements);
        left.add(-elements);
      });
    };
    if (unroll > 1) walk(unroll * this.lanes, () => { for (let u = 0; u < unroll; u++) vector(pointers, u); });
    walk(this.lanes, () => vector(pointers, 0));
    walk(1, () => single(pointers));
  }

  /** The sum of the lanes. */
  total(v: Lanes): Real {
    const held = this.let(v);
    return Array.from({ length: this.lanes }, (_, l) => held.lane(l)).reduce((a, b) => a.plus(b));
  }

  /** Copies elements of one type; the ranges may overlap. */
  copy(n: IndexLike, from: Pointer, to: Pointer): void {
    if (from.type !== to.type) throw new TypeError(`${this.f.name}: copies from ${from.type} to ${to.type}`);
    to.push();
    from.push();
    Index.of(this, n).shiftLeft(Math.log2(bytesOf(to.type))).push();
    this.f.memoryCopy();
  }
  /** Writes zeros. */
  clear(n: IndexLike, to: Pointer): void {
    to.push();
    this.f.i32(0);
    Index.of(this, n).shiftLeft(Math.log2(bytesOf(to.type))).push();
    this.f.memoryFill();
  }
}
