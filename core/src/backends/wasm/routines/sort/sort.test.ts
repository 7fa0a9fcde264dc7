import { describe, expect, it } from "vitest";
import { allDTypes, isFloat, newTypedArray } from "../../../../base/dtype.js";
import type { DType, TypedArray } from "../../../../base/dtype.js";
import { sortRoutine, type SortRoutineParams } from "../../../../kernel/routines/sort.js";
import type { Backend } from "../../../backend.js";
import { referenceBackend } from "../../../reference/index.js";
import { backends, dtypeOf, random, randomArray, runOn, schedule } from "../../test-support.js";

function run(backend: Backend, arrays: readonly TypedArray[], params: SortRoutineParams): TypedArray[] {
  const operand = (a: TypedArray, buffer: number) => ({ buffer, shape: [a.length], dtype: dtypeOf(a) });
  const step = { kind: "routine", name: sortRoutine.name, params, inputs: arrays.map(operand), outputs: arrays.map((a, i) => operand(a, arrays.length + i)) } as const;
  return runOn(backend, schedule(arrays, arrays.map((a) => ({ dtype: dtypeOf(a), size: a.length })), [step]), arrays);
}

function check(arrays: readonly TypedArray[], params: SortRoutineParams, what: string): void {
  const [expected, got] = [referenceBackend, backends.simd].map((backend) => run(backend, arrays, params)) as [TypedArray[], TypedArray[]];
  got.forEach((g, q) => g.forEach((v, i) => { if (!Object.is(v, expected[q]![i])) expect.fail(`${what} ${JSON.stringify(params)} operand ${q} [${i}]: ${v} is not ${expected[q]![i]}`); }));
}

const kinds: Readonly<Record<string, (dtype: DType, n: number) => TypedArray>> = {
  random: (dtype, n) => randomArray(dtype, n, n + 3),
  "of few values": (dtype, n) => randomArray(dtype, n, n).map((v) => Math.abs(Math.trunc(v)) % 3) as TypedArray,
  "of all sizes": (dtype, n) => {
    const next = random(n);
    return newTypedArray(dtype, n).map(() => (isFloat(dtype) ? (next() - 0.5) * 2 ** Math.floor(next() * 250 - 125) : dtype === "bool" ? (next() * 2) | 0 : (next() * 2 ** 32) | 0)) as TypedArray;
  },
  // float64 that share their high 32 bits.
  close: (dtype, n) => {
    const next = random(n);
    return newTypedArray(dtype, n).map(() => (isFloat(dtype) ? (next() < 0.5 ? -1 : 1) * (1 + Math.floor(next() * n) * 2 ** -52) : (next() * 2) | 0)) as TypedArray;
  },
  ascending: (dtype, n) => newTypedArray(dtype, n).map((_, i) => (dtype === "bool" ? (2 * i) / n : i - n / 2)) as TypedArray,
  descending: (dtype, n) => newTypedArray(dtype, n).map((_, i) => (dtype === "bool" ? (2 * (n - 1 - i)) / n : n / 2 - i)) as TypedArray,
  special: (dtype, n) => {
    const next = random(n);
    const values = isFloat(dtype) ? [NaN, Infinity, -Infinity, -0, 0, 1, -1, 5e-324, -5e-324, 1e-40] : dtype === "bool" ? [0, 1] : [0, 1, -1, 2147483647, -2147483648];
    return newTypedArray(dtype, n).map(() => values[Math.floor(next() * values.length)]!) as TypedArray;
  },
};

const positions = (n: number, length: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i % length);

describe.each(allDTypes)("%s", (dtype) => {
  it.each(Object.keys(kinds))("values %s: rows of every length, alone and with positions", (kind) => {
    for (const length of [1, 2, 3, 5, 39, 40, 41, 42, 100, 255, 256, 257, 1000]) {
      const outer = length < 50 ? 3 : 2;
      const values = kinds[kind]!(dtype, outer * length);
      check([values], { outer, length, inner: 1, keys: 1 }, kind);
      check([values, positions(outer * length, length)], { outer, length, inner: 1, keys: 1 }, kind);
    }
    for (const length of [30011]) {
      const values = kinds[kind]!(dtype, length);
      check([values], { outer: 1, length, inner: 1, keys: 1 }, kind);
      check([values, positions(length, length)], { outer: 1, length, inner: 1, keys: 1 }, kind);
    }
  });

  it("columns", () => {
    for (const inner of [2, 3, 7, 15, 31, 32, 33, 65])
      for (const length of [1, 2, 41, 130]) {
        const n = 2 * length * inner;
        check([kinds["special"]!(dtype, n)], { outer: 2, length, inner, keys: 1 }, "columns");
        check([kinds["of few values"]!(dtype, n), randomArray("float32", n, 1), randomArray("bool", n, 2), randomArray("float64", n, 4)], { outer: 2, length, inner, keys: 1 }, "columns");
      }
  });

  it("by several keys, the first before the others", () => {
    for (const length of [2, 40, 41, 500, 20000])
      for (const other of allDTypes) {
        const arrays = [kinds["of few values"]!(dtype, length), kinds["special"]!(other, length), kinds["close"]!(dtype, length), positions(length, length)];
        for (const keys of [2, 3, 4]) check(arrays, { outer: 1, length, inner: 1, keys }, other);
      }
  });
});

it("no elements", () => {
  for (const dtype of allDTypes) check([newTypedArray(dtype, 0)], { outer: 3, length: 0, inner: 1, keys: 1 }, dtype);
});
