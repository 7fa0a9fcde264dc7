import type { FunctionBuilder, Local, MemoryOp, PlainOp, ValueType } from "../assembler/index.js";
import { keepsOrder, revectorizes } from "../features.js";
import type { FloatDType } from "../functions/contract.js";
import type { BlockName, GemmContext } from "./spec.js";

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
  /** Rows and vectors of the block of C that stays in registers. */
  readonly block: { readonly rows: number; readonly vectors: number };
  /** Whether registers are filled in the order of the code, so that a load needs one only from there on. */
  readonly ordered: boolean;
}

/**
 * V8 gives out 15 vector registers. With fused multiply-add, 6 x 2 sums, two vectors of B and one element of A fill them. A product
 * apart from its sum needs one more, and TurboFan moves all loads of a step to its front, which leaves 4 x 2. Where pairs of vectors
 * become one 256-bit register, a block has twice the vectors.
 */
const blocks = { narrow: { rows: 4, vectors: 2 }, full: { rows: 6, vectors: 2 }, wide: { rows: 6, vectors: 4 } } as const satisfies Record<BlockName, Form["block"]>;

const suitable = ({ simd, library }: GemmContext): BlockName => (simd && library.relaxed && keepsOrder() ? (revectorizes() ? "wide" : "full") : "narrow");

export function formOf(context: GemmContext, dtype: FloatDType): Form {
  const { simd, library } = context;
  const name = context.block ?? suitable(context);
  const block = blocks[name];
  const ordered = name !== "narrow";
  if (!simd)
    return dtype === "float32"
      ? { dtype, size: 4, lanes: 1, type: "f32", load: "f32.load", splat: "f32.load", store: "f32.store", mul: "f32.mul", add: "f32.add", madd: undefined, block, ordered }
      : { dtype, size: 8, lanes: 1, type: "f64", load: "f64.load", splat: "f64.load", store: "f64.store", mul: "f64.mul", add: "f64.add", madd: undefined, block, ordered };
  const shared = { dtype, block, ordered, type: "v128", load: "v128.load", store: "v128.store" } as const;
  return dtype === "float32"
    ? { ...shared, size: 4, lanes: 4, splat: "v128.load32_splat", mul: "f32x4.mul", add: "f32x4.add", madd: library.relaxed ? "f32x4.relaxed_madd" : undefined }
    : { ...shared, size: 8, lanes: 2, splat: "v128.load64_splat", mul: "f64x2.mul", add: "f64x2.add", madd: library.relaxed ? "f64x2.relaxed_madd" : undefined };
}

/** Pushes a vector of zeros. */
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

/** The block that suits a product with few rows or columns: sums enough to hide the latency of addition. */
export function blockFor(form: Form, m: number, n: number): Form["block"] {
  if (form.lanes === 1) return form.block;
  if (n <= form.lanes) return { rows: form.ordered ? 12 : 6, vectors: 1 };
  if (m === 2) return { rows: 2, vectors: 4 };
  if (m === 3 && form.ordered) return { rows: 3, vectors: Math.max(3, form.block.vectors) };
  return form.block;
}
