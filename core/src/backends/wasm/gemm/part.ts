import type { FunctionBuilder, Local } from "../assembler/index.js";
import type { Form } from "./form.js";

/** Pushes `count` (at most `lanes`) neighbouring elements as a vector, zeros behind them; reads nothing beyond them. */
export function loadPart(f: FunctionBuilder, form: Form, pointer: Local, offset: number, count: number): void {
  f.get(pointer);
  if (count === form.lanes) f.memory(form.load, offset);
  else if (form.size === 8) f.memory("v128.load64_zero", offset);
  else if (count === 1) f.memory("v128.load32_zero", offset);
  else {
    f.memory("v128.load64_zero", offset);
    if (count === 3) {
      const v = f.local("v128");
      f.set(v).get(pointer).get(v).memoryLane("v128.load32_lane", 2, offset + 8).release(v);
    }
  }
}

/** Stores the first `count` elements of a vector. */
export function storePart(f: FunctionBuilder, form: Form, pointer: Local, offset: number, count: number, v: Local): void {
  f.get(pointer).get(v);
  if (count === form.lanes) f.memory(form.store, offset);
  else if (form.size === 8) f.memoryLane("v128.store64_lane", 0, offset);
  else if (count === 1) f.memoryLane("v128.store32_lane", 0, offset);
  else {
    f.memoryLane("v128.store64_lane", 0, offset);
    if (count === 3) f.get(pointer).get(v).memoryLane("v128.store32_lane", 2, offset + 8);
  }
}
