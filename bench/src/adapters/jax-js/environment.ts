import { resolveObjectURL } from "node:buffer";
import { Worker as NodeWorker } from "node:worker_threads";

/** A browser's Worker over worker_threads, enough for the pool that jax-js starts from blob: URLs. */
class BrowserWorker {
  readonly #worker: Promise<NodeWorker>;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((error: unknown) => void) | null = null;

  constructor(url: string) {
    const prelude = `const {parentPort:port}=require("worker_threads");globalThis.self=globalThis;globalThis.postMessage=m=>port.postMessage(m);port.on("message",data=>self.onmessage({data}));\n`;
    this.#worker = resolveObjectURL(url)!.text().then((source) => {
      const worker = new NodeWorker(prelude + source, { eval: true });
      worker.on("message", (data) => this.onmessage?.({ data }));
      worker.on("error", (error) => this.onerror?.(error));
      return worker;
    });
  }

  postMessage(message: unknown): void { void this.#worker.then((worker) => { worker.postMessage(message); }); }
  terminate(): void { void this.#worker.then((worker) => worker.terminate()); }
}

/** What jax-js expects of its surroundings and Node lacks. Without a Worker it runs on one thread. */
export function prepareEnvironment(threads: number): void {
  const target = globalThis as Record<string, unknown>;
  // It tests for Float16Array before Float64Array, and Node below 24 has none.
  target["Float16Array"] ??= class {};
  Object.defineProperty(globalThis, "navigator", { value: { hardwareConcurrency: threads, userAgent: "node" }, configurable: true });
  if (threads > 1) target["Worker"] = BrowserWorker;
}
