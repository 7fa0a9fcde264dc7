import { describe, expect, it } from "vitest";
import type { TypedArray } from "../../../base/dtype.js";
import { RuleError } from "../../../base/errors.js";
import { defineRoutine } from "../../../kernel/routine.js";
import { WasmBackend } from "../index.js";
import { backends, expectClose, randomArray, runOn, schedule } from "../test-support.js";
import type { Code } from "./code.js";
import { template } from "./code.js";
import { gemm, gemmMode } from "./gemm.js";
import { defineNativeRoutine } from "./registry.js";
import type { NativeOperands } from "./registry.js";
import { transposeInto } from "./transpose.js";
import { addRows, axpy, divide, dot, largestMagnitude, rowDots, scale, swap } from "./vectors.js";

const threaded = (threads: number) => new WasmBackend({ threads, minimumWork: 0, relaxed: false });
const engines = { plain: backends.simd, relaxed: new WasmBackend(), "two threads": threaded(2), "three threads": threaded(3) };
const dtypes = ["float32", "float64"] as const;
const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100];
let made = 0;

/** Runs a body on arrays: inputs are copied to outputs of the same length, which it changes. */
function run(arrays: readonly TypedArray[], body: (c: Code, operands: NativeOperands) => void, engine: WasmBackend, scratch: "none" | "gemm" = "none"): TypedArray[] {
  const name = `test.native${made++}`;
  defineNativeRoutine(defineRoutine({ name, reference: () => { throw new Error("the reference ran"); } }), ({ inputs, gemmScratchBytes }) => {
    const dtype = inputs[0]!.dtype as "float32" | "float64";
    return {
      dtype, scratchBytes: scratch === "gemm" ? gemmScratchBytes(dtype) : 0,
      body(c, operands) {
        arrays.forEach((a, i) => c.copy(a.length, operands.inputs[i]!, operands.outputs[i]!));
        body(c, operands);
      },
    };
  });
  const typeOf = (a: TypedArray) => (a instanceof Float64Array ? ("float64" as const) : a instanceof Float32Array ? ("float32" as const) : ("int32" as const));
  const operand = (a: TypedArray, buffer: number) => ({ buffer, shape: [a.length], dtype: typeOf(a) });
  const s = schedule(arrays, arrays.map((a) => ({ dtype: typeOf(a), size: a.length })), [{ kind: "routine", name, params: {}, inputs: arrays.map(operand), outputs: arrays.map((a, i) => operand(a, arrays.length + i)) }]);
  return runOn(engine, s, arrays);
}

describe.each(Object.entries(engines))("%s", (_name, engine) => {
  it("operations on vectors", () => {
    for (const dtype of dtypes)
      for (const n of lengths) {
        const [x, y] = [randomArray(dtype, n, 1), randomArray(dtype, n, 2)];
        const one = randomArray(dtype, 1, 3);
        const after = (body: (c: Code, p: NativeOperands["outputs"]) => void) => run([x, y, one], (c, { outputs }) => body(c, outputs), engine);
        const same = (got: TypedArray, want: (i: number) => number, scale = 0) => expectClose(got, got.map((_, i) => want(i)), 4, () => `${dtype} ${n}`, scale);
        same(after((c, [p, q, r]) => r!.store(c.call(dot, { n, x: p!, y: q! })))[2]!, () => Array.from(x).reduce((sum: number, v, i) => sum + v * y[i]!, 0), 1 + n);
        same(after((c, [p, , r]) => r!.store(c.call(largestMagnitude, { n, x: p! })))[2]!, () => Array.from(x).reduce((m: number, v) => Math.max(m, Math.abs(v)), 0));
        same(after((c, [p, q]) => c.call(axpy, { n, a: -0.5, x: p!, y: q! }))[1]!, (i) => y[i]! - 0.5 * x[i]!, 4);
        same(after((c, [p]) => c.call(scale, { n, a: 3, x: p! }))[0]!, (i) => 3 * x[i]!);
        same(after((c, [p]) => c.call(divide, { n, a: 3, x: p! }))[0]!, (i) => x[i]! / 3);
        const swapped = after((c, [p, q]) => c.call(swap, { n, x: p!, y: q! }));
        expect([Array.from(swapped[0]!), Array.from(swapped[1]!)]).toEqual([Array.from(y), Array.from(x)]);
      }
  });

  it("products of matrices and vectors, transposition, gemm", () => {
    for (const dtype of dtypes)
      for (const [m, n] of [[0, 3], [1, 1], [2, 5], [4, 4], [5, 9], [9, 17], [20, 8], [13, 33], [8, 2], [16, 19], [31, 7], [32, 3], [33, 4], [47, 2], [48, 5], [49, 9], [65, 6]] as const) {
        const a = randomArray(dtype, m * n, 1);
        const [x, y, b] = [randomArray(dtype, n, 2), randomArray(dtype, m, 3), randomArray(dtype, m * n, 4)];
        const square = randomArray(dtype, m * m, 5);
        const near = (got: TypedArray, want: (i: number) => number) => expectClose(got, got.map((_, i) => want(i)), 4, () => `${dtype} ${m} ${n}`, 4 + n + m);
        near(run([a, x, y], (c, { outputs: [p, q, r] }) => c.call(rowDots, { m, n, a: p!, row: n, x: q!, y: r!, yStride: 1 }), engine)[2]!, (i) => Array.from(x).reduce((sum: number, v, j) => sum + v * a[i * n + j]!, 0));
        near(run([a, x, y], (c, { outputs: [p, q, r] }) => c.call(addRows, { m, n, sign: -1, x: r!, xStride: 1, a: p!, row: n, y: q! }), engine)[1]!, (j) => Array.from(y).reduce((sum: number, v, i) => sum - v * a[i * n + j]!, x[j]!));
        expect(Array.from(run([a, b], (c, { outputs: [p, q] }) => c.call(transposeInto, { m, n, a: p!, aRow: n, b: q!, bRow: m }), engine)[1]!)).toEqual(Array.from({ length: m * n }, (_, i) => a[(i % m) * n + Math.floor(i / m)]!));
        // C -= A B', and the same from the last row up.
        for (const sign of [1, -1])
          near(run([square, a, b], (c, { outputs: [s, p, q], scratch }) => {
            const last = sign > 0 || m === 0 ? 0 : m - 1;
            c.call(gemm, { m, n: m, k: n, a: p!.at(last * n), aRow: sign * n, aK: 1, b: q!, bK: 1, bColumn: n, to: s!.at(last * m), toRow: sign * m, mode: gemmMode.subtract, scratch });
          }, engine, "gemm")[0]!, (e) => {
            let sum = square[e]!;
            for (let k = 0; k < n; k++) sum -= a[Math.floor(e / m) * n + k]! * b[(e % m) * n + k]!;
            return sum;
          });
      }
  });

  it("control flow, integers and recursion", () => {
    const fibonacci = template("test.fibonacci", { n: "index" }, "index", (c, { n }) => {
      const result = c.index(n);
      c.when(n.greater(1), () => result.set(c.call(fibonacci, { n: n.minus(1) }).plus(c.call(fibonacci, { n: n.minus(2) }))));
      return result;
    });
    const [, out] = run([new Float64Array(1), new Int32Array(16)], (c, { outputs: [, p] }) => {
      p!.storeIndex(c.call(fibonacci, { n: 12 }), 0);
      p!.storeIndex(c.index(-7).floorTo(4), 1);
      p!.storeIndex(c.index(-7).over(2), 2);
      p!.storeIndex(c.index(5).max(c.index(9)).min(7), 3);
      const rounds = c.index(0);
      c.repeat((leave) => {
        rounds.add(1);
        c.when(rounds.atLeast(5), leave);
      });
      p!.storeIndex(rounds, 4);
      c.range(9, 5, () => rounds.add(100));
      c.range(9, 5, () => rounds.add(1), -2);
      p!.storeIndex(rounds, 5);
      const x = c.real(2);
      const now = c.let(x.times(3));
      const later = x.times(3);
      x.set(5);
      p!.storeIndex(c.chooseIndex(now.equals(6).and(later.equals(15)), 1, 0), 6);
      p!.storeIndex(c.chooseIndex(c.real(NaN).greater(0).or(c.real(NaN).atMost(0)).not(), 1, 0), 7);
    }, engine);
    expect(Array.from(out!.slice(0, 8))).toEqual([144, -8, -3, 7, 5, 7, 1, 1]);
  });
});

it("large products have the same bits on any number of threads", () => {
  const [many, few] = [1031, 70];
  const engines = [2, 9].map((threads) => new WasmBackend({ threads, relaxed: false }));
  let jobs = 0;
  for (const dtype of dtypes)
    for (const [m, n, k] of [[many, few, few], [few, many, few], [few, few, many], [512, 513, 33]] as const) {
      const [a, b] = [randomArray(dtype, m * k, 1), randomArray(dtype, k * n, 2)];
      const c = randomArray(dtype, m * n, 3);
      const product = (engine: WasmBackend) =>
        run([c, a, b], (code, { outputs: [to, x, y], scratch }) => code.call(gemm, { m, n, k, a: x!, aRow: 1, aK: m, b: y!, bK: n, bColumn: 1, to: to!, toRow: n, mode: gemmMode.subtract, scratch }), engine, "gemm")[0]!;
      const one = product(backends.simd);
      jobs++;
      for (const engine of engines) {
        expect(Array.from(product(engine))).toEqual(Array.from(one));
        expect(engine.threads.started?.jobs).toBe(jobs);
      }
    }
  for (const engine of engines) engine.threads.drop([]);
});

it("engines without SIMD run the reference, and code is defined once", () => {
  expect(() => run([new Float64Array(1)], () => undefined, backends.scalar)).toThrow("the reference ran");
  const routine = defineRoutine({ name: "test.twice", reference: () => undefined });
  defineNativeRoutine(routine, () => undefined);
  expect(() => defineNativeRoutine(routine, () => undefined)).toThrow(RuleError);
});
