import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BackendError } from "../../../base/errors.js";
import { binary, constant, unary } from "../../../kernel/expr.js";
import { Allocator } from "./allocator.js";
import type { Block } from "./allocator.js";
import { WasmBackend } from "../index.js";
import { kernelStep, mapKernel, randomArray, schedule, whole } from "../test-support.js";

describe("allocator", () => {
  it("never overlaps, coalesces, and gives all back", () => {
    fc.assert(fc.property(fc.array(fc.record({ size: fc.integer({ min: 0, max: 5000 }), drop: fc.nat() }), { maxLength: 120 }), (actions) => {
      let grown = 0;
      const allocator = new Allocator(64, (bytes) => {
        const made = Math.ceil(bytes / 4096) * 4096;
        grown += made;
        return made;
      });
      const live: { block: Block; bytes: number }[] = [];
      for (const { size, drop } of actions) {
        if (drop % 3 === 0 && live.length > 0) {
          const { block } = live.splice(drop % live.length, 1)[0]!;
          allocator.release(block);
          allocator.release(block);
        } else live.push({ block: allocator.allocate(size), bytes: size });
        const sorted = live.map((l) => l.block).sort((a, b) => a.address - b.address);
        sorted.forEach((b, i) => {
          expect(b.address % 64).toBe(0);
          expect(b.address + b.size).toBeLessThanOrEqual(sorted[i + 1]?.address ?? 64 + grown);
        });
        for (const { block, bytes } of live) expect(block.size).toBeGreaterThanOrEqual(bytes);
        expect(allocator.used).toBe(live.reduce((s, l) => s + l.block.size, 0));
      }
      live.forEach((l) => allocator.release(l.block));
      expect(allocator.used).toBe(0);
      // All in one piece again: what was grown can be given out whole.
      if (grown > 0) {
        const before = grown;
        allocator.allocate(grown);
        expect(grown).toBe(before);
      }
    }), { numRuns: 60 });
  });
});

const negate = (backend: WasmBackend, n: number) =>
  backend.compile(schedule([new Float64Array(n)], [{ dtype: "float64", size: n }], [kernelStep(mapKernel([n], [{ buffer: 1, value: unary("neg", whole("float64", 0, [n])) }]))]));

describe("memory", () => {
  it("that cannot grow is a named error, and the next call works", () => {
    const backend = new WasmBackend({ maximumPages: 64 });
    const big = negate(backend, 300_000);
    const small = negate(backend, 3000);
    const x = backend.write("float64", randomArray("float64", 300_000));
    expect(() => big.run([x])).toThrow(BackendError);
    expect(() => big.run([x])).toThrow(/cannot grow/);
    const y = backend.write("float64", randomArray("float64", 3000));
    expect(backend.readSync(small.run([y])[0]!)[7]).toBe(-randomArray("float64", 3000)[7]!);
    x.dispose();
    expect(() => backend.write("float64", new Float64Array(600_000))).toThrow(BackendError);
    expect(backend.readSync(small.run([y])[0]!)[7]).toBe(-randomArray("float64", 3000)[7]!);
  });

  it("that cannot grow leaves what was donated", () => {
    const backend = new WasmBackend({ maximumPages: 64 });
    const n = 200_000;
    const [a, b, c] = [whole("float64", 0, [n]), 1, 2];
    const plan = schedule([new Float64Array(n)], [{ dtype: "float64", size: n }, { dtype: "float64", size: 2 * n }], [
      kernelStep(mapKernel([n], [{ buffer: c, value: unary("neg", a) }])),
      kernelStep(mapKernel([n], [{ buffer: b, value: unary("neg", a) }])),
    ]);
    const program = backend.compile({ ...plan, donations: [{ input: 0, output: b }] });
    const x = backend.write("float64", randomArray("float64", n));
    expect(() => program.run([x], [0])).toThrow(/cannot grow/);
    expect(backend.readSync(x)[7]).toBe(randomArray("float64", n)[7]!);
    expect(backend.memory().liveStorages).toBe(1);
  });

  it("past its budget keeps results in ordinary arrays, which programs take in again", () => {
    const n = 2000;
    const backend = new WasmBackend({ budgetBytes: 10 * n * 8 });
    const program = negate(backend, n);
    const first = randomArray("float64", n);
    let x = backend.write("float64", first);
    const all = [x];
    for (let i = 0; i < 50; i++) all.push((x = program.run([x])[0]!));
    expect(backend.memory().liveBytes).toBeLessThanOrEqual(10 * n * 8);
    all.forEach((a, i) => expect(backend.readSync(a)[5]).toBe(i % 2 ? -first[5]! : first[5]!));
    // The heap holds the budget and what one run stages, no more.
    expect(backend.memory().peakBytes).toBeLessThan(14 * n * 8);
  });

  it("past its budget takes in what is used again and again, and what is donated, up to twice the budget", () => {
    const n = 2000;
    const backend = new WasmBackend({ budgetBytes: 4 * n * 8 });
    const program = negate(backend, n);
    const first = randomArray("float64", n);
    const kept = Array.from({ length: 4 }, () => backend.write("float64", first));
    const late = Array.from({ length: 6 }, () => backend.write("float64", first));
    expect(backend.memory().liveStorages).toBe(4);
    for (const uses of [1, 2, 3, 4]) {
      for (const x of late) expect(backend.readSync(program.run([x])[0]!)[5]).toBe(-first[5]!);
      expect(backend.memory().liveStorages).toBe(uses < 3 ? 4 : 8);
    }
    for (const x of [...kept, ...late]) expect(backend.readSync(x)[5]).toBe(first[5]!);
    for (const x of late.slice(1)) x.dispose();
    kept[0]!.dispose();
    expect(backend.memory().liveStorages).toBe(4);
    // A loop that donates stays in the heap although the budget is spent.
    let x = late[0]!;
    for (let i = 0; i < 10; i++) [x] = program.run([x], [0]) as [typeof x];
    expect(backend.readSync(x)[5]).toBe(first[5]!);
    expect(backend.memory().liveStorages).toBe(4);
    for (const y of kept) y.dispose();
    const outside = Array.from({ length: 5 }, () => backend.write("float64", first)).at(-1)!;
    const [given] = program.run([outside], [0]) as [typeof x];
    expect(backend.readSync(given)[5]).toBe(-first[5]!);
    expect(backend.memory().liveBytes).toBeLessThanOrEqual(2 * 4 * n * 8);
  });

  it("disposed and donated results are recycled", () => {
    const n = 10_000;
    const backend = new WasmBackend();
    const program = negate(backend, n);
    let x = backend.write("float64", randomArray("float64", n));
    for (let i = 0; i < 5000; i++) {
      [x] = program.run([x], [0]) as [typeof x];
      const other = program.run([x])[0]!;
      other.dispose();
    }
    expect(backend.memory().liveStorages).toBe(1);
    expect(backend.memory().peakBytes).toBeLessThan(2 ** 20);
  });

  it("a synchronous loop of eager operations holds resident memory (10^4 elements each)", () => {
    const backend = new WasmBackend();
    const n = 10_000;
    const program = negate(backend, n);
    let x = backend.write("float64", randomArray("float64", n));
    const resident = (): number => process.memoryUsage().rss;
    const rounds: number[] = [];
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 5000; i++) [x] = program.run([x]) as [typeof x];
      rounds.push(resident());
    }
    expect(backend.readSync(x)[3]).toBe(randomArray("float64", n)[3]);
    expect(backend.memory().liveBytes).toBeLessThanOrEqual(256 * 2 ** 20);
    expect(rounds[3]! - rounds[1]!).toBeLessThan(300 * 2 ** 20);
  });

  it("a synchronous loop of steps over 10 MB of parameters holds resident memory", () => {
    const backend = new WasmBackend();
    const n = 1_250_000;
    const step = backend.compile(schedule([new Float64Array(n)], [{ dtype: "float64", size: n }], [kernelStep(mapKernel([n], [{ buffer: 1, value: binary("mul", whole("float64", 0, [n]), constant("float64", 0.5)) }]))]));
    let x = backend.write("float64", new Float64Array(n).fill(1));
    const rounds: number[] = [];
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 50; i++) [x] = step.run([x]) as [typeof x];
      rounds.push(process.memoryUsage().rss);
    }
    expect(backend.readSync(x)[n - 1]).toBe(2 ** -200);
    expect(rounds[3]! - rounds[1]!).toBeLessThan(300 * 2 ** 20);
  });

  it("programs come and go", () => {
    const backend = new WasmBackend();
    const used = backend.heap.usedBytes;
    const constants = [randomArray("float64", 5000)];
    for (let i = 0; i < 300; i++) {
      const program = backend.compile(schedule([], [{ dtype: "float64", size: 5000 }], [{ kind: "copy", from: 1, to: 0, count: 5000 }], { constants }));
      program.run([])[0]!.dispose();
      program.dispose();
      program.dispose();
    }
    expect(backend.heap.usedBytes - used).toBeLessThan(65536);
  });
});
