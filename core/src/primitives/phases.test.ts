import { describe, expect, it } from "vitest";
import { range, sizeOf } from "../base/shape.js";
import { lax, np } from "../index.js";
import { type Phase, phasesOf } from "./phases.js";

const at = ([origin, turn, shift, tap]: Phase["position"], q: number, t: number, j: number): number => origin + turn * q + shift * t + tap * j;

describe("phasesOf", () => {
  const numbers = [1, 2, 3, 4, 6];
  it.each(numbers.flatMap((dilation) => [1, 2, 3].map((stride) => ({ dilation, stride }))))("meets each element once at each position: dilation $dilation, stride $stride", ({ dilation, stride }) => {
    const wrong: string[] = [];
    for (const tap of [-3, -2, -1, 1, 2, 3])
      for (const window of [0, 1, 2, 3, 5, 7])
        for (const positions of [0, 1, 2, 3, 5, 12])
          for (const low of [-3, 0, 1, 4]) {
            const want = range(positions).flatMap((p) => range(window).filter((w) => (p * stride + w * tap - low) % dilation === 0).map((w) => [p, w, (p * stride + w * tap - low) / dilation + 0].join()));
            const phases = phasesOf({ positions, window, stride, tap, low, dilation });
            const seen: string[] = [];
            const covered: number[] = [];
            for (const { turns, shifts, taps, position, window: element, source } of phases)
              for (const q of range(turns))
                for (const t of range(shifts)) {
                  covered.push(at(position, q, t, 0));
                  for (const j of range(taps)) seen.push([at(position, q, t, j), at(element, q, t, j), at(source, q, t, j) + 0].join());
                }
            if (seen.sort().join(";") !== want.sort().join(";") || covered.sort((x, y) => x - y).join() !== range(positions).join()) wrong.push(`${tap} ${window} ${positions} ${low}`);
          }
    expect(wrong).toEqual([]);
  });
  it("needs few phases, however far the source is spread", () => {
    const count = (window: number, dilation: number, positions: number) => phasesOf({ positions, window, stride: 1, tap: 1, low: window - 1, dilation }).length;
    expect(count(16, 16, 224)).toBe(1);
    expect(count(3, 2, 28)).toBe(2);
    expect(count(7, 100, 1000)).toBeLessThanOrEqual(3);
    expect(count(999, 1000, 12345)).toBeLessThanOrEqual(6);
    expect(count(5, 1, 100)).toBe(1);
  });
});

describe("convolution of spread inputs", () => {
  it.each([
    { n: [5, 4], k: [3, 3], strides: [1, 1], spread: [2, 2], taps: [1, 1], low: [2, 2], high: [1, 1] },
    { n: [5, 4], k: [3, 2], strides: [2, 3], spread: [3, 2], taps: [2, 1], low: [0, 4], high: [5, 0] },
    { n: [4, 7], k: [4, 1], strides: [1, 1], spread: [4, 3], taps: [1, 5], low: [3, 0], high: [3, 0] },
    { n: [1, 3], k: [2, 5], strides: [4, 1], spread: [2, 4], taps: [2, 2], low: [1, -2], high: [9, 11] },
    { n: [3, 3], k: [2, 2], strides: [1, 1], spread: [5, 5], taps: [1, 1], low: [1, 1], high: [4, 4] },
    { n: [6, 1], k: [3, 3], strides: [2, 2], spread: [2, 2], taps: [2, 2], low: [2, 4], high: [2, 4] },
  ])("is the sum over the elements that are there: $n by $k, spread $spread, strides $strides", ({ n, k, strides, spread, taps, low, high }) => {
    const [batch, channels, out] = [2, 3, 4];
    const value = (i: number): number => ((i * 7919) % 23) - 11;
    const x = Float64Array.from({ length: batch * channels * sizeOf(n) }, (_, i) => value(i));
    const w = Float64Array.from({ length: out * channels * sizeOf(k) }, (_, i) => value(i + 5));
    for (const dtype of ["float64", "float32", "int32"] as const) {
      const y = lax.convGeneralDilated(np.array(x).reshape([batch, channels, ...n]).astype(dtype), np.array(w).reshape([out, channels, ...k]).astype(dtype), strides, low.map((l, d) => [l, high[d]!] as const), { lhsDilation: spread, rhsDilation: taps });
      const [, , rows, columns] = y.shape as [number, number, number, number];
      const want: number[] = [];
      for (const b of range(batch)) for (const o of range(out)) for (const p of range(rows)) for (const q of range(columns)) {
        let sum = 0;
        for (const c of range(channels)) for (const i of range(k[0]!)) for (const j of range(k[1]!)) {
          const [r, s] = [(p * strides[0]! + i * taps[0]! - low[0]!) / spread[0]!, (q * strides[1]! + j * taps[1]! - low[1]!) / spread[1]!];
          if (Number.isInteger(r) && Number.isInteger(s) && r >= 0 && s >= 0 && r < n[0]! && s < n[1]!) sum += x[((b * channels + c) * n[0]! + r) * n[1]! + s]! * w[((o * channels + c) * k[0]! + i) * k[1]! + j]!;
        }
        want.push(sum);
      }
      expect(Array.from(y.data as ArrayLike<number>)).toEqual(want);
    }
  });
});
