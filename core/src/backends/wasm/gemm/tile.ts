import type { FunctionRef } from "../assembler/index.js";
import { multiplyAdd, zero } from "./form.js";
import type { Form } from "./form.js";
import type { GemmContext } from "./spec.js";

/** Rows and vectors of the block of C that stays in registers: V8 has 15 vector registers to give. */
export function blockOf(form: Form): { readonly rows: number; readonly vectors: number } {
  if (form.lanes === 1) return { rows: 3, vectors: 3 };
  return form.madd ? { rows: 6, vectors: 2 } : { rows: 3, vectors: 3 };
}

/**
 * One block of C from packed panels of A and B. Parameters (i32): A, B, C, depth, bytes from row to row of C, and whether to overwrite C
 * (else the product is added).
 */
export function panelTile({ library }: GemmContext, form: Form): FunctionRef {
  const { rows, vectors } = blockOf(form);
  const { size, lanes } = form;
  return library.helper(`gemm.${form.dtype}.tile${rows}x${vectors * lanes}`, { params: new Array<"i32">(6).fill("i32"), results: [] }, (f) => {
    const [A, B, C, depth, row, overwrite] = [0, 1, 2, 3, 4, 5];
    const sums = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => f.local(form.type)));
    const b = Array.from({ length: vectors }, () => f.local(form.type));
    const a = f.local(form.type);
    for (const s of sums.flat()) {
      zero(f, form);
      f.set(s);
    }
    const step = (u: number): void => {
      b.forEach((local, v) => f.get(B).memory(form.load, (u * vectors + v) * lanes * size).set(local));
      sums.forEach((line, r) => {
        f.get(A).memory(form.splat, (u * rows + r) * size).set(a);
        line.forEach((s, v) => multiplyAdd(f, form, a, b[v]!, s));
      });
    };
    const loopOf = (unroll: number): void => {
      f.loop((again) => {
        for (let u = 0; u < unroll; u++) step(u);
        f.get(A).i32(unroll * rows * size).op("i32.add").set(A);
        f.get(B).i32(unroll * vectors * lanes * size).op("i32.add").set(B);
        f.get(depth).i32(unroll).op("i32.sub").tee(depth).i32(unroll).op("i32.ge_u").brIf(again);
      });
    };
    f.get(depth).i32(4).op("i32.ge_u").if(() => loopOf(4));
    f.get(depth).if(() => loopOf(1));
    const eachRow = (store: (s: number, offset: number) => void): void => {
      sums.forEach((line, r) => {
        line.forEach((s, v) => store(s, v * lanes * size));
        if (r + 1 < rows) f.get(C).get(row).op("i32.add").set(C);
      });
    };
    f.get(overwrite).if(
      () => eachRow((s, offset) => f.get(C).get(s).memory(form.store, offset)),
      () => eachRow((s, offset) => f.get(C).get(C).memory(form.load, offset).get(s).op(form.add).memory(form.store, offset)),
    );
  });
}
