import type { MemoryOp, PlainOp, ValueType } from "../assembler/index.js";
import type { FunctionBuilder, Local } from "../assembler/index.js";
import type { FloatDType } from "../functions/contract.js";
import type { GemmContext } from "./spec.js";

/** How a product computes: in vectors of `lanes` elements, or element by element where there is no SIMD. */
export interface Form {
  readonly dtype: FloatDType;
  readonly size: number;
  readonly lanes: number;
  readonly type: ValueType;
  readonly load: MemoryOp;
  /** One element into all lanes. */
  readonly splat: MemoryOp;
  readonly store: MemoryOp;
  readonly mul: PlainOp;
  readonly add: PlainOp;
  /** Fused, where the machine has it. */
  readonly madd: PlainOp | undefined;
}

export function formOf({ simd, library }: GemmContext, dtype: FloatDType): Form {
  if (!simd)
    return dtype === "float32"
      ? { dtype, size: 4, lanes: 1, type: "f32", load: "f32.load", splat: "f32.load", store: "f32.store", mul: "f32.mul", add: "f32.add", madd: undefined }
      : { dtype, size: 8, lanes: 1, type: "f64", load: "f64.load", splat: "f64.load", store: "f64.store", mul: "f64.mul", add: "f64.add", madd: undefined };
  const shared = { dtype, type: "v128", load: "v128.load", store: "v128.store" } as const;
  return dtype === "float32"
    ? { ...shared, size: 4, lanes: 4, splat: "v128.load32_splat", mul: "f32x4.mul", add: "f32x4.add", madd: library.relaxed ? "f32x4.relaxed_madd" : undefined }
    : { ...shared, size: 8, lanes: 2, splat: "v128.load64_splat", mul: "f64x2.mul", add: "f64x2.add", madd: library.relaxed ? "f64x2.relaxed_madd" : undefined };
}

export function zero(f: FunctionBuilder, { type }: Form): void {
  if (type === "v128") f.i32x4(0);
  else if (type === "f32") f.f32(0);
  else f.f64(0);
}

/** sum += a * b */
export function multiplyAdd(f: FunctionBuilder, form: Form, a: Local, b: Local, sum: Local): void {
  if (form.madd) f.get(a).get(b).get(sum).op(form.madd).set(sum);
  else f.get(sum).get(a).get(b).op(form.mul).op(form.add).set(sum);
}
