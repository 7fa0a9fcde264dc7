import { describe, it } from "vitest";
import type { DType, TypedArray } from "../../../base/dtype.js";
import { newTypedArray } from "../../../base/dtype.js";
import { WasmBackend } from "../index.js";
import { backends, expectClose, randomArray, runOn, schedule } from "../test-support.js";
import type { MatmulParams } from "../../../kernel/matmul.js";

const relaxed = new WasmBackend();

function plain(p: MatmulParams, a: TypedArray, b: TypedArray, dtype: DType): TypedArray {
  const c = newTypedArray(dtype, p.batch * p.m * p.n);
  for (let s = 0; s < p.batch; s++)
    for (let i = 0; i < p.m; i++)
      for (let j = 0; j < p.n; j++) {
        let sum = 0;
        for (let q = 0; q < p.k; q++)
          sum += a[s * p.m * p.k + (p.transposeA ? q * p.m + i : i * p.k + q)]! * b[s * p.k * p.n + (p.transposeB ? j * p.k + q : q * p.n + j)]!;
        c[(s * p.m + i) * p.n + j] = sum;
      }
  return c;
}

function check(m: number, n: number, k: number, batch = 1): void {
  for (const dtype of ["float32", "float64"] as const)
    for (const transposeA of [false, true])
      for (const transposeB of [false, true]) {
        const p: MatmulParams = { batch, m, n, k, transposeA, transposeB };
        const a = randomArray(dtype, batch * m * k, 1);
        const b = randomArray(dtype, batch * k * n, 2);
        const s = schedule([a, b], [{ dtype, size: batch * m * n }], [{
          kind: "routine", name: "matmul", params: p,
          inputs: [{ buffer: 0, shape: transposeA ? [batch, k, m] : [batch, m, k], dtype }, { buffer: 1, shape: transposeB ? [batch, n, k] : [batch, k, n], dtype }],
          outputs: [{ buffer: 2, shape: [batch, m, n], dtype }],
        }]);
        const expected = plain(p, a, b, dtype);
        for (const [name, backend] of Object.entries({ ...backends, relaxed })) expectClose(runOn(backend, s, [a, b])[0]!, expected, 16 + 2 * Math.sqrt(k), () => `${name} ${JSON.stringify(p)} ${dtype}`, 4);
      }
}

describe("matmul", () => {
  it("small shapes, zeros and ones included", () => {
    for (const m of [0, 1, 2, 3, 5]) for (const n of [0, 1, 2, 4, 7]) for (const k of [0, 1, 3, 8]) check(m, n, k);
  });
  it("around the block sizes", () => {
    for (const [m, n, k] of [[16, 16, 16], [17, 13, 31], [4, 12, 256], [5, 11, 257], [3, 25, 512], [33, 37, 29], [64, 1, 64], [1, 64, 64], [129, 24, 7], [130, 50, 300], [7, 100, 33], [20, 23, 64], [18, 200, 40]] as const) check(m, n, k);
  });
  it("batches", () => {
    check(3, 3, 3, 11);
    check(20, 18, 17, 3);
    check(131, 14, 9, 2);
  });
});
