import { axpyBody } from "./axpy.js";
import { emitBlocked } from "./blocked.js";
import { blockedScratch, planBlocks, smallBytes } from "./blocking.js";
import { dotBody } from "./dot.js";
import { formOf } from "./form.js";
import type { Form } from "./form.js";
import { times } from "./loops.js";
import type { FunctionBuilder, FunctionRef, Local } from "../assembler/index.js";
import { emitOuter, isOuter } from "./outer.js";
import { emitPrepacking, prepackedBytes } from "./panels.js";
import { emitStraight, fitsStraight } from "./straight.js";
import { vectorProduct } from "./vector-product.js";
import type { Body } from "./vector-product.js";
import type { GemmCode, GemmContext, GemmSpec } from "./spec.js";

const keyOf = ({ dtype, m, n, k, a, b, c, accumulate, prepacked, symmetric }: GemmSpec): string =>
  `gemm.${dtype}.${m}x${n}x${k}.a${a.row},${a.k}.b${b.k},${b.column}.c${c.row}${accumulate ? ".add" : ""}${symmetric ? ".symmetric" : ""}${prepacked ? `.prepacked-${prepacked}` : ""}`;

/** A product specialised on its sizes. Parameters of the function (i32): addresses of A, B, C and of scratch room. One per module and spec. */
export function emitGemm(context: GemmContext, spec: GemmSpec): GemmCode {
  const form = formOf(context, spec.dtype);
  const { scratchBytes, emit } = chooseBody(context, form, spec);
  const target = context.library.helper(keyOf(spec), { params: ["i32", "i32", "i32", "i32"], results: [] }, emit);
  return { target, scratchBytes };
}

function chooseBody(context: GemmContext, form: Form, spec: GemmSpec): Body {
  const { m, n, k, accumulate, prepacked } = spec;
  if (m === 0 || n === 0 || (k === 0 && accumulate)) return { scratchBytes: 0, emit: () => undefined };
  if (k === 0) return { scratchBytes: 0, emit: (f) => { emitClear(f, form, spec); } };
  const vector = prepacked ? undefined : vectorProduct(spec);
  if (vector && form.lanes > 1) return vector.matrix.k === 1 ? dotBody(context, form, vector) : axpyBody(context, form, vector);
  if (!prepacked && fitsStraight(form, spec)) return { scratchBytes: 0, emit: (f) => { emitStraight(f, form, spec, [0, 1, 2]); } };
  if (!prepacked && isOuter(spec)) return { scratchBytes: 0, emit: (f) => { emitOuter(f, form, spec); } };
  const plan = planBlocks(form, spec);
  const { a, b } = blockedScratch(form, spec, plan);
  return { scratchBytes: a + b, emit: (f) => { emitBlocked(f, context, form, spec, plan); } };
}

/**
 * Writes a tiny product into the current function, as part of a loop over a batch; the addresses of A, B and C are in locals. False, and
 * nothing is written, if the product is not tiny.
 */
export function emitTinyGemm(f: FunctionBuilder, context: GemmContext, spec: GemmSpec, addresses: readonly [a: Local, b: Local, c: Local]): boolean {
  const form = formOf(context, spec.dtype);
  if (spec.m * spec.n * spec.k === 0 || !fitsStraight(form, spec)) return false;
  emitStraight(f, form, spec, addresses);
  return true;
}

/** An empty sum is zero. */
function emitClear(f: FunctionBuilder, form: Form, { m, n, c }: GemmSpec): void {
  const C = 2;
  times(f, m, () => f.get(C).i32(0).i32(n * form.size).memoryFill().get(C).i32(c.row * form.size).op("i32.add").set(C));
}

/** A product whose panels of one operand are packed once for many runs. */
export interface PrepackedPanels {
  /** The product that takes the address of the panels for that of the operand. */
  readonly spec: GemmSpec;
  readonly bytes: number;
  /** Parameters (i32): the operand, and where its panels go (aligned to 16 bytes). */
  readonly pack: FunctionRef;
}

/** Panels of an operand, whatever they gain; not of an empty product. */
export function panelsOf(context: GemmContext, spec: GemmSpec, side: "a" | "b"): PrepackedPanels {
  const form = formOf(context, spec.dtype);
  const prepacked: GemmSpec = { ...spec, prepacked: side };
  const pack = context.library.helper(`${keyOf({ ...prepacked, accumulate: false })}.pack`, { params: ["i32", "i32"], results: [] }, (f) => { emitPrepacking(f, context, form, prepacked, side); });
  return { spec: prepacked, bytes: prepackedBytes(form, prepacked, side), pack };
}

/** Panels of an operand that is the same in many runs of a product; undefined where they would gain nothing. */
export function prepackOperand(context: GemmContext, spec: GemmSpec, side: "a" | "b"): PrepackedPanels | undefined {
  const form = formOf(context, spec.dtype);
  const { m, n, k } = spec;
  if (m * n * k === 0 || (form.lanes > 1 && vectorProduct(spec)) || fitsStraight(form, spec) || isOuter(spec)) return undefined;
  return (side === "a" ? m : n) * k * form.size > smallBytes ? panelsOf(context, spec, side) : undefined;
}
