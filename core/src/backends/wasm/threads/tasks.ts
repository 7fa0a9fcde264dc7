import type { FunctionRef } from "../assembler/index.js";

/** The jobs that code of a module gives to the threads while it runs. */
export interface ThreadTasks {
  readonly threads: number;
  /** Nanoseconds that a job must take on one thread to be worth sharing. */
  readonly minimumWork: number;
  /** Runs the pieces of a job, and returns when all are done. Parameters (i32): the task, how many pieces, and an address for them. */
  readonly dispatch: () => FunctionRef;
  /** The number of the task whose pieces a function does: (address, index of the piece, thread). */
  readonly add: (piece: FunctionRef) => number;
}
