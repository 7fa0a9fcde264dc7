import type { FunctionBuilder, FunctionRef, Local } from "../assembler/index.js";
import type { Form } from "./form.js";
import { transpose } from "./pack.js";
import type { GemmContext } from "./spec.js";

/** Vectors of a line that are written one after the other: whole cache lines. */
const together = 4;

/** (C, bytes from row to row, rows): copies what is below the diagonal of a square matrix to above it. */
export function mirrorFunction({ library }: GemmContext, form: Form): FunctionRef {
  return library.helper(`gemm.${form.dtype}.mirror`, { params: ["i32", "i32", "i32"], results: [] }, (f) => emitMirror(f, form));
}

function emitMirror(f: FunctionBuilder, form: Form): void {
  const { size, lanes } = form;
  const [C, row, n] = [0, 1, 2];
  const [r, from, to, s, t] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
  const block = together * lanes;
  const at = (i: Local, j: Local): FunctionBuilder => f.get(C).get(i).get(row).op("i32.mul").op("i32.add").get(j).i32(size).op("i32.mul").op("i32.add");
  f.i32(0).set(r);
  if (lanes > 1) {
    const [end, x] = [f.local("i32"), f.local("i32")];
    f.block((done) => f.loop((again) => {
      f.get(r).i32(block).op("i32.add").tee(to).get(n).op("i32.gt_s").brIf(done);
      // Blocks left of the diagonal one.
      f.i32(0).set(from);
      at(r, from).set(s);
      at(from, r).set(t);
      at(r, r).set(end);
      f.block((out) => f.loop((next) => {
        f.get(s).get(end).op("i32.eq").brIf(out);
        f.get(s).set(x);
        for (let u = 0; u < together; u++) {
          const lines = Array.from({ length: lanes }, () => {
            const v = f.local("v128");
            f.get(x).memory(form.load).set(v).get(x).get(row).op("i32.add").set(x);
            return v;
          });
          const columns = transpose(f, form, lines);
          const y = f.local("i32");
          f.get(t).set(y);
          for (const v of columns) f.get(y).get(v).memory(form.store, u * lanes * size).get(y).get(row).op("i32.add").set(y);
          for (const v of [...lines, ...columns, y]) f.release(v);
        }
        f.get(s).i32(lanes * size).op("i32.add").set(s).get(t).get(row).i32(lanes).op("i32.mul").op("i32.add").set(t).br(next);
      }));
      f.get(r).set(from);
      triangle(to);
      f.get(to).set(r).br(again);
    }));
    f.release(end).release(x);
  }
  f.i32(0).set(from);
  triangle(n);
  for (const local of [r, from, to, s, t]) f.release(local);

  /** Rows from r to `limit`, their columns from `from` to the diagonal, one by one. */
  function triangle(limit: Local): void {
    const [i, left] = [f.local("i32"), f.local("i32")];
    const scalar = form.size === 4 ? "f32" : "f64";
    f.get(r).set(i);
    f.block((done) => f.loop((again) => {
      f.get(i).get(limit).op("i32.ge_s").brIf(done);
      at(i, from).set(s);
      at(from, i).set(t);
      f.get(i).get(from).op("i32.sub").set(left);
      f.block((out) => f.loop((next) => {
        f.get(left).op("i32.eqz").brIf(out);
        f.get(t).get(s).memory(`${scalar}.load`).memory(`${scalar}.store`);
        f.get(s).i32(size).op("i32.add").set(s).get(t).get(row).op("i32.add").set(t).get(left).i32(1).op("i32.sub").set(left).br(next);
      }));
      f.get(i).i32(1).op("i32.add").set(i).br(again);
    }));
    f.release(i).release(left);
  }
}
