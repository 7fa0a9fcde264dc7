import { BackendError } from "../../base/errors.js";
import { findRoutine } from "../../kernel/routine.js";
import type { RoutineArray } from "../../kernel/routine.js";
import type { Operand } from "../../kernel/schedule.js";
import type { CompiledModule, HostRoutine } from "./codegen/module.js";
import { hostFunction } from "./functions/library.js";
import type { Block } from "./memory/allocator.js";
import type { Heap } from "./memory/heap.js";
import type { Piece } from "./threads/pool.js";
import type { Threads } from "./threads/threads.js";

let nextProgram = 1;

export interface Instance {
  readonly main: (frame: number) => void;
  /** The code in the heap, for workers to compile. */
  readonly shared: Block | undefined;
}

/**
 * An instance of a module on the heap's memory.
 * @throws BackendError where the engine refuses the code.
 */
export function instantiate(heap: Heap, threads: Threads, emitted: CompiledModule, code: Uint8Array<ArrayBuffer>): Instance {
  const functions: Record<string, WebAssembly.ImportValue> = {};
  for (const name of emitted.functions.hostNames) functions[name] = hostFunction(name);
  const routines: Record<string, WebAssembly.ImportValue> = {};
  emitted.hostRoutines.forEach((r, i) => { routines[String(i)] = hostRoutine(heap, r); });
  const shared = emitted.threaded ? heap.allocate(code.length) : undefined;
  try {
    if (shared) heap.views.bool.set(code, shared.address);
    const program = { id: nextProgram++, codeAddress: shared?.address ?? 0, codeBytes: code.length };
    const dispatch = (task: number, pieces: number, frame: number): void => threads.acquire().dispatch(program, exports["piece"] as Piece, task, pieces, frame);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { host: { memory: heap.memory }, functions, routines, threads: { dispatch } });
    return { main: exports["main"] as (frame: number) => void, shared };
  } catch (cause) {
    if (shared) heap.release(shared);
    throw new BackendError({ fn: "compile", arg: "schedule", expected: "a program that the WebAssembly engine accepts", got: `${code.length} bytes of code that it refused (${String(cause)})`, fix: "split the jitted function into smaller ones" }, { cause });
  }
}

/** A routine's reference over views of the memory; the views are kept for the next call with the same addresses. */
function hostRoutine(heap: Heap, { name, params, inputs, outputs }: HostRoutine): (...addresses: number[]) => void {
  const { reference } = findRoutine(name)!;
  const operands = [...inputs, ...outputs];
  const held: (number | undefined)[] = operands.map(() => undefined);
  let arrays: RoutineArray[] = [];
  let views: unknown;
  const bind = (o: Operand, address: number): RoutineArray => ({ shape: o.shape, dtype: o.dtype, data: heap.view(o.dtype, address, o.shape.reduce((n, d) => n * d, 1)) });
  return (...addresses) => {
    if (views !== heap.views || addresses.some((a, i) => a !== held[i])) {
      arrays = operands.map((o, i) => bind(o, addresses[i]! >>> 0));
      addresses.forEach((a, i) => (held[i] = a));
      views = heap.views;
    }
    reference(arrays.slice(0, inputs.length), arrays.slice(inputs.length), params);
  };
}
