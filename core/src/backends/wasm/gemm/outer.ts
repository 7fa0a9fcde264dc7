import type { FunctionBuilder } from "../assembler/index.js";
import type { Form } from "./form.js";
import { times } from "./loops.js";
import { loadPart, storePart } from "./part.js";
import type { GemmSpec } from "./spec.js";

/** Vectors that a turn of the loop along a row writes. */
const unroll = 4;

export const isOuter = ({ k, m, b }: GemmSpec): boolean => k === 1 && m > 1 && b.column === 1;

/** An outer product: rows of C one after the other, as memory likes them written. */
export function emitOuter(f: FunctionBuilder, form: Form, { m, n, a, c, accumulate }: GemmSpec): void {
  const { size, lanes } = form;
  const [A, B, C] = [0, 1, 2];
  const [bAt, cAt] = [f.local("i32"), f.local("i32")];
  const [element, v] = [f.local(form.type), f.local(form.type)];
  const write = (at: number, count: number): void => {
    f.get(element);
    loadPart(f, form, bAt, at * size, count);
    f.op(form.mul).set(v);
    if (accumulate) {
      f.get(v);
      loadPart(f, form, cAt, at * size, count);
      f.op(form.add).set(v);
    }
    storePart(f, form, cAt, at * size, count, v);
  };
  const turn = unroll * lanes;
  times(f, m, () => {
    f.get(A).memory(form.splat).set(element).get(B).set(bAt).get(C).set(cAt);
    times(f, Math.floor(n / turn), () => {
      for (let u = 0; u < unroll; u++) write(u * lanes, lanes);
      for (const pointer of [bAt, cAt]) f.get(pointer).i32(turn * size).op("i32.add").set(pointer);
    });
    const rest = n % turn;
    for (let at = 0; at < rest; at += lanes) write(at, Math.min(lanes, rest - at));
    f.get(A).i32(a.row * size).op("i32.add").set(A).get(C).i32(c.row * size).op("i32.add").set(C);
  });
  for (const local of [bAt, cAt, element, v]) f.release(local);
}
