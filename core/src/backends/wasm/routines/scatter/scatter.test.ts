import { describe, expect, it } from "vitest";
import { allDTypes, isFloat } from "../../../../base/dtype.js";
import type { DType, TypedArray } from "../../../../base/dtype.js";
import { scatterRoutine, type ScatterRoutineParams } from "../../../../kernel/routines/scatter.js";
import type { Backend } from "../../../backend.js";
import { referenceBackend } from "../../../reference/index.js";
import { backends, random, randomArray, runOn, schedule } from "../../test-support.js";

const ops = ["set", "add", "mul", "min", "max"] as const;

/** In a result of its own, or in the memory of the result, into which the array was copied before. */
function run(backend: Backend, x: TypedArray, at: Int32Array, updates: TypedArray, dtype: DType, params: ScatterRoutineParams, inPlace: boolean): TypedArray {
  const operand = (buffer: number, n: number, type: DType) => ({ buffer, shape: [n], dtype: type });
  const target = operand(3, x.length, dtype);
  const routine = { kind: "routine", name: scatterRoutine.name, params, inputs: [inPlace ? target : operand(0, x.length, dtype), operand(1, at.length, "int32"), operand(2, updates.length, dtype)], outputs: [target] } as const;
  const copy = { kind: "copy", from: 0, to: 3, count: x.length } as const;
  return runOn(backend, schedule([x, at, updates], [{ dtype, size: x.length }], inPlace ? [copy, routine] : [routine]), [x, at, updates])[0]!;
}

function check(dtype: DType, params: ScatterRoutineParams, change?: (x: TypedArray, updates: TypedArray) => void): void {
  const { batch, count, indices, rest } = params;
  const x = randomArray(dtype, batch * count * rest, 1);
  const updates = randomArray(dtype, batch * indices * rest, 2);
  change?.(x, updates);
  const next = random(indices + rest);
  // Some out of range on both sides, many more than once.
  const at = Int32Array.from({ length: batch * indices }, () => Math.floor(next() * (count + 4)) - 2);
  if (at.length > 2) at.set([-2147483648, 2147483647]);
  for (const inPlace of [false, true]) {
    const expected = run(referenceBackend, x, at, updates, dtype, params, inPlace);
    const got = run(backends.simd, x, at, updates, dtype, params, inPlace);
    got.forEach((g, i) => { if (!Object.is(g, expected[i])) expect.fail(`${dtype} ${JSON.stringify(params)} [${i}]: ${g} is not ${expected[i]}`); });
  }
}

describe.each(allDTypes)("%s", (dtype) => {
  it.each(ops)("%s: rows of every length, indices of every number, duplicates in their order", (op) => {
    if (dtype === "bool" && (op === "add" || op === "mul")) return;
    for (const mode of ["clip", "fill"] as const) {
      for (const rest of [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 513]) check(dtype, { batch: 2, count: 5, indices: 7, rest, op, mode });
      for (const indices of [0, 1, 2, 3, 4, 5, 7, 8, 9, 100]) check(dtype, { batch: 3, count: 17, indices, rest: 1, op, mode });
      check(dtype, { batch: 1, count: 1, indices: 6, rest: 3, op, mode });
      check(dtype, { batch: 2, count: 0, indices: 3, rest: 2, op, mode });
      if (isFloat(dtype))
        for (const rest of [1, 4, 6])
          check(dtype, { batch: 1, count: 9, indices: 40, rest, op, mode }, (x, updates) => {
            for (const a of [x, updates]) a.forEach((_, i) => (a[i] = [NaN, Infinity, -Infinity, -0, 0, 1, -1][(i * 5 + a.length) % 7]!));
          });
    }
  });
});
