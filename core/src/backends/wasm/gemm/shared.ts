import type { FunctionBuilder, Local } from "../assembler/index.js";
import type { FloatDType } from "../functions/contract.js";
import { dynamicGemm } from "./dynamic.js";
import type { GemmCode, GemmContext } from "./spec.js";
import type { ThreadTasks } from "../threads/tasks.js";

/** Pieces of a product at most: each has scratch room of its own. */
const mostPieces = 8;
/** Rows or columns of a piece are a multiple of this. */
const unit = 8;
/** Products wait for their results, one after the other: to be shared, one must take so many times as long as a kernel. */
const leastWork = 2;
/** Nanoseconds of a multiplication and addition of float32. */
const multiplied = 0.035;

const parameters = 13;
const [m, n, k, A, aRow, , B, , bColumn, C, cRow, , scratch] = Array.from({ length: parameters }, (_, i) => i) as [Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local];

/**
 * `dynamicGemm` whose large products the threads share: each piece has some of the columns of C, or of the rows where there are more of
 * those. An element is summed in the same order whatever the number of threads.
 */
export function sharedGemm(context: GemmContext, dtype: FloatDType, tasks: ThreadTasks | undefined): GemmCode {
  const whole = dynamicGemm(context, dtype);
  if (!tasks || tasks.threads < 2) return whole;
  const pieces = Math.min(tasks.threads, mostPieces);
  const room = Math.ceil(whole.scratchBytes / 64) * 64;
  const size = dtype === "float32" ? 4 : 8;
  const target = context.library.helper(`gemm.${dtype}.shared`, { params: new Array<"i32">(parameters).fill("i32"), results: [] }, (f) => {
    const task = tasks.add(piece(context, dtype, pieces, room));
    const everything = (): void => { for (let i = 0; i < parameters; i++) f.get(i); };
    const worth = (leastWork * tasks.minimumWork) / ((multiplied * size) / 4);
    f.get(m).op("f64.convert_i32_s").get(n).op("f64.convert_i32_s").op("f64.mul").get(k).op("f64.convert_i32_s").op("f64.mul").f64(worth).op("f64.lt");
    f.get(m).get(n).op("i32.or").i32(2 * unit).op("i32.lt_s").op("i32.or").if(() => {
      everything();
      f.call(whole.target).op("return");
    });
    // Behind the room of the pieces lies what the product is called with.
    for (let i = 0; i < parameters; i++) f.get(scratch).get(i).memory("i32.store", pieces * room + 4 * i);
    f.i32(task).i32(pieces).get(scratch).i32(pieces * room).op("i32.add").call(tasks.dispatch());
  });
  return { target, scratchBytes: pieces * room + 64 };
}

/** (address of the parameters, index, thread): one part of a product. */
function piece(context: GemmContext, dtype: FloatDType, pieces: number, room: number) {
  const size = dtype === "float32" ? 4 : 8;
  return context.library.helper(`gemm.${dtype}.piece`, { params: ["i32", "i32", "i32"], results: [] }, (f) => {
    const [from, index] = [0, 1];
    const p = Array.from({ length: parameters }, (_, i) => {
      const local = f.local("i32");
      f.get(from).memory("i32.load", 4 * i).set(local);
      return local;
    });
    const [part, start] = [f.local("i32"), f.local("i32")];
    /** Leaves one part of an extent, and moves addresses to where it begins. */
    const cut = (extent: Local, moved: readonly { readonly address: Local; readonly push: () => FunctionBuilder }[]): void => {
      f.get(extent).i32(pieces * unit - 1).op("i32.add").i32(pieces * unit).op("i32.div_u").i32(unit).op("i32.mul").tee(part).get(index).op("i32.mul").set(start);
      f.get(extent).get(start).op("i32.sub").tee(extent).get(part).get(extent).get(part).op("i32.lt_s").op("select").set(extent);
      f.get(extent).i32(0).op("i32.le_s").if(() => f.op("return"));
      for (const { address, push } of moved) {
        f.get(address).get(start);
        push().op("i32.mul").i32(size).op("i32.mul").op("i32.add").set(address);
      }
    };
    const at = (i: number): Local => p[i]!;
    f.get(at(m)).get(at(n)).op("i32.gt_s").if(
      () => cut(at(m), [{ address: at(A), push: () => f.get(at(aRow)) }, { address: at(C), push: () => f.get(at(cRow)) }]),
      () => cut(at(n), [{ address: at(B), push: () => f.get(at(bColumn)) }, { address: at(C), push: () => f.i32(1) }]),
    );
    f.get(at(scratch)).get(index).i32(room).op("i32.mul").op("i32.add").set(at(scratch));
    for (const local of p) f.get(local);
    f.call(dynamicGemm(context, dtype).target);
  });
}
