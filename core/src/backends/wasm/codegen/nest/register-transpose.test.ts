import { describe, expect, it } from "vitest";
import { newTypedArray } from "../../../../base/dtype.js";
import type { DType, TypedArray } from "../../../../base/dtype.js";
import { contiguousStrides } from "../../../../base/shape.js";
import { binary, cast, constant, gather, index, load, unary } from "../../../../kernel/expr.js";
import type { Expr } from "../../../../kernel/expr.js";
import type { Schedule } from "../../../../kernel/schedule.js";
import { WasmBackend } from "../../index.js";
import { affine, expectSame, kernelStep, mapKernel, randomArray, runOn, schedule, whole } from "../../test-support.js";

const sizes = [0, 1, 3, 4, 5, 15, 16, 17, 19, 31, 32, 33, 67];
const pairs = sizes.flatMap((m) => sizes.map((n) => [m, n] as const));
const dtypes: readonly DType[] = ["float32", "float64", "int32", "uint32", "bool"];

/** Reads an array of the permuted shape; `permutation[d]` is the array's dimension that output dimension d walks. */
const permuted = (dtype: DType, buffer: number, dims: readonly number[], permutation: readonly number[]): Expr => {
  const shape: number[] = [];
  permutation.forEach((p, d) => { shape[p] = dims[d]!; });
  const strides = contiguousStrides(shape);
  return load(dtype, buffer, affine(permutation.map((p) => strides[p]!)));
};
const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
const one = (dims: readonly number[], inputs: readonly TypedArray[], value: Expr): Schedule =>
  schedule(inputs, [{ dtype: value.dtype, size: size(dims) }], [kernelStep(mapKernel(dims, [{ buffer: inputs.length, value }]))]);

describe("transposed reads", () => {
  it.each(dtypes)("of %s turn every square", (dtype) => {
    for (const [m, n] of pairs) {
      const x = randomArray(dtype, m * n, 3);
      const [got] = expectSame(one([m, n], [x], permuted(dtype, 0, [m, n], [1, 0])), [x], 0, () => `${m} by ${n}`);
      // Independent of any backend.
      const want = newTypedArray(dtype, m * n);
      for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) want[i * n + j] = x[j * m + i]!;
      expect(got).toEqual(want);
    }
  });

  it.each(dtypes)("beside straight ones, with what rows and columns have for themselves: %s to float64 and float32", (dtype) => {
    for (const [m, n] of pairs)
      for (const to of ["float32", "float64"] as const) {
        const inputs = [randomArray(dtype, m * n, 1), randomArray(to, m * n, 2), randomArray(to, m, 3), randomArray(to, n, 4)];
        const crossed = cast(to, permuted(dtype, 0, [m, n], [1, 0]));
        const row = unary("sqrt", unary("abs", load(to, 2, affine([1, 0]))));
        const column = unary("abs", load(to, 3, affine([0, 1])));
        const value = binary("add", binary("mul", crossed, row), binary("sub", whole(to, 1, [m, n]), binary("mul", column, crossed)));
        expectSame(one([m, n], inputs, value), inputs, 0, () => `${m} by ${n} to ${to}`);
      }
  });

  it.each([[[2, 1, 0]], [[1, 2, 0]], [[2, 0, 1]], [[0, 2, 1]], [[0, 2, 3, 1]], [[0, 3, 1, 2]], [[3, 2, 1, 0]], [[1, 0, 3, 2]]])("of several dimensions: %j", (permutation) => {
    const lengths = [1, 3, 4, 5, 17];
    for (const dtype of ["float32", "float64"] as const)
      for (let k = 0; k < 25; k++) {
        const dims = permutation.map((_, d) => lengths[(k * (d + 1) + Math.floor(k / 5) + d) % lengths.length]!);
        const x = randomArray(dtype, size(dims), k + 1);
        expectSame(one(dims, [x], binary("mul", permuted(dtype, 0, dims, permutation), constant(dtype, 1.5))), [x], 0, () => dims.join(" by "));
      }
  });

  it("in elementary functions, in lockstep and alone", () => {
    for (const dtype of ["float32", "float64"] as const)
      for (const [m, n] of [[4, 4], [5, 7], [16, 16], [33, 19], [18, 35]] as const) {
        const inputs = [randomArray(dtype, m * n, 1), randomArray(dtype, m, 2), randomArray(dtype, n, 3)];
        const x = permuted(dtype, 0, [m, n], [1, 0]);
        const ofRow = unary("exp", load(dtype, 1, affine([1, 0])));
        const ofColumn = unary("sin", load(dtype, 2, affine([0, 1])));
        expectSame(one([m, n], inputs, binary("add", binary("mul", unary("exp", x), ofRow), binary("mul", ofColumn, unary("tanh", x)))), inputs, 8, () => `${dtype} ${m} by ${n}`, 8);
      }
  });

  it("beside gathers and indices", () => {
    for (const [m, n] of [[4, 5], [17, 16], [33, 31]] as const) {
      const inputs = [randomArray("int32", m * n, 1), randomArray("float32", m + n, 2)];
      const at = binary("add", index(affine([1, 0])), index(affine([0, 1])));
      const value = binary("mul", cast("float32", binary("add", permuted("int32", 0, [m, n], [1, 0]), index(affine([n, 1])))), gather("float32", 1, at));
      expectSame(one([m, n], inputs, value), inputs, 0, () => `${m} by ${n}`);
    }
  });

  it("for several outputs of different dtypes", () => {
    for (const [m, n] of pairs.filter(([a, b]) => a * b > 0)) {
      const inputs = [randomArray("float64", m * n, 1), randomArray("float32", m * n, 2)];
      const [a, b] = [permuted("float64", 0, [m, n], [1, 0]), permuted("float32", 1, [m, n], [1, 0])];
      const values = [binary("add", a, cast("float64", b)), binary("mul", b, b), binary("lt", a, cast("float64", whole("float32", 1, [m, n])))];
      const s = schedule(inputs, values.map((v) => ({ dtype: v.dtype, size: m * n })), [kernelStep(mapKernel([m, n], values.map((value, i) => ({ buffer: 2 + i, value }))))]);
      expectSame(s, inputs, 0, () => `${m} by ${n}`);
    }
  });

  it("added in place", () => {
    for (const [m, n] of pairs.filter(([a, b]) => a * b > 0)) {
      const inputs = [randomArray("float32", m * n, 1), randomArray("float32", m * n, 2)];
      // Twice into a temporary that is then read and written.
      const fill = kernelStep(mapKernel([m, n], [{ buffer: 2, value: whole("float32", 1, [m, n]) }]));
      const add = kernelStep(mapKernel([m, n], [{ buffer: 2, value: binary("add", whole("float32", 2, [m, n]), permuted("float32", 0, [m, n], [1, 0])) }]));
      expectSame(schedule(inputs, [{ dtype: "float32", size: m * n }], [fill, add, add]), inputs, 0, () => `${m} by ${n}`);
    }
  });

  it("by two threads", () => {
    const backend = new WasmBackend({ threads: 2, minimumWork: 0 });
    for (const dtype of dtypes)
      for (const [m, n] of [[33, 31], [64, 67], [128, 129]] as const) {
        const x = randomArray(dtype, m * n, 5);
        const s = one([m, n], [x], permuted(dtype, 0, [m, n], [1, 0]));
        const program = backend.compile(s);
        expect(program.report).toMatchObject({ threads: 2, splitKernels: 1 });
        program.dispose();
        const want = newTypedArray(dtype, m * n);
        for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) want[i * n + j] = x[j * m + i]!;
        expect(runOn(backend, s, [x])[0]).toEqual(want);
      }
  });
});
