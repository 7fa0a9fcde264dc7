import { afterAll, describe, expect, it } from "vitest";
import { type DType, newTypedArray, type TypedArray } from "../../../base/dtype.js";
import { accumulator, binary, cast, constant, load } from "../../../kernel/expr.js";
import type { Accumulate, ReduceOp, Schedule } from "../../../kernel/schedule.js";
import { referenceBackend } from "../../reference/index.js";
import { execute, kernel, schedule, suiteOn, webgpuForTests } from "../testing.js";

const gpu = await webgpuForTests("WGSL reductions");
afterAll(() => gpu?.idle());
const onGpu = suiteOn(gpu, describe, it);

const isArg = (op: ReduceOp) => op === "argmax" || op === "argmin";

/** Reduces axis 1 of [outer, length] (or axis 0 of [length, outer] when `columns`). */
function reduction(ops: readonly ReduceOp[], dtype: DType, outer: number, length: number, columns = false): Schedule {
  const value = load(dtype, 0, { offset: 0, strides: columns ? [1, outer] : [length, 1] });
  const accumulators: Accumulate[] = ops.map((op) => ({ op, dtype: isArg(op) ? "int32" : dtype, value }));
  const results = accumulators.map((a) => a.dtype);
  return schedule({
    buffers: [{ dtype, size: outer * length }, ...results.map((d) => ({ dtype: d, size: outer }))], inputs: [0], outputs: results.map((_, i) => i + 1),
    steps: [kernel({ dims: [outer], reduceDims: [length], accumulators, outputs: results.map((d, i) => ({ buffer: i + 1, index: { offset: 0, strides: [1] }, value: accumulator(d, i) })) })],
  });
}

function data(dtype: DType, size: number): TypedArray {
  const out = newTypedArray(dtype, size);
  for (let i = 0; i < size; i++) {
    const r = Math.imul(i + 1, 0x9e3779b1) >>> 0;
    out[i] = dtype === "float32" ? r / 2 ** 31 - 1 : dtype === "bool" ? r >>> 31 : dtype === "int32" ? r | 0 : r;
  }
  return out;
}

/** One invocation an output; one workgroup an output; many workgroups and a second stage; and many outputs. */
const shapes = [[3, 5], [1, 64], [2, 1000], [3, 40001], [5000, 70]] as const;
const opsOf: Readonly<Record<string, readonly ReduceOp[]>> = {
  float32: ["add", "max", "min", "argmax", "argmin"], int32: ["add", "mul", "max", "min", "and", "or", "xor", "argmax", "argmin"],
  uint32: ["add", "max", "min", "argmin"], bool: ["and", "or", "xor", "argmax"],
};
const cases = Object.entries(opsOf).flatMap(([dtype, ops]) => shapes.map(([outer, length]) => ({ dtype: dtype as DType, ops, outer, length })));

onGpu("reductions, against the reference", () => {
  it.each(cases)("$dtype [$outer, $length]: $ops", async ({ dtype, ops, outer, length }) => {
    const x = data(dtype, outer * length);
    for (const columns of dtype === "float32" ? [false, true] : [false]) {
      const s = reduction(ops, dtype, outer, length, columns);
      const [got, want] = [await execute(gpu!, s, [x]), await execute(referenceBackend, s, [x])];
      ops.forEach((op, k) => {
        if (op === "add" && dtype === "float32")
          // Partial sums of 64 in trees: far below n eps sum|x|.
          got[k]!.forEach((v, i) => expect(Math.abs(v - want[k]![i]!)).toBeLessThanOrEqual(2 ** -24 * 8 * Math.sqrt(length)));
        else expect(got[k], op).toEqual(want[k]);
      });
    }
  });

  it.each([7, 1000, 100003])("products of floats, length %d", async (length) => {
    const x = Float32Array.from({ length }, (_, i) => 1 + ((i % 7) - 3) * 1e-5);
    const [y] = await execute(gpu!, reduction(["mul"], "float32", 1, length), [x]);
    expect(Math.abs(y![0]! / x.reduce((p, v) => p * v, 1) - 1)).toBeLessThan(length * 2 ** -24);
  });

  it.each([5, 500, 50000])("NaN wins in max, min, argmax and argmin; the first extremum counts; length %d", async (length) => {
    const ops: ReduceOp[] = ["max", "min", "argmax", "argmin"];
    const s = reduction(ops, "float32", 1, length);
    const x = new Float32Array(length);
    x[1] = x[3] = 5;
    x[2] = x[4] = -5;
    expect((await execute(gpu!, s, [x])).map((y) => y[0])).toEqual([5, -5, 1, 2]);
    x[0] = 0;
    x[3] = x[length - 1] = NaN;
    expect((await execute(gpu!, s, [x])).map((y) => y[0])).toEqual([NaN, NaN, 3, 3]);
    expect((await execute(gpu!, s, [new Float32Array(length).fill(-Infinity)])).map((y) => y[0])).toEqual([-Infinity, -Infinity, 0, 0]);
    const zeros = new Float32Array(length);
    zeros[1] = -0;
    expect((await execute(gpu!, s, [zeros])).slice(2).map((y) => y[0])).toEqual([0, 0]);
  });

  it("an empty range gives the identity", async () => {
    const ops: ReduceOp[] = ["add", "mul", "max", "min", "argmax"];
    const [f, i] = await Promise.all((["float32", "int32"] as const).map((d) => execute(gpu!, reduction(ops, d, 2, 0), [newTypedArray(d, 0)])));
    expect(f!.map((y) => y[1])).toEqual([0, 1, -Infinity, Infinity, 0]);
    expect(i!.map((y) => y[1])).toEqual([0, 1, -2147483648, 2147483647, 0]);
  });

  it("long sums stay accurate where adding one by one would not", async () => {
    for (const [outer, length] of [[1, 1 << 22], [4096, 2048]] as const) {
      const x = new Float32Array(outer * length).fill(0.1);
      const [y] = await execute(gpu!, reduction(["add"], "float32", outer, length), [x]);
      expect(Math.abs(y![0]! / (Math.fround(0.1) * length) - 1)).toBeLessThan(1e-6);
    }
  });

  it("reduces several dimensions and finishes with an expression over accumulators and inputs", async () => {
    // Mean over (i, k) of [4, 3, 50], times a weight of each j; and the count of elements above 0.
    const at = { offset: 0, strides: [50, 150, 1] };
    const x = data("float32", 600);
    const w = Float32Array.of(1, -2, 3);
    const s = schedule({
      buffers: [{ dtype: "float32", size: 600 }, { dtype: "float32", size: 3 }, { dtype: "float32", size: 3 }, { dtype: "int32", size: 3 }], inputs: [0, 1], outputs: [2, 3],
      steps: [kernel({
        dims: [3], reduceDims: [4, 50],
        accumulators: [{ op: "add", dtype: "float32", value: load("float32", 0, at) }, { op: "add", dtype: "int32", value: cast("int32", binary("gt", load("float32", 0, at), constant("float32", 0))) }],
        outputs: [
          { buffer: 2, index: { offset: 0, strides: [1] }, value: binary("mul", binary("div", accumulator("float32", 0), constant("float32", 200)), load("float32", 1, { offset: 0, strides: [1] })) },
          { buffer: 3, index: { offset: 0, strides: [1] }, value: accumulator("int32", 1) },
        ],
      })],
    });
    const [got, want] = [await execute(gpu!, s, [x, w]), await execute(referenceBackend, s, [x, w])];
    got[0]!.forEach((v, i) => expect(Math.abs(v - want[0]![i]!)).toBeLessThan(1e-6));
    expect(got[1]).toEqual(want[1]);
  });
});
