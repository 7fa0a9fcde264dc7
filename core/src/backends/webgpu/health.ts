import { BackendError } from "../../base/errors.js";
import type { GpuDevice, GpuErrorFilter } from "./gpu.js";

/**
 * Whether a piece of queued work succeeded, known later. Work that depends on failed work has failed too, for the same reason, so that whoever
 * reads a result in the end is told the first cause.
 */
export class Health {
  error: BackendError | undefined;
  done = false;
  readonly settled: Promise<void>;

  constructor(own: Promise<BackendError | undefined>, parents: readonly Health[]) {
    let waiting: readonly Health[] = parents.filter((p) => !p.done || p.error);
    this.settled = own.then(async (error) => {
      for (const p of waiting) await p.settled;
      this.error = waiting.find((p) => p.error)?.error ?? error;
      waiting = [];
      this.done = true;
    });
  }
}

const filters: readonly GpuErrorFilter[] = ["validation", "out-of-memory", "internal"];
const remedy: Readonly<Record<GpuErrorFilter, string>> = {
  validation: "this is a defect in Hessia: please report it with this message",
  "out-of-memory": 'use smaller arrays, dispose() of those no longer needed, await x.read() now and then so that garbage can be collected, or use the "wasm" device',
  internal: 'the driver failed: update it, or use the "wasm" device',
};

export const deviceError = (fn: string, got: string, fix: string): BackendError => new BackendError({ fn, expected: 'success on device "webgpu"', got, fix });

/** Scopes that the device has not answered yet. */
const unanswered = new Set<Promise<unknown>>();

/** Resolves when every scope opened so far has its answer. A process must not end before: Dawn takes an open question for a defect and aborts. */
export async function allAnswered(): Promise<void> {
  while (unanswered.size > 0) await Promise.allSettled(unanswered);
}

/** Runs `f`, which gives work to the device, and catches what the device says about it: the result and, later, the error. */
export function watch<T>(device: GpuDevice, fn: string, f: () => T): { result: T; error: Promise<BackendError | undefined> } {
  for (const filter of filters) device.pushErrorScope(filter);
  const close = () => {
    const caught = [...filters].reverse().map((filter) =>
      device.popErrorScope().then(
        (e) => (e ? deviceError(fn, `${filter} error: ${e.message.trim()}`, remedy[filter]) : undefined),
        (e: unknown) => deviceError(fn, `no answer: ${e instanceof Error ? e.message : String(e)}`, "call initWebGPU() again"),
      ),
    );
    const answer = Promise.all(caught).then((errors) => errors.find((e) => e));
    unanswered.add(answer);
    void answer.finally(() => unanswered.delete(answer));
    return answer;
  };
  let result: T;
  try {
    result = f();
  } catch (e) {
    void close();
    throw e;
  }
  return { result, error: close() };
}
