import type { FunctionBuilder, Local } from "../assembler/index.js";

/** An index of a loop, or zero where one pass is all. */
export type Index = Local | undefined;

/** for (x = 0; x < limit; x += step) over a static range that is not empty; no loop where one pass does it. */
export function staticRange(f: FunctionBuilder, limit: number, step: number, body: (x: Index) => void): void {
  if (limit <= step) {
    body(undefined);
    return;
  }
  const x = f.local("i32");
  f.i32(0).set(x).loop((again) => {
    body(x);
    f.get(x).i32(step).op("i32.add").tee(x).i32(limit).op("i32.lt_s").brIf(again);
  });
  f.release(x);
}

/** Does something so many times. */
export function times(f: FunctionBuilder, count: number, body: () => void): void {
  if (count === 1) body();
  else if (count > 1) {
    const left = f.local("i32");
    f.i32(count).set(left).loop((again) => {
      body();
      f.get(left).i32(1).op("i32.sub").tee(left).brIf(again);
    });
    f.release(left);
  }
}

/** Adds `index * factor` to the address on the stack. */
export function addScaled(f: FunctionBuilder, index: Index, factor: number): FunctionBuilder {
  if (index !== undefined && factor !== 0) f.get(index).i32(factor).op("i32.mul").op("i32.add");
  return f;
}

/** Pushes min(limit - x, step): what a pass of `staticRange` covers. */
export function passOf(f: FunctionBuilder, x: Index, limit: number, step: number): FunctionBuilder {
  if (x === undefined) return f.i32(limit);
  if (limit % step === 0) return f.i32(step);
  const t = f.local("i32");
  return f.i32(limit).get(x).op("i32.sub").tee(t).i32(step).get(t).i32(step).op("i32.lt_s").op("select").release(t);
}
