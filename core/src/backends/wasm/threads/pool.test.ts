import { describe, expect, it } from "vitest";
import { ArgumentError, BackendError, DisposedError } from "../../../base/errors.js";
import { binary, constant, unary } from "../../../kernel/expr.js";
import { ModuleBuilder } from "../assembler/index.js";
import type { FunctionBuilder } from "../assembler/index.js";
import { WasmBackend } from "../index.js";
import { kernelStep, mapKernel, randomArray, runOn, schedule, whole } from "../test-support.js";
import { type Piece, ThreadPool } from "./pool.js";
import type { PoolOptions } from "./pool.js";

const [task, frame, index, thread] = [0, 1, 2, 3];

/** A pool of one worker and a program whose piece is written by hand. */
function handmade(body: (f: FunctionBuilder) => void, options: PoolOptions = {}) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 64, shared: true });
  const module = new ModuleBuilder().importMemory("host", "memory", 1, 64, true);
  const f = module.function("piece", ["i32", "i32", "i32", "i32"]);
  body(f);
  const code = module.export("piece", f).finish();
  const address = 4096;
  new Uint8Array(memory.buffer).set(code, address);
  const piece = new WebAssembly.Instance(new WebAssembly.Module(code), { host: { memory } }).exports["piece"] as Piece;
  const pool = new ThreadPool(memory, 2, options);
  const words = new Int32Array(memory.buffer);
  return { memory, pool, words, run: (pieces: number, own: Piece = piece) => pool.dispatch({ id: 1, codeAddress: address, codeBytes: code.length }, own, 5, pieces, 64) };
}

/** words[16 + index] = 100 * task + thread + 1, after so much idling. */
const mark = (f: FunctionBuilder, rounds = 0): void => {
  if (rounds > 0) {
    const n = f.local("i32");
    f.i32(rounds).set(n).loop((again) => f.get(n).i32(1).op("i32.sub").tee(n).brIf(again));
  }
  f.get(frame).get(index).i32(4).op("i32.mul").op("i32.add").get(task).i32(100).op("i32.mul").get(thread).op("i32.add").i32(1).op("i32.add").memory("i32.store");
};

const until = async (done: () => boolean): Promise<void> => {
  for (const start = Date.now(); !done(); await new Promise((r) => setTimeout(r, 10))) if (Date.now() - start > 20_000) throw new Error("waited in vain");
};

describe("pool", () => {
  it("runs every piece once, by whoever is free", () => {
    const { pool, words, run } = handmade((f) => mark(f, 2000));
    const by = [0, 0];
    for (let round = 0; round < 300; round++) {
      const pieces = 2 + (round % 254);
      words.fill(0, 16, 16 + 256);
      run(pieces);
      for (let i = 0; i < 256; i++) {
        const value = words[16 + i]!;
        if (i >= pieces) expect(value).toBe(0);
        else {
          expect(value === 501 || value === 502).toBe(true);
          by[value - 501]!++;
        }
      }
    }
    expect(pool.workerPieces).toBe(by[1]);
    expect(by[1]).toBeGreaterThan(0);
    pool.stop();
  });

  it("fails the call in which a worker traps, and serves the next", () => {
    const { pool, words, run } = handmade((f) => {
      f.get(thread).get(frame).memory("i32.load", 2000).op("i32.and").if(() => f.op("unreachable"));
      mark(f, 200_000);
    });
    words[(64 + 2000) / 4] = 1;
    expect(() => { for (let i = 0; i < 50; i++) run(20); }).toThrow(BackendError);
    expect(() => { for (let i = 0; i < 50; i++) run(20); }).toThrow(/worker 1 to finish its piece, got RuntimeError: unreachable/);
    expect(pool.failed).toBe(false);
    words[(64 + 2000) / 4] = 0;
    run(20);
    expect([...words.subarray(16, 36)].every((w) => w > 500)).toBe(true);
    pool.stop();
  });

  it("lets no worker go on when the main thread's own piece throws", () => {
    const { pool, words, run } = handmade((f) => mark(f, 200_000));
    for (let i = 0; i < 20; i++) {
      expect(() => run(20, () => { throw new RangeError("own"); })).toThrow("own");
      const seen = words.slice(16, 36);
      expect(words.slice(16, 36)).toEqual(seen);
      words.fill(0, 16, 36);
    }
    run(20);
    expect([...words.subarray(16, 36)].every((w) => w > 500)).toBe(true);
    pool.stop();
  });

  it("gives up a worker that does not come back, and ends it", async () => {
    const { pool, run } = handmade((f) => {
      f.get(thread).if(() => f.loop((again) => f.br(again)));
      mark(f, 200_000);
    }, { pieceLimit: 200 });
    const start = performance.now();
    expect(() => { for (let i = 0; i < 50; i++) run(20); }).toThrow(/no answer from worker 1/);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(pool.failed).toBe(true);
    expect(pool.unreportedFailure()).toBeUndefined();
    let gone = false;
    pool.stop(() => { gone = true; });
    expect(gone).toBe(false);
    await until(() => gone);
  });

  it("says which worker does not start", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    expect(() => new ThreadPool(memory, 3, { startLimit: -1 })).toThrow(/worker 1 to start, got no sign of it/);
  });
});

const negate = (n: number, k = 0) => schedule([new Float64Array(n)], [{ dtype: "float64", size: n }], [kernelStep(mapKernel([n], [{ buffer: 1, value: binary("sub", unary("neg", whole("float64", 0, [n])), constant("float64", k)) }]))]);
const n = 5000;
const x = randomArray("float64", n);
const expectNegated = (backend: WasmBackend, k = 0): void => expect(runOn(backend, negate(n, k), [x])[0]).toEqual(x.map((v) => -v - k));
const jobs = (backend: WasmBackend): number => backend.threads.started?.jobs ?? 0;

describe("threads of a backend", () => {
  it("take numbers from 1 to 64 and auto, nothing else", () => {
    for (const bad of [0, -1, 1.5, NaN, 65, "two" as "auto"]) expect(() => new WasmBackend({ threads: bad })).toThrow(ArgumentError);
    expect(new WasmBackend().threads.count).toBe(1);
    expect(new WasmBackend({ threads: "auto" }).threads.count).toBeGreaterThanOrEqual(1);
  });

  it("come and go; arrays and programs stay", () => {
    const backend = new WasmBackend({ minimumWork: 0 });
    const input = backend.write("float64", x);
    const program = backend.compile(negate(n, 3));
    const constants = backend.compile(schedule([x], [{ dtype: "float64", size: n }], [kernelStep(mapKernel([n], [{ buffer: 1, value: binary("add", whole("float64", 0, [n]), whole("float64", 2, [n])) }]))], { constants: [x] }));
    const check = (): void => {
      expect(backend.readSync(program.run([input])[0]!)).toEqual(x.map((v) => -v - 3));
      expect(backend.readSync(constants.run([input])[0]!)).toEqual(x.map((v) => v + v));
    };
    for (const threads of [1, 2, 1, 3, 2, 1] as const) {
      backend.threads.set(threads, true);
      expect(backend.heap.shared).toBe(threads > 1 || backend.threads.generation > 0);
      check();
      check();
      expect(program.report).toMatchObject({ threads, splitKernels: threads > 1 ? 1 : 0 });
      expect(jobs(backend)).toBe(threads > 1 ? 4 : 0);
      // Users get ordinary memory.
      expect(backend.readSync(input)).toEqual(x);
    }
    expect(backend.memory().liveStorages).toBeGreaterThan(0);
  });

  it("serve more programs than a worker keeps, those that are gone and new ones in their place", () => {
    const backend = new WasmBackend({ threads: 2, minimumWork: 0 });
    const input = backend.write("float64", x);
    const kept = Array.from({ length: 300 }, (_, k) => backend.compile(negate(n, k)));
    for (const round of [0, 1])
      kept.forEach((p, k) => {
        const result = p.run([input])[0]!;
        expect((backend.readSync(result))[n - 1]).toBe(-x[n - 1]! - k);
        result.dispose();
        if (round === 1 && k % 3 === 0) p.dispose();
      });
    for (let k = 0; k < 300; k += 30) expectNegated(backend, k);
    const used = backend.heap.usedBytes;
    kept.forEach((p) => p.dispose());
    // Their code is given back.
    expect(backend.heap.usedBytes).toBeLessThan(used - 200 * 256);
  });

  it("see the memory grow", () => {
    const backend = new WasmBackend({ threads: 2, minimumWork: 0 });
    expectNegated(backend);
    for (let i = 0; i < 20; i++) {
      const m = 200_000 * (i + 1);
      const big = randomArray("float32", 1000);
      const data = new Float32Array(m).fill(big[i]!);
      const result = runOn(backend, schedule([data], [{ dtype: "float32", size: m }], [kernelStep(mapKernel([m], [{ buffer: 1, value: unary("neg", whole("float32", 0, [m])) }]))]), [data])[0]!;
      expect(result[0]).toBe(-big[i]!);
      expect(result[m - 1]).toBe(-big[i]!);
    }
  });

  it("that cannot grow is a named error, and the next call works", () => {
    const backend = new WasmBackend({ threads: 2, minimumWork: 0, maximumPages: 64 });
    const big = backend.compile(negate(300_000));
    const stored = backend.write("float64", new Float64Array(300_000));
    expect(() => big.run([stored])).toThrow(/cannot grow/);
    expectNegated(backend);
    expect(backend.threads.started?.alive).toBe(1);
  });

  it("that die between calls fail one call and are started anew", async () => {
    const backend = new WasmBackend({ threads: 2, minimumWork: 0 });
    expectNegated(backend);
    const pool = backend.threads.started!;
    pool.kill(0);
    // In the same turn nobody knows yet; the main thread does all the work that is left.
    expectNegated(backend);
    await until(() => pool.failed);
    expect(() => expectNegated(backend)).toThrow(BackendError);
    expectNegated(backend);
    expect(backend.threads.started).not.toBe(pool);
    expect(backend.threads.started!.alive).toBe(1);
    pool.stop();
  });

  it("that are lost in a call leave its memory alone until they are gone", async () => {
    const backend = new WasmBackend({ threads: 2, minimumWork: 0, pieceLimit: 2000, patience: 0, startLimit: 60_000 });
    const size = 1_000_000;
    const program = backend.compile(negate(size));
    const input = backend.write("float64", new Float64Array(size));
    backend.threads.acquire().lose(1);
    const used = backend.heap.usedBytes;
    expect(() => program.run([input])).toThrow(/every worker to finish its piece within 2000 ms/);
    // The result that nobody gets: the worker could write to it still.
    expect(backend.heap.usedBytes).toBeGreaterThanOrEqual(used + 8 * size);
    await until(() => backend.heap.usedBytes <= used);
    expect(backend.memory()).toMatchObject({ liveBytes: 8 * size, liveStorages: 1 });
    program.run([input])[0]!.dispose();
  });

  it("that are lost in a call take with them what they may have overwritten", () => {
    const backend = new WasmBackend({ threads: 2, minimumWork: 0, pieceLimit: 2000, patience: 0, startLimit: 60_000 });
    const plan = negate(n);
    const program = backend.compile({ ...plan, donations: [{ input: 0, output: 1 }] });
    const [given, kept] = [backend.write("float64", x), backend.write("float64", x)];
    backend.threads.acquire().lose(1);
    expect(() => program.run([given], [0])).toThrow(/within 2000 ms/);
    expect(() => backend.readSync(given)).toThrow(DisposedError);
    expect(backend.memory().liveStorages).toBe(1);
    // What was not donated is as it was.
    backend.threads.acquire().lose(1);
    expect(() => program.run([kept])).toThrow(/within 2000 ms/);
    expect(backend.readSync(kept)).toEqual(x);
  });
});
