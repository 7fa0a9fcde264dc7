import { describe, expect, it } from "vitest";
import { jit, type NDArray, np } from "../../../../index.js";

const values = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, 2, 1e-46, -1e-46, 1e-320, 1e30, 3, -3, 1.5, -0.25];

describe("the larger and the smaller of an element and a number", () => {
  for (const type of [Float32Array, Float64Array])
    for (const bound of [1, -1, 0, -0, 1e-46, -1e-46, 0.5, Infinity, -Infinity, NaN])
      it(`are IEEE 754's maximum and minimum with ${Object.is(bound, -0) ? "-0" : bound} in ${type.name}, compiled in and as an operand`, () => {
        for (const n of [1, 2, 3, 4, 5, 7, values.length]) {
          const x = type.from(values.slice(-n));
          const b = type.of(bound)[0]!;
          for (const [f, meaning] of [[np.maximum, Math.max], [np.minimum, Math.min]] as const) {
            const expected = [...x.map((v) => meaning(v, b))];
            for (const g of [jit((v: NDArray) => f(v, bound)), jit((v: NDArray) => f(bound, v)), (v: NDArray) => f(v, bound)]) expect([...g(np.array(x)).data]).toEqual(expected);
          }
        }
      });

  it("a root is the power to a half, as NumPy has it", () => {
    const roots = np.power(np.array(Float64Array.of(4, 2, 0, -0, -1, Infinity, -Infinity)), 0.5);
    expect([...roots.data]).toEqual([2, Math.SQRT2, 0, -0, NaN, Infinity, NaN]);
    expect(np.power(np.array(Int32Array.of(4, 9)), 0.5).toArray()).toEqual([2, 3]);
    expect(np.power(np.array(Float32Array.of(4)), 0.5).dtype).toBe("float32");
  });
});
