import { describe, expect, it } from "vitest";
import { allDTypes, isFloat } from "../../../../base/dtype.js";
import type { DType } from "../../../../base/dtype.js";
import { accumulator, binary, cast, constant, guard, index, load, select, unary } from "../../../../kernel/expr.js";
import type { ReduceOp } from "../../../../kernel/schedule.js";
import { referenceBackend } from "../../../reference/index.js";
import { affine, backends, expectSame, kernelStep, randomArray, reduceKernel, runOn, schedule, whole } from "../../test-support.js";

const sizes = [0, 1, 2, 3, 5, 7, 8, 9, 31, 33];
const opsOf = (dtype: DType): ReduceOp[] => (dtype === "bool" ? ["and", "or", "xor", "max", "min", "add", "mul", "argmax", "argmin"] : isFloat(dtype) ? ["add", "mul", "max", "min", "argmax", "argmin"] : ["add", "mul", "max", "min", "and", "or", "xor", "argmax", "argmin"]);
const resultType = (op: ReduceOp, dtype: DType): DType => (op === "argmax" || op === "argmin" ? "int32" : dtype);

describe("reductions", () => {
  for (const dtype of allDTypes)
    it(`over all, of ${dtype}`, () => {
      for (const op of opsOf(dtype))
        for (const n of [...sizes, 100, 1031]) {
          const x = randomArray(dtype, n, n + 1);
          const out = resultType(op, dtype);
          expectSame(schedule([x], [{ dtype: out, size: 1 }], [kernelStep(reduceKernel([], [n], [{ op, dtype: out, value: whole(dtype, 0, [n]) }], 1))]), [x], 64, () => `${op} ${dtype} ${n}`, 2);
        }
    });
  for (const dtype of allDTypes)
    it(`over either axis, of ${dtype}`, () => {
      for (const op of opsOf(dtype))
        for (const m of sizes)
          for (const n of [1, 3, 8, 33]) {
            const x = randomArray(dtype, m * n, m + n);
            const out = resultType(op, dtype);
            const down = kernelStep(reduceKernel([n], [m], [{ op, dtype: out, value: load(dtype, 0, affine([1, n])) }], 1));
            const across = kernelStep({ ...reduceKernel([n], [m], [{ op, dtype: out, value: load(dtype, 0, affine([m, 1])) }], 2) });
            expectSame(schedule([x], [{ dtype: out, size: n }, { dtype: out, size: n }], [down, across]), [x], 64, () => `${op} ${dtype} ${m}x${n}`, 2);
          }
    });
  it("several dimensions, kept ones in between, several accumulators and functions of them", () => {
    for (const [a, b, c] of [[3, 4, 5], [2, 1, 33], [7, 9, 2], [16, 3, 64]] as const) {
      const x = randomArray("float64", a * b * c);
      const value = load("float64", 0, affine([c, b * c, 1]));
      const kernel = {
        dims: [b], reduceDims: [a, c],
        accumulators: [{ op: "add" as const, dtype: "float64" as const, value }, { op: "add" as const, dtype: "float64" as const, value: binary("mul", value, value) }, { op: "argmax" as const, dtype: "int32" as const, value }, { op: "max" as const, dtype: "float64" as const, value }],
        outputs: [
          { buffer: 1, index: affine([1]), value: binary("sub", accumulator("float64", 1), binary("mul", accumulator("float64", 0), accumulator("float64", 0))) },
          { buffer: 2, index: affine([1]), value: accumulator("int32", 2) },
          { buffer: 3, index: affine([-1], b - 1), value: binary("add", accumulator("float64", 3), cast("float64", load("float64", 0, affine([1])))) },
        ],
      };
      expectSame(schedule([x], [{ dtype: "float64", size: b }, { dtype: "int32", size: b }, { dtype: "float64", size: b }], [kernelStep(kernel)]), [x], 512, () => `${a} ${b} ${c}`, 4);
    }
  });
  it("an outer dimension kept contiguous, with outputs that use its index", () => {
    const [m, n] = [37, 21];
    const x = randomArray("float32", m * n);
    const bias = randomArray("float32", n, 3);
    const kernel = {
      dims: [n], reduceDims: [m], accumulators: [{ op: "add" as const, dtype: "float32" as const, value: unary("abs", load("float32", 0, affine([1, n]))) }],
      outputs: [{ buffer: 2, index: affine([1]), value: binary("add", accumulator("float32", 0), load("float32", 1, affine([1]))) }, { buffer: 3, index: affine([1]), value: binary("gt", accumulator("float32", 0), load("float32", 1, affine([1]))) }],
    };
    expectSame(schedule([x, bias], [{ dtype: "float32", size: n }, { dtype: "bool", size: n }], [kernelStep(kernel)]), [x, bias], 32);
  });
  it("windows behind guards", () => {
    const [n, c] = [17, 6];
    const x = randomArray("float64", n * c);
    const value = guard([{ index: affine([1, 0, 1], -1), lo: 0, hi: n, step: 1 }], load("float64", 0, affine([c, 1, c], -c)), constant("float64", 0));
    expectSame(schedule([x], [{ dtype: "float64", size: n * c }], [kernelStep(reduceKernel([n, c], [3], [{ op: "add", dtype: "float64", value }], 1))]), [x], 4);
    expectSame(schedule([x], [{ dtype: "int32", size: n * c }], [kernelStep(reduceKernel([n, c], [3], [{ op: "argmax", dtype: "int32", value }], 1))]), [x]);
  });
  it("NaN wins, and the first of equals", () => {
    for (const dtype of ["float32", "float64"] as const)
      for (const n of [5, 8, 23, 64]) {
        const nan = randomArray(dtype, n);
        nan[n - 2] = NaN;
        nan[Math.floor(n / 2)] = NaN;
        const equal = randomArray(dtype, n).fill(-Infinity);
        const ties = randomArray(dtype, n).map((v) => Math.round(v)) as Float64Array;
        for (const x of [nan, equal, ties])
          for (const op of ["argmax", "argmin", "max", "min"] as const) {
            const out = resultType(op, dtype);
            expectSame(schedule([x], [{ dtype: out, size: 1 }], [kernelStep(reduceKernel([], [n], [{ op, dtype: out, value: whole(dtype, 0, [n]) }], 1))]), [x], 0, () => `${op} of ${x.join(" ")}`);
          }
      }
  });
  it("infinite sums stay infinite, opposite ones are NaN", () => {
    for (const dtype of ["float32", "float64"] as const)
      for (const values of [[Infinity], [-Infinity], [Infinity, -Infinity], [NaN]]) {
        const n = 100003;
        const x = randomArray(dtype, n);
        values.forEach((v, i) => (x[i * 70000 + 7] = v));
        expectSame(schedule([x], [{ dtype, size: 1 }], [kernelStep(reduceKernel([], [n], [{ op: "add", dtype, value: whole(dtype, 0, [n]) }], 1))]), [x], 64);
      }
  });
  it("infinite sums down rows, added up with compensation", () => {
    const [rows, columns] = [8210, 260];
    const x = randomArray("float32", rows * columns);
    [Infinity, -Infinity, NaN].forEach((v, i) => (x[columns * 100 * i + i] = v));
    [5000 * columns, 6000 * columns].forEach((at, i) => (x[at + 3] = i === 0 ? Infinity : -Infinity));
    const s = schedule([x], [{ dtype: "float32", size: columns }], [kernelStep(reduceKernel([columns], [rows], [{ op: "add", dtype: "float32", value: load("float32", 0, affine([1, columns])) }], 1))]);
    for (const backend of Object.values(backends)) {
      const got = runOn(backend, s, [x])[0]!;
      expect([...got.subarray(0, 4)]).toEqual([Infinity, -Infinity, NaN, NaN]);
      expect(got.subarray(4).every(Number.isFinite)).toBe(true);
    }
  });
  it("long sums are accurate", () => {
    const n = 1_000_003;
    const x = randomArray("float32", n, 7).map((v) => Math.fround(v + 2)) as Float32Array;
    for (const [dims, strides] of [[[n], [1]], [[1009, 991], [991, 1]], [[991, 1009], [1, 991]], [[13, 7, 1009], [7 * 1009, 1009, 1]]] as const) {
      const used = dims.reduce((p: number, q: number) => p * q, 1);
      const total = x.slice(0, used).reduce((sum, v) => sum + v, 0);
      const s = schedule([x], [{ dtype: "float32", size: 1 }], [kernelStep(reduceKernel([], dims, [{ op: "add", dtype: "float32", value: load("float32", 0, affine(strides)) }], 1))]);
      for (const [name, backend] of Object.entries(backends)) {
        const got = runOn(backend, s, [x])[0]![0]!;
        expect(Math.abs(got - total) / total, `${name} ${dims.join("x")}`).toBeLessThan(1e-6);
      }
    }
    // Down the columns: a lane for each, and by more blocks of rows than are added up plainly.
    for (const [rows, cols] of [[50021, 12], [8211, 257], [4200, 512]] as const) {
      const y = randomArray("float32", rows * cols, 9).map((v) => Math.fround(v + 2)) as Float32Array;
      const s = schedule([y], [{ dtype: "float32", size: cols }], [kernelStep(reduceKernel([cols], [rows], [{ op: "add", dtype: "float32", value: load("float32", 0, affine([1, cols])) }], 1))]);
      for (const backend of Object.values(backends)) {
        const got = runOn(backend, s, [y])[0]!;
        for (let j = 0; j < cols; j++) {
          let total = 0;
          for (let i = 0; i < rows; i++) total += y[i * cols + j]!;
          expect(Math.abs(got[j]! - total) / total, `${rows}x${cols}`).toBeLessThan(1e-6);
        }
      }
    }
  });
  it("down long rows, by blocks of them", () => {
    const ops: readonly (readonly [DType, readonly ReduceOp[]])[] = [["float32", ["add", "max"]], ["float64", ["add", "min"]], ["int32", ["xor", "max"]], ["bool", ["or"]]];
    for (const [dtype, list] of ops)
      for (const [rows, columns] of [[63, 1031], [64, 1024], [65, 1023], [79, 1030], [80, 1025], [1037, 300]] as const) {
        const x = randomArray(dtype, rows * columns, rows);
        const bias = randomArray(dtype, columns, 3);
        const kernel = {
          dims: [columns], reduceDims: [rows],
          accumulators: list.map((op) => ({ op, dtype, value: load(dtype, 0, affine([1, columns])) })),
          outputs: list.map((_, i) => ({ buffer: 2 + i, index: affine([1]), value: binary(dtype === "bool" ? "xor" : "add", accumulator(dtype, i), load(dtype, 1, affine([1]))) })),
        };
        expectSame(schedule([x, bias], list.map(() => ({ dtype, size: columns })), [kernelStep(kernel)]), [x, bias], 256, () => `${dtype} ${rows}x${columns}`, 4);
      }
  });
  it("down long rows of several matrices, of products, with indices", () => {
    const [batch, rows, columns] = [3, 131, 520];
    const x = randomArray("float32", batch * rows * columns);
    const w = randomArray("float32", rows, 5);
    const value = binary("add", binary("mul", load("float32", 0, affine([rows * columns, 1, columns])), load("float32", 1, affine([0, 0, 1]))), cast("float32", index(affine([0, 0, 1]))));
    expectSame(schedule([x, w], [{ dtype: "float32", size: batch * columns }], [kernelStep(reduceKernel([batch, columns], [rows], [{ op: "add", dtype: "float32", value }], 2))]), [x, w], 512, () => "", 4);
  });
  it("down long rows, writing beside the sums", () => {
    for (const [rows, columns] of [[81, 1030], [96, 1024]] as const) {
      const x = randomArray("float32", rows * columns);
      const at = affine([1, columns]);
      const value = unary("exp", load("float32", 0, at));
      const kernel = { ...reduceKernel([columns], [rows], [{ op: "add", dtype: "float32", value }, { op: "min", dtype: "float32", value }], 1), stores: [{ buffer: 3, index: at, value: binary("sub", value, constant("float32", 1)) }] };
      expectSame(schedule([x], [{ dtype: "float32", size: columns }, { dtype: "float32", size: columns }, { dtype: "float32", size: rows * columns }], [kernelStep(kernel)]), [x], 256, () => `${rows}x${columns}`);
    }
  });
  it("of bool alone, sixteen at a time", () => {
    const ops = ["and", "or", "xor", "max", "min", "add", "mul"] as const;
    const fns = ["eq", "ne", "lt", "le", "gt", "ge", "and", "or", "xor", "max", "min", "sub"] as const;
    for (const n of [15, 16, 17, 31, 32, 33, 47, 48, 64, 127, 129, 1031])
      for (const rows of [1, 3]) {
        const [x, y] = [randomArray("bool", rows * n + 1, n), randomArray("bool", rows * n + 1, n + 1)];
        // One element off a word, backwards, and the same in all rows.
        const values = [load("bool", 0, affine([n, 1], 1)), load("bool", 0, affine([n, -1], n)), load("bool", 1, affine([0, 1]))] as const;
        const pairs = values.flatMap((a, i) => fns.map((fn, k) => binary(fn, a, values[(i + k + 1) % 3]!)));
        const chosen = select(values[2], unary("not", values[0]), binary("or", values[1], constant("bool", 1)));
        const outputs = [...pairs, chosen].map((value, i) => ({ buffer: 2 + i, index: affine([n, 1]), value }));
        for (const some of [outputs.slice(0, 12), outputs.slice(12, 24), outputs.slice(24)]) {
          const at = some.map((o, i) => ({ ...o, buffer: 2 + i }));
          expectSame(schedule([x, y], at.map(() => ({ dtype: "bool", size: rows * n })), [kernelStep({ dims: [rows, n], reduceDims: [], accumulators: [], outputs: at })]), [x, y], 0, () => `${rows}x${n}`);
        }
        for (const value of [values[0], binary("ne", values[0], values[2]), binary("gt", values[1], values[0])]) {
          const accumulators = ops.map((op) => ({ op, dtype: "bool" as const, value }));
          const results = ops.map(() => ({ dtype: "bool" as const, size: rows }));
          expectSame(schedule([x, y], results, [kernelStep(reduceKernel([rows], [n], accumulators, 2))]), [x, y], 0, () => `rows of ${rows}x${n}`);
          const turned = { ...reduceKernel([n], [rows], accumulators, 2), accumulators: ops.map((op) => ({ op, dtype: "bool" as const, value: binary("ne", load("bool", 0, affine([1, n], 1)), load("bool", 1, affine([1, 0]))) })) };
          expectSame(schedule([x, y], ops.map(() => ({ dtype: "bool" as const, size: n })), [kernelStep(turned)]), [x, y], 0, () => `columns of ${rows}x${n}`);
        }
      }
  });
  it("NaN, infinities and zeros of both signs, along either axis", () => {
    const specials = [NaN, Infinity, -Infinity, 0, -0];
    const pairs = [-0, 0, -1, 1, -Infinity, Infinity].flatMap((fill) => specials.map((special) => [fill, special] as const));
    for (const dtype of ["float32", "float64"] as const)
      for (const [rows, columns] of [[5, 70], [70, 37], [130, 300], [75, 900], [64, 1024], [33, 8]] as const)
        for (const axis of [0, 1]) {
          const [length, lines] = axis === 0 ? [rows, columns] : [columns, rows];
          const [along, between] = axis === 0 ? [columns, 1] : [1, columns];
          // Each line along the axis has a pair of its own.
          for (let first = 0; first < pairs.length; first += lines) {
            const x = randomArray(dtype, rows * columns);
            for (let line = 0; line < lines; line++) {
              const [fill, special] = pairs[(first + line) % pairs.length]!;
              for (let k = 0; k < length; k++) x[line * between + k * along] = k % 23 === line % Math.min(23, length) ? special : fill;
            }
            for (const ops of [["max"], ["min"], ["argmax"], ["argmin"], ["min", "max"]] as const) {
              const value = load(dtype, 0, affine([between, along]));
              const accumulators = ops.map((op) => ({ op, dtype: resultType(op, dtype), value }));
              const s = schedule([x], accumulators.map((a) => ({ dtype: a.dtype, size: lines })), [kernelStep(reduceKernel([lines], [length], accumulators, 1))]);
              const expected = runOn(referenceBackend, s, [x]);
              for (const backend of Object.values(backends))
                runOn(backend, s, [x]).forEach((got, k) => {
                  for (let i = 0; i < lines; i++)
                    if (!Object.is(got[i], expected[k]![i])) expect.fail(`${ops[k]} of ${ops.join()}, ${dtype} ${rows}x${columns} along ${axis} of ${pairs[(first + i) % pairs.length]!.join(" and ")}: ${got[i]}, expected ${expected[k]![i]} at ${i}`);
                });
            }
          }
        }
  });
  it("searches find the first of the best, in two goes or by blocks", () => {
    for (const dtype of ["float32", "float64", "int32", "uint32"] as const)
      for (const n of [8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1031, 2048, 2049]) {
        const x = randomArray(dtype, n * 40, n).map((v) => Math.round(v / 8)) as Float64Array;
        for (const op of ["argmax", "argmin"] as const) {
          const value = whole(dtype, 0, [40, n]);
          expectSame(schedule([x], [{ dtype: "int32", size: 40 }], [kernelStep(reduceKernel([40], [n], [{ op, dtype: "int32", value }], 1))]), [x], 0, () => `${op} ${n}`);
          expectSame(schedule([x], [{ dtype: "int32", size: n }], [kernelStep(reduceKernel([n], [40], [{ op, dtype: "int32", value: load(dtype, 0, affine([1, n])) }], 1))]), [x], 0, () => `${op} down ${n}`);
          // float64 elsewhere in the kernel: two lanes of 32 bits.
          const wide = binary("add", cast("float64", value), cast("float64", value));
          expectSame(schedule([x], [{ dtype: "int32", size: 40 }], [kernelStep(reduceKernel([40], [n], [{ op, dtype: "int32", value: cast("float32", wide) }], 1))]), [x], 0, () => `${op} of two lanes ${n}`);
        }
      }
  });
  it("searches down long rows, by blocks of them", () => {
    for (const dtype of ["float32", "float64", "int32", "uint32"] as const)
      for (const [rows, columns] of [[63, 1031], [64, 1024], [65, 1023], [79, 1030], [80, 1025], [1037, 300]] as const) {
        const plain = randomArray(dtype, rows * columns, rows);
        const ties = plain.map((v) => Math.round(v / 16)) as Float64Array;
        const nan = plain.slice();
        for (let k = 5; k < nan.length; k += 3 * columns + 1) nan[k] = NaN;
        const value = load(dtype, 0, affine([1, columns]));
        for (const x of [plain, ties, nan])
          for (const op of ["argmax", "argmin"] as const) {
            const kernel = reduceKernel([columns], [rows], [{ op, dtype: "int32", value }], 1);
            const outputs = [{ ...kernel.outputs[0]!, value: binary("mul", kernel.outputs[0]!.value, constant("int32", 3)) }];
            expectSame(schedule([x], [{ dtype: "int32", size: columns }], [kernelStep({ ...kernel, outputs })]), [x], 0, () => `${op} ${dtype} ${rows}x${columns}`);
          }
      }
    const [batch, rows, columns] = [3, 70, 300];
    const x = randomArray("float32", batch * rows * columns + 7);
    const value = load("float32", 0, affine([rows * columns, 1, columns], 7));
    expectSame(schedule([x], [{ dtype: "int32", size: batch * columns }], [kernelStep(reduceKernel([batch, columns], [rows], [{ op: "argmax", dtype: "int32", value }], 1))]), [x]);
  });
});
