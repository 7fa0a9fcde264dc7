import { describe, expect, it } from "vitest";
import { range, sizeOf } from "../base/shape.js";
import { np } from "../index.js";
import { bind1 } from "../trace/trace.js";
import { overlapAdd, windows } from "./structural.js";

const indices = (shape: readonly number[]): number[][] => shape.reduce<number[][]>((all, n) => all.flatMap((i) => range(n).map((k) => [...i, k])), [[]]);

describe("overlapAdd", () => {
  it.each([
    { shape: [8], window: [2], strides: [2], dilation: [1] },
    { shape: [9], window: [2], strides: [2], dilation: [1] },
    { shape: [11], window: [2], strides: [4], dilation: [3] },
    { shape: [11], window: [2], strides: [3], dilation: [3] },
    { shape: [3, 7, 6], window: [1, 2, 3], strides: [1, 3, 3], dilation: [1, 1, 1] },
    { shape: [3, 7, 6], window: [1, 3, 2], strides: [2, 1, 2], dilation: [1, 2, 1] },
    { shape: [5, 1], window: [1, 1], strides: [2, 1], dilation: [1, 1] },
    { shape: [3], window: [4], strides: [4], dilation: [1] },
  ])("adds windows $window, $strides apart, spaced $dilation, to an array $shape", ({ shape, window, strides, dilation }) => {
    const seen = bind1(windows, [np.array(new Float64Array(sizeOf(shape))).reshape(shape)], { window, strides, dilation });
    const x = Float64Array.from({ length: seen.size }, (_, i) => i + 1);
    const want = new Float64Array(sizeOf(shape));
    indices(seen.shape).forEach((i, at) => {
      const place = shape.reduce((sum, n, d) => sum * n + i[d]! * strides[d]! + i[d + shape.length]! * dilation[d]!, 0);
      want[place]! += x[at]!;
    });
    expect(bind1(overlapAdd, [np.array(x).reshape([...seen.shape])], { shape, window, strides, dilation }).data).toEqual(want);
  });
});
