import { describe, expect, it } from "vitest";
import { explain, jit, lax, type NDArray, np, withDevice } from "../../index.js";

const numbers = (shape: readonly number[], seed: number): NDArray => np.array(Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (((i + seed) * 7919) % 31) - 15)).reshape([...shape]);

/** Small integers: every order of summation is exact. */
function agrees(f: (...xs: NDArray[]) => NDArray, xs: readonly NDArray[]): void {
  const want = withDevice("reference", () => f(...xs.map((x) => np.array(x.data).reshape([...x.shape]))));
  const got = jit(f)(...xs);
  expect(got.shape).toEqual(want.shape);
  // The sign of a zero depends on the order of summation.
  const plain = (y: NDArray): number[] => Array.from(y.data as ArrayLike<number>, (v) => v + 0);
  expect(plain(got)).toEqual(plain(want));
}

describe("permuted results of contractions", () => {
  it("are written where they belong", () => {
    const f = jit((a: NDArray, b: NDArray, c: NDArray) => np.transpose(np.einsum("bij,bjk->bik", a, b), [1, 2, 0]).add(c));
    const { schedule } = explain(f, np.ones([3, 4, 5]), np.ones([3, 5, 6]), np.ones([4, 6, 3]));
    expect(schedule.steps).toHaveLength(1);
    const image = explain(jit((x: NDArray, k: NDArray) => lax.convGeneralDilated(x, k, [1, 1], "SAME", { dimensionNumbers: ["NHWC", "HWIO", "NHWC"] })), np.ones([2, 9, 8, 5]), np.ones([3, 3, 5, 7]));
    expect(image.schedule.steps).toHaveLength(1);
  });

  it.each([1, 3, 4, 17])("products with %i columns, transposed, with an epilogue", (n) => {
    for (const m of [1, 4, 35])
      for (const k of [1, 64]) {
        agrees((a, b) => np.matmul(a, b).T, [numbers([m, k], 1), numbers([k, n], 2)]);
        agrees((a, b, c) => np.maximum(np.matmul(a, b).T.add(c), 0), [numbers([m, k], 1), numbers([k, n], 2), numbers([n, 1], 3)]);
      }
    for (const order of [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
      agrees((a, b) => np.transpose(np.matmul(a, b), order).mul(2), [numbers([3, 5, 4], 1), numbers([3, 4, n], 2)]);
  });

  it("images with channels last", () => {
    for (const channels of [1, 4, 17])
      for (const groups of [1, channels])
        for (const [size, window, stride] of [[1, 1, 1], [8, 3, 2], [9, 3, 1]] as const) {
          const xs = [numbers([2, size, size + 1, channels], 1), numbers([window, window, channels / groups, groups === 1 ? 6 : 2 * channels], 2)];
          agrees((x, k) => np.maximum(lax.convGeneralDilated(x, k, [stride, stride], "SAME", { dimensionNumbers: ["NHWC", "HWIO", "NHWC"], featureGroupCount: groups }), 1), xs.map((x) => x.astype(channels === 4 ? "float32" : "float64")));
        }
  });
});
