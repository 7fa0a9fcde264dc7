/** The side of the protocol that runs inside the process of a JavaScript system. */
import { createInterface } from "node:readline";
import { type Adapter, type Prepared, Unsupported } from "./case.js";
import { answerMark, type Hello, type MemoryAnswer, type Request } from "./protocol.js";
import { firstCalls, samples } from "./timing.js";

/** One call whose result is dropped without being given back, for the task on memory. */
export type MemoryLoop = (mode: string) => () => void;

export interface Served {
  readonly versions: Readonly<Record<string, string>>;
  readonly adapter: Adapter;
  readonly memoryLoop?: MemoryLoop;
}

// (module (func (param v128 v128 v128) (result v128) f32x4.relaxed_madd))
const relaxedModule = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11]);

const memoryLimit = 3 * 2 ** 30;

/** Calls in one synchronous turn, as a user's loop does: what frees memory only between turns shows here. */
function measureMemory(call: () => void, calls: number, seconds: number): MemoryAnswer {
  const rss = () => process.memoryUsage.rss();
  const startBytes = rss();
  let peakBytes = startBytes;
  const start = performance.now();
  const result = (done: number, stopped?: string): MemoryAnswer => ({ done, startBytes, peakBytes, microseconds: ((performance.now() - start) * 1000) / Math.max(1, done), ...(stopped ? { stopped } : {}) });
  for (let i = 0; i < calls; i++) {
    try {
      call();
    } catch (error) {
      return result(i, message(error));
    }
    if (i % 64 === 63) {
      peakBytes = Math.max(peakBytes, rss());
      if (peakBytes > memoryLimit) return result(i + 1, "stopped at 3 GB");
      if (performance.now() - start > seconds * 1000) return result(i + 1, "time over");
    }
  }
  return result(calls);
}

const message = (error: unknown): string => String(error instanceof Error ? error.message : error).split("\n")[0]!.slice(0, 300);

/** Answers requests from stdin until it ends. `load` imports the system. */
export async function serve(load: () => Promise<Served>): Promise<void> {
  const loading = load();
  loading.catch(() => undefined); // reported by the answer to the first request
  let prepared: Prepared | undefined;
  const release = () => { prepared?.dispose?.(); prepared = undefined; };

  const answer = async (request: Request): Promise<object> => {
    const system = await loading;
    switch (request.op) {
      case "hello":
        return { versions: system.versions, relaxedSimd: WebAssembly.validate(relaxedModule) } satisfies Hello;
      case "prepare": {
        release();
        const make = system.adapter[request.task];
        if (!make) throw new Unsupported("has no such thing");
        prepared = await make(request.params);
        const [first, second] = await firstCalls(prepared.run);
        return { first, second, digest: await prepared.digest() };
      }
      case "measure":
        if (!prepared) throw new Error("Nothing is prepared.");
        return { samples: await samples(prepared.run, request.milliseconds) };
      case "release":
        release();
        return {};
      case "memory":
        if (!system.memoryLoop) throw new Unsupported("has no such thing");
        return measureMemory(system.memoryLoop(request.mode), request.calls, request.seconds);
    }
  };

  for await (const line of createInterface({ input: process.stdin })) {
    const reply = await answer(JSON.parse(line) as Request).catch((error: unknown) => ({ error: message(error), unsupported: error instanceof Unsupported }));
    // JSON has no NaN; null reads back as 0 would not.
    process.stdout.write(`${answerMark}${JSON.stringify(reply, (_key, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value))}\n`);
  }
  process.exit(0);
}
