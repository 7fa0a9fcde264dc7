import { ArgumentError } from "../../../base/errors.js";
import type { Block } from "../memory/allocator.js";
import type { Heap } from "../memory/heap.js";
import { maxThreads } from "./control.js";
import { ThreadPool } from "./pool.js";
import type { PoolOptions } from "./pool.js";
import { defaultMinimumWork } from "./split.js";
import { processors, requireSharedMemory } from "./spawn.js";

/** A number of threads, or as many as the machine has processors where threads can share memory. */
export type ThreadCount = number | "auto";

/** @throws ArgumentError for what is neither "auto" nor a whole number from 1 to 64. */
export function parseThreads(n: unknown, fn: string, arg: string): ThreadCount {
  if (n === "auto" || (typeof n === "number" && Number.isInteger(n) && n >= 1 && n <= maxThreads)) return n;
  throw new ArgumentError({ fn, arg, expected: `"auto" or a whole number from 1 to ${maxThreads}`, got: typeof n === "string" ? `"${n}"` : String(n), fix: "setThreads(1) runs without workers" });
}

export interface ThreadOptions extends PoolOptions {
  /** Nanoseconds that a kernel must take on one thread to be split: 40,000 unless tests want even small ones in pieces. */
  readonly minimumWork?: number;
}

/** The threads of one backend: how many, the pool of workers, and what a failed pool leaves behind. */
export class Threads {
  count = 1;
  /** Changes with the number of threads and with the memory: code made before is void. */
  generation = 0;
  private pool: ThreadPool | undefined;

  readonly minimumWork: number;

  constructor(private readonly heap: Heap, private readonly options: ThreadOptions = {}) {
    this.minimumWork = options.minimumWork ?? defaultMinimumWork;
  }

  /**
   * @param start whether to start the workers now instead of when a program first needs them.
   * @throws BackendError where threads cannot share memory or cannot be started; one thread works on then.
   */
  set(asked: ThreadCount, start: boolean, fn = "setThreads"): void {
    const n = asked === "auto" ? automatic() : asked;
    if (n > 1) requireSharedMemory(fn);
    if (n !== this.count) {
      if (n > 1) this.heap.share();
      this.drop([]);
      this.count = n;
      this.generation++;
    }
    if (n === 1 || !start) return;
    try {
      this.acquire();
    } catch (e) {
      this.drop([]);
      this.count = 1;
      this.generation++;
      throw e;
    }
  }

  /**
   * The pool, with its workers started.
   * @throws BackendError, once, when a worker has stopped since the last call.
   */
  acquire(): ThreadPool {
    if (this.pool?.failed) {
      const failure = this.pool.unreportedFailure();
      this.drop([]);
      if (failure) throw failure;
    }
    return (this.pool ??= new ThreadPool(this.heap.memory, this.count, this.options));
  }

  get started(): ThreadPool | undefined { return this.pool; }

  /** Whether a worker that was lost may write to the memory still. */
  get lost(): boolean { return this.pool?.failed ?? false; }

  /** Stops the workers; these blocks are released when none of them can write any more. */
  drop(blocks: readonly Block[]): void {
    const { heap, pool } = this;
    this.pool = undefined;
    const release = (): void => { for (const b of blocks) heap.release(b); };
    if (pool) pool.stop(release);
    else release();
  }
}

function automatic(): number {
  try {
    requireSharedMemory("setThreads");
    return Math.min(processors(), maxThreads);
  } catch {
    return 1;
  }
}
