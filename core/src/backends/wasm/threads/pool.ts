import { BackendError } from "../../../base/errors.js";
import { maxPieces, newControl, pieceAt, textAt, textBytes, word, workerState, workerWords } from "./control.js";
import { maySleep, processors, spawn } from "./spawn.js";
import type { SpawnedWorker } from "./spawn.js";

/** Part of a program that threads do in pieces: `piece(task, frame, index, thread)`; the main thread is thread 0. */
export type Piece = (task: number, frame: number, index: number, thread: number) => void;

/** The code of a program, where workers find it. */
export interface SharedProgram {
  readonly id: number;
  readonly codeAddress: number;
  readonly codeBytes: number;
}

export interface PoolOptions {
  /** How long a worker may take to start, in milliseconds. */
  readonly startLimit?: number;
  /** How long the others may take after the main thread is done, in milliseconds, before they count as lost: 10,000. */
  readonly pieceLimit?: number;
  /** The same as a multiple of what the main thread's longest piece took, if that is more: 100. */
  readonly patience?: number;
}

interface Member {
  readonly index: number;
  readonly worker: SpawnedWorker;
  ended: string | undefined;
}

/**
 * Looking costs less than sleeping and waking, which takes 5 to 50 µs. A worker looks for work that long after its last piece; where there are
 * more threads than processors it would take time from those that work.
 */
const spinMicroseconds = 60;
const sliceMilliseconds = 50;

/**
 * Workers over one shared memory. `dispatch` cuts a job among them and the calling thread: each takes the next piece that nobody has, so a
 * worker that is late, or gone, costs time and no result. Which piece is computed by whom does not change what is computed.
 */
export class ThreadPool {
  private readonly control = newControl();
  private readonly words = new Int32Array(this.control);
  private readonly members: Member[] = [];
  private readonly sleeps = maySleep();
  private readonly startLimit: number;
  private readonly pieceLimit: number;
  private readonly patience: number;
  private failure: BackendError | undefined;
  private reported = false;
  private stopped = false;
  private whenGone: (() => void) | undefined;
  /** Jobs given out and pieces that workers did, for tests and measurements. */
  jobs = 0;
  workerPieces = 0;

  constructor(private readonly memory: WebAssembly.Memory, readonly threads: number, options: PoolOptions = {}) {
    this.startLimit = options.startLimit ?? 20_000;
    this.pieceLimit = options.pieceLimit ?? 10_000;
    this.patience = options.patience ?? 100;
    this.words[word.spin] = threads <= processors() ? spinMicroseconds : 0;
    try {
      for (let i = 0; i < threads - 1; i++) this.add(i);
      if (this.sleeps) this.awaitReady();
    } catch (e) {
      this.failure ??= cannotStart(0, String(e));
      this.stop();
      throw e;
    }
  }

  /** Workers that take pieces. */
  get alive(): number {
    return this.members.filter((m) => m.ended === undefined && this.state(m.index) === workerState.ready).length;
  }

  private state(index: number): number {
    return Atomics.load(this.words, word.workers + index * workerWords);
  }

  private add(index: number): void {
    Atomics.store(this.words, word.workers + index * workerWords, workerState.starting);
    let member: Member | undefined;
    const ended = (why: string): void => {
      if (member) member.ended = why;
      this.tellGone();
      if (this.stopped) return;
      this.failure ??= new BackendError({ fn: "threads", expected: `worker ${index + 1} to run until it is stopped`, got: why, fix: "call again: the pool starts workers anew; setThreads(1) does without them" });
    };
    try {
      member = { index, worker: spawn({ memory: this.memory, control: this.control, index, threads: this.threads }, ended), ended: undefined };
    } catch (cause) {
      throw cannotStart(index, String(cause), cause);
    }
    this.members[index] = member;
  }

  private awaitReady(): void {
    const until = performance.now() + this.startLimit;
    for (const { index } of this.members)
      while (this.state(index) === workerState.starting) {
        if (performance.now() > until) throw cannotStart(index, `no sign of it within ${this.startLimit} ms`);
        Atomics.wait(this.words, word.workers + index * workerWords, workerState.starting, sliceMilliseconds);
      }
  }

  /** Whether a worker has stopped or is lost: the pool is of no use any more. */
  get failed(): boolean {
    return this.failure !== undefined;
  }

  /** What happened to a worker, unless a call has failed with it. */
  unreportedFailure(): BackendError | undefined {
    return this.reported ? undefined : this.failure;
  }

  /**
   * Runs the pieces 0..pieces-1 of a task, and returns when all are done.
   * @throws BackendError when a worker fails; what the main thread's own piece throws. No thread works on the job any more then, unless `failed`.
   */
  dispatch(program: SharedProgram, piece: Piece, task: number, pieces: number, frame: number): void {
    if (pieces > maxPieces) throw new RangeError(`${pieces} pieces, at most ${maxPieces}`);
    const { words } = this;
    this.jobs++;
    const job = this.openJob();
    const description = [program.id, program.codeAddress, program.codeBytes, frame, task, pieces];
    for (let i = 0; i < description.length; i++) Atomics.store(words, word.program + i, description[i]!);
    Atomics.store(words, word.done, 0);
    // Piece 0 is the main thread's.
    Atomics.store(words, word.claims, job);
    Atomics.store(words, word.job, job);
    if (Atomics.load(words, word.sleepers) > 0) Atomics.notify(words, word.job, pieces - 1);
    let own = 0;
    let longest = 0;
    let start = performance.now();
    try {
      for (let i = 0; i < pieces; i++) {
        const index = pieceAt(0, this.threads, pieces, i);
        if (index !== 0 && !this.take(job, index)) continue;
        piece(task, frame, index, 0);
        own++;
        const now = performance.now();
        longest = Math.max(longest, now - start);
        start = now;
      }
    } catch (e) {
      this.finish(pieces - own - 1 - this.withdraw(job, pieces), longest);
      throw e;
    }
    this.finish(pieces - own, longest);
    this.workerPieces += pieces - own;
    this.redo(piece, task, pieces, frame);
    if (Atomics.load(words, word.failed) !== 0) throw this.takeFailure();
  }

  /** Gives the number of the next job, after which its words may be written. */
  private openJob(): number {
    const { words } = this;
    const job = (words[word.job]! + 2) | 0;
    Atomics.store(words, word.job, job - 1);
    // Numbers go round; those of pieces that are seldom used must not fall behind by half a turn.
    if ((job & 0xffffff) === 0) words.fill((job - 2) | 0, word.claims, word.claims + maxPieces);
    return job;
  }

  private take(job: number, index: number): boolean {
    const at = word.claims + index;
    const claimed = Atomics.load(this.words, at);
    return claimed !== job && Atomics.compareExchange(this.words, at, claimed, job) === claimed;
  }

  /** Keeps workers from taking further pieces; gives how many were left. */
  private withdraw(job: number, pieces: number): number {
    let left = 0;
    for (let i = 0; i < pieces; i++) if (this.take(job, i)) left++;
    return left;
  }

  /** Waits until workers have done so many pieces: looks for a while, then sleeps in slices. */
  private finish(count: number, longest: number): void {
    const { words } = this;
    const spinUntil = performance.now() + (this.sleeps ? spinMicroseconds / 1000 : Infinity);
    const limit = Math.max(this.pieceLimit, this.patience * longest);
    const until = performance.now() + limit;
    for (let rounds = 0, seen = Atomics.load(words, word.done); seen < count; seen = Atomics.load(words, word.done)) {
      if (++rounds % 32 !== 0) continue;
      const now = performance.now();
      if (now > until) throw this.giveUp(limit);
      if (now < spinUntil) continue;
      Atomics.store(words, word.waiting, 1);
      Atomics.wait(words, word.done, seen, sliceMilliseconds);
      Atomics.store(words, word.waiting, 0);
      rounds = 31;
    }
  }

  /** A worker does not come back: it is ended, and with it the pool. */
  private giveUp(limit: number): BackendError {
    const late = this.members.filter((m) => Atomics.load(this.words, word.workers + m.index * workerWords + 1) !== 0).map((m) => m.index + 1);
    this.failure = new BackendError({
      fn: "threads", expected: `every worker to finish its piece within ${Math.round(limit)} ms`, got: late.length > 0 ? `no answer from worker ${late.join(", ")}` : "an answer that never came",
      fix: "call again: the pool starts workers anew; setThreads(1) does without them",
    });
    this.reported = true;
    return this.failure;
  }

  /** Pieces that workers gave back. */
  private redo(piece: Piece, task: number, pieces: number, frame: number): void {
    const { words } = this;
    for (let w = 0; w * 32 < pieces; w++) {
      const bits = Atomics.exchange(words, word.returned + w, 0);
      for (let i = 0; bits !== 0 && i < 32; i++) if (bits & (1 << i)) piece(task, frame, w * 32 + i, 0);
    }
  }

  private takeFailure(): BackendError {
    const { words } = this;
    const index = Atomics.load(words, word.failed);
    const bytes = new Uint8Array(this.control, textAt, Math.min(words[word.textBytes]!, textBytes));
    // Decoders refuse shared memory: they get a copy.
    const text = new TextDecoder().decode(bytes.slice());
    Atomics.store(words, word.failed, 0);
    return new BackendError({ fn: "threads", expected: `worker ${index} to finish its piece`, got: text, fix: "call again; if it happens again, setThreads(1) runs the program without workers" });
  }

  /** Ends a worker wherever it is, as if the platform had done it: for tests of what happens then. */
  kill(index: number): void {
    this.members[index]!.worker.terminate();
  }

  /** The next job finds this piece taken by somebody who never finishes it: for tests of a worker that is lost. */
  lose(piece: number): void {
    Atomics.store(this.words, word.claims + piece, (this.words[word.job]! + 2) | 0);
  }

  /** Ends the workers. `then` is called when none of them can touch the memory any more. */
  stop(then: () => void = () => undefined): void {
    this.stopped = true;
    Atomics.store(this.words, word.stop, 1);
    // A sleeper wakes when the job changes.
    Atomics.store(this.words, word.job, this.openJob());
    Atomics.notify(this.words, word.job);
    if (!this.failure) {
      then();
      return;
    }
    this.whenGone = then;
    for (const m of this.members) if (m.ended === undefined) m.worker.terminate();
    this.tellGone();
  }

  private tellGone(): void {
    if (this.whenGone === undefined || this.members.some((m) => m.ended === undefined)) return;
    const then = this.whenGone;
    this.whenGone = undefined;
    then();
  }
}

const cannotStart = (index: number, got: string, cause?: unknown): BackendError =>
  new BackendError({ fn: "threads", expected: `worker ${index + 1} to start`, got, fix: "ask for fewer threads; setThreads(1) does without workers" }, { cause });
