import { describe, expect, it } from "vitest";
import { contiguousStrides } from "../../../base/shape.js";
import type { DType } from "../../../base/dtype.js";
import { accumulator, binary, cast, constant, type Expr, gather, guard, index, load, select, unary } from "../../../kernel/expr.js";
import type { Kernel, ReduceOp, Schedule } from "../../../kernel/schedule.js";
import { referenceBackend } from "../../reference/index.js";
import { WasmBackend } from "../index.js";
import { splitKernel } from "./split.js";
import { affine, expectClose, kernelStep, mapKernel, randomArray, reduceKernel, runOn, schedule, whole } from "../test-support.js";

/** Every kernel of two elements or more is split. */
const split = [new WasmBackend({ threads: 2, minimumWork: 0, relaxed: false }), new WasmBackend({ threads: 3, minimumWork: 0, relaxed: false })];

function same(s: Schedule, inputs: Parameters<typeof runOn>[2], ulps = 0, scale = 0): number {
  const expected = runOn(referenceBackend, s, inputs);
  let kernels = 0;
  for (const backend of split) {
    const executable = backend.compile(s);
    kernels += executable.report.splitKernels ?? 0;
    executable.dispose();
    for (let run = 0; run < 2; run++)
      runOn(backend, s, inputs).forEach((got, i) => expectClose(got, expected[i]!, ulps, () => `${backend.threads.count} threads, output ${i}, sizes ${s.buffers.map((b) => b.size).join(" ")}`, scale));
  }
  return kernels;
}

// Around one piece for each thread, the pieces of two and three threads, vectors and cache lines.
const sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 192, 193, 509, 511, 512, 513, 767, 768, 769, 1031];

describe("elements stored beside a reduction", () => {
  it("of any size, in place too", () => {
    for (const [m, n] of [[1, 1], [1, 7], [1, 513], [1, 1031], [2, 64], [3, 129], [64, 3], [37, 41]] as const) {
      const all = affine([n, 1]);
      const [x, old] = [load("float64", 0, all), load("float64", 2, all)];
      const kernel: Kernel = {
        dims: [m], reduceDims: [n], accumulators: [{ op: "max", dtype: "float64", value: binary("mul", x, old) }],
        outputs: [{ buffer: 3, index: affine([1]), value: accumulator("float64", 0) }],
        stores: [{ buffer: 2, index: all, value: binary("add", x, old) }, { buffer: 4, index: all, value: binary("sub", old, x) }],
      };
      const inputs = [randomArray("float64", m * n, 1), randomArray("float64", m * n, 2)];
      const outputs = [m * n, m, m * n].map((size) => ({ dtype: "float64" as const, size }));
      expect(same(schedule(inputs, outputs, [{ kind: "copy", from: 1, to: 2, count: m * n }, kernelStep(kernel)]), inputs)).toBe(m * n > 1 ? 2 : 0);
    }
  });
});

describe("results in the memory of donated inputs", () => {
  const place = affine([1]);
  // Up to 1024 numbers of eight bytes are copied into the frame; the others are in the heap.
  it.each([1, 2, 65, 1024, 1025, 1027, 2049, 5003])("%i elements", (n) => {
    for (const huge of [1, 1e300]) {
      // Sines of huge numbers are computed in JavaScript, after a worker has given them up.
      const kernel: Kernel = {
        dims: [n], reduceDims: [], accumulators: [],
        outputs: [
          { buffer: 2, index: place, value: binary("add", unary("sin", load("float64", 0, place)), load("float64", 1, place)) },
          { buffer: 3, index: place, value: binary("sub", load("float64", 1, place), binary("mul", load("float64", 1, place), constant("float64", 3))) },
        ],
      };
      const inputs = [(randomArray("float64", n, 1) as Float64Array).map((x, i) => (i % 3 === 0 ? x * huge : x)), randomArray("float64", n, 2)];
      const s = { ...schedule(inputs, [{ dtype: "float64", size: n }, { dtype: "float64", size: n }], [kernelStep(kernel)]), donations: [{ input: 0, output: 2 }, { input: 1, output: 3 }] };
      const want = runOn(referenceBackend, s, inputs);
      for (const backend of split) {
        const executable = backend.compile(s);
        const results = executable.run(inputs.map((a) => backend.write("float64", a)), [0, 1]);
        results.forEach((r, i) => expectClose(backend.readSync(r), want[i]!, 4, () => `${backend.threads.count} threads, output ${i}`, 4));
        results.forEach((r) => r.dispose());
        executable.dispose();
      }
    }
  });
  it.each([1025, 2049, 5003])("%i elements whose last vector would overlap the one before", (n) => {
    const kernel: Kernel = { dims: [n], reduceDims: [], accumulators: [], outputs: [{ buffer: 1, index: place, value: binary("mul", load("float64", 0, place), constant("float64", 3)) }] };
    const x = randomArray("float64", n);
    const s = { ...schedule([x], [{ dtype: "float64", size: n }], [kernelStep(kernel)]), donations: [{ input: 0, output: 1 }] };
    for (const backend of split) {
      const executable = backend.compile(s);
      const [r] = executable.run([backend.write("float64", x)], [0]);
      expect([...backend.readSync(r!)]).toEqual([...x].map((v) => v * 3));
      r!.dispose();
      executable.dispose();
    }
  });
});

describe("pieces of a map", () => {
  it.each(["float32", "float64", "int32", "bool"] as const)("%s of every size", (dtype) => {
    for (const n of sizes) {
      const value = dtype === "bool" ? unary("not", whole(dtype, 0, [n])) : binary("add", whole(dtype, 0, [n]), cast(dtype, index(affine([3], 1))));
      const s = schedule([randomArray(dtype, n)], [{ dtype, size: n }], [kernelStep(mapKernel([n], [{ buffer: 1, value }]))]);
      expect(same(s, [randomArray(dtype, n)]) > 0).toBe(n > 1);
    }
  });

  it("transposed, reversed, broadcast, several outputs, a base that is read", () => {
    for (const [m, n] of [[1, 1], [1, 7], [2, 5], [3, 64], [5, 129], [64, 3], [37, 41]] as const) {
      const at = load("int32", 2, affine([0, 0]));
      const kernel: Kernel = {
        dims: [m, n], reduceDims: [], accumulators: [],
        outputs: [
          { buffer: 3, index: affine([1, m]), value: binary("sub", load("float64", 0, affine([-n, -1], m * n - 1)), load("float64", 1, affine([0, 1]))) },
          { buffer: 4, index: affine([n, 1]), value: load("float64", 0, affine([0, 1]), at) },
        ],
      };
      const inputs = [randomArray("float64", m * n), randomArray("float64", n), new Int32Array([n * (m - 1)])];
      expect(same(schedule(inputs, [{ dtype: "float64", size: m * n }, { dtype: "float64", size: m * n }], [kernelStep(kernel)]), inputs)).toBe(m * n > 1 ? 2 : 0);
    }
  });

  it("that gathers, selects and is padded", () => {
    for (const n of sizes.slice(1)) {
      const inputs = [randomArray("float64", n), Int32Array.from({ length: n }, (_, i) => (i * 7) % n)];
      const gathered = gather("float64", 0, load("int32", 1, affine([1])));
      const padded = guard([{ index: affine([1], -2), lo: 0, hi: n, step: 1 }], load("float64", 0, affine([1], -2)), constant("float64", 9));
      const s = schedule(inputs, [{ dtype: "float64", size: n }, { dtype: "float64", size: n + 3 }], [
        kernelStep(mapKernel([n], [{ buffer: 2, value: select(binary("lt", gathered, constant("float64", 0)), gathered, constant("float64", 1)) }])),
        kernelStep(mapKernel([n + 3], [{ buffer: 3, value: padded }])),
      ]);
      same(s, inputs);
    }
  });

  it("over what it reads, once for each element", () => {
    for (const n of sizes) {
      const temporaries = [{ dtype: "float64" as const, size: n }];
      const x = randomArray("float64", n);
      const twice = mapKernel([n], [{ buffer: 2, value: binary("mul", whole("float64", 2, [n]), constant("float64", 3)) }]);
      const s = schedule([x], [{ dtype: "float64", size: n }], [
        kernelStep(mapKernel([n], [{ buffer: 2, value: whole("float64", 0, [n]) }])), kernelStep(twice), kernelStep(twice),
        kernelStep(mapKernel([n], [{ buffer: 1, value: whole("float64", 2, [n]) }])),
      ], { temporaries });
      same(s, [x]);
    }
  });

  it("gives the main thread back what only JavaScript can compute, and keeps to itself what it always computes there", () => {
    const n = 1031;
    const x = randomArray("float64", n);
    for (let i = 0; i < n; i += 97) x[i] = 1e300 * (i + 1);
    const of = (fn: "sin" | "polygamma", inPlace: boolean) => schedule([x], [{ dtype: "float64", size: n }], [
      kernelStep(mapKernel([n], [{ buffer: 1, value: whole("float64", 0, [n]) }])),
      kernelStep(mapKernel([n], [{ buffer: 1, value: fn === "sin" ? unary(fn, whole("float64", inPlace ? 1 : 0, [n])) : binary(fn, constant("float64", 1), whole("float64", 0, [n])) }])),
    ]);
    expect(same(of("sin", false), [x], 4)).toBe(4);
    // Done twice, an update in place would be wrong.
    expect(same(of("sin", true), [x], 4)).toBe(2);
    expect(same(of("polygamma", false), [x], 8)).toBe(2);
  });
});

describe("pieces of a reduction", () => {
  const ops: readonly (readonly [ReduceOp, DType])[] = [["add", "float64"], ["add", "float32"], ["mul", "float64"], ["max", "float64"], ["min", "float32"], ["add", "int32"], ["or", "bool"], ["and", "bool"], ["xor", "uint32"]];

  it.each(ops)("%s of %s over everything", (op, dtype) => {
    for (const n of sizes) {
      const x = randomArray(dtype, n);
      if (op === "mul") for (let i = 0; i < n; i++) x[i] = 1 + x[i]! / 1000;
      const s = schedule([x], [{ dtype, size: 1 }], [kernelStep(reduceKernel([], [n], [{ op, dtype, value: whole(dtype, 0, [n]) }], 1))]);
      expect(same(s, [x], 8, n) > 0).toBe(n > 1);
    }
  });

  it("along each axis, several at once, with more to do afterwards", () => {
    for (const [m, n] of [[2, 3], [3, 700], [700, 3], [65, 66], [1, 513], [513, 1], [255, 128], [257, 129], [700, 200]] as const) {
      const x = randomArray("float64", m * n);
      const kernel = (dims: number, strides: readonly number[], terms: number, first: number): Kernel => ({
        dims: [dims], reduceDims: [terms],
        accumulators: [{ op: "add", dtype: "float64", value: load("float64", 0, affine(strides)) }, { op: "max", dtype: "float64", value: load("float64", 0, affine(strides)) }],
        outputs: [{ buffer: first, index: affine([1]), value: binary("add", binary("mul", accumulator("float64", 0), load("float64", 0, affine([strides[0]!]))), accumulator("float64", 1)) }],
      });
      const s = schedule([x], [{ dtype: "float64", size: m }, { dtype: "float64", size: n }], [kernelStep(kernel(m, [n, 1], n, 1)), kernelStep(kernel(n, [1, n], m, 2))]);
      same(s, [x], 8, m * n);
    }
  });

  it("finds the first extremum and the first NaN", () => {
    for (const [m, n] of [[1, 2], [1, 65], [3, 129], [2, 1031], [1, 4099], [4, 64]] as const)
      for (const place of [undefined, 0, n - 1, n >> 1]) {
        const x = randomArray("float64", m * n);
        for (let i = 0; i < x.length; i++) x[i] = Math.floor(x[i]! * 3);
        if (place !== undefined) for (let r = 0; r < m; r++) x[r * n + place] = NaN;
        const value: Expr = load("float64", 0, affine([n, 1]));
        const s = schedule([x], [{ dtype: "int32", size: m }, { dtype: "int32", size: m }, { dtype: "int32", size: 1 }], [
          kernelStep(reduceKernel([m], [n], [{ op: "argmax", dtype: "int32", value }, { op: "argmin", dtype: "int32", value }], 1)),
          kernelStep(reduceKernel([], [m, n], [{ op: "argmax", dtype: "int32", value }], 3)),
        ]);
        same(s, [x]);
      }
  });

  it("sums as exactly as one thread", () => {
    const n = 400_000;
    const x = Float32Array.from({ length: n }, (_, i) => 1 + (i % 7) / 7);
    const exact = x.reduce((t, v) => t + v, 0);
    const s = schedule([x], [{ dtype: "float32", size: 1 }], [kernelStep(reduceKernel([], [n], [{ op: "add", dtype: "float32", value: whole("float32", 0, [n]) }], 1))]);
    for (const backend of split) {
      const [first, again] = [0, 1].map(() => runOn(backend, s, [x])[0]![0]!);
      expect(again).toBe(first);
      expect(Math.abs(first! - exact) / exact).toBeLessThan(2 ** -23);
    }
  });
});

describe("pieces of a product", () => {
  /** C[b,m,n] = tanh(sum_k A[b,m,k] B[b,k,n] + bias[n]), with A or B stored the other way round. */
  const product = (dtype: DType, b: number, m: number, n: number, k: number, transposeA: boolean, transposeB: boolean) => {
    const inputs = [randomArray(dtype, b * m * k, 1), randomArray(dtype, b * k * n, 2), randomArray(dtype, n, 3)];
    const left = load(dtype, 0, affine(transposeA ? [m * k, 1, 0, m] : [m * k, k, 0, 1]));
    const right = load(dtype, 1, affine(transposeB ? [k * n, 0, k, 1] : [k * n, 0, 1, n]));
    const kernel: Kernel = {
      dims: [b, m, n], reduceDims: [k],
      accumulators: [{ op: "add", dtype, value: binary("mul", left, right) }],
      outputs: [{ buffer: 3, index: affine(contiguousStrides([b, m, n])), value: unary("tanh", binary("add", accumulator(dtype, 0), load(dtype, 2, affine([0, 0, 1])))) }],
    };
    return { s: schedule(inputs, [{ dtype, size: b * m * n }], [kernelStep(kernel)]), inputs };
  };

  it("of every shape around the blocks", () => {
    for (const dtype of ["float32", "float64"] as const)
      for (const [b, m, n, k] of [[1, 8, 8, 1], [1, 9, 17, 5], [1, 31, 33, 32], [1, 63, 65, 64], [1, 8, 200, 3], [1, 200, 8, 3], [3, 16, 16, 9], [2, 70, 9, 40], [1, 129, 127, 130], [5, 1, 9, 7], [1, 1, 1, 700], [1, 9, 9, 900]] as const)
        for (const [tA, tB] of [[false, false], [true, false], [false, true]] as const) {
          const { s, inputs } = product(dtype, b, m, n, k, tA, tB);
          expect(same(s, inputs, 64, k)).toBeGreaterThan(0);
        }
  });

  it("whose left factor is a window of an image", () => {
    const [batch, height, channels, filters, size] = [3, 11, 5, 9, 3];
    const out = height - size + 1;
    const inputs = [randomArray("float32", batch * height * height * channels, 1), randomArray("float32", size * size * channels * filters, 2)];
    const row = height * channels;
    const image = load("float32", 0, affine([height * row, row, channels, 0, row, channels, 1]));
    const weight = load("float32", 1, affine([0, 0, 0, 1, size * channels * filters, channels * filters, filters]));
    const kernel: Kernel = {
      dims: [batch, out, out, filters], reduceDims: [size, size, channels],
      accumulators: [{ op: "add", dtype: "float32", value: binary("mul", image, weight) }],
      outputs: [{ buffer: 2, index: affine(contiguousStrides([batch, out, out, filters])), value: accumulator("float32", 0) }],
    };
    expect(same(schedule(inputs, [{ dtype: "float32", size: batch * out * out * filters }], [kernelStep(kernel)]), inputs, 64, 45)).toBe(2);
  });
});

describe("pieces in control flow", () => {
  it("in loops and branches, with a counter that they read", () => {
    const n = 777;
    const x = randomArray("float64", n);
    const [out, total, counter, flag] = [1, 2, 3, 4];
    const counted = load("int32", counter, affine([0]));
    const body = mapKernel([n], [{ buffer: out, value: binary("add", whole("float64", out, [n]), cast("float64", binary("add", counted, index(affine([1]))))) }]);
    const s = schedule([x], [{ dtype: "float64", size: n }, { dtype: "float64", size: 1 }], [
      { kind: "copy", from: 0, to: out, count: n },
      { kind: "for", count: 5, reverse: true, counter, body: [kernelStep(body), { kind: "branch", index: counter, branches: [[], [kernelStep(body)]] }] },
      kernelStep(reduceKernel([], [n], [{ op: "add", dtype: "float64", value: whole("float64", out, [n]) }], total)),
      kernelStep(mapKernel([], [{ buffer: counter, value: constant("int32", 0) }])),
      {
        kind: "while", predicate: flag,
        condition: [kernelStep(mapKernel([], [{ buffer: flag, value: binary("lt", load("int32", counter, affine([])), constant("int32", 3)) }]))],
        body: [kernelStep(body), kernelStep(mapKernel([], [{ buffer: counter, value: binary("add", load("int32", counter, affine([])), constant("int32", 1)) }]))],
      },
    ], { temporaries: [{ dtype: "int32", size: 1 }, { dtype: "bool", size: 1 }] });
    expect(same(s, [x], 4, 1e6)).toBe(8);
  });

  it("runs large inputs and outputs, and small ones that lie in the frame", () => {
    for (const n of [5, 1000, 5000, 100_003]) {
      const [a, b] = [randomArray("float32", n, 1), randomArray("float32", n, 2)];
      const s = schedule([a, b], [{ dtype: "float32", size: n }], [kernelStep(mapKernel([n], [{ buffer: 2, value: binary("mul", load("float32", 0, affine(contiguousStrides([n]))), whole("float32", 1, [n])) }]))]);
      same(s, [a, b]);
    }
  });
});

describe("how kernels are cut", () => {
  const cut = (kernel: Kernel, threads: number) => splitKernel(kernel, { threads, simd: true, minimumWork: 40_000, firstPartial: 10 });
  const matrices = (m: number, n: number, k: number): Kernel => ({
    dims: [m, n], reduceDims: [k],
    accumulators: [{ op: "add", dtype: "float32", value: binary("mul", load("float32", 0, affine([k, 0, 1])), load("float32", 1, affine([0, 1, n]))) }],
    outputs: [{ buffer: 2, index: affine([n, 1]), value: accumulator("float32", 0) }],
  });
  const sums = (op: ReduceOp, rows: number, columns: number, of: "rows" | "columns"): Kernel => {
    const [n, terms] = of === "rows" ? [rows, columns] : [columns, rows];
    return {
      dims: [n], reduceDims: [terms], accumulators: [{ op, dtype: op === "argmax" ? "int32" : "float32", value: load("float32", 0, affine(of === "rows" ? [columns, 1] : [1, columns])) }],
      outputs: [{ buffer: 1, index: affine([1]), value: accumulator(op === "argmax" ? "int32" : "float32", 0) }],
    };
  };

  it("products in pieces that leave no thread waiting, along the longer side", () => {
    for (const threads of [2, 3, 4])
      for (const n of [160, 256, 300, 512, 1000]) {
        const split = cut(matrices(n, n, n), threads)!;
        const busiest = Math.ceil(split.count / threads) * split.chunk;
        expect(split.count % threads).toBe(0);
        expect(busiest).toBeLessThan(n / threads + 16);
      }
    expect(cut(matrices(2000, 64, 300), 2)!.whole.dims).toEqual([500, 64]);
    expect(cut(matrices(64, 2000, 300), 2)!.whole.dims).toEqual([64, 504]);
    expect(cut(matrices(64, 64, 64), 2)).toBeUndefined();
  });

  it("convolutions by images, half of them each", () => {
    const [images, size, channels, filters] = [64, 14, 16, 32];
    const out = size - 2;
    const row = size * channels;
    const kernel: Kernel = {
      dims: [images, out, out, filters], reduceDims: [3, 3, channels],
      accumulators: [{ op: "add", dtype: "float32", value: binary("mul", load("float32", 0, affine([size * row, row, channels, 0, row, channels, 1])), load("float32", 1, affine([0, 0, 0, 1, 3 * channels * filters, channels * filters, filters]))) }],
      outputs: [{ buffer: 2, index: affine(contiguousStrides([images, out, out, filters])), value: accumulator("float32", 0) }],
    };
    expect(cut(kernel, 2)).toMatchObject({ count: 4, chunk: 16, last: undefined });
  });

  it("reductions down rows by their terms, along rows by rows, searches by columns", () => {
    expect(cut(sums("add", 4096, 1000, "columns"), 2)).toMatchObject({ count: 8, chunk: 512, whole: { dims: [1000] }, combine: { dims: [1000], reduceDims: [8] } });
    expect(cut(sums("add", 4096, 1000, "rows"), 2)).toMatchObject({ count: 8, chunk: 512, whole: { dims: [512] }, combine: undefined });
    expect(cut(sums("argmax", 4096, 1000, "columns"), 2)).toMatchObject({ chunk: 128, combine: undefined });
    // A piece of such rows is long enough to be read as it lies.
    expect(cut(sums("add", 100, 100_000, "columns"), 2)!.combine).toBeUndefined();
  });
});
