import { describe, expect, it } from "vitest";
import { binary, constant, load, unary } from "../../../kernel/expr.js";
import { defineRoutine } from "../../../kernel/routine.js";
import type { Step } from "../../../kernel/schedule.js";
import { BackendError, DisposedError } from "../../../base/errors.js";
import { WasmBackend } from "../index.js";
import { affine, backends, expectSame, kernelStep, mapKernel, randomArray, runOn, schedule, whole } from "../test-support.js";

const scalarI = (buffer: number) => load("int32", buffer, affine([]));

describe("copies", () => {
  it("with and without bases, overlapping in one buffer", () => {
    const x = randomArray("float32", 30);
    const at = Int32Array.of(4);
    const steps: Step[] = [
      { kind: "copy", from: 0, to: 2, count: 30 },
      { kind: "copy", from: 0, fromBase: binary("mul", scalarI(1), constant("int32", 3)), to: 2, toBase: scalarI(1), count: 5 },
    ];
    expectSame(schedule([x, at], [{ dtype: "float32", size: 30 }], steps), [x, at]);
  });
  it("of constants to outputs, small and large", () => {
    for (const n of [3, 5000]) {
      const c = randomArray("float64", n);
      const mask = randomArray("bool", 7);
      const s = schedule([], [{ dtype: "float64", size: n }, { dtype: "bool", size: 7 }], [{ kind: "copy", from: 2, to: 0, count: n }, { kind: "copy", from: 3, to: 1, count: 7 }], { constants: [c, mask] });
      expectSame(s, []);
    }
  });
});

describe("loops and branches", () => {
  it("for, up and down, nested, writing slices", () => {
    for (const reverse of [false, true]) {
      const x = randomArray("float64", 20);
      // carry = carry * x[i] + i for i, stacked
      const body: Step[] = [
        kernelStep(mapKernel([], [{ buffer: 3, value: binary("add", binary("mul", load("float64", 2, affine([])), load("float64", 0, affine([]), scalarI(4))), constant("float64", 1)) }])),
        { kind: "copy", from: 3, to: 2, count: 1 },
        { kind: "copy", from: 2, to: 1, toBase: scalarI(4), count: 1 },
      ];
      const s = schedule([x], [{ dtype: "float64", size: 20 }, { dtype: "float64", size: 1 }], [
        kernelStep(mapKernel([], [{ buffer: 2, value: constant("float64", 0.5) }])),
        { kind: "for", count: 20, reverse, counter: 4, body },
      ], { temporaries: [{ dtype: "float64", size: 1 }, { dtype: "int32", size: 1 }] });
      expectSame(s, [x], 4);
    }
  });
  it("for of no trips leaves everything as it was", () => {
    const s = schedule([], [{ dtype: "int32", size: 1 }], [
      kernelStep(mapKernel([], [{ buffer: 0, value: constant("int32", 3) }])),
      { kind: "for", count: 0, reverse: false, counter: 1, body: [kernelStep(mapKernel([], [{ buffer: 0, value: constant("int32", 4) }]))] },
    ], { temporaries: [{ dtype: "int32", size: 1 }] });
    expect(expectSame(s, [])[0]![0]).toBe(3);
  });
  it("while: the steps of Collatz, with a branch in the body", () => {
    // state in output 1, count in output 2
    const [n, count, predicate, parity] = [1, 2, 3, 4];
    const set = (buffer: number, value: Parameters<typeof unary>[1]): Step => kernelStep(mapKernel([], [{ buffer, value }]));
    const steps: Step[] = [
      { kind: "copy", from: 0, to: n, count: 1 },
      set(count, constant("int32", 0)),
      {
        kind: "while", predicate,
        condition: [set(predicate, binary("ne", scalarI(n), constant("int32", 1)))],
        body: [
          set(parity, binary("rem", scalarI(n), constant("int32", 2))),
          { kind: "branch", index: parity, branches: [
            [set(5, binary("div", scalarI(n), constant("int32", 2)))],
            [set(5, binary("add", binary("mul", scalarI(n), constant("int32", 3)), constant("int32", 1)))],
          ] },
          { kind: "copy", from: 5, to: n, count: 1 },
          set(6, binary("add", scalarI(count), constant("int32", 1))),
          { kind: "copy", from: 6, to: count, count: 1 },
        ],
      },
    ];
    const s = schedule([Int32Array.of(27)], [{ dtype: "int32", size: 1 }, { dtype: "int32", size: 1 }], steps, { temporaries: [{ dtype: "bool", size: 1 }, { dtype: "int32", size: 1 }, { dtype: "int32", size: 1 }, { dtype: "int32", size: 1 }] });
    expect(expectSame(s, [Int32Array.of(27)])[1]![0]).toBe(111);
  });
  it("branches clamp their index", () => {
    const branches = [10, 20, 30, 40].map((v): Step[] => [kernelStep(mapKernel([3], [{ buffer: 1, value: constant("float32", v) }]))]);
    for (const count of [1, 2, 4])
      for (const i of [-5, 0, 1, 2, 3, 9]) {
        const s = schedule([Int32Array.of(i)], [{ dtype: "float32", size: 3 }], [{ kind: "branch", index: 0, branches: branches.slice(0, count) }]);
        expect(expectSame(s, [Int32Array.of(i)])[0]![2]).toBe(10 * (Math.min(Math.max(i, 0), count - 1) + 1));
      }
  });
  it("one entry a run, loops included", () => {
    const backend = new WasmBackend();
    const s = schedule([], [{ dtype: "int32", size: 1 }], [{ kind: "for", count: 1000, reverse: false, counter: 1, body: [{ kind: "copy", from: 1, to: 0, count: 1 }] }], { temporaries: [{ dtype: "int32", size: 1 }] });
    const executable = backend.compile(s);
    const before = backend.memory().runs;
    expect(backend.readSync(executable.run([])[0]!)[0]).toBe(999);
    expect(backend.memory().runs - before).toBe(1);
  });
});

const cumulate = defineRoutine<{ factor: number }>({
  name: "test.cumulate",
  reference: ([x], [y], { factor }) => {
    let s = 0;
    for (let i = 0; i < x!.data.length; i++) y!.data[i] = s += factor * x!.data[i]!;
  },
});
const failing = defineRoutine({ name: "test.fail", reference: () => { throw new RangeError("no convergence"); } });

describe("routines", () => {
  it("run their reference on the program's own memory", () => {
    for (const n of [5, 3000]) {
      const x = randomArray("float64", n);
      const op = (buffer: number) => ({ buffer, shape: [n], dtype: "float64" as const });
      const s = schedule([x], [{ dtype: "float64", size: n }], [
        kernelStep(mapKernel([n], [{ buffer: 2, value: unary("neg", whole("float64", 0, [n])) }])),
        { kind: "routine", name: cumulate.name, params: { factor: 2 }, inputs: [op(2)], outputs: [op(1)] },
      ], { temporaries: [{ dtype: "float64", size: n }] });
      expectSame(s, [x]);
    }
  });
  it("that throw leave the backend usable", () => {
    const backend = new WasmBackend();
    const s = schedule([new Float64Array(3)], [{ dtype: "float64", size: 3000 }], [{ kind: "routine", name: failing.name, params: {}, inputs: [], outputs: [] }]);
    const executable = backend.compile(s);
    const x = backend.write("float64", new Float64Array(3));
    const before = backend.heap.usedBytes;
    expect(() => executable.run([x])).toThrow(/no convergence/);
    expect(() => executable.run([x])).toThrow(/no convergence/);
    expect(backend.heap.usedBytes - before).toBeLessThan(65536);
    expect(runOn(backend, schedule([], [{ dtype: "int32", size: 1 }], [kernelStep(mapKernel([], [{ buffer: 0, value: constant("int32", 5) }]))]), [])[0]![0]).toBe(5);
  });
  it("unknown ones, and runs within runs, are named errors", () => {
    const backend = new WasmBackend();
    expect(() => backend.compile(schedule([], [], [{ kind: "routine", name: "no.such", params: {}, inputs: [], outputs: [] }]))).toThrow(BackendError);
    const inner = backend.compile(schedule([], [{ dtype: "int32", size: 1 }], [kernelStep(mapKernel([], [{ buffer: 0, value: constant("int32", 5) }]))]));
    defineRoutine({ name: "test.nested", reference: () => { inner.run([]); } });
    const outer = backend.compile(schedule([], [], [{ kind: "routine", name: "test.nested", params: {}, inputs: [], outputs: [] }]));
    expect(() => outer.run([])).toThrow(/one program at a time/);
    expect(backend.readSync(inner.run([])[0]!)[0]).toBe(5);
  });
});

describe("storages", () => {
  it("are read, disposed, and refused afterwards; donated ones are gone", async () => {
    for (const n of [4, 20000]) {
      const backend = new WasmBackend();
      const executable = backend.compile(schedule([new Float64Array(n)], [{ dtype: "float64", size: n }], [kernelStep(mapKernel([n], [{ buffer: 1, value: unary("neg", whole("float64", 0, [n])) }]))]));
      const x = backend.write("float64", randomArray("float64", n));
      const [y] = executable.run([x]);
      expect(await backend.read(y!)).toEqual(randomArray("float64", n).map((v) => -v));
      const [z] = executable.run([y!], [0]);
      expect(() => backend.readSync(y!)).toThrow(DisposedError);
      expect(backend.readSync(z!)).toEqual(randomArray("float64", n));
      x.dispose();
      x.dispose();
      expect(() => executable.run([x])).toThrow(DisposedError);
      z!.dispose();
      expect(backend.memory().liveBytes).toBe(0);
      executable.dispose();
      expect(() => executable.run([x])).toThrow(/disposed/);
    }
  });
  it("of the wrong size, type or backend are refused", () => {
    const backend = backends.simd;
    const executable = backend.compile(schedule([new Float64Array(4)], [{ dtype: "float64", size: 4 }], [{ kind: "copy", from: 0, to: 1, count: 4 }]));
    expect(() => executable.run([backend.write("float64", new Float64Array(5))])).toThrow(/4 elements of float64, got 5/);
    expect(() => executable.run([backend.write("float32", new Float32Array(4))])).toThrow(/float32/);
    expect(() => executable.run([])).toThrow(/1 storages/);
    expect(() => executable.run([backends.scalar.write("float64", new Float64Array(4))])).toThrow(BackendError);
  });
});

describe("report", () => {
  it("shows sizes and the code that runs", () => {
    const x = randomArray("float32", 64);
    const { report } = backends.simd.compile(schedule([x], [{ dtype: "float32", size: 64 }], [kernelStep(mapKernel([64], [{ buffer: 1, value: unary("sqrt", whole("float32", 0, [64])) }]))]));
    expect(report.kernels).toBe(1);
    expect(report.codeBytes).toBeGreaterThan(50);
    expect(report.text()).toContain("f32x4.sqrt");
    expect(report.text()).toContain("(func $main (i32)");
  });
});
