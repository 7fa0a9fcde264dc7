import { describe, expect, it } from "vitest";
import { median, pairedRatio, quantile } from "./statistics.js";

describe("statistics of rounds", () => {
  it("takes medians and quantiles without sorting numbers as text", () => {
    expect(median([10, 9, 100])).toBe(10);
    expect(median([1, 2, 3, 10])).toBe(2.5);
    expect(quantile([5, 1, 3, 2, 4], 0.9)).toBe(5);
  });
  it("compares round by round: a disturbed round spoils no ratio", () => {
    const ours = new Map([[0, 1], [1, 50], [2, 1]]);
    const theirs = new Map([[0, 4], [1, 200], [2, 4]]);
    expect(pairedRatio(ours, theirs)).toBe(4);
    // A peer that was too slow for every round is compared in those that it ran.
    expect(pairedRatio(ours, new Map([[0, 7]]))).toBe(7);
    expect(pairedRatio(ours, new Map())).toBeNaN();
  });
});
