import { textAt, textBytes, word, workerState, workerWords } from "./control.js";

/** Programs that a worker keeps instances of. */
const keptPrograms = 256;

/**
 * The worker, as text: bundlers, packages and `blob:` URLs need no file for it. It takes pieces of jobs until it is told to stop; programs
 * come as code bytes in the shared memory. It never returns to its event loop. Imported JavaScript is not there: a piece that calls it goes
 * back to the main thread.
 */
export const workerSource = `"use strict";
const run = ({ memory, control, index, threads }) => {
  const words = new Int32Array(control);
  const state = ${word.workers} + index * ${workerWords};
  const read = (at) => Atomics.load(words, at);
  const programs = new Map();
  const needsHost = new Error("imported function");
  const refuse = () => { throw needsHost; };
  const load = (id, address, bytes) => {
    // An engine may learn of the memory's growth by another thread a moment later, at its next check for interrupts.
    const until = performance.now() + 5000;
    while (memory.buffer.byteLength < address + bytes) if (performance.now() > until) throw new Error("the memory did not grow in this thread");
    const module = new WebAssembly.Module(new Uint8Array(memory.buffer, address, bytes).slice());
    const imports = { host: { memory } };
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) if (kind === "function") (imports[from] ??= {})[name] = refuse;
    const { piece } = new WebAssembly.Instance(module, imports).exports;
    if (programs.size >= ${keptPrograms}) programs.delete(programs.keys().next().value);
    programs.set(id, piece);
    return piece;
  };
  const fail = (error) => {
    if (Atomics.compareExchange(words, ${word.failed}, 0, index + 1) !== 0) return;
    const text = unescape(encodeURIComponent(String(error))).slice(0, ${textBytes});
    const bytes = new Uint8Array(control, ${textAt}, ${textBytes});
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    Atomics.store(words, ${word.textBytes}, text.length);
  };
  /** Waits until the job is another. */
  const awaitJob = (last) => {
    const until = performance.now() + words[${word.spin}] / 1000;
    do for (let i = 0; i < 32; i++) if (Atomics.load(words, ${word.job}) !== last) return;
    while (performance.now() < until);
    while (Atomics.load(words, ${word.job}) === last) {
      Atomics.add(words, ${word.sleepers}, 1);
      Atomics.wait(words, ${word.job}, last);
      Atomics.sub(words, ${word.sleepers}, 1);
    }
  };
  const work = (job) => {
    const id = read(${word.program}), address = read(${word.codeAddress}) >>> 0, bytes = read(${word.codeBytes});
    const task = read(${word.task}), frame = read(${word.frame}), pieces = read(${word.pieces});
    if (Atomics.load(words, ${word.job}) !== job) return;
    // As pieceAt in control.ts.
    const first = Math.floor(((index + 1) * pieces) / threads), own = Math.floor(((index + 2) * pieces) / threads) - first;
    for (let i = 0; i < pieces; i++) {
      const piece = i < own ? first + i : (first + pieces - 1 - (i - own)) % pieces;
      const claimed = Atomics.load(words, ${word.claims} + piece);
      if (((claimed - job) | 0) >= 0) continue;
      // Who holds a piece must be known before it is taken.
      Atomics.store(words, state + 1, 1);
      if (Atomics.compareExchange(words, ${word.claims} + piece, claimed, job) === claimed) {
        try {
          (programs.get(id) ?? load(id, address, bytes))(task, frame, piece, index + 1);
        } catch (error) {
          if (error === needsHost) Atomics.or(words, ${word.returned} + (piece >> 5), 1 << (piece & 31));
          else fail(error);
        }
        Atomics.store(words, state + 1, 0);
        Atomics.add(words, ${word.done}, 1);
        if (Atomics.load(words, ${word.waiting}) !== 0) Atomics.notify(words, ${word.done});
      } else Atomics.store(words, state + 1, 0);
    }
  };
  let last = Atomics.load(words, ${word.job});
  Atomics.store(words, state, ${workerState.ready});
  Atomics.notify(words, state);
  for (;;) {
    const job = Atomics.load(words, ${word.job});
    if (Atomics.load(words, ${word.stop}) !== 0) break;
    if (job !== last && (job & 1) === 0) work(last = job);
    awaitJob(job);
  }
  Atomics.store(words, state, ${workerState.gone});
};
const node = typeof process === "object" && process.getBuiltinModule ? process.getBuiltinModule("node:worker_threads") : undefined;
if (node) run(node.workerData);
else self.onmessage = (event) => { run(event.data); self.close(); };
`;
