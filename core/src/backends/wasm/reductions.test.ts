import { describe, expect, it } from "vitest";
import { allDTypes, isFloat } from "../../base/dtype.js";
import type { DType } from "../../base/dtype.js";
import { accumulator, binary, cast, constant, guard, load, unary } from "../../kernel/expr.js";
import type { ReduceOp } from "../../kernel/schedule.js";
import { affine, backends, expectSame, kernelStep, randomArray, reduceKernel, runOn, schedule, whole } from "./test-support.js";

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
    // Down the columns: a lane for each.
    const [rows, cols] = [50021, 12];
    const s = schedule([x.slice(0, rows * cols)], [{ dtype: "float32", size: cols }], [kernelStep(reduceKernel([cols], [rows], [{ op: "add", dtype: "float32", value: load("float32", 0, affine([1, cols])) }], 1))]);
    for (const backend of Object.values(backends)) {
      const got = runOn(backend, s, [x.slice(0, rows * cols)])[0]!;
      for (let j = 0; j < cols; j++) {
        let total = 0;
        for (let i = 0; i < rows; i++) total += x[i * cols + j]!;
        expect(Math.abs(got[j]! - total) / total).toBeLessThan(1e-6);
      }
    }
  });
});
