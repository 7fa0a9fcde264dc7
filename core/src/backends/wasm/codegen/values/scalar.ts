import type { DType } from "../../../../base/dtype.js";
import type { BinaryFn, UnaryFn } from "../../../../kernel/expr.js";
import { isCompare } from "../../../../kernel/expr.js";
import type { FunctionBuilder, MemoryOp, PlainOp, ValueType } from "../../assembler/index.js";
import type { FunctionLibrary } from "../../functions/contract.js";

/** How a dtype lives on the stack: bool as 0 or 1, both integer types as i32. */
export const scalarType = (dtype: DType): ValueType => (dtype === "float64" ? "f64" : dtype === "float32" ? "f32" : "i32");

export const scalarLoad = (dtype: DType): MemoryOp => (dtype === "bool" ? "i32.load8_u" : `${scalarType(dtype) as "i32"}.load`);
export const scalarStore = (dtype: DType): MemoryOp => (dtype === "bool" ? "i32.store8" : `${scalarType(dtype) as "i32"}.store`);

export function scalarConst(f: FunctionBuilder, dtype: DType, value: number): void {
  if (dtype === "float64") f.f64(value);
  else if (dtype === "float32") f.f32(value);
  else if (dtype === "bool") f.i32(value ? 1 : 0);
  else f.i32(value);
}

const floatOp = (dtype: DType, op: string): PlainOp => `${scalarType(dtype)}.${op}` as PlainOp;

/** Runs `body` with the operands of the stack in locals, which it may read as often as it likes. */
export function withLocals(f: FunctionBuilder, types: readonly ValueType[], body: (...locals: number[]) => void): void {
  const locals = types.map((t) => f.local(t));
  for (const l of [...locals].reverse()) f.set(l);
  body(...locals);
  for (const l of locals) f.release(l);
}

const nativeUnary: Partial<Record<UnaryFn, string>> = { neg: "neg", abs: "abs", floor: "floor", ceil: "ceil", trunc: "trunc", round: "nearest", sqrt: "sqrt" };

/** Operand on the stack, result on the stack. */
export function scalarUnary(f: FunctionBuilder, library: FunctionLibrary, fn: UnaryFn, dtype: DType): void {
  const t = scalarType(dtype);
  if (dtype === "float32" || dtype === "float64") {
    const native = nativeUnary[fn];
    const constant = (x: number) => scalarConst(f, dtype, x);
    if (native) f.op(floatOp(dtype, native));
    else if (fn === "sign")
      // Zeros and NaN are their own sign.
      withLocals(f, [t], (x) => {
        constant(1);
        f.get(x).op(floatOp(dtype, "copysign")).get(x);
        f.get(x);
        constant(0);
        f.op(floatOp(dtype, "lt")).get(x);
        constant(0);
        f.op(floatOp(dtype, "gt")).op("i32.or").op("select");
      });
    else if (fn === "rsqrt")
      withLocals(f, [t], (x) => {
        constant(1);
        f.get(x).op(floatOp(dtype, "sqrt")).op(floatOp(dtype, "div"));
      });
    else if (fn === "isFinite") {
      f.op(floatOp(dtype, "abs"));
      constant(Infinity);
      f.op(floatOp(dtype, "lt"));
    } else if (fn === "not") {
      constant(0);
      f.op(floatOp(dtype, "eq"));
    } else f.call(library.elementary(fn, dtype, "scalar"));
    return;
  }
  switch (fn) {
    case "not":
      if (dtype === "bool") f.op("i32.eqz");
      else f.i32(-1).op("i32.xor");
      break;
    case "neg":
      if (dtype !== "bool") f.i32(-1).op("i32.mul");
      break;
    case "abs":
      if (dtype === "int32") withLocals(f, ["i32"], (x) => f.i32(0).get(x).op("i32.sub").get(x).get(x).i32(0).op("i32.lt_s").op("select"));
      break;
    case "sign":
      if (dtype === "int32") withLocals(f, ["i32"], (x) => f.get(x).i32(0).op("i32.gt_s").get(x).i32(0).op("i32.lt_s").op("i32.sub"));
      else if (dtype === "uint32") f.i32(0).op("i32.ne");
      break;
    case "floor": case "ceil": case "round": case "trunc": break;
    case "isFinite":
      f.op("drop").i32(1);
      break;
    default: throw new TypeError(`${fn} of ${dtype} has no meaning`);
  }
}

const boolArithmetic: Partial<Record<BinaryFn, PlainOp>> = { add: "i32.or", sub: "i32.xor", mul: "i32.and", max: "i32.or", min: "i32.and", and: "i32.and", or: "i32.or", xor: "i32.xor" };
const integerArithmetic: Partial<Record<BinaryFn, PlainOp>> = { add: "i32.add", sub: "i32.sub", mul: "i32.mul", and: "i32.and", or: "i32.or", xor: "i32.xor" };
const nativeArithmetic: ReadonlySet<BinaryFn> = new Set<BinaryFn>(["add", "sub", "mul", "div", "max", "min"]);

/** Both operands on the stack, result on the stack; `dtype` is the operands'. */
export function scalarBinary(f: FunctionBuilder, library: FunctionLibrary, fn: BinaryFn, dtype: DType): void {
  const t = scalarType(dtype);
  if (dtype === "float32" || dtype === "float64") {
    if (isCompare(fn) || nativeArithmetic.has(fn)) f.op(floatOp(dtype, fn));
    else if (fn === "nextafter") f.call(library.helper(`nextafter.${dtype}`, { params: [t, t], results: [t] }, (g) => nextafter(g, dtype)));
    else f.call(library.elementary(fn, dtype, "scalar"));
    return;
  }
  if (isCompare(fn)) {
    f.op(fn === "eq" || fn === "ne" ? `i32.${fn}` : `i32.${fn}_${dtype === "int32" ? "s" : "u"}`);
    return;
  }
  const direct = (dtype === "bool" ? boolArithmetic : integerArithmetic)[fn];
  const sign = dtype === "int32" ? "s" : "u";
  if (direct) f.op(direct);
  else if (fn === "max" || fn === "min") withLocals(f, ["i32", "i32"], (a, b) => f.get(a).get(b).get(a).get(b).op(`i32.${fn === "max" ? "gt" : "lt"}_${sign}`).op("select"));
  // A zero divisor gives 0 (rem: the dividend), and the one quotient that overflows wraps, where the instructions would trap.
  else if (fn === "div" || fn === "rem")
    f.call(library.helper(`${fn}.${dtype}`, { params: ["i32", "i32"], results: ["i32"] }, (g) => {
      g.get(1).op("i32.eqz").if(() => {
        if (fn === "div") g.i32(0);
        else g.get(0);
      }, () => {
        if (sign === "s" && fn === "div")
          g.get(1).i32(-1).op("i32.eq").if(() => g.i32(0).get(0).op("i32.sub"), () => g.get(0).get(1).op("i32.div_s"), "i32");
        else g.get(0).get(1).op(`i32.${fn}_${sign}`);
      }, "i32");
    }));
  else if (fn === "shiftLeft" || fn === "shiftRight" || (fn === "shiftRightArithmetic" && sign === "u"))
    withLocals(f, ["i32", "i32"], (a, n) => f.get(a).get(n).op(fn === "shiftLeft" ? "i32.shl" : "i32.shr_u").i32(0).get(n).i32(32).op("i32.lt_u").op("select"));
  else if (fn === "shiftRightArithmetic")
    withLocals(f, ["i32", "i32"], (a, n) => f.get(a).get(n).i32(31).get(n).i32(32).op("i32.lt_u").op("select").op("i32.shr_s"));
  else if (fn === "pow") f.call(library.helper(`pow.${dtype}`, { params: ["i32", "i32"], results: ["i32"] }, (g) => integerPower(g, sign === "s")));
  else throw new TypeError(`${fn} of ${dtype} has no meaning`);
}

/** Powers by squaring, modulo 2^32; negative exponents give the truncated reciprocal. */
function integerPower(g: FunctionBuilder, signed: boolean): void {
  const result = g.local("i32");
  if (signed)
    g.get(1).i32(0).op("i32.lt_s").if(() => {
      g.get(0).i32(1).op("i32.eq").if(() => g.i32(1).op("return"));
      g.get(0).i32(-1).op("i32.eq").if(() => g.i32(1).i32(-1).get(1).i32(1).op("i32.and").op("i32.eqz").op("select").op("return"));
      g.i32(0).op("return");
    });
  g.i32(1).set(result);
  g.block((done) => g.loop((again) => {
    g.get(1).op("i32.eqz").brIf(done);
    g.get(result).get(0).op("i32.mul").get(result).get(1).i32(1).op("i32.and").op("select").set(result);
    g.get(0).get(0).op("i32.mul").set(0);
    g.get(1).i32(1).op("i32.shr_u").set(1).br(again);
  }));
  g.get(result);
}

/** The neighbour of `a` towards `b`: one step of the bits read as an integer. */
function nextafter(g: FunctionBuilder, dtype: "float32" | "float64"): void {
  const wide = dtype === "float64";
  const [t, i] = wide ? (["f64", "i64"] as const) : (["f32", "i32"] as const);
  const integer = (n: number) => (wide ? g.i64(BigInt(n)) : g.i32(n));
  const zero = () => scalarConst(g, dtype, 0);
  g.get(0).get(0).op(`${t}.ne`).get(1).get(1).op(`${t}.ne`).op("i32.or").if(() => g.get(0).get(1).op(`${t}.add`).op("return"));
  g.get(0).get(1).op(`${t}.eq`).if(() => g.get(1).op("return"));
  g.get(0);
  zero();
  g.op(`${t}.eq`).if(() => {
    integer(1);
    g.op(wide ? "f64.reinterpret_i64" : "f32.reinterpret_i32").get(1).op(`${t}.copysign`).op("return");
  });
  g.get(0).op(wide ? "i64.reinterpret_f64" : "i32.reinterpret_f32");
  integer(1);
  integer(-1);
  g.get(0).get(1).op(`${t}.lt`).get(0);
  zero();
  g.op(`${t}.gt`).op("i32.eq").op("select").op(`${i}.add`).op(wide ? "f64.reinterpret_i64" : "f32.reinterpret_i32");
}

/** Conversion as JAX's: towards zero, saturating, NaN to 0; to bool it is `!= 0`. */
export function scalarCast(f: FunctionBuilder, from: DType, to: DType): void {
  if (from === to) return;
  const t = scalarType(from) as "i32" | "f32" | "f64";
  const fromFloat = t !== "i32";
  if (to === "bool") {
    if (fromFloat) {
      scalarConst(f, from, 0);
      f.op(floatOp(from, "ne"));
    } else f.i32(0).op("i32.ne");
  } else if (to === "int32" || to === "uint32") {
    if (t !== "i32") f.op(`i32.trunc_sat_${t}_${to === "int32" ? "s" : "u"}`);
  } else if (!fromFloat) f.op(`${scalarType(to) as "f32"}.convert_i32_${from === "int32" ? "s" : "u"}`);
  else f.op(to === "float64" ? "f64.promote_f32" : "f32.demote_f64");
}

export function scalarBitcast(f: FunctionBuilder, from: DType, to: DType): void {
  const a = scalarType(from);
  const b = scalarType(to);
  if (a === "f32" && b === "i32") f.op("i32.reinterpret_f32");
  else if (a === "i32" && b === "f32") f.op("f32.reinterpret_i32");
  else if (a !== b) throw new TypeError(`${from} and ${to} have different widths`);
}
