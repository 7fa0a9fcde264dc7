import { maxPieces, textAt, textBytes, word, workerState, workerWords } from "./control.js";

/** Programs that a worker keeps instances of. */
const keptPrograms = 256;

/**
 * The worker, as text: bundlers, packages and `blob:` URLs need no file for it. It takes pieces of jobs until it is told to stop; programs
 * come as code bytes in the shared memory. It never returns to its event loop. Imported JavaScript is not there: a piece that calls it goes
 * back to the main thread.
 */
export const workerSource = `"use strict";
const run = ({ memory, control, index }) => {
  const words = new Int32Array(control);
  const state = ${word.workers} + index * ${workerWords};
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
  /** The ticket of a job with pieces left, or undefined when the worker is to stop. */
  const nextTicket = () => {
    for (;;) {
      let ticket = Atomics.load(words, ${word.ticket});
      if (ticket & ${maxPieces}) return ticket;
      const until = performance.now() + words[${word.spin}] / 1000;
      do {
        for (let i = 0; i < 32; i++) {
          ticket = Atomics.load(words, ${word.ticket});
          if (ticket & ${maxPieces}) return ticket;
        }
      } while (performance.now() < until);
      Atomics.add(words, ${word.sleepers}, 1);
      if (Atomics.load(words, ${word.stop}) === 0) Atomics.wait(words, ${word.ticket}, ticket);
      Atomics.sub(words, ${word.sleepers}, 1);
      if (Atomics.load(words, ${word.stop}) !== 0) return undefined;
    }
  };
  const work = (ticket) => {
    const id = words[${word.program}], address = words[${word.codeAddress}] >>> 0, bytes = words[${word.codeBytes}];
    const task = words[${word.task}], frame = words[${word.frame}], pieces = words[${word.pieces}];
    // Who holds a piece must be known before it is taken.
    Atomics.store(words, state + 1, 1);
    if (Atomics.compareExchange(words, ${word.ticket}, ticket, ticket - 1) === ticket) {
      const piece = pieces - (ticket & ${maxPieces});
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
  };
  Atomics.store(words, state, ${workerState.ready});
  Atomics.notify(words, state);
  for (let ticket = nextTicket(); ticket !== undefined; ticket = nextTicket()) work(ticket);
  Atomics.store(words, state, ${workerState.gone});
};
const threads = typeof process === "object" && process.getBuiltinModule ? process.getBuiltinModule("node:worker_threads") : undefined;
if (threads) run(threads.workerData);
else self.onmessage = (event) => { run(event.data); self.close(); };
`;
