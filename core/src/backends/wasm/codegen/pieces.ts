import type { BufferId } from "../../../kernel/expr.js";
import type { Kernel } from "../../../kernel/schedule.js";
import { roundUp } from "../memory/allocator.js";
import type { FunctionBuilder, FunctionRef, ModuleBuilder } from "../assembler/index.js";
import type { Split } from "../threads/split.js";
import type { BufferLocation } from "./location.js";

export interface PiecesContext {
  readonly module: ModuleBuilder;
  readonly threads: number;
  /** Where in the frame room begins for the threads. */
  readonly offset: number;
  /** Pushes the address of a buffer of the program; parameter 0 of the function is the frame. */
  readonly pushAddress: (f: FunctionBuilder, buffer: BufferId) => void;
  readonly bytesOf: (buffer: BufferId) => number;
  /** Emits a kernel and gives the room it needs at `scratchOffset` of the frame, which is parameter 0. */
  readonly emit: (f: FunctionBuilder, kernel: Kernel, locate: (buffer: BufferId) => BufferLocation, scratchOffset: number) => number;
}

/**
 * Emits a kernel in pieces: a function (frame, index, thread) for one of them. Each thread has a frame of its own within that of the
 * program, where it puts the addresses of the buffers as its piece sees them, and which has room for what kernels need besides.
 */
export function emitPieces(context: PiecesContext, split: Split, name: string): { readonly target: FunctionRef; readonly bytes: number } {
  const { module, threads } = context;
  const { views, count, chunk } = split;
  const cell = 4 * views.length;
  const scratchOffset = roundUp(cell + 4);
  const locate = (id: BufferId): BufferLocation => (views[id]!.buffer === "cell" ? { kind: "frame", offset: cell } : { kind: "slot", offset: 4 * id });
  let scratch = 0;
  const body = (kernel: Kernel, what: string): FunctionRef => {
    const f = module.function(`${name}.${what}`, ["i32"]);
    scratch = Math.max(scratch, context.emit(f, kernel, locate, scratchOffset));
    return f;
  };
  const whole = body(split.whole, "piece");
  const last = split.last && body(split.last, "last");

  const bytes = roundUp(scratchOffset + scratch);
  const target = module.function(`${name}.task`, ["i32", "i32", "i32"]);
  const [frame, index, thread] = [0, 1, 2];
  const own = target.local("i32");
  target.get(thread).i32(bytes).op("i32.mul").get(frame).op("i32.add").i32(context.offset).op("i32.add").set(own);
  views.forEach(({ buffer, step }, i) => {
    target.get(own);
    if (buffer === "cell") target.get(index).i32(chunk).op("i32.mul").memory("i32.store", cell);
    else {
      context.pushAddress(target, buffer);
      if (step !== 0) target.get(index).i32(step * context.bytesOf(buffer)).op("i32.mul").op("i32.add");
      target.memory("i32.store", 4 * i);
    }
  });
  if (last) target.get(index).i32(count - 1).op("i32.eq").if(() => target.get(own).call(last), () => target.get(own).call(whole));
  else target.get(own).call(whole);
  return { target, bytes: bytes * threads };
}

/** Emits the function (task, frame, index, thread) through which threads enter the module. */
export function emitEntry(module: ModuleBuilder, tasks: readonly FunctionRef[]): FunctionRef {
  const f = module.function("piece", ["i32", "i32", "i32", "i32"]);
  const go = (from: number, to: number): void => {
    if (to - from === 1) {
      f.get(1).get(2).get(3).call(tasks[from]!);
      return;
    }
    const middle = (from + to) >> 1;
    f.get(0).i32(middle).op("i32.lt_u").if(() => go(from, middle), () => go(middle, to));
  };
  go(0, tasks.length);
  return f;
}
