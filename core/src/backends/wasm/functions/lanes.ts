import type { PlainOp } from "../assembler/index.js";
import type { FloatDType, FunctionLibrary } from "./contract.js";
import type { Table, Value } from "./graph.js";

const constantOf = (bytes: Uint8Array): Value => {
  const words = new DataView(bytes.buffer, bytes.byteOffset);
  const word = (i: number): string => words.getUint32(4 * i).toString(36);
  return { kind: "constant", bytes, key: `v128.${word(0)}.${word(1)}.${word(2)}.${word(3)}` };
};

/** Arithmetic on the lanes of one float type, and on their bits as integers of the same width. */
export class Lanes {
  private readonly float: "f64x2" | "f32x4";
  private readonly int: "i64x2" | "i32x4";
  /** Bits of the significand without the leading one: 52 or 23. */
  readonly fraction: 52 | 23;
  /** Exponent bias: 1023 or 127. */
  readonly bias: number;
  /** Smallest normal number. */
  readonly minNormal: number;
  readonly wide: boolean;

  constructor(readonly dtype: FloatDType, private readonly library: Pick<FunctionLibrary, "relaxed">) {
    this.wide = dtype === "float64";
    this.float = this.wide ? "f64x2" : "f32x4";
    this.int = this.wide ? "i64x2" : "i32x4";
    this.fraction = this.wide ? 52 : 23;
    this.bias = this.wide ? 1023 : 127;
    this.minNormal = this.wide ? 2 ** -1022 : 2 ** -126;
  }

  private readonly constants = new Map<string, Value>();
  private shared(v: Value): Value {
    if (v.kind !== "constant") return v;
    const known = this.constants.get(v.key);
    if (known) return known;
    this.constants.set(v.key, v);
    return v;
  }

  private readonly args: Value[] = [];
  argument(index: number): Value { return (this.args[index] ??= { kind: "argument", index }); }
  /** The number in every lane. */
  number(x: number): Value { return this.shared(constantOf(new Uint8Array(this.wide ? new Float64Array([x, x]).buffer : new Float32Array([x, x, x, x]).buffer))); }
  /** The bit pattern in every lane. */
  bits(x: bigint): Value {
    return this.shared(constantOf(new Uint8Array(this.wide ? BigInt64Array.of(BigInt.asIntN(64, x), BigInt.asIntN(64, x)).buffer : new Int32Array(4).fill(Number(BigInt.asIntN(32, x))).buffer)));
  }
  /** Picks by precision. */
  pick<T>(float64: T, float32: T): T { return this.wide ? float64 : float32; }

  private readonly known = new Map<string, Value>();
  private readonly numbers = new Map<Value, number>();
  /** Equal operations on equal operands are one value. */
  private unique(v: Value & { readonly operands: readonly Value[] }, tag: string): Value {
    const number = (x: Value): number => {
      let n = this.numbers.get(x);
      if (n === undefined) this.numbers.set(x, (n = this.numbers.size));
      return n;
    };
    const key = `${tag}(${v.operands.map(number).join(",")})`;
    const known = this.known.get(key);
    if (known) return known;
    this.known.set(key, v);
    return v;
  }

  private op(op: string, ...operands: Value[]): Value { return this.unique({ kind: "op", op: op as PlainOp, operands }, op); }
  private f(op: string, ...operands: (Value | number)[]): Value {
    return this.op(`${this.float}.${op}`, ...operands.map((x) => (typeof x === "number" ? this.number(x) : x)));
  }
  private i(op: string, ...operands: Value[]): Value { return this.op(`${this.int}.${op}`, ...operands); }

  add(a: Value | number, b: Value | number): Value { return this.f("add", a, b); }
  sub(a: Value | number, b: Value | number): Value { return this.f("sub", a, b); }
  mul(a: Value | number, b: Value | number): Value { return this.f("mul", a, b); }
  div(a: Value | number, b: Value | number): Value { return this.f("div", a, b); }
  sqrt(a: Value): Value { return this.f("sqrt", a); }
  abs(a: Value): Value { return this.f("abs", a); }
  neg(a: Value): Value { return this.f("neg", a); }
  nearest(a: Value): Value { return this.f("nearest", a); }
  trunc(a: Value): Value { return this.f("trunc", a); }
  /** `b < a ? b : a`: a NaN in `a` stays. One machine instruction, unlike `min`. */
  pmin(a: Value, b: Value | number): Value { return this.f("pmin", a, b); }
  /** `a < b ? b : a`: a NaN in `a` stays. */
  pmax(a: Value, b: Value | number): Value { return this.f("pmax", a, b); }
  lt(a: Value | number, b: Value | number): Value { return this.f("lt", a, b); }
  le(a: Value | number, b: Value | number): Value { return this.f("le", a, b); }
  gt(a: Value | number, b: Value | number): Value { return this.f("gt", a, b); }
  ge(a: Value | number, b: Value | number): Value { return this.f("ge", a, b); }
  eq(a: Value | number, b: Value | number): Value { return this.f("eq", a, b); }
  ne(a: Value | number, b: Value | number): Value { return this.f("ne", a, b); }

  /** `a b + c`, fused where the machine has it: use it where either rounding will do. */
  madd(a: Value, b: Value, c: Value | number): Value { return this.library.relaxed ? this.f("relaxed_madd", a, b, c) : this.add(this.mul(a, b), c); }
  /** `c - a b`, likewise. */
  nmadd(a: Value, b: Value, c: Value | number): Value { return this.library.relaxed ? this.f("relaxed_nmadd", a, b, c) : this.sub(c, this.mul(a, b)); }

  and(a: Value, b: Value): Value { return this.op("v128.and", a, b); }
  or(a: Value, b: Value): Value { return this.op("v128.or", a, b); }
  xor(a: Value, b: Value): Value { return this.op("v128.xor", a, b); }
  /** `a & ~b`. */
  andnot(a: Value, b: Value): Value { return this.op("v128.andnot", a, b); }
  not(a: Value): Value { return this.op("v128.not", a); }
  /** `mask ? a : b`, lane by lane. */
  select(mask: Value, a: Value | number, b: Value | number): Value {
    const v = (x: Value | number): Value => (typeof x === "number" ? this.number(x) : x);
    return this.op("v128.bitselect", v(a), v(b), mask);
  }

  iadd(a: Value, b: Value): Value { return this.i("add", a, b); }
  isub(a: Value, b: Value): Value { return this.i("sub", a, b); }
  ieq(a: Value, b: Value): Value { return this.i("eq", a, b); }
  shl(a: Value, count: number): Value { return this.shift(`${this.int}.shl`, a, count); }
  shrU(a: Value, count: number): Value { return this.shift(`${this.int}.shr_u`, a, count); }
  private shift(op: PlainOp, a: Value, count: number): Value { return this.unique({ kind: "shift", op, operands: [a], count }, `${op}${count}`); }

  lookup(table: Table, offsets: Value): Value { return this.unique({ kind: "lookup", operands: [offsets], table }, `lookup ${table.key}`); }

  get signBit(): Value { return this.bits(this.wide ? 1n << 63n : 1n << 31n); }
  sign(a: Value): Value { return this.and(a, this.signBit); }
  /** `magnitude`, which has no sign, with the sign bit of `from`. */
  withSign(magnitude: Value, from: Value): Value { return this.or(magnitude, this.sign(from)); }
  isNaN(a: Value): Value { return this.ne(a, a); }

  /**
   * Adding this constant puts the nearest integer into the low bits of the significand: (n + magic) - magic = n, and the low bits are n's
   * (two's complement).
   */
  get magic(): number { return this.wide ? 1.5 * 2 ** 52 : 1.5 * 2 ** 23; }
  /** 2^n from a sum `n + magic`; n within the range of normal exponents. */
  powerOfTwo(nPlusMagic: Value): Value { return this.iadd(this.shl(nPlusMagic, this.fraction), this.number(1)); }
  /** `x` without the low half of its significand, so that products of two such are exact. */
  high(x: Value): Value { return this.and(x, this.bits(this.wide ? 0xfffffffff8000000n : 0xfffff000n)); }

  /**
   * Polynomial `c[0] + c[1] x + ...`. From degree 4 on by Estrin's scheme, pairs first, then pairs of pairs: the chain of dependent
   * operations is logarithmic in the degree.
   */
  polynomial(c: readonly number[], x: Value): Value {
    if (c.length < 5) return this.horner(c, x);
    let terms: (Value | number)[] = [...c];
    for (let power = x; terms.length > 1; power = this.mul(power, power)) {
      const next: (Value | number)[] = [];
      for (let i = 0; i < terms.length; i += 2) {
        const high = terms[i + 1];
        next.push(high === undefined ? terms[i]! : this.madd(this.value(high), power, terms[i]!));
      }
      terms = next;
    }
    return this.value(terms[0]!);
  }
  /** The same by pairs, and these by Horner's rule in `square` = x^2: half the chain of Horner's rule with as few operations. */
  paired(c: readonly number[], x: Value, square: Value): Value {
    const pairs: (Value | number)[] = [];
    for (let i = 0; i < c.length; i += 2) pairs.push(i + 1 < c.length ? this.madd(this.number(c[i + 1]!), x, c[i]!) : c[i]!);
    return pairs.reduceRight<Value | number | undefined>((s, pair) => (s === undefined ? pair : this.madd(this.value(s), square, pair)), undefined) as Value;
  }
  private value(v: Value | number): Value { return typeof v === "number" ? this.number(v) : v; }
  horner(c: readonly number[], x: Value): Value {
    let s = this.number(c.at(-1)!);
    for (let i = c.length - 2; i >= 0; i--) s = this.madd(s, x, c[i]!);
    return s;
  }

  /** `a + b` as rounded sum and error, for any magnitudes (Knuth's TwoSum). */
  twoSum(a: Value, b: Value): [Value, Value] {
    const s = this.add(a, b);
    const bb = this.sub(s, a);
    return [s, this.add(this.sub(a, this.sub(s, bb)), this.sub(b, bb))];
  }
}
