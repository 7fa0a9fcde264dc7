import type { DType } from "../../../../base/dtype.js";
import { itemsize } from "../../../../base/dtype.js";
import type { BinaryFn, Expr, UnaryFn } from "../../../../kernel/expr.js";
import { isCompare } from "../../../../kernel/expr.js";
import type { FunctionBuilder, Local, PlainOp } from "../../assembler/index.js";
import type { FunctionLibrary } from "../../functions/contract.js";
import { emitElementary } from "../../functions/index.js";
import { withLocals } from "./scalar.js";

/**
 * Vectors of 2, 4 or 16 lanes. A kernel that meets float64 runs 2 lanes, one of bool alone 16, others 4. float64 is f64x2; the 32-bit types are
 * f32x4 or i32x4, of which only the first `lanes` mean anything; bool is a mask as wide as the lanes (i64x2, i32x4 or i8x16), all ones for true.
 */
export type Lanes = 2 | 4 | 16;

export const shapeOf = (dtype: DType): "f64x2" | "f32x4" | "i32x4" => (dtype === "float64" ? "f64x2" : dtype === "float32" ? "f32x4" : "i32x4");

/** Scalar on the stack to all lanes. */
export function splat(f: FunctionBuilder, dtype: DType): void {
  if (dtype === "bool") f.i32(-1).op("i32.mul").op("i32x4.splat");
  else f.op(`${shapeOf(dtype)}.splat`);
}

export function vectorConst(f: FunctionBuilder, dtype: DType, value: number): void {
  if (dtype === "float64") f.f64x2(value);
  else if (dtype === "float32") f.f32x4(value);
  else if (dtype === "bool") f.i32x4(value ? -1 : 0);
  else f.i32x4(value);
}

/** Address on the stack; `lanes` consecutive elements. */
export function vectorLoad(f: FunctionBuilder, dtype: DType, lanes: Lanes, offset: number): void {
  if (dtype === "bool") {
    if (lanes === 16) f.memory("v128.load", offset).op("i8x16.neg");
    else if (lanes === 4) f.memory("v128.load32_zero", offset).op("i16x8.extend_low_i8x16_u").op("i32x4.extend_low_i16x8_u").i32x4(0).op("i32x4.ne");
    else f.i32x4(0).memoryLane("v128.load16_lane", 0, offset).op("i16x8.extend_low_i8x16_u").op("i32x4.extend_low_i16x8_u").i32x4(0).op("i32x4.ne").op("i64x2.extend_low_i32x4_s");
  } else f.memory(lanes * itemsize(dtype) === 16 ? "v128.load" : "v128.load64_zero", offset);
}

/** Address and vector on the stack. */
export function vectorStore(f: FunctionBuilder, dtype: DType, lanes: Lanes, offset: number): void {
  if (dtype === "bool" && lanes === 16) f.op("i8x16.abs").memory("v128.store", offset);
  else if (dtype === "bool") {
    f.i32x4(1, lanes === 2 ? 0 : 1, 1, lanes === 2 ? 0 : 1).op("v128.and").i32x4(0);
    const step = 16 / lanes;
    f.shuffle(Array.from({ length: 16 }, (_, i) => (i < lanes ? i * step : 16)));
    f.memoryLane(lanes === 4 ? "v128.store32_lane" : "v128.store16_lane", 0, offset);
  } else if (lanes * itemsize(dtype) === 16) f.memory("v128.store", offset);
  else f.memoryLane("v128.store64_lane", 0, offset);
}

/** Vector on the stack to the scalar of one lane. */
export function extractLane(f: FunctionBuilder, dtype: DType, lanes: Lanes, lane: number): void {
  if (dtype === "bool") (lanes === 16 ? f.lane("i8x16.extract_lane_u", lane) : f.lane("i32x4.extract_lane", lanes === 2 ? 2 * lane : lane)).i32(1).op("i32.and");
  else f.lane(`${shapeOf(dtype)}.extract_lane`, lane);
}

/** Combines the lanes of vectors, each with a copy whose lanes have other places, until all lanes that mean anything hold the same. */
export function foldLanes(f: FunctionBuilder, dtype: DType, lanes: Lanes, vectors: readonly Local[], combine: (swapped: readonly Local[]) => void): void {
  const swapped = vectors.map(() => f.local("v128"));
  const wide = dtype === "float64" || dtype === "bool";
  const swap = (bytes: number): void => {
    const places = Array.from({ length: 16 }, (_, i) => i ^ bytes);
    vectors.forEach((v, i) => f.get(v).get(v).shuffle(places).set(swapped[i]!));
    combine(swapped);
  };
  if (lanes !== 2 || wide) swap(8);
  if (lanes !== 2 || !wide) swap(4);
  if (lanes === 16) for (const bytes of [2, 1]) swap(bytes);
  for (const t of swapped) f.release(t);
}

/** Vector and scalar on the stack. */
export function replaceLane(f: FunctionBuilder, dtype: DType, lanes: Lanes, lane: number): void {
  if (dtype !== "bool") f.lane(`${shapeOf(dtype)}.replace_lane`, lane);
  else if (lanes !== 2) f.i32(-1).op("i32.mul").lane(lanes === 4 ? "i32x4.replace_lane" : "i8x16.replace_lane", lane);
  else f.i32(-1).op("i32.mul").op("i64.extend_i32_s").lane("i64x2.replace_lane", lane);
}

/** A mask of the lanes' width as one of 32-bit lanes, and back. */
const narrowMask = (f: FunctionBuilder, lanes: Lanes): void => {
  if (lanes === 2) f.i32x4(0).shuffle32(0, 2, 4, 4);
};
const widenMask = (f: FunctionBuilder, lanes: Lanes): void => {
  if (lanes === 2) f.op("i64x2.extend_low_i32x4_s");
};

/** a, b and a mask on the stack; `dtype` is that of a and b. */
export function vectorSelect(f: FunctionBuilder, dtype: DType, lanes: Lanes): void {
  if (itemsize(dtype) === 4) narrowMask(f, lanes);
  f.op("v128.bitselect");
}

const nativeUnary: Partial<Record<UnaryFn, string>> = { neg: "neg", abs: "abs", floor: "floor", ceil: "ceil", trunc: "trunc", round: "nearest", sqrt: "sqrt" };

/** Whether the function has vector code of one or a few instructions. */
export function isNativeUnary(fn: UnaryFn, dtype: DType): boolean {
  if (dtype === "float32" || dtype === "float64") return nativeUnary[fn] !== undefined || fn === "sign" || fn === "rsqrt" || fn === "isFinite" || fn === "not";
  return true;
}

/** Operand on the stack, result on the stack. */
export function vectorUnary(f: FunctionBuilder, library: FunctionLibrary, fn: UnaryFn, dtype: DType, lanes: Lanes): void {
  if (dtype === "float32" || dtype === "float64") {
    const shape = shapeOf(dtype) as "f32x4" | "f64x2";
    const constant = (x: number) => vectorConst(f, dtype, x);
    const native = nativeUnary[fn];
    const mask = () => {
      if (dtype === "float32") widenMask(f, lanes);
    };
    if (native) f.op(`${shape}.${native}` as PlainOp);
    else if (fn === "sign")
      withLocals(f, ["v128"], (x) => {
        f.get(x);
        constant(-0);
        f.op("v128.and");
        constant(1);
        f.op("v128.or").get(x).get(x).op(`${shape}.abs`);
        constant(0);
        f.op(`${shape}.gt`).op("v128.bitselect");
      });
    else if (fn === "rsqrt")
      withLocals(f, ["v128"], (x) => {
        constant(1);
        f.get(x).op(`${shape}.sqrt`).op(`${shape}.div`);
      });
    else if (fn === "isFinite") {
      f.op(`${shape}.abs`);
      constant(Infinity);
      f.op(`${shape}.lt`);
      mask();
    } else if (fn === "not") {
      constant(0);
      f.op(`${shape}.eq`);
      mask();
    } else emitElementary(f, library, fn, dtype);
    return;
  }
  switch (fn) {
    case "not":
      f.op("v128.not");
      break;
    case "neg":
      if (dtype !== "bool") f.op("i32x4.neg");
      break;
    case "abs":
      if (dtype === "int32") f.op("i32x4.abs");
      break;
    case "sign":
      if (dtype === "int32") withLocals(f, ["v128"], (x) => f.get(x).i32x4(0).op("i32x4.lt_s").get(x).i32x4(0).op("i32x4.gt_s").op("i32x4.sub"));
      else if (dtype === "uint32") f.i32x4(1).op("i32x4.min_u");
      break;
    case "floor": case "ceil": case "round": case "trunc": break;
    case "isFinite":
      f.op("drop").i32x4(-1);
      break;
    default: throw new TypeError(`${fn} of ${dtype} has no meaning`);
  }
}

const nativeArithmetic: ReadonlySet<BinaryFn> = new Set<BinaryFn>(["add", "sub", "mul", "div", "max", "min"]);
const boolArithmetic: Partial<Record<BinaryFn, PlainOp>> = { add: "v128.or", sub: "v128.xor", mul: "v128.and", max: "v128.or", min: "v128.and", and: "v128.and", or: "v128.or", xor: "v128.xor" };
const integerArithmetic: Partial<Record<BinaryFn, PlainOp>> = { add: "i32x4.add", sub: "i32x4.sub", mul: "i32x4.mul", and: "v128.and", or: "v128.or", xor: "v128.xor" };

/** Whether `vectorBinary` knows the function; others go lane by lane. */
export function isNativeBinary(fn: BinaryFn, dtype: DType): boolean {
  if (isCompare(fn)) return true;
  if (dtype === "float32" || dtype === "float64") return nativeArithmetic.has(fn);
  return (dtype === "bool" ? boolArithmetic : integerArithmetic)[fn] !== undefined || fn === "max" || fn === "min" || (dtype !== "bool" && (fn === "div" || fn === "rem" || vectorShift[fn] !== undefined));
}

/** Both operands on the stack, result on the stack; `dtype` is the operands'. */
export function vectorBinary(f: FunctionBuilder, library: FunctionLibrary, fn: BinaryFn, dtype: DType, lanes: Lanes): void {
  if (dtype === "float32" || dtype === "float64") {
    const shape = shapeOf(dtype) as "f32x4" | "f64x2";
    if (isCompare(fn) || nativeArithmetic.has(fn)) {
      f.op(`${shape}.${fn}` as PlainOp);
      if (isCompare(fn) && dtype === "float32") widenMask(f, lanes);
    } else emitElementary(f, library, fn, dtype);
    return;
  }
  if (dtype === "bool") {
    const direct = boolArithmetic[fn];
    if (direct) f.op(direct);
    else
      switch (fn) {
        case "eq": f.op("v128.xor").op("v128.not"); break;
        case "ne": f.op("v128.xor"); break;
        case "gt": f.op("v128.andnot"); break;
        case "le": f.op("v128.andnot").op("v128.not"); break;
        case "lt": withLocals(f, ["v128", "v128"], (a, b) => f.get(b).get(a).op("v128.andnot")); break;
        case "ge": withLocals(f, ["v128", "v128"], (a, b) => f.get(b).get(a).op("v128.andnot").op("v128.not")); break;
        default: throw new TypeError(`${fn} of bool has no vector code`);
      }
    return;
  }
  const sign = dtype === "int32" ? "s" : "u";
  if (isCompare(fn)) {
    f.op(fn === "eq" || fn === "ne" ? `i32x4.${fn}` : `i32x4.${fn}_${sign}`);
    widenMask(f, lanes);
    return;
  }
  const direct = integerArithmetic[fn];
  if (direct) f.op(direct);
  else if (fn === "max" || fn === "min") f.op(`i32x4.${fn}_${sign}`);
  else if (fn === "div" || fn === "rem") integerDivision(f, fn, sign, lanes);
  else if (fn === "shiftLeft" || fn === "shiftRight" || fn === "shiftRightArithmetic") shiftByLanes(f, fn === "shiftRightArithmetic" && dtype === "uint32" ? "shiftRight" : fn);
  else throw new TypeError(`${fn} of ${dtype} has no vector code`);
}

/**
 * Both integers on the stack. A quotient of doubles is truncated right, since integers of 32 bits are no closer to the next one than 2^-32; its low
 * bits, behind a large power of two, are the integer modulo 2^32. Infinity and NaN of a zero divisor end in zeros, as the integer rule asks.
 */
function integerDivision(f: FunctionBuilder, fn: "div" | "rem", sign: "s" | "u", lanes: Lanes): void {
  withLocals(f, ["v128", "v128"], (a, b) => {
    const half = (upper: boolean): void => {
      for (const x of [a, b]) {
        f.get(x);
        if (upper) f.get(x).shuffle32(2, 3, 2, 3);
        f.op(`f64x2.convert_low_i32x4_${sign}`);
      }
      f.op("f64x2.div").op("f64x2.trunc").f64x2(1.5 * 2 ** 52).op("f64x2.add");
    };
    if (fn === "rem") f.get(a);
    half(false);
    if (lanes === 4) half(true);
    else f.i32x4(0);
    f.shuffle32(0, 2, 4, 6);
    if (fn === "rem") f.get(b).op("i32x4.mul").op("i32x4.sub");
  });
}

/** Integers and counts on the stack: one shift for each bit of the count, where it is set. Counts of 32 and more give 0 or the sign. */
function shiftByLanes(f: FunctionBuilder, fn: "shiftLeft" | "shiftRight" | "shiftRightArithmetic"): void {
  withLocals(f, ["v128", "v128"], (a, n) => {
    if (fn === "shiftRightArithmetic") f.get(n).i32x4(31).op("i32x4.min_u").set(n);
    for (let bit = 0; bit < 5; bit++)
      f.get(a).i32(2 ** bit).op(vectorShift[fn]!).get(a).get(n).i32(31 - bit).op("i32x4.shl").i32(31).op("i32x4.shr_s").op("v128.bitselect").set(a);
    f.get(a);
    if (fn !== "shiftRightArithmetic") f.get(n).i32x4(32).op("i32x4.lt_u").op("v128.and");
  });
}

export function vectorCast(f: FunctionBuilder, from: DType, to: DType, lanes: Lanes): void {
  if (from === to) return;
  if (to === "bool") {
    if (from === "float64") f.f64x2(0).op("f64x2.ne");
    else {
      if (from === "float32") f.f32x4(0).op("f32x4.ne");
      else f.i32x4(0).op("i32x4.ne");
      widenMask(f, lanes);
    }
  } else if (from === "bool") {
    if (to !== "float64") narrowMask(f, lanes);
    vectorConst(f, to, 1);
    f.op("v128.and");
  } else if (to === "int32" || to === "uint32") {
    const sign = to === "int32" ? "s" : "u";
    if (from === "float32") f.op(`i32x4.trunc_sat_f32x4_${sign}`);
    else if (from === "float64") f.op(`i32x4.trunc_sat_f64x2_${sign}_zero`);
  } else if (from === "int32" || from === "uint32") {
    const sign = from === "int32" ? "s" : "u";
    f.op(to === "float32" ? `f32x4.convert_i32x4_${sign}` : `f64x2.convert_low_i32x4_${sign}`);
  } else f.op(to === "float64" ? "f64x2.promote_low_f32x4" : "f32x4.demote_f64x2_zero");
}

/** Whether an expression is a function of many instructions. */
export const isElementary = (e: Expr): boolean =>
  (e.op === "unary" && !isNativeUnary(e.fn, e.x.dtype)) || (e.op === "binary" && !isNativeBinary(e.fn, e.a.dtype));

/** The shift of all lanes by one count below 32. */
export const vectorShift: Readonly<Partial<Record<BinaryFn, PlainOp>>> = { shiftLeft: "i32x4.shl", shiftRight: "i32x4.shr_u", shiftRightArithmetic: "i32x4.shr_s" };
