import { describe, expect, it } from "vitest";
import { lax, np, withDevice } from "../../../../index.js";
import { accumulator, type Affine, binary, constant, guard, load } from "../../../../kernel/expr.js";
import type { Kernel } from "../../../../kernel/schedule.js";
import { visitKernel } from "../../../../kernel/traverse.js";
import { normalize } from "./normalize.js";

const guardsOf = (k: Kernel): number => {
  let n = 0;
  visitKernel(k, (e) => { if (e.op === "guard") n++; });
  return n;
};

/** y[p] = sum over w of x[p * stride + w * tap - low], zero outside of n elements. */
function pooling(positions: number, window: number, stride: number, tap: number, low: number, n: number): Kernel {
  const at: Affine = { offset: -low, strides: [stride, tap] };
  const x = guard([{ index: at, lo: 0, hi: n, step: 1 }], load("float64", 0, at), constant("float64", 0));
  return { dims: [positions], reduceDims: [window], accumulators: [{ op: "add", dtype: "float64", value: binary("mul", x, x) }], outputs: [{ buffer: 1, index: { offset: 0, strides: [1] }, value: accumulator("float64", 0) }] };
}

describe("normalize", () => {
  it("leaves no guard where whole windows are inside", () => {
    for (const [stride, tap, low] of [[1, 1, 1], [1, 1, 2], [2, 1, 1], [1, 2, 2], [1, -1, -1], [-1, 1, -18]] as const) {
      const pieces = normalize(pooling(20, 3, stride, tap, low, 20 * Math.abs(stride)));
      const inside = pieces.filter((k) => guardsOf(k) === 0);
      expect(inside, `${stride} ${tap} ${low}`).toHaveLength(1);
      expect(inside[0]!.dims[0]).toBeGreaterThanOrEqual(16);
      expect(pieces.reduce((sum, k) => sum + (k.dims[0] ?? 1), 0)).toBe(20);
    }
  });
  it("does not cut loops whose windows are mostly outside", () => {
    expect(normalize(pooling(10, 8, 1, 1, 4, 10))).toHaveLength(1);
    expect(normalize(pooling(10, 11, 1, 1, 5, 10))).toHaveLength(1);
  });
});

describe("windows beyond the edges agree with the reference", () => {
  const numbers = (shape: readonly number[]) => Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 37) % 41) - 20);
  it.each(["max", "min", "add", "mul"] as const)("%s", (op) => {
    for (const dtype of ["float32", "int32"] as const)
      for (const [rows, columns] of [[1, 1], [2, 3], [7, 9], [12, 17]] as const)
        for (const [window, stride, pad, dilation] of [[1, 1, 1, 1], [3, 1, 1, 1], [3, 2, 2, 1], [2, 3, 1, 2], [5, 2, 4, 1]] as const) {
          const run = () => {
            const x = np.array(op === "mul" ? numbers([2, rows, columns, 5]).map((v) => (v % 3 === 0 ? -2 : Math.sign(v))) : numbers([2, rows, columns, 5])).reshape([2, rows, columns, 5]).astype(dtype);
            const init = op === "max" ? -100 : op === "min" ? 100 : op === "add" ? 0 : 1;
            return lax.reduceWindow(x, init, op, [1, window, window, 1], { windowStrides: [1, stride, stride, 1], padding: [[0, 0], [pad, pad], [pad, pad - 1], [0, 0]], windowDilation: [1, dilation, dilation, 1] });
          };
          if (Math.min(rows + 2 * pad, columns + 2 * pad - 1) < (window - 1) * dilation + 1) continue;
          const [got, want] = [run(), withDevice("reference", run)];
          expect(got.shape).toEqual(want.shape);
          expect(Array.from(got.data as ArrayLike<number>), `${dtype} ${rows}x${columns} ${window} ${stride} ${pad}`).toEqual(Array.from(want.data as ArrayLike<number>));
        }
  });
});
