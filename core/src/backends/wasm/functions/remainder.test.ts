import { describe, expect, it } from "vitest";
import { np } from "../../../index.js";

const special = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, 3, -7.25, 1e-300, 1e300, 5e-324, -5e-324, 2 ** 29, 2 ** 51, 2 ** 53, 2 ** 60, 1.7976931348623157e308, 2.2250738585072014e-308, 1e-310, 1e-40, 1e38, 7, 1 / 3];

function random(): () => number {
  let state = 12345;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Pairs of every kind: all bit patterns, quotients up to 2^60, and dividends that are multiples but for their last digit. */
function pairs(dtype: "float64" | "float32"): [Float64Array | Float32Array, Float64Array | Float32Array] {
  const [a, b]: [number[], number[]] = [[], []];
  for (const x of special) for (const y of special) { a.push(x); b.push(y); }
  const next = random();
  const bits = new DataView(new ArrayBuffer(8));
  const any = (): number => {
    bits.setUint32(0, Math.floor(next() * 2 ** 32));
    bits.setUint32(4, Math.floor(next() * 2 ** 32));
    return bits.getFloat64(0);
  };
  const sized = (): number => (next() - 0.5) * 2 ** Math.floor(next() * 60);
  const digit = dtype === "float64" ? 2 ** -52 : 2 ** -23;
  for (let i = 0; i < 20000; i++) {
    const y = i % 4 === 0 || i % 4 === 3 ? any() : sized();
    const times = Math.floor(next() * 2 ** Math.floor(next() * 53));
    a.push(i % 4 === 0 ? any() : i % 4 === 1 ? sized() : i % 4 === 2 ? y * times * (1 + (Math.floor(next() * 3) - 1) * digit) : y * Math.floor(next() * 1e6));
    b.push(y);
  }
  return dtype === "float64" ? [Float64Array.from(a), Float64Array.from(b)] : [Float32Array.from(a), Float32Array.from(b)];
}

describe("remainders of floats", () => {
  for (const dtype of ["float64", "float32"] as const)
    it(`are exact in ${dtype}: JavaScript's, bit for bit`, () => {
      const [a, b] = pairs(dtype);
      const y = np.fmod(np.array(a), np.array(b)).data;
      const wrong = [...a.keys()].filter((i) => !Object.is(y[i], a[i]! % b[i]!));
      expect(wrong.slice(0, 4).map((i) => [a[i], b[i], y[i]])).toEqual([]);
    });

  it("also beside lanes of another width, and in what is left of a vector", () => {
    for (const n of [1, 2, 3, 4, 5, 7, 8, 9]) {
      const a = Float32Array.from({ length: n }, (_, i) => 10.5 + i);
      const y = np.add(np.fmod(np.array(a), np.array(new Float32Array(n).fill(3))).astype("float64"), 0).data;
      expect([...y]).toEqual([...a].map((x) => x % 3));
    }
  });

  it("quotients rounded down have the sign of a / b, also where they are 0, and overflow to infinity", () => {
    const floors = np.floorDivide(np.array([-0, 0, 1, -1, 3, -0.5, 1.7976931348623157e308]), np.array([1, -1, Infinity, Infinity, -2, -1, 0.5]));
    expect([...floors.data]).toEqual([-0, -0, 0, -1, -2, 0, Infinity]);
  });
});
