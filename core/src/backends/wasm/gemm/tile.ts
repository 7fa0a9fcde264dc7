import type { FunctionBuilder, FunctionRef, Local } from "../assembler/index.js";
import { multiplyAdd, zero } from "./form.js";
import type { Form } from "./form.js";
import { loadPart, storePart } from "./part.js";
import type { GemmContext } from "./spec.js";

/** A block of C and where its operands lie: packed panels or the arrays themselves. Strides in bytes. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly a: { readonly row: number; readonly step: number };
  readonly b: { readonly step: number; /** Whether whole vectors can be read behind the last column. */ readonly padded: boolean };
}

/** Steps between two jumps back. */
const unroll = 4;

/**
 * `C (+)= A B` for one block of C in registers. Parameters (i32): A, B, C, depth (at least 1), bytes from row to row of C, and whether to
 * overwrite C. Tiles of the same form and strides are one function, whatever products they serve.
 */
export function tileFunction({ library }: GemmContext, form: Form, t: Tile): FunctionRef {
  const name = `gemm.${form.dtype}.tile${t.rows}x${t.columns}.a${t.a.row},${t.a.step}.b${t.b.step}${t.b.padded ? "p" : ""}`;
  return library.helper(name, { params: new Array<"i32">(6).fill("i32"), results: [] }, (f) => emitTile(f, form, t));
}

function emitTile(f: FunctionBuilder, form: Form, t: Tile): void {
  const [A, B, C, depth, cRow, overwrite] = [0, 1, 2, 3, 4, 5];
  const sums = emitSums(f, form, t);
  // The way out in front of every step but the first makes TurboFan finish a step before it loads for the next: it moves loads as far
  // ahead as their block allows, and what does not fit in registers then goes through the stack, sums first.
  f.block((out) => f.loop((again) => {
    for (let u = 0; u < unroll; u++) {
      emitStep(f, form, t, sums, A, u * t.a.step, B, u * t.b.step);
      if (u + 1 < unroll) f.get(depth).i32(u + 1).op("i32.eq").brIf(out);
    }
    f.get(A).i32(unroll * t.a.step).op("i32.add").set(A);
    f.get(B).i32(unroll * t.b.step).op("i32.add").set(B);
    f.get(depth).i32(unroll).op("i32.sub").tee(depth).brIf(again);
  }));
  const eachRow = (write: (s: Local, offset: number, count: number) => void): void => {
    sums.forEach((line, r) => {
      line.forEach((s, v) => write(s, v * form.lanes * form.size, Math.min(form.lanes, t.columns - v * form.lanes)));
      if (r + 1 < t.rows) f.get(C).get(cRow).op("i32.add").set(C);
    });
  };
  f.get(overwrite).if(
    () => eachRow((s, offset, count) => storePart(f, form, C, offset, count, s)),
    () => eachRow((s, offset, count) => {
      loadPart(f, form, C, offset, count);
      f.get(s).op(form.add).set(s);
      storePart(f, form, C, offset, count, s);
    }),
  );
}

/** Locals for the sums of a block, row by row; they are zero. */
export function emitSums(f: FunctionBuilder, form: Form, { rows, columns }: { readonly rows: number; readonly columns: number }): Local[][] {
  const sums = Array.from({ length: rows }, () => Array.from({ length: Math.ceil(columns / form.lanes) }, () => f.local(form.type)));
  for (const s of sums.flat()) {
    zero(f, form);
    f.set(s);
  }
  return sums;
}

/** One k: some vectors of B times the elements of a column of A. */
export function emitStep(f: FunctionBuilder, form: Form, t: Tile, sums: readonly (readonly Local[])[], A: Local, aOffset: number, B: Local, bOffset: number): void {
  const b = sums[0]!.map((_, v) => {
    loadPart(f, form, B, bOffset + v * form.lanes * form.size, t.b.padded ? form.lanes : Math.min(form.lanes, t.columns - v * form.lanes));
    const local = f.local(form.type);
    f.set(local);
    return local;
  });
  const a = f.local(form.type);
  sums.forEach((line, r) => {
    f.get(A).memory(form.splat, aOffset + r * t.a.row).set(a);
    line.forEach((s, v) => multiplyAdd(f, form, a, b[v]!, s));
  });
  f.release(a);
  for (const local of b) f.release(local);
}
