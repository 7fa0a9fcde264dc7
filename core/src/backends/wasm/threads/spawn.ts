import type * as Os from "node:os";
import type * as WorkerThreads from "node:worker_threads";
import { BackendError } from "../../../base/errors.js";
import { workerSource } from "./worker-source.js";

/** What a worker is given when it starts. */
export interface WorkerBoot {
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  readonly index: number;
  /** Threads of the pool, the main thread included, which is thread 0; the worker is thread index + 1. */
  readonly threads: number;
}

/** A running worker of Node or of a page. */
export interface SpawnedWorker {
  /** Ends it at once, wherever it is; `ended` is called then. */
  terminate(): void;
}

/** Modules of Node, looked up without an import, which bundlers would try to resolve; undefined in a page. */
function nodeModule(name: string): unknown {
  return (globalThis as { readonly process?: { readonly getBuiltinModule?: (name: string) => unknown } }).process?.getBuiltinModule?.(name);
}

const nodeThreads = (): typeof WorkerThreads | undefined => nodeModule("node:worker_threads") as typeof WorkerThreads | undefined;

/** Processors that this process may use. */
export const processors = (): number => (nodeModule("node:os") as typeof Os | undefined)?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;

/** Whether this thread may sleep until a word of shared memory changes; the main thread of a page may not. */
export function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

/** @throws BackendError where threads cannot share memory, which says what the page or process lacks. */
export function requireSharedMemory(fn: string): void {
  const shared = typeof SharedArrayBuffer !== "undefined";
  if (shared && (nodeThreads() || (typeof Worker !== "undefined" && (globalThis as { readonly crossOriginIsolated?: boolean }).crossOriginIsolated !== false))) return;
  throw new BackendError({
    fn, arg: "n", expected: "threads that can share memory", got: shared && typeof Worker === "undefined" ? "a platform without Web Workers and worker_threads" : "a page that is not cross-origin isolated",
    fix: "serve the page with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, or stay with setThreads(1)",
  });
}

/**
 * Starts a worker, which does not keep the process alive. `ended` is called once if it fails or stops.
 * @throws what the platform throws when it refuses at once.
 */
export function spawn(boot: WorkerBoot, ended: (why: string) => void): SpawnedWorker {
  const threads = nodeThreads();
  if (threads) {
    // No loaders or options of the main thread: the source is plain JavaScript.
    const worker = new threads.Worker(workerSource, { eval: true, workerData: boot, execArgv: [], name: `hessia ${boot.index + 1}` });
    let why = "";
    worker.on("error", (error) => { why = String(error); });
    worker.on("exit", (code) => ended(why || `exit with code ${code}`));
    worker.unref();
    return { terminate: () => void worker.terminate() };
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
  const worker = new Worker(url, { name: `hessia ${boot.index + 1}` });
  worker.onerror = (event) => ended(event.message || "the page's policy forbids workers from blob: URLs");
  worker.postMessage(boot);
  return {
    terminate: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
      ended("terminated");
    },
  };
}
