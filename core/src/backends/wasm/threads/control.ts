/**
 * The block of 32-bit words over which the threads of a pool agree, in a SharedArrayBuffer of its own. Words that different threads write
 * lie in different cache lines.
 *
 * `ticket` holds the number of the job (upper bits) and how many of its pieces nobody has taken (lower bits). A thread takes a piece by
 * counting it down with compare-and-exchange, so that a thread that comes late cannot take a piece of another job.
 */
export const word = {
  ticket: 0,
  /** Threads that sleep until `ticket` changes. */
  sleepers: 16,
  /** Pieces that workers have finished. */
  done: 32,
  /** 1 while the main thread sleeps until `done` changes. */
  waiting: 33,
  stop: 48,
  /** Microseconds that a worker looks for work before it sleeps. */
  spin: 49,
  /** The job. */
  program: 64,
  codeAddress: 65,
  codeBytes: 66,
  frame: 67,
  task: 68,
  pieces: 69,
  /** Bits of the pieces that a worker could not do and the main thread does. */
  returned: 80,
  /** 1 + number of the worker whose message is in `text`. */
  failed: 96,
  textBytes: 97,
  /** By worker, `workerWords` each: its state, then 1 while it may hold a piece. */
  workers: 112,
} as const;

export const workerWords = 16;
export const workerState = { starting: 0, ready: 1, gone: 2 } as const;

/** Bits of `ticket` that count pieces. */
export const pieceBits = 8;
export const maxPieces = 2 ** pieceBits - 1;
export const maxThreads = 64;

/** Room for the message of a failure, behind the words. */
export const textAt = 4 * (word.workers + maxThreads * workerWords);
export const textBytes = 1024;

export const newControl = (): SharedArrayBuffer => new SharedArrayBuffer(textAt + textBytes);

/** The ticket of the job after this ticket's, with its pieces not taken yet. */
export const ticketAfter = (ticket: number, pieces: number): number => (((ticket >>> pieceBits) + 1) << pieceBits) | pieces;
