/**
 * The block of 32-bit words over which the threads of a pool agree, in a SharedArrayBuffer of its own. Words that different threads write
 * lie in different cache lines.
 *
 * Jobs are numbered, evenly: while the number is odd the words of the next job are being written. Each piece has a word with the number of
 * the last job in which a thread took it: it is taken by compare-and-exchange of an older number for that of the job. A job begins when all
 * pieces of the one before are done, so a thread that comes late finds no piece of its job to take; and who finds the same even number before
 * and after has read the words of one job (Lamport 1977). That holds where nobody sees these accesses in another order: all are atomic, for
 * plain ones may pass them on processors with weak ordering (Boehm 2012).
 */
export const word = {
  /** The number of the job. */
  job: 0,
  /** Threads that sleep until `job` changes. */
  sleepers: 16,
  /** Pieces that workers have finished. */
  done: 32,
  /** 1 while the main thread sleeps until `done` changes. */
  waiting: 33,
  stop: 48,
  /** Microseconds that a worker looks for work before it sleeps. */
  spin: 49,
  /** What the job is, in this order. */
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
  /** By piece. */
  claims: 112,
  /** By worker, `workerWords` each: its state, then 1 while it may hold a piece. */
  workers: 112 + 256,
} as const;

export const workerWords = 16;
export const workerState = { starting: 0, ready: 1, gone: 2 } as const;

export const maxPieces = 255;
export const maxThreads = 64;

/** Room for the message of a failure, behind the words. */
export const textAt = 4 * (word.workers + maxThreads * workerWords);
export const textBytes = 1024;

export const newControl = (): SharedArrayBuffer => new SharedArrayBuffer(textAt + textBytes);

/**
 * The order in which a thread looks for pieces: those of its own part of the range first, so that the same elements stay in the caches of the
 * same processor from one kernel to the next, then backwards from the ends of the others'.
 */
export const pieceAt = (thread: number, threads: number, pieces: number, i: number): number => {
  const first = Math.floor((thread * pieces) / threads);
  const own = Math.floor(((thread + 1) * pieces) / threads) - first;
  return i < own ? first + i : (first + pieces - 1 - (i - own)) % pieces;
};
