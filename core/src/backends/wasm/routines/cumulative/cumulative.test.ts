import { describe, expect, it } from "vitest";
import { allDTypes, isFloat, newTypedArray } from "../../../../base/dtype.js";
import type { DType, TypedArray } from "../../../../base/dtype.js";
import { type CumulativeOp, type CumulativeRoutineParams, cumulativeRoutine } from "../../../../kernel/routines/cumulative.js";
import { referenceBackend } from "../../../reference/index.js";
import type { Backend } from "../../../backend.js";
import { backends, randomArray, runOn, schedule } from "../../test-support.js";

const dtypes = allDTypes.filter((d) => d !== "bool");
const ops = ["add", "mul", "max", "min"] as const;
const epsilon = { float32: 2 ** -23, float64: 2 ** -52 } as Readonly<Record<DType, number>>;

function run(backend: Backend, x: TypedArray, dtype: DType, params: CumulativeRoutineParams): TypedArray {
  const operand = (buffer: number) => ({ buffer, shape: [x.length], dtype });
  return runOn(backend, schedule([x], [{ dtype, size: x.length }], [{ kind: "routine", name: cumulativeRoutine.name, params, inputs: [operand(0)], outputs: [operand(1)] }]), [x])[0]!;
}

/** Elements in the order in which they run, for each row. */
function* rows({ outer, length, inner, reverse }: CumulativeRoutineParams): Generator<number[]> {
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) yield Array.from({ length }, (_, k) => (o * length + (reverse ? length - 1 - k : k)) * inner + i);
}

/** `|error| <= 40 eps sum |x|`, where the reference may be off by as many as there are terms. */
function expectSums(got: TypedArray, x: TypedArray, dtype: DType, params: CumulativeRoutineParams): void {
  for (const row of rows(params)) {
    let [exact, lost, magnitude] = [0, 0, 0];
    for (const i of row) {
      // Neumaier's sum: float64 for float32, and twice float64 for float64.
      const next = exact + x[i]!;
      lost += Math.abs(exact) >= Math.abs(x[i]!) ? exact - next + x[i]! : x[i]! - next + exact;
      exact = next;
      magnitude += Math.abs(x[i]!);
      if (!(Math.abs(got[i]! - (exact + lost)) <= 40 * epsilon[dtype]! * magnitude)) expect.fail(`${dtype} ${JSON.stringify(params)} [${i}]: ${got[i]} is not ${exact + lost}`);
    }
  }
}

function expectBits(got: TypedArray, expected: TypedArray, what: string): void {
  got.forEach((g, i) => { if (!Object.is(g, expected[i])) expect.fail(`${what} [${i}]: ${g} is not ${expected[i]}`); });
}

function check(x: TypedArray, dtype: DType, params: CumulativeRoutineParams): void {
  const got = run(backends.simd, x, dtype, params);
  if (params.op === "add" && isFloat(dtype)) expectSums(got, x, dtype, params);
  else expectBits(got, run(referenceBackend, x, dtype, params), `${dtype} ${JSON.stringify(params)}`);
}

const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 257, 511, 512, 513, 1031];
const inners = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31];

describe.each(dtypes)("%s", (dtype) => {
  describe.each(ops)("%s", (op) => {
    it.each([false, true])("rows and columns of every length, reverse = %s", (reverse) => {
      for (const length of lengths)
        for (const [outer, inner] of [[1, 1], [9, 1], [1, 3], [2, 21]] as const) check(values(op, dtype, outer * length * inner), dtype, { op, outer, length, inner, reverse });
      for (const inner of inners) for (const length of [1, 2, 5]) check(values(op, dtype, 2 * length * inner), dtype, { op, outer: 2, length, inner, reverse });
      for (const inner of [1023, 1024, 1025]) check(values(op, dtype, 66 * inner), dtype, { op, outer: 1, length: 66, inner, reverse });
    });
  });
});

/** Products stay in range; integers wrap around. */
function values(op: CumulativeOp, dtype: DType, n: number): TypedArray {
  const x = randomArray(dtype, n, n + 1);
  if (op === "mul" && isFloat(dtype)) x.forEach((v, i) => (x[i] = 0.75 + (v + 2) / 8));
  if (op === "mul" && !isFloat(dtype)) x.forEach((v, i) => (x[i] = v | 1));
  if (op === "add" && !isFloat(dtype)) x.forEach((v, i) => (x[i] = Math.imul(v, 0x3c6ef372)));
  return x;
}

it.each(["float32", "float64"] as const)("%s: NaN and infinities run on, signs of zeros are kept", (dtype) => {
  const n = 530;
  for (const op of ops)
    for (const reverse of [false, true])
      for (const inner of [1, 3, 40])
        for (const special of [NaN, Infinity, -Infinity, -0, 0])
          for (const at of [0, 5, 64, 257, n - 1]) {
            const x = newTypedArray(dtype, n * inner).fill(op === "mul" ? 1 : -0);
            for (let i = 0; i < inner; i++) x[at * inner + i] = special;
            x[Math.min(n - 1, at + 300) * inner] = -special;
            const params = { op, outer: 1, length: n, inner, reverse };
            expectBits(run(backends.simd, x, dtype, params), run(referenceBackend, x, dtype, params), `${JSON.stringify(params)} ${special} at ${at}`);
          }
});

it("sums of many terms are as accurate as those of few", () => {
  const n = 300_000;
  const x = new Float32Array(n).fill(0.1);
  for (const inner of [1, 2, 40]) {
    const y = run(backends.simd, x, "float32", { op: "add", outer: 1, length: n / inner, inner, reverse: false });
    const last = (n / inner) * Math.fround(0.1);
    expect(Math.abs(y[n - 1]! - last) / last).toBeLessThan(40 * 2 ** -23);
  }
});
